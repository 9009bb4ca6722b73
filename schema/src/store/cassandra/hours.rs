//! The hours that have pages, in either order, without asking for hours that have none.

use crate::hour::Hour;
use crate::period::Period;
use crate::query::ListOrder;
use crate::store::cassandra::errors::{of_request, of_value};
use crate::store::cassandra::periods::parse_name;
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::{CassandraStore, rows};
use crate::store::{StoreError, rows_read};
use scylla::response::{PagingState, PagingStateResponse};
use std::collections::VecDeque;

/// The shelf of an hour.
pub(super) fn year_of(hour: Hour) -> String {
    hour.to_string()[..4].into()
}

/// The years that have pages, in order of time.
pub(super) async fn stored_years(store: &CassandraStore) -> Result<Vec<Period>, StoreError> {
    let names = collect(&store.session, &store.statements.years, (), rows::texts_of).await?;
    let mut years = names.iter().map(|name| parse_name(name)).collect::<Result<Vec<_>, _>>()?;
    years.sort_unstable();
    Ok(years)
}

/// A walk over the hours from `first` to `last`, both included.
pub(super) struct HourWalk<'a> {
    store: &'a CassandraStore,
    order: ListOrder,
    first: String,
    last: String,
    years: VecDeque<String>,
    at: PagingState,
    ready: VecDeque<Hour>,
}

impl<'a> HourWalk<'a> {
    pub(super) async fn begin(
        store: &'a CassandraStore,
        order: ListOrder,
        first: Hour,
        last: Hour,
    ) -> Result<Self, StoreError> {
        let (first, last) = (first.to_string(), last.to_string());
        let mut years = collect(&store.session, &store.statements.years, (), rows::texts_of).await?;
        years.retain(|year| (&first[..4]..=&last[..4]).contains(&year.as_str()));
        years.sort();
        if order == ListOrder::NewestFirst {
            years.reverse();
        }
        Ok(Self { store, order, first, last, years: years.into(), at: PagingState::start(), ready: VecDeque::new() })
    }

    /// The next hour.
    pub(super) async fn next(&mut self) -> Result<Option<Hour>, StoreError> {
        while self.ready.is_empty() {
            let Some(year) = self.years.front() else { return Ok(None) };
            let statement = match self.order {
                ListOrder::NewestFirst => &self.store.statements.hours_newest,
                ListOrder::OldestFirst => &self.store.statements.hours_oldest,
            };
            let values = (year, &self.first, &self.last);
            let (page, more) =
                self.store.session.execute_single_page(statement, values, self.at.clone()).await.map_err(of_request)?;
            let mut names = Vec::new();
            rows::texts_of(&page.into_rows_result()?, &mut names)?;
            rows_read::add(names.len() as u64);
            for name in names {
                self.ready.push_back(name.parse().map_err(of_value)?);
            }
            self.at = match more {
                PagingStateResponse::HasMorePages { state } => state,
                PagingStateResponse::NoMorePages => {
                    self.years.pop_front();
                    PagingState::start()
                }
            };
        }
        Ok(self.ready.pop_front())
    }
}
