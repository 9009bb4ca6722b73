//! Where a follower stands in a topic: what it can go on from in any process, as long as the bus holds it.

/// A place in each partition of a topic. What its marks mean only the bus knows that gave it out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedPosition {
    /// By partition.
    places: Vec<FeedPlace>,
}

/// A place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FeedPlace {
    pub(super) partition: i32,
    /// The number of the record that comes next.
    pub(super) next: i64,
    /// Tells this place from one of the same number in another topic or store.
    pub(super) mark: u64,
}

/// Bytes of a place.
const PLACE: usize = 20;

impl FeedPosition {
    pub(super) fn new(mut places: Vec<FeedPlace>) -> Self {
        places.sort_by_key(|place| place.partition);
        Self { places }
    }

    /// Of a bus whose topics have one partition.
    pub(super) fn single(next: i64, mark: u64) -> Self {
        Self { places: vec![FeedPlace { partition: 0, next, mark }] }
    }

    pub(super) fn places(&self) -> &[FeedPlace] {
        &self.places
    }

    pub(super) fn as_single(&self) -> Option<(i64, u64)> {
        match self.places[..] {
            [FeedPlace { partition: 0, next, mark }] => Some((next, mark)),
            _ => None,
        }
    }

    /// Moves on behind the record `next - 1` of a partition.
    pub(super) fn advance(&mut self, partition: i32, next: i64, mark: u64) {
        let place = FeedPlace { partition, next, mark };
        match self.places.binary_search_by_key(&partition, |place| place.partition) {
            Ok(at) => self.places[at] = place,
            Err(at) => self.places.insert(at, place),
        }
    }

    /// Whether all that lies in front of `other` lies in front of this, too.
    pub fn covers(&self, other: &Self) -> bool {
        other.places.iter().all(|theirs| {
            let ours = self.places.iter().find(|ours| ours.partition == theirs.partition);
            ours.map_or(theirs.next <= 0, |ours| ours.next >= theirs.next)
        })
    }

    /// For those who keep it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |place: &FeedPlace| {
            let mut bytes = place.partition.to_be_bytes().to_vec();
            bytes.extend(place.next.to_be_bytes());
            bytes.extend(place.mark.to_be_bytes());
            bytes
        };
        self.places.iter().flat_map(bytes).collect()
    }

    /// What [`Self::to_bytes`] gave; none for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (places, rest) = bytes.as_chunks::<PLACE>();
        let places: Vec<FeedPlace> = places.iter().filter_map(parse_place).collect();
        let is_ordered = places.is_sorted_by(|one, next| one.partition < next.partition);
        (rest.is_empty() && is_ordered).then_some(Self { places })
    }
}

fn parse_place(bytes: &[u8; PLACE]) -> Option<FeedPlace> {
    let (partition, rest) = bytes.split_first_chunk::<4>()?;
    let (next, mark) = rest.split_first_chunk::<8>()?;
    Some(FeedPlace {
        partition: i32::from_be_bytes(*partition),
        next: i64::from_be_bytes(*next),
        mark: u64::from_be_bytes(mark.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(places: &[(i32, i64)]) -> FeedPosition {
        FeedPosition::new(
            places.iter().map(|(partition, next)| FeedPlace { partition: *partition, next: *next, mark: 7 }).collect(),
        )
    }

    #[test]
    fn a_position_survives_the_journey() {
        for known in [position(&[]), position(&[(0, 5)]), position(&[(3, i64::MAX), (0, 0), (1, 9)])] {
            assert_eq!(FeedPosition::parse(&known.to_bytes()), Some(known));
        }
        let bytes = position(&[(0, 5), (1, 6)]).to_bytes();
        assert_eq!(FeedPosition::parse(&bytes[..39]), None);
        let twice = [position(&[(1, 6)]).to_bytes(), position(&[(1, 6)]).to_bytes()].concat();
        assert_eq!(FeedPosition::parse(&twice), None);
    }

    #[test]
    fn a_position_covers_what_lies_in_front_of_it_in_all_partitions() {
        let at = position(&[(0, 5), (1, 7)]);
        for (other, expect) in [
            (position(&[(0, 5), (1, 7)]), true),
            (position(&[(0, 5)]), true),
            (position(&[(0, 4), (1, 8)]), false),
            (position(&[(0, 5), (2, 0)]), true),
            (position(&[(0, 5), (2, 1)]), false),
        ] {
            assert_eq!(at.covers(&other), expect, "{other:?}");
        }
        let mut moved = at.clone();
        moved.advance(1, 8, 0);
        moved.advance(2, 1, 0);
        assert!(moved.covers(&at) && !at.covers(&moved));
    }
}
