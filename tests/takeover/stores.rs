//! The sample's store and the live one, when somebody gives the one for the other.

use crate::{COUNT, ask, publish, spawn, total, wait_for};
use ingest::bus::BusUrl;
use ingest::source::SourceSetting;
use schema::store::StoreUrl;
use std::path::Path;
use tests::app::spawn_from;
use tests::stream_server::StreamServer;

/// A start on `folder` fails with these words.
pub(crate) async fn check_refused(folder: &Path, source: SourceSetting, server: &StreamServer, words: &[&str]) {
    let started = spawn_from(&StoreUrl::Embedded(folder.into()), &BusUrl::Memory, source, server.url()).await;
    let said = format!("{:#}", started.err().expect("it does not start"));
    assert!(words.iter().all(|word| said.contains(word)) && !said.contains('\n'), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sample_leaves_the_first_its_database() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StreamServer::start().await);
    let first = spawn(folder.path(), SourceSetting::Sample, &server).await;
    check_refused(folder.path(), SourceSetting::Sample, &server, &["in use by another pagetrack"]).await;
    for name in ["pagetrack.db", "pagetrack.db-wal"] {
        assert!(folder.path().join("sample").join(name).is_file(), "{name} is gone");
    }
    first.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn live_pages_where_the_sample_would_lie_are_not_removed() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StreamServer::start().await);
    let sample = folder.path().join("sample");
    let live = spawn(&sample, SourceSetting::Live, &server).await;
    server.wait_for_visits(1).await;
    publish(&server, 9, 11);
    wait_for(&live, "the live events", COUNT, |data| total(data) == 11).await;
    live.stop().await.unwrap();

    check_refused(folder.path(), SourceSetting::Sample, &server, &["not the sample's", "--store"]).await;
    let live = spawn(&sample, SourceSetting::Live, &server).await;
    assert_eq!(total(&ask(&live, COUNT).await), 11);
    live.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_samples_database_takes_no_live_pages() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StreamServer::start().await);
    spawn(folder.path(), SourceSetting::Sample, &server).await.stop().await.unwrap();
    let sample = folder.path().join("sample");
    check_refused(&sample, SourceSetting::Live, &server, &["holds the recorded sample", "--store"]).await;
}
