//! Cursors of the live feed: where to go on in the order of storing, and in a list by time that is not yet at its end.

use crate::schema::cursor::{decode, encode, page_key_bytes, parse_page_key};
use crate::schema::errors::ApiError;
use ingest::bus::FeedPosition;
use schema::page::PageKey;

const SCOPE: &str = "stored";

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedCursor {
    /// In the order of storing.
    pub(crate) position: FeedPosition,
    /// Of a replay by time the last page told: first its list goes on, then the order of storing.
    pub(crate) listed: Option<PageKey>,
}

impl FeedCursor {
    /// For those who keep it.
    pub(crate) fn encode(&self) -> String {
        let position = self.position.to_bytes();
        let length = u16::try_from(position.len()).expect("a topic has few partitions");
        let listed = self.listed.as_ref().map(page_key_bytes).unwrap_or_default();
        encode(SCOPE, &[&length.to_be_bytes()[..], &position, &listed].concat())
    }

    /// What [`Self::encode`] gave, in this process or another.
    ///
    /// # Errors
    /// `BAD_CURSOR` for anything else.
    pub(crate) fn decode(cursor: &str) -> Result<Self, ApiError> {
        let bytes = decode(SCOPE, cursor).map_err(|_| ApiError::PlaceNotHeld)?;
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(ApiError::PlaceNotHeld)?;
        let (position, listed) =
            rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(ApiError::PlaceNotHeld)?;
        let position = FeedPosition::parse(position).ok_or(ApiError::PlaceNotHeld)?;
        let listed =
            if listed.is_empty() { None } else { Some(parse_page_key(listed).map_err(|_| ApiError::PlaceNotHeld)?) };
        Ok(Self { position, listed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> FeedPosition {
        FeedPosition::parse(&[[0; 4].as_slice(), &7u64.to_be_bytes(), &[9; 8]].concat()).unwrap()
    }

    #[test]
    fn a_cursor_survives_the_journey() {
        let key = PageKey {
            created_at: schema::hour::Hour::time_within(1_747_555_394).unwrap(),
            page_id: schema::page::PageId::new(7).unwrap(),
            domain: "it.wikisource.org".parse().unwrap(),
        };
        for listed in [None, Some(key)] {
            let cursor = FeedCursor { position: position(), listed };
            assert_eq!(FeedCursor::decode(&cursor.encode()), Ok(cursor));
        }
    }

    #[test]
    fn what_is_no_cursor_of_the_feed_is_refused() {
        let of_list = encode("pages", &position().to_bytes());
        let short = encode(SCOPE, &[0]);
        let too_long = encode(SCOPE, &[0, 200, 1, 2, 3]);
        let no_position = encode(SCOPE, &[0, 3, 1, 2, 3]);
        let no_page = encode(SCOPE, &[0, 0, 1, 2, 3]);
        for forged in [&of_list, &short, &too_long, &no_position, &no_page, "", "x"] {
            assert_eq!(FeedCursor::decode(forged), Err(ApiError::PlaceNotHeld), "{forged}");
        }
    }
}
