//! Opaque ids that find their object again.

use super::domain::Domain as DomainObject;
use super::errors::ApiError;
use super::global_user::GlobalUser;
use super::hourly_activity::HourlyActivity;
use super::page::Page;
use super::reports::ReportUser;
use super::user::User;
use super::{api, loaders};
use async_graphql::{Context, ID, Interface};
use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use schema::hour::{Hour, HourRange};
use schema::page::{Domain, PageId, PageKey, UserId};
use schema::query::{PageList, PageQuery, TimeSpan};
use schema::reports::MAX_HOURS;

/// Anything with an `id` that node(id) finds again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque and lasting."))]
pub(crate) enum Node {
    /// A page.
    Page(Page),
    /// An account.
    User(User),
    /// A person.
    GlobalUser(GlobalUser),
    /// A wiki.
    Domain(DomainObject),
    /// An hour.
    HourlyActivity(HourlyActivity),
    /// A person in a report's window.
    ReportUser(ReportUser),
}

/// Which object an id means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NodeId {
    /// A creation: the same page created again is another object.
    Page(PageKey),
    /// An account.
    User(Domain, UserId),
    /// A person.
    GlobalUser(String),
    /// A wiki.
    Domain(Domain),
    /// An hour.
    Hour(Hour),
    /// A person in a window.
    ReportUser(HourRange, String),
}

impl NodeId {
    /// As clients see it.
    pub(crate) fn encode(&self) -> ID {
        let text = match self {
            Self::Page(key) => format!("p {} {} {}", key.domain, key.page_id, key.created_at.timestamp()),
            Self::User(domain, user_id) => format!("u {domain} {user_id}"),
            Self::GlobalUser(name) => format!("g {name}"),
            Self::Domain(domain) => format!("d {domain}"),
            Self::Hour(hour) => format!("h {hour}"),
            Self::ReportUser(window, name) => format!("r {} {} {name}", window.from, window.to),
        };
        ID(BASE64URL_NOPAD.encode(text.as_bytes()))
    }

    /// Whether an id is of a person in a window, which costs more to find than others. A quick look at its beginning.
    pub(crate) fn may_be_of_report(id: &str) -> bool {
        // `r ` and the first bits behind it.
        id.starts_with("ci")
    }

    /// None for anything that [`NodeId::encode`] did not make.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        Self::read(id).filter(|parsed| parsed.encode().as_str() == id)
    }

    fn read(id: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(id.as_bytes()).ok()?).ok()?;
        let (kind, rest) = text.split_once(' ')?;
        let words: Vec<&str> = rest.split(' ').collect();
        match (kind, words.as_slice()) {
            ("p", [domain, page_id, seconds]) => Some(Self::Page(PageKey {
                created_at: Hour::time_within(seconds.parse().ok()?)?,
                domain: domain.parse().ok()?,
                page_id: page_id.parse().ok()?,
            })),
            ("u", [domain, user_id]) => Some(Self::User(domain.parse().ok()?, user_id.parse().ok()?)),
            ("g", _) => Some(Self::GlobalUser(rest.into())),
            ("d", [domain]) => Some(Self::Domain(domain.parse().ok()?)),
            ("r", [from, to, ..]) => {
                let name = rest.splitn(3, ' ').nth(2)?;
                let window = HourRange { from: from.parse().ok()?, to: to.parse().ok()? };
                let hours = window.to.count() - window.from.count();
                (1..=i64::from(MAX_HOURS)).contains(&hours).then(|| Self::ReportUser(window, name.into()))
            }
            ("h", [hour]) => Some(Self::Hour(hour.parse().ok()?)),
            _ => None,
        }
    }
}

/// The object that an id means; none where there is none.
pub(crate) async fn load_node(ctx: &Context<'_>, id: &str) -> Result<Option<Node>, ApiError> {
    match NodeId::parse(id) {
        Some(NodeId::Page(key)) => Ok(load_creation(ctx, key).await?.map(Node::Page)),
        Some(NodeId::User(domain, user_id)) => Ok(load_user(ctx, domain, user_id).await?.map(Node::User)),
        Some(NodeId::GlobalUser(name)) => Ok(load_global_user(ctx, name).await?.map(Node::GlobalUser)),
        Some(NodeId::Domain(domain)) => Ok(load_domain(ctx, domain).await?.map(Node::Domain)),
        Some(NodeId::Hour(hour)) => Ok(hour_at(ctx, hour).map(Node::HourlyActivity)),
        Some(NodeId::ReportUser(window, name)) => Ok(ReportUser::load(ctx, name, window).await?.map(Node::ReportUser)),
        None => Ok(None),
    }
}

/// The newest creation of a page.
pub(crate) async fn load_page(ctx: &Context<'_>, domain: Domain, page_id: PageId) -> Result<Option<Page>, ApiError> {
    Ok(loaders(ctx).page(domain, page_id).await?.map(Page))
}

/// One creation of a page: the newest, or an older one from the wiki's list.
async fn load_creation(ctx: &Context<'_>, key: PageKey) -> Result<Option<Page>, ApiError> {
    let newest = load_page(ctx, key.domain.clone(), key.page_id).await?;
    if newest.as_ref().is_none_or(|page| page.0.created_at == key.created_at) {
        return Ok(newest);
    }
    let second = TimeSpan { from: Some(key.created_at), to: Some(key.created_at + TimeDelta::seconds(1)) };
    let query = PageQuery { during: second, ..PageQuery::newest(PageList::Domain(key.domain.clone()), 1_000) };
    let read = loaders(ctx).list_pages(query).await?;
    Ok(read.pages.iter().find(|page| page.page_id == key.page_id).cloned().map(Page))
}

/// An account.
pub(crate) async fn load_user(ctx: &Context<'_>, domain: Domain, user_id: UserId) -> Result<Option<User>, ApiError> {
    Ok(loaders(ctx).user(domain, user_id).await?.map(|newest| User { newest }))
}

/// A person with at least one account.
pub(crate) async fn load_global_user(ctx: &Context<'_>, user_name: String) -> Result<Option<GlobalUser>, ApiError> {
    let accounts = loaders(ctx).accounts(user_name.clone()).await?;
    Ok((!accounts.is_empty()).then_some(GlobalUser { user_name }))
}

/// A wiki.
pub(crate) async fn load_domain(ctx: &Context<'_>, name: Domain) -> Result<Option<DomainObject>, ApiError> {
    Ok(loaders(ctx).domain(name).await?.map(|row| DomainObject((*row).clone())))
}

/// An hour that has begun.
pub(crate) fn hour_at(ctx: &Context<'_>, hour: Hour) -> Option<HourlyActivity> {
    (hour <= Hour::of(api(ctx).clock.now())).then_some(HourlyActivity(hour))
}
