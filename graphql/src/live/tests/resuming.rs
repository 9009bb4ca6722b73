//! After a break nothing is missing, whatever happened meanwhile; where it would be, the cursor is refused.

use super::harness::{Feed, Pair, Place, page};
use crate::live::{MAX_REPLAYS, QUEUE};
use crate::schema::cursor::encode;
use serde_json::json;
use std::collections::BTreeSet;

const LIVE: &str = "subscription { pageCreated { page { pageId } cursor missedCount } }";
const AFTER: &str =
    "subscription($after: String) { pageCreated(after: $after) { page { pageId } cursor missedCount } }";
const SINCE: &str =
    "subscription($since: DateTime) { pageCreated(since: $since) { page { pageId } cursor missedCount } }";

/// Makes tests of cases, on each pair of bus and store.
macro_rules! on_each_pair {
    (@ $name:ident, $pair:ident, $($case:ident),+) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(place) = super::Place::new(super::Pair::$pair) else { return };
                    super::$case(&place, super::Pair::$pair).await;
                }
            )+
        }
    };
    ($($case:ident),+ $(,)?) => {
        on_each_pair! { @ memory_embedded, MemoryEmbedded, $($case),+ }
        on_each_pair! { @ memory_cassandra, MemoryCassandra, $($case),+ }
        on_each_pair! { @ kafka_cassandra, KafkaCassandra, $($case),+ }
    };
}

on_each_pair! {
    late_events_of_the_break_come_in_the_order_of_storing,
    nothing_is_lost_while_replay_turns_to_live,
    a_restart_in_between_loses_nothing,
    what_is_not_held_is_refused,
    a_slow_reader_s_replay_goes_on_instead_of_losing,
    a_replay_by_time_goes_on_live,
    a_broken_replay_by_time_goes_on_where_it_was,
}

fn after(feed: &Feed, cursor: &str) -> super::harness::Listener {
    feed.ask(AFTER, json!({ "after": cursor }))
}

async fn late_events_of_the_break_come_in_the_order_of_storing(place: &Place, _: Pair) {
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    feed.store([page(1, 10), page(2, 9)]).await;
    let (first, cursor) = listener.event().await;
    assert_eq!((first, listener.pages(1).await), (1, vec![2]));
    drop(listener);
    // Created hours before what was told.
    feed.store([page(3, 7_200), page(4, 1), page(5, 86_400)]).await;
    let mut resumed = after(&feed, &cursor);
    assert_eq!(resumed.pages(4).await, [2, 3, 4, 5]);
    feed.store([page(6, 3_600), page(7, 0)]).await;
    let (live, cursor) = resumed.event().await;
    assert_eq!((live, resumed.pages(1).await), (6, vec![7]));
    drop(resumed);
    let filtered = AFTER.replace("after: $after", "after: $after, filter: {isBot: true}");
    let mut bots = feed.ask(&filtered, json!({ "after": cursor }));
    feed.store([page(8, 0), schema::page::Page { is_bot: true, ..page(9, 0) }]).await;
    assert_eq!(bots.pages(1).await, [9]);
    drop(bots);
    feed.stop().await;
}

async fn nothing_is_lost_while_replay_turns_to_live(place: &Place, _: Pair) {
    const PAGES: u64 = 600;
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    feed.store([page(1, 0)]).await;
    let cursor = listener.event().await.1;
    drop(listener);
    let commits = async {
        for id in 2..=PAGES {
            feed.store([page(id, 0)]).await;
        }
    };
    let resumes = async {
        // Each begins somewhere in the middle of the commits, and turns to live there.
        for round in 0..8 {
            let mut resumed = after(&feed, &cursor);
            let upto = PAGES / 8 * (round + 1);
            let (mut heard, mut last) = (BTreeSet::new(), 0);
            while last < upto {
                last = resumed.event().await.0;
                assert!(heard.insert(last), "{last} twice");
            }
            assert_eq!(heard, (2..=last).collect::<BTreeSet<u64>>(), "round {round}");
        }
    };
    tokio::join!(commits, resumes);
    feed.stop().await;
}

