//! What the database's errors mean to the store's callers.

use crate::page::ParseError;
use crate::store::StoreError;
use rusqlite::ErrorCode;
use rusqlite::types::Type;

/// A failure while reading or writing.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    let text = format!("embedded database: {error}");
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        Some(ErrorCode::DiskFull) => StoreError::Unavailable(format!("{text}; free some space")),
        Some(_) => StoreError::Unavailable(text),
        None => StoreError::Corrupt(text),
    }
}

/// A stored text or number that no writer of this store writes.
pub(super) fn corrupt_value(error: ParseError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}
