//! Cursors of our own: a version, a checksum that binds them to their list, and where to go on.
//!
//! Never the database's paging state. The checksum is no secret: it tells a cursor of another list, range or filter
//! and a damaged one, and any process accepts another's.

use super::errors::ApiError;
use data_encoding::BASE64URL_NOPAD;
use schema::hour::Hour;
use schema::page::{PageId, PageKey};
use xxhash_rust::xxh3::xxh3_64;

const VERSION: u8 = 1;
const HEAD: usize = 9;

/// The longest cursor that is looked at: a user name of MediaWiki's 255 bytes fits easily, and a place in a topic of 700
/// partitions.
const MAX_LENGTH: usize = 20_000;

/// The cursor of the item `key` in the list `scope`.
pub(crate) fn encode(scope: &str, key: &[u8]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(scope, key));
    bytes.extend(key);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The key in a cursor of the list `scope`.
///
/// # Errors
/// `BAD_CURSOR` for anything that [`encode`] did not make for this list.
pub(crate) fn decode(scope: &str, cursor: &str) -> Result<Vec<u8>, ApiError> {
    if cursor.len() > MAX_LENGTH {
        return Err(ApiError::BadCursor);
    }
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| ApiError::BadCursor)?;
    let (head, key) = bytes.split_at_checked(HEAD).ok_or(ApiError::BadCursor)?;
    let is_ours = head[0] == VERSION && head[1..] == checksum(scope, key);
    if is_ours { Ok(key.to_vec()) } else { Err(ApiError::BadCursor) }
}

fn checksum(scope: &str, key: &[u8]) -> [u8; 8] {
    let mut bytes = vec![VERSION];
    bytes.extend((scope.len() as u64).to_be_bytes());
    bytes.extend(scope.as_bytes());
    bytes.extend(key);
    xxh3_64(&bytes).to_be_bytes()
}

/// A page's place as a cursor's key.
pub(crate) fn page_key_bytes(key: &PageKey) -> Vec<u8> {
    let mut bytes = key.created_at.timestamp().to_be_bytes().to_vec();
    bytes.extend(key.page_id.get().to_be_bytes());
    bytes.extend(key.domain.as_str().as_bytes());
    bytes
}

/// The page's place in a cursor's key.
///
/// # Errors
/// `BAD_CURSOR` for bytes that are none.
pub(crate) fn parse_page_key(bytes: &[u8]) -> Result<PageKey, ApiError> {
    parse_key(bytes).ok_or(ApiError::BadCursor)
}

fn parse_key(bytes: &[u8]) -> Option<PageKey> {
    let (seconds, rest) = bytes.split_first_chunk::<8>()?;
    let (page_id, domain) = rest.split_first_chunk::<8>()?;
    Some(PageKey {
        created_at: Hour::time_within(i64::from_be_bytes(*seconds))?,
        page_id: PageId::new(u64::from_be_bytes(*page_id)).ok()?,
        domain: std::str::from_utf8(domain).ok()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_for_its_own_list_only() {
        let cursor = encode("pages", b"key");
        assert_eq!(decode("pages", &cursor), Ok(b"key".to_vec()));
        // Another list, of a shorter, the same and a longer name.
        for foreign in ["page", "hours", "domains"] {
            assert_eq!(decode(foreign, &cursor), Err(ApiError::BadCursor), "{foreign}");
        }
    }

    #[test]
    fn a_damaged_cursor_is_refused() {
        let cursor = encode("pages", b"a key of some length");
        for i in 0..cursor.len() {
            let mut damaged = cursor.clone().into_bytes();
            damaged[i] = if damaged[i] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert_eq!(decode("pages", &damaged), Err(ApiError::BadCursor), "{damaged}");
        }
        for forged in ["", "AQ", "not a cursor", &"A".repeat(100_000)] {
            assert_eq!(decode("pages", forged), Err(ApiError::BadCursor));
        }
    }

    #[test]
    fn a_page_key_survives_the_journey() {
        let key = PageKey {
            created_at: Hour::time_within(1_747_555_394).unwrap(),
            page_id: PageId::new(975_886).unwrap(),
            domain: "it.wikisource.org".parse().unwrap(),
        };
        assert_eq!(parse_page_key(&page_key_bytes(&key)), Ok(key));
    }

    #[test]
    fn a_time_that_no_page_has_is_refused() {
        for seconds in [-1, 253_402_300_800, 8_210_266_876_799, i64::MIN, i64::MAX] {
            let forged = [&seconds.to_be_bytes()[..], &1u64.to_be_bytes(), b"it.wikisource.org"].concat();
            assert_eq!(parse_page_key(&forged), Err(ApiError::BadCursor), "{seconds}");
        }
    }
}