async fn a_restart_in_between_loses_nothing(place: &Place, pair: Pair) {
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    feed.store([page(1, 10), page(2, 9)]).await;
    let cursor = listener.event().await.1;
    feed.store([page(3, 86_400)]).await;
    drop(listener);
    feed.stop().await;
    let feed = place.start().await;
    feed.store([page(4, 5)]).await;
    let mut resumed = after(&feed, &cursor);
    if pair == Pair::MemoryCassandra {
        assert_eq!(resumed.error().await, "BAD_CURSOR", "what only the process held is gone with it");
    } else {
        assert_eq!(resumed.pages(3).await, [2, 3, 4]);
        feed.store([page(5, 0)]).await;
        assert_eq!(resumed.pages(1).await, [5]);
        drop(resumed);
    }
    feed.stop().await;
}

async fn what_is_not_held_is_refused(place: &Place, pair: Pair) {
    let other = Place::new(pair).expect("the servers are there");
    let (feed, foreign) = (place.start().await, other.start().await);
    let mut cursors = Vec::new();
    for feed in [&feed, &foreign] {
        let mut listener = feed.listen(LIVE).await;
        feed.store([page(1, 10), page(2, 9), page(3, 8)]).await;
        cursors.push(listener.event().await.1);
    }
    let of_a_list = encode("pages", &[7; 40]);
    let of_nowhere = encode("stored", &[0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9]);
    let damaged = cursors[0].chars().rev().collect::<String>();
    for bad in [cursors[1].as_str(), &of_a_list, &of_nowhere, &damaged, "", "no cursor", &"A".repeat(50_000)] {
        assert_eq!(after(&feed, bad).error().await, "BAD_CURSOR", "{}", &bad[..bad.len().min(80)]);
    }
    assert_eq!(after(&feed, &cursors[0]).pages(2).await, [2, 3]);
    let both = "subscription { pageCreated(after: \"x\", since: \"2025-05-18T10:00:00Z\") { cursor } }";
    for wrong in [
        both,
        "subscription { pageCreated(since: \"2025-05-18T10:31:01Z\") { cursor } }",
        "subscription { pageCreated(since: \"2025-05-11T10:29:59Z\") { cursor } }",
        "subscription { pageCreated(since: \"yesterday\") { cursor } }",
    ] {
        assert_eq!(feed.ask(wrong, json!(null)).error().await, "BAD_USER_INPUT", "{wrong}");
    }
    feed.stop().await;
    foreign.stop().await;
}

/// Its live feed overflows while it reads: what it missed there is replayed, too.
async fn a_slow_reader_s_replay_goes_on_instead_of_losing(place: &Place, _: Pair) {
    let more = QUEUE as u64 * 2 + 100;
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    // Enough that its replay is not at its end when the first event is read.
    feed.store((1..=10).map(|id| page(id, 0))).await;
    let cursor = listener.event().await.1;
    let mut slow = after(&feed, &cursor);
    assert_eq!(slow.event().await.0, 2);
    // The others hear it all, so the slow one's queue overflows.
    listener.pages(2).await;
    for first in (4..=more).step_by(300) {
        let ids = first..=more.min(first + 299);
        feed.store_together(ids.clone().map(|id| page(id, 0)).collect()).await;
        listener.pages(ids.count()).await;
    }
    let mut heard = BTreeSet::from([2]);
    while heard.len() < more as usize - 1 {
        heard.insert(slow.event().await.0);
    }
    assert_eq!(heard, (2..=more).collect::<BTreeSet<u64>>());
    feed.store([page(more + 1, 0)]).await;
    assert_eq!(slow.pages(1).await, [more + 1]);
    drop((slow, listener));
    feed.stop().await;
}

async fn a_replay_by_time_goes_on_live(place: &Place, _: Pair) {
    let feed = place.start().await;
    feed.store([page(1, 100), page(2, 300), page(3, 200), page(4, 50)]).await;
    feed.settled().await;
    let mut listener = feed.ask(SINCE, json!({ "since": "2025-05-18T10:26:40Z" }));
    assert_eq!(listener.pages(3).await, [3, 1, 4], "by time, from the time on");
    feed.store([page(5, 400), page(6, 0)]).await;
    assert_eq!(listener.pages(2).await, [5, 6]);
    drop(listener);
    // A clock may be a minute ahead of ours.
    feed.store([page(7, -59)]).await;
    let mut nothing = feed.ask(SINCE, json!({ "since": "2025-05-18T10:30:59Z" }));
    assert_eq!(nothing.pages(1).await, [7]);
    drop(nothing);
    feed.stop().await;
}

