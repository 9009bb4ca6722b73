//! Wikis, people and pages by what somebody typed or pasted.

mod text;

use super::domain::Domain;
use super::errors::{ApiError, bad_input};
use super::global_user::GlobalUser;
use super::node::{load_domain, load_global_user, load_page};
use super::page::Page;
use super::{api, loaders};
use async_graphql::{Context, Union};
use schema::page::PageId;
use schema::query::DomainRow;
use std::sync::Arc;
use text::{Address, Meaning};

/// The longest text that is searched, characters: more than the longest title has in an address.
const MAX_CHARACTERS: usize = 2_000;

/// What a search found.
#[derive(Union)]
pub(crate) enum SearchResult {
    /// A wiki.
    Domain(Domain),
    /// A person.
    GlobalUser(GlobalUser),
    /// A page.
    Page(Page),
}

/// What there is of what `text` may mean, at most `limit`: first the page or wiki of an address, then the person, the
/// wiki of exactly this name, the pages of this number, and last the wikis whose names have it in them.
pub(crate) async fn search(ctx: &Context<'_>, text: &str, limit: usize) -> Result<Vec<SearchResult>, ApiError> {
    let meaning = parse(text)?;
    let mut found = Vec::new();
    if let Some(address) = meaning.address {
        found.extend(at_address(ctx, address, limit).await?);
    }
    if let Some(name) = meaning.user_name.filter(|_| found.len() < limit) {
        found.extend(load_global_user(ctx, name).await?.map(SearchResult::GlobalUser));
    }
    let (exact, partly) = match meaning.part_of_name.filter(|_| found.len() < limit) {
        Some(part) => named_by(&loaders(ctx).all_domains().await?, &part),
        None => <(Vec<_>, Vec<_>)>::default(),
    };
    found.extend(exact);
    if let Some(page_id) = meaning.page_id.filter(|_| found.len() < limit) {
        found.extend(of_number(ctx, page_id).await?);
    }
    found.extend(partly);
    found.truncate(limit);
    Ok(found)
}

fn parse(text: &str) -> Result<Meaning, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(bad_input(
            "text is empty; give part of a wiki's name, a user name, a page's number or its address",
        ));
    }
    check_length("text", text)?;
    Ok(Meaning::of(text))
}

/// Refuses what is longer than any title in an address.
pub(crate) fn check_length(argument: &str, text: &str) -> Result<(), ApiError> {
    match text.chars().nth(MAX_CHARACTERS) {
        None => Ok(()),
        Some(_) => Err(bad_input(format!("{argument} has more than {MAX_CHARACTERS} characters"))),
    }
}

/// Where an address leads: several pages where one title was given again.
async fn at_address(ctx: &Context<'_>, address: Address, limit: usize) -> Result<Vec<SearchResult>, ApiError> {
    Ok(match address {
        Address::Wiki(domain) => load_domain(ctx, domain).await?.map(SearchResult::Domain).into_iter().collect(),
        Address::Number(domain, page_id) => {
            load_page(ctx, domain, page_id).await?.map(SearchResult::Page).into_iter().collect()
        }
        Address::Title(domain, page_title) => {
            let pages = loaders(ctx).pages_by_title(domain, page_title, limit).await?;
            pages.iter().map(|page| SearchResult::Page(Page(page.clone()))).collect()
        }
    })
}

/// Every page with this number, by domain.
async fn of_number(ctx: &Context<'_>, page_id: PageId) -> Result<impl Iterator<Item = SearchResult>, ApiError> {
    let pages = api(ctx).store.pages_by_id(page_id).await?;
    Ok(pages.into_iter().map(|page| SearchResult::Page(Page(Arc::new(page)))))
}

/// The wiki of exactly this name, and those that have it in theirs, in their order.
fn named_by(rows: &[DomainRow], part: &str) -> (Vec<SearchResult>, Vec<SearchResult>) {
    let named = rows.iter().filter(|row| has_in_name(row, part)).cloned();
    let (exact, partly): (Vec<_>, Vec<_>) =
        named.partition(|row| row.domain.as_str() == part || row.wiki.as_str() == part);
    let results = |rows: Vec<DomainRow>| rows.into_iter().map(|row| SearchResult::Domain(Domain(row))).collect();
    (results(exact), results(partly))
}

/// Whether a wiki's domain or database name has `part`, which is in lower case, in it.
pub(crate) fn has_in_name(row: &DomainRow, part: &str) -> bool {
    row.domain.as_str().contains(part) || row.wiki.as_str().contains(part)
}
