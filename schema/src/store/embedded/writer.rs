//! The writer: one thread with the one connection that writes, and group commit.

use crate::hour::Hour;
use crate::page::Page;
use crate::retention::Keep;
use crate::store::embedded::batch::{Batches, Counting};
use crate::store::embedded::error::store_error;
use crate::store::embedded::{expiry, rebuild, titles};
use crate::store::{PipelineRecord, Repair, StoreError};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::thread::JoinHandle;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

/// Changes that wait; whoever writes beyond waits to write.
const QUEUED: usize = 64;
/// Pages beyond which no more waiting writes are taken into a transaction.
const GROUP_PAGES: usize = 4_000;

/// Something to write.
#[derive(Debug)]
pub(super) enum Change {
    /// Rows of all tables, but those of hours that are frozen by then.
    Pages(Vec<Page>, DateTime<Utc>),
    /// A record of the pipeline's own.
    Record(PipelineRecord),
    /// A step of a repair; counts are taken to the end.
    Repair(Repair),
    /// How long pages are kept from then on.
    Keep(Keep, DateTime<Utc>),
    /// Begin to remove what was kept long enough by then.
    RemoveExpired(DateTime<Utc>),
}

struct Request {
    change: Change,
    reply: oneshot::Sender<Result<Hour, StoreError>>,
}

/// The writing half of the store. Dropping it waits until all that was accepted is written.
#[derive(Debug)]
pub(super) struct Writer {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on `connection`.
    pub(super) fn start(mut connection: Connection, counting: Counting) -> Result<Self, StoreError> {
        let mut batches = Batches::open(&connection, counting).map_err(|e| store_error(&e))?;
        let (requests, mut queue) = mpsc::channel(QUEUED);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let mut chores = Chores::at_start();
                while let Some(group) = next_group(&mut queue, chores.is_any()) {
                    if !group.is_empty() {
                        chores.add(&group);
                        serve(&mut connection, &mut batches, group);
                    }
                    chores.do_part(&mut connection, &mut batches);
                }
            })
            .map_err(|e| StoreError::Unavailable(format!("no thread for the store: {e}")))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Writes `change`; returns when its transaction is committed, before which hour no page was written.
    pub(super) async fn write(&self, change: Change) -> Result<Hour, StoreError> {
        let closed = || StoreError::Unavailable("the embedded store is closing".into());
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(closed)?;
        requests.send(Request { change, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the embedded store had panicked");
        }
    }
}

/// What the thread does part by part between its writes.
struct Chores {
    is_counting: bool,
    is_indexing: bool,
    removes: Option<DateTime<Utc>>,
    can_remove: bool,
}

impl Chores {
    fn at_start() -> Self {
        Self { is_counting: true, is_indexing: true, removes: None, can_remove: true }
    }

    fn is_any(&self) -> bool {
        self.is_counting || self.is_indexing || self.removes.is_some()
    }

    fn add(&mut self, group: &[Request]) {
        for request in group {
            if let Change::RemoveExpired(now) = request.change {
                self.removes = self.removes.max(Some(now)).filter(|_| self.can_remove);
            }
        }
    }

    fn do_part(&mut self, connection: &mut Connection, batches: &mut Batches) {
        if self.is_counting {
            self.is_counting = count_part(connection, batches);
        } else if self.is_indexing {
            self.is_indexing = index_part(connection);
        } else if let Some(now) = self.removes {
            let is_more = expiry::remove_part(connection, now).unwrap_or_else(|error| {
                tracing::error!(error = %store_error(&error), "pages cannot be removed; restart to go on");
                self.can_remove = false;
                false
            });
            self.removes = self.removes.filter(|_| is_more);
        }
    }
}

/// Takes all changes that wait; where there is something to do meanwhile, without waiting for one. None when the
/// store is dropped.
fn next_group(queue: &mut mpsc::Receiver<Request>, has_chores: bool) -> Option<Vec<Request>> {
    let first = match queue.try_recv() {
        Ok(request) => request,
        Err(TryRecvError::Empty) if has_chores => return Some(Vec::new()),
        Err(_) => queue.blocking_recv()?,
    };
    let mut group = vec![first];
    let pages_of = |request: &Request| if let Change::Pages(pages, _) = &request.change { pages.len() } else { 1 };
    let mut pages = pages_of(&group[0]);
    while pages < GROUP_PAGES {
        let Ok(request) = queue.try_recv() else { break };
        pages += pages_of(&request);
        group.push(request);
    }
    Some(group)
}

/// Counts a part of what awaits it; false when nothing is left, or when it failed: then the next start goes on.
fn count_part(connection: &mut Connection, batches: &mut Batches) -> bool {
    batches.count_part(connection).unwrap_or_else(|error| {
        tracing::error!(error = %store_error(&error), "the pages stored earlier cannot be counted; restart to go on");
        batches.forget();
        false
    })
}

/// Enters a part of what awaits it in the index by title; false as by [`count_part`].
fn index_part(connection: &mut Connection) -> bool {
    titles::index_part(connection).unwrap_or_else(|error| {
        tracing::error!(error = %store_error(&error), "the pages stored earlier cannot be entered by title; restart to go on");
        false
    })
}

fn count_to_the_end(connection: &mut Connection, batches: &mut Batches) -> rusqlite::Result<()> {
    while batches.count_part(connection)? {}
    Ok(())
}

/// Writes a group in one transaction and answers each.
fn serve(connection: &mut Connection, batches: &mut Batches, group: Vec<Request>) {
    let is_repair = group.iter().any(|request| matches!(request.change, Change::Repair(_)));
    let mut result = write_group(connection, batches, &group);
    if is_repair || result.is_err() {
        batches.forget();
    }
    if is_repair {
        result = result.and_then(|frozen| count_to_the_end(connection, batches).map(|()| frozen));
    }
    let result = result.map_err(|e| store_error(&e));
    for request in group {
        // A caller that gave up meanwhile hears nothing; writing again is right for it.
        let _ = request.reply.send(result.clone());
    }
}

fn write_group(connection: &mut Connection, batches: &mut Batches, group: &[Request]) -> rusqlite::Result<Hour> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut pages, mut frozen) = (Vec::<&Page>::new(), Hour::MIN);
    for request in group {
        match &request.change {
            Change::Pages(more, now) => {
                pages.extend(more);
                frozen = frozen.max(expiry::freeze(&transaction, *now)?);
            }
            Change::Record(record) => put_record(&transaction, record)?,
            Change::Repair(step) => rebuild::repair(&transaction, step)?,
            Change::Keep(keep, now) => expiry::set_keep(&transaction, *keep, *now)?,
            Change::RemoveExpired(_) => {}
        }
    }
    pages.retain(|page| Hour::of(page.created_at) >= frozen);
    batches.write(&transaction, &pages)?;
    transaction.commit()?;
    Ok(frozen)
}

fn put_record(transaction: &Transaction<'_>, record: &PipelineRecord) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO pipeline_records (kind, record_key, payload) VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(sql)?.execute(params![record.kind, record.key, record.payload])?;
    Ok(())
}
