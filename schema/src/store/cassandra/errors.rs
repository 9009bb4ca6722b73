//! The driver's errors, by what the caller does about them.

use crate::page::ParseError;
use crate::store::StoreError;
use scylla::deserialize::{DeserializationError, TypeCheckError};
use scylla::errors::{
    DbError, ExecutionError, FirstRowError, IntoRowsResultError, PrepareError, RequestAttemptError, RowsError,
    SingleRowError,
};

/// What a failed request means. Whether a write that timed out happened is not known: it is to be repeated.
pub(super) fn of_request(error: ExecutionError) -> StoreError {
    match &error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(kind, reason)) => of_answer(kind, reason),
        ExecutionError::BadQuery(_) => StoreError::Corrupt(format!("values do not fit their statement: {error}")),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

/// What a statement that could not be prepared means.
pub(super) fn of_prepare(error: PrepareError) -> StoreError {
    match &error {
        PrepareError::AllAttemptsFailed { first_attempt: RequestAttemptError::DbError(kind, reason) } => {
            of_answer(kind, reason)
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

/// What a node's error answer means: trying again does not help against missing rights or another layout.
pub(super) fn of_answer(kind: &DbError, reason: &str) -> StoreError {
    match kind {
        DbError::Unauthorized | DbError::AuthenticationError => {
            StoreError::Unsupported(format!("Cassandra refuses the account's rights: {reason}"))
        }
        DbError::SyntaxError | DbError::Invalid | DbError::ConfigError | DbError::AlreadyExists { .. } => {
            StoreError::Unsupported(format!("Cassandra refuses a statement: {reason}"))
        }
        _ => StoreError::Unavailable(format!("{kind}: {reason}")),
    }
}

macro_rules! corrupt {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            /// Rows that are not of the layout that was prepared.
            fn from(error: $error) -> Self {
                StoreError::Corrupt(error.to_string())
            }
        })+
    };
}

corrupt!(FirstRowError, IntoRowsResultError, RowsError, SingleRowError, DeserializationError, TypeCheckError);

/// A stored value that no write of this program made.
pub(super) fn of_value(error: ParseError) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
