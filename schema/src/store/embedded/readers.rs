//! The readers: a few connections, each on a thread of its own, behind one bounded queue.

use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::error::store_error;
use crate::store::embedded::layout::open_reader;
use crate::store::{StoreError, rows_read};
use rusqlite::Connection;
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// More than two cores can use: a read that waits for the disk holds up no other.
const READERS: usize = 4;
/// Reads that wait; whoever asks beyond waits to ask.
const QUEUED: usize = 256;

thread_local! {
    /// Rows read so far by the read that this thread runs.
    static ROWS: Cell<u64> = const { Cell::new(0) };
}

/// How many steps of a statement lie between two looks whether somebody still waits for it: below a millisecond.
const STEPS: std::ffi::c_int = 10_000;

thread_local! {
    /// Tells whether nobody waits any more for the read that this thread runs.
    static IS_ABANDONED: RefCell<Option<Box<dyn Fn() -> bool>>> = const { RefCell::new(None) };
}

/// Ends a statement on this thread's connection that nobody waits for.
fn is_abandoned() -> bool {
    IS_ABANDONED.with_borrow(|is_abandoned| is_abandoned.as_ref().is_some_and(|is_abandoned| is_abandoned()))
}

/// Counts rows of the read under way.
pub(super) fn count_rows(rows: u64) {
    ROWS.set(ROWS.get() + rows);
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The reading half of the store. Dropping it waits for the reads that run.
#[derive(Debug)]
pub(super) struct Readers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Opens all connections.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel::<Job>(QUEUED);
        let queue = Arc::new(Mutex::new(queue));
        let mut readers = Self { jobs: Some(jobs), threads: Vec::with_capacity(READERS) };
        for number in 0..READERS {
            let (mut connection, queue) = (open_reader(path)?, Arc::clone(&queue));
            connection.progress_handler(STEPS, Some(is_abandoned)).map_err(|e| store_error(&e))?;
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || serve(&connection, &queue))
                .map_err(|e| StoreError::Unavailable(format!("no thread for the store: {e}")))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Runs `read` on a free connection.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run(move |db| read(db).map_err(|e| store_error(&e))).await
    }

    /// Runs `read` on a free connection, once all pages have that done which it needs.
    pub(super) async fn read_after<T, F>(&self, work: Work, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run(move |db| {
            Awaiting::check_done(db, work)?;
            read(db).map_err(|e| store_error(&e))
        })
        .await
    }

    async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let closed = || StoreError::Unavailable("the embedded store is closing".into());
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if reply.is_closed() {
                return;
            }
            let reply = Rc::new(reply);
            let watched = Rc::clone(&reply);
            IS_ABANDONED.set(Some(Box::new(move || watched.is_closed())));
            ROWS.set(0);
            let answer = read(connection);
            IS_ABANDONED.set(None);
            if let Some(reply) = Rc::into_inner(reply) {
                // Nobody waits any more when this fails.
                let _ = reply.send((answer, ROWS.get()));
            }
        });
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(job).await.map_err(|_| closed())?;
        let (answer, rows) = answer.await.map_err(|_| closed())?;
        rows_read::add(rows);
        answer
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader of the embedded store had panicked");
            }
        }
    }
}

fn serve(connection: &Connection, queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = queue.lock().expect("taking from the queue does not panic").blocking_recv();
        match job {
            Some(job) => job(connection),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const WITHOUT_END: &str = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) \
                               SELECT max(n) FROM numbers";

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.db");
        drop(Connection::open(&path).unwrap());
        // Never dropped: that would wait for reads without an end.
        let readers: &'static Readers = Box::leak(Box::new(Readers::open(&path).unwrap()));
        let (began, mut begun) = mpsc::channel(READERS);
        let endless: Vec<_> = (0..READERS)
            .map(|_| {
                let began = began.clone();
                tokio::spawn(async move {
                    let read = move |db: &Connection| {
                        began.blocking_send(()).expect("the test waits for it");
                        db.query_row(WITHOUT_END, (), |row| row.get::<_, i64>(0))
                    };
                    readers.read(read).await
                })
            })
            .collect();
        for _ in 0..READERS {
            begun.recv().await.unwrap();
        }
        for read in endless {
            read.abort();
        }
        let next = readers.read(|db| db.query_row("SELECT 7", (), |row| row.get::<_, i64>(0)));
        let next = tokio::time::timeout(Duration::from_secs(10), next).await;
        assert_eq!(next.expect("a reader is free again").unwrap(), 7);
    }
}
