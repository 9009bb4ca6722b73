//! Generated histories on one folder; a process that dies opens it again.

use super::open;
use crate::store::Store;
use crate::store::conformance::check_all_reads;
use crate::store::conformance::histories::{Act, Creations, check_histories};
use chrono::DateTime;
use tokio::runtime::Runtime;

const CASES: u32 = 64;

#[test]
fn whatever_happens_all_reads_equal_the_model() {
    check_histories("history_in_a_folder", CASES, &Runtime::new().unwrap(), play);
}

/// Counts are taken with the pages: what would be a sealing's death is the process's.
async fn play(creations: Creations, acts: Vec<Act>) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).await.unwrap();
    let mut written = Vec::new();
    for act in acts {
        let batches = match act {
            Act::Write { events, .. } | Act::Meet { events, .. } => vec![creations.of(&events)],
            Act::WriteBoth(events) => events.iter().map(|events| creations.of(events)).collect(),
            Act::Seal { dies_behind, .. } => {
                if dies_behind.is_some() {
                    drop(store);
                    store = open(folder.path()).await.unwrap();
                }
                Vec::new()
            }
        };
        let writes = batches.iter().map(|batch| store.write_pages(batch, DateTime::UNIX_EPOCH));
        futures::future::try_join_all(writes).await.unwrap();
        written.extend(batches.concat());
    }
    check_all_reads(&store, &written).await;
}
