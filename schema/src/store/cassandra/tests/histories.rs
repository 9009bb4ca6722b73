//! Generated histories on two processes of one keyspace, with sealings that die and meet behind any step. Lists are not
//! compared: of two authors of one page the one who lost keeps a row.

use super::counting::*;
use super::*;
use crate::store::conformance::histories::{Act, Creations, STEPS as STEP_COUNT, check_histories};
use futures::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Runtime;

/// Histories; each takes a second or two on a busy node.
const CASES: u32 = 12;
const _: () = assert!(STEPS.len() == STEP_COUNT);

#[test]
fn whatever_happens_all_counts_equal_the_model() {
    let runtime = Runtime::new().unwrap();
    let Some(stores) = runtime.block_on(open_stores::<2>("histories")) else { return };
    check_histories("history_on_cassandra", CASES, &runtime, |creations, acts| play(stores.clone(), creations, acts));
}

async fn play(stores: [Arc<CassandraStore>; 2], creations: Creations, acts: Vec<Act>) {
    let mut written = Vec::new();
    for act in acts {
        match act {
            Act::Write { writer, events } => {
                let pages = creations.of(&events);
                stores[writer].write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
                written.extend(pages);
            }
            Act::WriteBoth(events) => {
                let [one, other] = events.map(|events| creations.of(&events));
                let (one_done, other_done) = tokio::join!(
                    stores[0].write_pages(&one, DateTime::UNIX_EPOCH),
                    stores[1].write_pages(&other, DateTime::UNIX_EPOCH)
                );
                one_done.unwrap();
                other_done.unwrap();
                written.extend([one, other].concat());
            }
            Act::Seal { sealer, dies_behind } => seal_or_die(&stores[sealer], dies_behind).await,
            Act::Meet { behind, events } => {
                let pages = creations.of(&events);
                if meet(&stores, behind, &pages).await {
                    written.extend(pages);
                }
            }
        }
    }
    tokio::join!(seal_all(&stores[0]), seal_all(&stores[1]));
    for store in &stores {
        check_recount(store, &written, "at the end").await;
    }
}

async fn seal_or_die(store: &CassandraStore, dies_behind: Option<usize>) {
    let dead = || StoreError::Unavailable("dead".into());
    let dies_behind = dies_behind.map(|step| STEPS[step]);
    set_hook(
        store,
        Some(Arc::new(move |at, _| {
            let end = if Some(at) == dies_behind { Err(dead()) } else { Ok(()) };
            futures::future::ready(end).boxed()
        })),
    );
    if let Err(error) = store.seal_counts(long_after()).await {
        assert!(dies_behind.is_some() && error.to_string() == dead().to_string(), "{error}");
    }
    set_hook(store, None);
}

/// Whether a step was reached, and so the pages written.
async fn meet([store, other]: &[Arc<CassandraStore>; 2], behind: usize, pages: &[Page]) -> bool {
    let met = Arc::new(AtomicBool::new(false));
    let (other, pages, first) = (Arc::clone(other), pages.to_vec(), Arc::clone(&met));
    set_hook(
        store,
        Some(Arc::new(move |at, _| {
            let (other, pages, first) = (Arc::clone(&other), pages.clone(), Arc::clone(&first));
            async move {
                if at == STEPS[behind] && !first.swap(true, Ordering::SeqCst) {
                    other.write_pages(&pages, DateTime::UNIX_EPOCH).await?;
                    seal_all(&other).await;
                }
                Ok(())
            }
            .boxed()
        })),
    );
    store.seal_counts(long_after()).await.unwrap();
    set_hook(store, None);
    met.load(Ordering::SeqCst)
}
