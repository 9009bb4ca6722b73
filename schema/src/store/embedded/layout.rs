//! Opening the file: the folder's lock, the settings of a connection, and the layout's version.

use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::counting::count_all_anew;
use crate::store::embedded::error::store_error;
use crate::store::{Durability, Migration, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

const LAYOUT: &str = include_str!("layout.sql");
const ROLLUPS: &str = include_str!("rollups.sql");
const TITLES: &str = include_str!("titles.sql");
const VIEWS: &str = include_str!("views.sql");
/// The version of the layout that this program writes. In the one before, all ids of events are text.
const SCHEMA_VERSION: i32 = 4;
/// The first version: rollups by hour and wiki only.
const WITHOUT_ROLLUPS: i32 = 1;
/// The one behind it: no index by title.
const WITHOUT_TITLES: i32 = 2;
/// Held while a process uses the folder; the system lets go of it however the process ends.
const LOCK_FILE: &str = "pagetrack.lock";
/// Prepared statements kept per connection: more than there are.
const STATEMENTS: usize = 64;
/// In the file's header, where SQLite keeps what a file is for: the recorded sample. Other databases have 0.
const SAMPLE_MARK: i32 = i32::from_be_bytes(*b"PTsm");

/// Takes the folder for this process.
pub(super) fn lock_folder(folder: &Path, migration: Migration) -> Result<File, StoreError> {
    let shown = folder.display();
    let unusable = |e: std::io::Error| {
        StoreError::Unsupported(format!("the store's folder {shown} cannot be written: {e}; choose another by --store"))
    };
    if migration == Migration::Apply {
        std::fs::create_dir_all(folder).map_err(unusable)?;
    } else if !folder.is_dir() {
        return Err(missing_layout(folder));
    }
    let path = folder.join(LOCK_FILE);
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unsupported(format!(
            "the store's folder {shown} is in use by another pagetrack; stop it or choose another folder by --store"
        ))),
        Err(TryLockError::Error(e)) => Err(unusable(e)),
    }
}

/// The one connection that writes, on a database of this program's layout.
pub(super) fn open_writer(path: &Path, migration: Migration, durability: Durability) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let create = if migration == Migration::Apply { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    if migration == Migration::Expect && !path.is_file() {
        return Err(missing_layout(path));
    }
    let unusable = |e: rusqlite::Error| unusable_file(path, &e);
    let connection = Connection::open_with_flags(path, flags | create).map_err(unusable)?;
    // What is not ours to write is left as it is: setting up would already change the file.
    let version = read_version(&connection, path)?;
    match version {
        // Of whichever version: what is marked takes no live page.
        Some(WITHOUT_ROLLUPS..=SCHEMA_VERSION) if is_sample(&connection).map_err(unusable)? => {
            return Err(the_samples(path));
        }
        Some(SCHEMA_VERSION) => {}
        Some(WITHOUT_ROLLUPS..SCHEMA_VERSION) if migration == Migration::Apply => {}
        Some(version) => return Err(other_version(path, version)),
        None if migration == Migration::Apply => {}
        None => return Err(missing_layout(path)),
    }
    set_up_writer(&connection, durability).map_err(unusable)?;
    match version {
        None => create_layout(&connection, 0).map_err(unusable)?,
        Some(SCHEMA_VERSION) => {}
        Some(version) => upgrade(&connection, version).map_err(unusable)?,
    }
    Ok(connection)
}

/// The one connection that writes, on a new database that is marked as the sample's. The database of an earlier sample
/// is removed first, any other one is refused: so the folder must be this process's already.
pub(super) fn open_sample_writer(path: &Path) -> Result<Connection, StoreError> {
    let unusable = |e: rusqlite::Error| unusable_file(path, &e);
    if path.exists() {
        // By way of SQLite: after a kill the mark may stand in the write-ahead log only.
        let earlier = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(unusable)?;
        if !is_empty(&earlier).map_err(unusable)? && !is_sample(&earlier).map_err(unusable)? {
            return Err(not_the_samples(path));
        }
    }
    remove_database(path).map_err(|e| StoreError::Unsupported(format!("{} cannot be removed: {e}", path.display())))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(unusable)?;
    set_up_writer(&connection, Durability::Process).map_err(unusable)?;
    create_layout(&connection, SAMPLE_MARK).map_err(unusable)?;
    Ok(connection)
}

/// Removes a database's files, and nothing else.
fn remove_database(path: &Path) -> std::io::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        match std::fs::remove_file(file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| store_error(&e))?;
    connection.pragma_update(None, "cache_size", -8_192).map_err(|e| store_error(&e))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// WAL lets readers go on; the sizes were measured with the pipeline's batches (a checkpoint each 100 MB).
