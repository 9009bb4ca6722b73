//! From an older layout: all its hours are marked, so that the counts are taken as they always are.
//!
//! Restartable: the new version is written behind the last mark, and marking again costs a sealing. Writers of the older
//! version must have ended, for they set no marks.

use crate::period::{Period, TimeUnit};
use crate::store::StoreError;
use crate::store::cassandra::errors::of_value;
use crate::store::cassandra::hours::YEARS;
use crate::store::cassandra::marks::{self, Incarnation};
use crate::store::cassandra::rows::texts_of;
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::statements::Preparer;
use scylla::client::session::Session;
use std::collections::BTreeSet;

/// Marks every hour that has pages.
pub(super) async fn mark_all_hours(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    let it = Preparer { session, keyspace };
    let (statements, incarnation) = (marks::Statements::prepare(&it).await?, Incarnation::random());
    let shelf = it.read("date_hour", "hours", "shelf = ?").await?;
    for year in collect(session, &shelf, (YEARS,), texts_of).await? {
        let names = collect(session, &shelf, (year,), texts_of).await?;
        let hour = |name: &String| Ok(Period::of(TimeUnit::Hour, name.parse().map_err(of_value)?));
        let hours = names.iter().map(hour).collect::<Result<BTreeSet<_>, StoreError>>()?;
        marks::put(session, &statements, &incarnation, &hours).await?;
    }
    Ok(())
}
