//! `GET /pages/…`: pages of a user, the count of a wiki, one page.

use crate::error::ApiError;
use crate::list;
use crate::params::{LastSegment, Params};
use crate::wire::{DomainCount, OnePage, WirePage};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use futures::{Stream, TryStreamExt, stream};
use schema::counts::count_pages;
use schema::hour::HourRange;
use schema::page::{Domain, Page, PageId, UserId};
use schema::query::{PageFilter, PageList, PageQuery};
use schema::store::{Store, StoreError};
use std::sync::Arc;

/// Pages read at once while a user's are streamed.
const SLICE: usize = 1_000;

/// `GET /pages/user/{user_id}`: every page of that number, newest first; `?domain=` leaves one wiki's.
pub(crate) async fn by_user(
    State(store): State<Arc<dyn Store>>,
    LastSegment(user_id): LastSegment,
    params: Params,
) -> Result<Response, ApiError> {
    let query = user_list(&user_id, params.last("domain")).map(|list| PageQuery::newest(list, SLICE));
    list::respond("\"pages\":".into(), wire_slices(store, query)).await
}

/// None for what cannot be a user: no such user has pages.
fn user_list(user_id: &str, domain: Option<&str>) -> Option<PageList> {
    let user_id: UserId = user_id.parse().ok()?;
    match domain {
        None => Some(PageList::UserId(user_id)),
        Some(domain) => Some(PageList::User(domain.parse().ok()?, user_id)),
    }
}

/// A list as the answers write it, in slices.
pub(crate) fn wire_slices(
    store: Arc<dyn Store>,
    query: Option<PageQuery>,
) -> impl Stream<Item = Result<Vec<WirePage>, StoreError>> + Send {
    slices(store, query).map_ok(|pages| pages.into_iter().map(WirePage::from).collect())
}

/// A list in keyset pages, one short read each.
pub(crate) fn slices(
    store: Arc<dyn Store>,
    query: Option<PageQuery>,
) -> impl Stream<Item = Result<Vec<Page>, StoreError>> + Send {
    stream::try_unfold(query, move |query| {
        let store = Arc::clone(&store);
        async move {
            let Some(query) = query else { return Ok(None) };
            let slice = store.list_pages(&query).await?;
            let next = slice.next.map(|key| PageQuery { after: Some(key), ..query });
            Ok(Some((slice.pages, next)))
        }
    })
}

/// `GET /pages/domain/{domain}`: how many pages the wiki has; an unknown one has none.
pub(crate) async fn by_domain(
    State(store): State<Arc<dyn Store>>,
    LastSegment(domain): LastSegment,
) -> Result<Json<DomainCount>, ApiError> {
    let count = match domain.parse::<Domain>() {
        Ok(wiki) => count_pages(&*store, &PageList::Domain(wiki), HourRange::ALL, &PageFilter::default()).await?,
        Err(_) => 0,
    };
    Ok(Json(DomainCount { domain, count }))
}

/// `GET /pages/id/{page_id}`: the newest page of that number, ties by wiki; `?domain=` asks for one wiki's.
pub(crate) async fn by_id(
    State(store): State<Arc<dyn Store>>,
    LastSegment(page_id): LastSegment,
    params: Params,
) -> Result<Json<OnePage>, ApiError> {
    let page_id: PageId = page_id.parse().map_err(|_| ApiError::PageNotFound)?;
    let page = match params.last("domain") {
        None => newest(store.pages_by_id(page_id).await?),
        Some(domain) => {
            let domain: Domain = domain.parse().map_err(|_| ApiError::PageNotFound)?;
            store.load_pages(&[(domain, page_id)]).await?.into_iter().flatten().next()
        }
    };
    page.map(|page| Json(OnePage { page: page.into() })).ok_or(ApiError::PageNotFound)
}

fn newest(pages: Vec<Page>) -> Option<Page> {
    pages.into_iter().min_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.domain.cmp(&b.domain)))
}