fn set_up_writer(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 25_000)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// The version of the layout in the file; none when the file is new.
fn read_version(connection: &Connection, path: &Path) -> Result<Option<i32>, StoreError> {
    let has_version = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
    let read = || -> rusqlite::Result<Option<Option<i32>>> {
        if exists(connection, has_version)? {
            return connection.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0)).map(Some);
        }
        Ok(if is_empty(connection)? { None } else { Some(None) })
    };
    match read().map_err(|e| unusable_file(path, &e))? {
        None => Ok(None),
        Some(Some(version)) => Ok(Some(version)),
        Some(None) => Err(not_ours(path)),
    }
}

fn exists(connection: &Connection, sql: &str) -> rusqlite::Result<bool> {
    connection.query_row(sql, [], |_| Ok(())).optional().map(|found| found.is_some())
}

/// Whether the file is new: a kill before the layout was there leaves one.
fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    exists(connection, "SELECT 1 FROM sqlite_master LIMIT 1").map(|has_something| !has_something)
}

fn is_sample(connection: &Connection) -> rusqlite::Result<bool> {
    connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0)).map(|mark| mark == SAMPLE_MARK)
}

/// The layout and the mark of what the database is for, both or none.
fn create_layout(connection: &Connection, mark: i32) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.pragma_update(None, "application_id", mark)?;
    transaction.execute_batch(LAYOUT)?;
    transaction.execute_batch(ROLLUPS)?;
    transaction.execute_batch(TITLES)?;
    transaction.execute_batch(VIEWS)?;
    transaction.execute("INSERT INTO schema_version (version) VALUES (?1)", [SCHEMA_VERSION])?;
    transaction.commit()
}

/// Brings a store of an older version here. Its pages stay as they are; once the writer runs, it counts them if they have
/// no rollups, and enters them in the index by title if there is none. Ids of events as text are read for ever.
fn upgrade(connection: &Connection, version: i32) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    if version == WITHOUT_ROLLUPS {
        add_rollups(&transaction)?;
    }
    if version <= WITHOUT_TITLES {
        transaction.execute_batch(TITLES)?;
        Awaiting::begin(&transaction, Work::Indexing)?;
    }
    transaction.execute_batch(VIEWS)?;
    transaction.execute("UPDATE schema_version SET version = ?1", [SCHEMA_VERSION])?;
    transaction.commit()?;
    tracing::info!("the store's layout is version {SCHEMA_VERSION} now; what its pages lack is added while it runs");
    Ok(())
}

fn add_rollups(transaction: &Connection) -> rusqlite::Result<()> {
    transaction.execute_batch(ROLLUPS)?;
    transaction.execute_batch(
        "INSERT INTO accounts (name_no, domain_no, user_id) SELECT name_no, domain_no, user_id FROM name_accounts; \
         DROP TABLE name_accounts; DROP TABLE hour_counts;",
    )?;
    count_all_anew(transaction)
}

fn unusable_file(path: &Path, error: &rusqlite::Error) -> StoreError {
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_ours(path),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::Unsupported(
            format!("the database {shown} cannot be written: {error}; mend its rights or choose another by --store"),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unsupported(format!(
            "the database {shown} is locked by another program; close that one or choose another folder by --store"
        )),
        _ => store_error(error),
    }
}

fn not_ours(path: &Path) -> StoreError {
    let shown = path.display();
    StoreError::Unsupported(format!("{shown} is not a database of pagetrack; choose another folder by --store"))
}

fn the_samples(path: &Path) -> StoreError {
    let shown = path.display();
    StoreError::Unsupported(format!(
        "{shown} holds the recorded sample, which is made anew at each start; choose another folder by --store"
    ))
}

fn not_the_samples(path: &Path) -> StoreError {
    let shown = path.display();
    StoreError::Unsupported(format!(
        "the sample is kept in {shown}, and that database is not the sample's; move it away or choose another folder \
         by --store"
    ))
}

fn other_version(path: &Path, version: i32) -> StoreError {
    let shown = path.display();
    let remedy = if version > SCHEMA_VERSION { "run the newer pagetrack" } else { "run `pagetrack migrate`" };
    StoreError::Unsupported(format!(
        "the database {shown} has layout version {version} and this pagetrack writes {SCHEMA_VERSION}; \
         {remedy} or choose another folder by --store"
    ))
}

fn missing_layout(path: &Path) -> StoreError {
    StoreError::Unsupported(format!("no database of pagetrack at {}; run `pagetrack migrate` first", path.display()))
}