async fn a_broken_replay_by_time_goes_on_where_it_was(place: &Place, _: Pair) {
    let feed = place.start().await;
    feed.store([page(1, 500), page(2, 400), page(3, 300), page(4, 200)]).await;
    feed.settled().await;
    let mut listener = feed.ask(SINCE, json!({ "since": "2025-05-18T10:00:00Z" }));
    assert_eq!(listener.pages(1).await, [1]);
    let (second, cursor) = listener.event().await;
    assert_eq!(second, 2);
    drop(listener);
    // One in front of where the replay stands by time, one behind it.
    feed.store([page(5, 450), page(6, 250)]).await;
    let mut resumed = after(&feed, &cursor);
    let mut heard = BTreeSet::new();
    while heard.len() < 4 {
        heard.insert(resumed.event().await.0);
    }
    assert_eq!(heard, BTreeSet::from([3, 4, 5, 6]));
    feed.store([page(7, 0)]).await;
    while resumed.event().await.0 != 7 {}
    drop(resumed);
    feed.stop().await;
}

/// A cursor that was good, and what it stands behind is gone: by retention.
#[tokio::test]
async fn a_place_whose_pages_were_removed_is_refused() {
    let place = Place::new(Pair::MemoryEmbedded).expect("it needs no servers");
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    feed.store([page(1, 2), page(2, 1), page(3, 0)]).await;
    let cursor = listener.event().await.1;
    assert_eq!(after(&feed, &cursor).pages(2).await, [2, 3]);
    feed.remove_all_pages().await;
    assert_eq!(after(&feed, &cursor).error().await, "BAD_CURSOR");
    // Kafka's own way to lose what was told is tested with the bus.
    drop(listener);
    feed.stop().await;
}

/// The same: more came than the process holds, also while what was missed is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_behind_more_than_is_held_is_refused() {
    let Some(place) = Place::new(Pair::MemoryCassandra) else { return };
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    feed.store((1..=10).map(|id| page(id, 0))).await;
    let cursor = listener.event().await.1;
    drop(listener);
    let mut replay = after(&feed, &cursor);
    assert_eq!(replay.pages(1).await, [2]);
    feed.announce((11..=10_000).map(|id| page(id, 0))).await;
    assert_eq!(replay.error().await, "BAD_CURSOR", "not a hole between what is told");
    assert_eq!(after(&feed, &cursor).error().await, "BAD_CURSOR");
    feed.stop().await;
}

#[tokio::test]
async fn who_reads_nothing_keeps_nobody_from_a_turn() {
    let place = Place::new(Pair::MemoryEmbedded).expect("it needs no servers");
    let feed = place.start().await;
    let mut listener = feed.listen(LIVE).await;
    feed.store((1..=5).map(|id| page(id, 0))).await;
    let cursor = listener.event().await.1;
    let mut idle = Vec::new();
    for _ in 0..MAX_REPLAYS {
        let mut replay = after(&feed, &cursor);
        assert_eq!(replay.pages(1).await, [2]);
        idle.push(replay);
    }
    assert_eq!((feed.hub.replays.available_permits(), feed.hub.replay_count()), (0, MAX_REPLAYS));
    let mut reads = after(&feed, &cursor);
    assert_eq!(reads.pages(4).await, [2, 3, 4, 5]);
    feed.store([page(6, 0)]).await;
    assert_eq!(reads.pages(1).await, [6]);
    feed.until(|feed| feed.hub.replays.available_permits() == MAX_REPLAYS).await;
    // Nor have they lost anything.
    for mut replay in idle {
        assert_eq!(replay.pages(4).await, [3, 4, 5, 6]);
    }
    feed.until(|feed| feed.hub.replay_count() == 0).await;
    drop((listener, reads));
    feed.stop().await;
}
