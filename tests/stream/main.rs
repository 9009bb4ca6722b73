//! The producer against a stream that misbehaves: nothing lost, nothing twice, gaps told.

#![expect(clippy::unwrap_used, reason = "the rig is part of tests, which fail by panicking")]

mod rig;

use bytes::Bytes;
use chrono::TimeDelta;
use ingest::source::{StreamSettings, probe};
use ingest::status::GapReason;
use rig::{Home, events, eventually, time_of};
use schema::store::PipelineRecord;
use std::time::Duration;
use tests::stream_server::Misbehaviour;

/// Reads 5 events, meets the misbehaviour, and must end with all 40, each once, in order, on one connection at a time.
async fn check_recovers(how: Misbehaviour) -> (Home, Vec<Bytes>) {
    let home = Home::new().await;
    let events = events(40);
    home.server.misbehave(Misbehaviour::CloseAfter(5));
    home.server.misbehave(how);
    let rig = home.start().await;
    home.server.wait_for_visits(1).await;
    home.publish(&events[..5]);
    home.server.wait_for_visits(2).await;
    home.publish(&events[5..]);
    rig.wait_for(40).await;
    let received = rig.stop().await;
    assert_eq!(home.server.max_open(), 1, "one connection at a time");
    let ours: Vec<Bytes> = received.iter().filter(|event| events.contains(event)).cloned().collect();
    assert!(ours == events, "{} of {} events, or in another order", ours.len(), events.len());
    assert!(home.last_event().await.is_some(), "the position was stored");
    let others = received.into_iter().filter(|event| !events.contains(event)).collect();
    (home, others)
}

async fn check_recovers_plainly(how: Misbehaviour) {
    let (home, others) = check_recovers(how).await;
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(home.gaps().await, []);
}

macro_rules! recovers {
    ($($name:ident: $how:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            check_recovers_plainly($how).await;
        })*
    };
}

recovers! {
    a_usual_close_loses_nothing: Misbehaviour::CloseAfter(7);
    a_close_before_the_first_event_loses_nothing: Misbehaviour::CloseAfter(0);
    a_cut_within_an_event_loses_nothing: Misbehaviour::CutMidEvent(9);
    silence_is_noticed: Misbehaviour::SilentAfter(8);
    silence_from_the_start_is_noticed: Misbehaviour::SilentAfter(0);
    a_server_error_is_waited_out: Misbehaviour::Answer(503, String::new());
    too_many_requests_are_waited_out: Misbehaviour::Answer(429, "Retry-After: 1\r\n".into());
    not_found_is_waited_out: Misbehaviour::Answer(404, String::new());
    a_web_page_is_no_stream: Misbehaviour::WrongContentType;
    a_redirect_elsewhere_is_not_followed: Misbehaviour::Answer(307, "Location: http://127.0.0.1:1/\r\n".into());
    single_bytes_make_events: Misbehaviour::Trickle;
    carriage_returns_make_events: Misbehaviour::Crlf;
    repeated_events_count_once: Misbehaviour::Twice;
    a_hostile_id_is_left_out: Misbehaviour::InsertAfter(3, Bytes::from_static(b"id: [[[\n\n"));
    a_comment_without_end_is_left_out: Misbehaviour::InsertAfter(3, [&b":"[..], &[b'c'; 2_000_000], b"\n\n"].concat().into());
}

#[tokio::test]
async fn a_giant_event_is_cut_and_its_neighbours_stay() {
    let giant = [&b"data: {\""[..], &[b'x'; 3_000_000], b"\"}\n\n"].concat();
    let (_home, others) = check_recovers(Misbehaviour::InsertAfter(6, giant.into())).await;
    assert_eq!(others.len(), 1);
    assert!((256 * 1024 + 1..=300 * 1024).contains(&others[0].len()), "{} bytes", others[0].len());
}

#[tokio::test]
async fn bytes_that_are_no_text_do_not_stop_the_stream() {
    let (_home, others) =
        check_recovers(Misbehaviour::InsertAfter(6, Bytes::from_static(b"data: \xff\xfe\x00\n\n"))).await;
    assert_eq!(others, [Bytes::from("\u{fffd}\u{fffd}\0")]);
}

#[tokio::test]
async fn blocks_that_say_nothing_at_every_start_hold_nothing_up() {
    let home = Home::new().await;
    home.server.begin_with(&b"foo: x\n\nevent:\n\nretry: soon\n\nevent: error\n\nid: 7\n\n"[..]);
    let events = events(10);
    let rig = home.start().await;
    home.server.wait_for_calm().await;
    home.publish(&events);
    rig.wait_for(10).await;
    assert!(rig.stop().await == events);
    assert_eq!((home.server.visits().len(), home.gaps().await), (1, vec![]));
}

