//! `GET /stats/time-range/`: who created how many pages in a range of hours.

use crate::error::ApiError;
use crate::list;
use crate::params::{InclusiveHours, Params};
use crate::wire::UserCount;
use axum::extract::State;
use axum::response::Response;
use futures::{StreamExt, stream};
use schema::counts::{PeopleTurn, fold_user_counts};
use schema::page::{Domain, UserId};
use schema::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Users written at once.
const SLICE: usize = 1_000;

/// By user id as text (the order of [`UserId`]), then by name.
type Counts = BTreeMap<(UserId, String), u64>;

/// `GET /stats/time-range/?from_hour=…&to_hour=…`: both hours included, at most 744; `?domain=` leaves one wiki's.
///
/// Holds one entry per account and name of the range, and the rows of a few hours.
pub(crate) async fn time_range(State(store): State<Arc<dyn Store>>, params: Params) -> Result<Response, ApiError> {
    let hours = InclusiveHours::parse(&params)?;
    let counts = match params.last("domain").map(str::parse::<Domain>) {
        None => count_users(&*store, hours, None).await?,
        Some(Ok(domain)) => count_users(&*store, hours, Some(&domain)).await?,
        Some(Err(_)) => Counts::new(),
    };
    let users = counts.into_iter().map(|((user_id, user_name), count)| UserCount {
        user_id: user_id.to_string(),
        user_name,
        count,
    });
    let head = format!("\"from_\":\"{}\",\"to\":\"{}\",\"users\":", hours.from, hours.to);
    list::respond(head, stream::iter(users).chunks(SLICE).map(Ok)).await
}

async fn count_users(store: &dyn Store, hours: InclusiveHours, domain: Option<&Domain>) -> Result<Counts, ApiError> {
    let turn = PeopleTurn::take().await.ok_or(ApiError::Busy)?;
    let counts = fold_user_counts(&turn, store, hours.range(), Counts::new(), |counts, rows| {
        for row in rows.into_iter().filter(|row| domain.is_none_or(|domain| row.domain == *domain)) {
            *counts.entry((row.user_id, row.user_name)).or_default() += row.page_count;
        }
    })
    .await?;
    Ok(counts)
}
