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
struct Failed {
    /// Errors that ended at a field that may be null.
    errors: Vec<ServerError>,
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

    /// The errors that ended at a field that may be null, since the last time.
    pub(super) fn take_errors(&self) -> Vec<ServerError> {
        let mut failed = self.lock();
        failed.broken.clear();
        std::mem::take(&mut failed.errors)
    }

    fn break_parent(&self, path: &QueryPathNode<'_>) {
        if let Some(parent) = path.parent {
            self.lock().broken.insert(parent.to_string());
            self.any.store(true, Ordering::Release);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Failed> {
        self.failed.lock().expect("no holder of this lock panics")
    }
}
