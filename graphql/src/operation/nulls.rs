//! Where an error leaves null: at the nearest field that may be null, as the specification wants it.
//!
//! The library leaves the failed field out of its object instead, whatever its type, so its siblings would look whole.

use async_graphql::{QueryPathNode, ServerError, ServerResult, Value};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

/// What failed in one operation.
#[derive(Default)]
pub(super) struct Nulls {
    /// Whether anything did: the common case costs one load.
    any: AtomicBool,
    failed: Mutex<Failed>,
}

#[derive(Default)]
pub(super) struct Failed {
    /// Errors that ended at a field that may be null.
    pub(super) errors: Vec<ServerError>,
    /// Whether a field of the root that may not be null has failed: then nothing is left.
    pub(super) is_root_broken: bool,
    /// Paths of objects and lists of which a part that may not be null has failed.
    broken: HashSet<String>,
}

impl Nulls {
    /// The value that the field or item at `path` has, given what resolving it gave.
    pub(super) fn settle(
        &self,
        path: &QueryPathNode<'_>,
        is_nullable: bool,
        result: ServerResult<Option<Value>>,
    ) -> ServerResult<Option<Value>> {
        match result {
            Err(error) if is_nullable => {
                self.lock().errors.push(error);
                Ok(Some(Value::Null))
            }
            Err(error) => {
                self.break_parent(path);
                Err(error)
            }
            Ok(value) if !self.any.load(Ordering::Acquire) => Ok(value),
            Ok(value) if !self.lock().broken.remove(&path.to_string()) => Ok(value),
            Ok(_) => {
                if !is_nullable {
                    self.break_parent(path);
                }
                Ok(Some(Value::Null))
            }
        }
    }

    /// What failed since the last time.
    pub(super) fn take(&self) -> Failed {
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *self.lock())
    }

    fn break_parent(&self, path: &QueryPathNode<'_>) {
        let mut failed = self.lock();
        match path.parent {
            Some(parent) => drop(failed.broken.insert(parent.to_string())),
            None => failed.is_root_broken = true,
        }
        self.any.store(true, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Failed> {
        self.failed.lock().expect("no holder of this lock panics")
    }
}