#[tokio::test]
async fn the_recorded_stream_arrives_byte_for_byte() {
    let recorded = include_str!("../data/page-create.sse.txt");
    let events: Vec<Bytes> = recorded.lines().filter_map(|line| line.strip_prefix("data: ")).map(Bytes::from).collect();
    assert_eq!(events.len(), 41);
    let home = Home::new().await;
    home.server.begin_with(recorded);
    let rig = home.start().await;
    rig.wait_for(events.len()).await;
    assert!(rig.stop().await == events);
    assert!(home.last_event().await.is_some());
}

#[tokio::test]
async fn a_position_that_cannot_be_read_is_a_gap() {
    let home = Home::new().await;
    let record = PipelineRecord { kind: "positions".into(), key: "stream".into(), payload: br#"{"id":[]}"#.to_vec() };
    home.store.put_record(&record).await.unwrap();
    let events = events(5);
    let rig = home.start().await;
    home.server.wait_for_calm().await;
    home.publish(&events);
    rig.wait_for(5).await;
    assert!(rig.stop().await == events);
    assert_eq!(home.gaps().await.len(), 1);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let started = std::time::Instant::now();
    check_recovers_plainly(Misbehaviour::Answer(503, "Retry-After: 2\r\n".into())).await;
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn an_error_within_the_stream_is_a_gap() {
    let (home, _) = check_recovers(Misbehaviour::ErrorAfter(10)).await;
    let gaps = home.gaps().await;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].reason, GapReason::StreamError);
}

#[tokio::test]
async fn without_a_contact_the_stream_says_no() {
    let home = Home::new().await;
    home.server.want_contact();
    let rig = home.start_as("").await;
    let reason = || rig.meter.snapshot().source.and_then(|source| source.reason).unwrap_or_default();
    eventually("reason", || reason().contains("--contact")).await;
    rig.stop().await;
    let refused = probe(&StreamSettings::at(home.server.url(), ""), Duration::from_secs(5)).await;
    assert!(refused.is_err_and(|why| why.contains("--contact")));
    assert_eq!(probe(&StreamSettings::at(home.server.url(), "me"), Duration::from_secs(5)).await, Ok(()));
    assert_eq!(home.server.visits().last().unwrap().user_agent, "Pagetrack/0.1.0 (me) eventsource-client/0.18.0");
}

#[tokio::test]
async fn a_restart_goes_on_where_it_stopped() {
    let home = Home::new().await;
    let events = events(60);
    let rig = home.start().await;
    home.server.wait_for_calm().await;
    home.publish(&events[..20]);
    rig.wait_for(20).await;
    let before = rig.stop().await;
    assert!(before == events[..20], "{} events", before.len());
    home.publish(&events[20..40]);
    let rig = home.start().await;
    home.server.wait_for_visits(2).await;
    home.publish(&events[40..]);
    eventually("the last event", || rig.received().contains(&events[59])).await;
    let after = rig.stop().await;
    assert!(events[20..].iter().all(|event| after.contains(event)), "events were lost");
    assert!(after.iter().all(|event| events.contains(event)));
    assert_eq!(home.gaps().await, []);
    assert!(home.server.visits().last().unwrap().last_event_id.is_some());
}

#[tokio::test]
async fn what_the_stream_no_longer_holds_is_a_gap() {
    let home = Home::new().await;
    let events = events(60);
    let rig = home.start().await;
    home.server.wait_for_calm().await;
    home.publish(&events[..20]);
    rig.wait_for(20).await;
    rig.stop().await;
    home.publish(&events[20..40]);
    home.server.expire_before(time_of(&events[39]) + TimeDelta::seconds(1));
    let rig = home.start().await;
    home.server.wait_for_calm().await;
    home.publish(&events[40..]);
    rig.wait_for(20).await;
    let after = rig.stop().await;
    assert!(after == events[40..], "{} events", after.len());
    let gaps = home.gaps().await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((gaps[0].from, gaps[0].reason), (time_of(&events[19]), GapReason::HistoryExpired));
    assert_eq!(gaps[0].to, time_of(&events[40]));
}

#[tokio::test]
async fn probing_tells_what_is_wrong() {
    let home = Home::new().await;
    home.server.misbehave(Misbehaviour::WrongContentType);
    let settings = StreamSettings::at(home.server.url(), "me");
    let why = probe(&settings, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(why, "the address gives \"text/html\" instead of text/event-stream; check --source");
    let nobody = StreamSettings::at("http://127.0.0.1:1/".parse().unwrap(), "me");
    assert_eq!(probe(&nobody, Duration::from_secs(5)).await, Err("127.0.0.1:1 refuses connections".into()));
}
