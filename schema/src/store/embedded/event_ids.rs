//! Ids of events: a UUID as its 16 bytes, 20 fewer a page than as text; any other id as the text that it is.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// An id as it is written.
pub(super) enum StoredId<'a> {
    /// One whose text is that of its bytes.
    Bytes(Uuid),
    /// Any other.
    Text(&'a str),
}

impl<'a> StoredId<'a> {
    pub(super) fn of(id: &'a str) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        match Uuid::try_parse(id) {
            // Not one in upper case or in braces: it must be read as it was.
            Ok(uuid) if uuid.hyphenated().encode_lower(&mut text) == id => Self::Bytes(uuid),
            _ => Self::Text(id),
        }
    }
}

impl ToSql for StoredId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Bytes(uuid) => ValueRef::Blob(uuid.as_bytes()),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// An id as it is read.
pub(super) struct ReadId(pub(super) String);

impl FromSql for ReadId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => {
                Uuid::from_slice(bytes).map(|uuid| Self(uuid.to_string())).map_err(FromSqlError::other)
            }
            other => other.as_str().map(|text| Self(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[track_caller]
    fn check(id: &str, kind: &str) {
        let db = Connection::open_in_memory().unwrap();
        let sql = "SELECT typeof(?1), length(?1), ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, ReadId>(2)?.0));
        let stored: (String, i64, String) = db.query_row(sql, [StoredId::of(id)], read).unwrap();
        let length = if kind == "blob" { 16 } else { id.chars().count() as i64 };
        assert_eq!(stored, (kind.to_owned(), length, id.to_owned()));
    }

    #[test]
    fn every_id_is_read_as_it_was_and_a_uuid_takes_16_bytes() {
        check("bd05c014-995e-4461-a423-cab458c696de", "blob");
        check("00000000-0000-0000-0000-000000000000", "blob");
        check("BD05C014-995E-4461-A423-CAB458C696DE", "text");
        check("bd05c014995e4461a423cab458c696de", "text");
        check("{bd05c014-995e-4461-a423-cab458c696de}", "text");
        check("urn:uuid:bd05c014-995e-4461-a423-cab458c696de", "text");
        check("sixteen bytes ok", "text");
        check("é", "text");
        check("", "text");
    }
}
