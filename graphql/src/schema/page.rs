//! A created page, with its edges to wiki, creator and hour.

use super::domain::Domain;
use super::errors::ApiError;
use super::hourly_activity::HourlyActivity;
use super::loaders;
use super::node::NodeId;
use super::scalars::{Time, Url};
use super::user::User;
use super::wiki::NamespaceName;
use async_graphql::{Context, ID, Object};
use schema::hour::Hour;
use schema::query::DomainRow;
use std::sync::Arc;

/// One created page: a row of `pages_by_id`.
#[derive(Clone)]
pub(crate) struct Page(pub(crate) Arc<schema::page::Page>);

/// One created page: a row of `pages_by_id`.
#[Object]
impl Page {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Page(self.0.key()).encode()
    }

    /// The wiki's number of the page: `975886`.
    async fn page_id(&self) -> ID {
        self.0.page_id.to_string().into()
    }

    /// The wiki.
    async fn domain(&self) -> Domain {
        Domain(DomainRow { domain: self.0.domain.clone(), wiki: self.0.wiki.clone() })
    }

    /// Full title as the event, addresses and the REST API have it, with underscores:
    /// `Pagina:Villani_-_Cronica.djvu/29`.
    async fn page_title(&self) -> &str {
        &self.0.page_title
    }

    /// The same for people, with spaces: `Pagina:Il cavallarizzo.djvu/29`.
    async fn title(&self) -> String {
        self.0.page_title.replace('_', " ")
    }

    /// The page on its wiki.
    async fn url(&self) -> Url {
        Url::of_title(&self.0.domain, &self.0.page_title)
    }

    /// MediaWiki's namespace number: 0 articles, 6 files, 14 categories; 100 and more differ from wiki to wiki.
    async fn namespace(&self) -> i32 {
        self.0.namespace
    }

    /// The namespace's name where it is the same on all wikis.
    async fn namespace_name(&self) -> NamespaceName {
        NamespaceName::of(self.0.namespace)
    }

    /// Whether the page was created as a redirect.
    async fn is_redirect(&self) -> bool {
        self.0.is_redirect
    }

    /// Whether the creator was marked as a bot then.
    async fn is_bot(&self) -> bool {
        self.0.is_bot
    }

    /// The first revision, in digits: `3457089`. Beyond what Int holds.
    async fn rev_id(&self) -> ID {
        self.0.rev_id.to_string().into()
    }

    /// When it was created.
    async fn created_at(&self) -> Time {
        Time(self.0.created_at)
    }

    /// The creator's name then; `user.userName` is the newest one seen.
    async fn user_name(&self) -> &str {
        &self.0.user_name
    }

    /// The account that created it.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, ApiError> {
        let newest = loaders(ctx).user(self.0.domain.clone(), self.0.user_id).await?;
        // The creator of a page that can be read has at least this page.
        Ok(User { newest: newest.unwrap_or_else(|| self.0.clone()) })
    }

    /// The hour in which it was created.
    async fn hour(&self) -> HourlyActivity {
        HourlyActivity(Hour::of(self.0.created_at))
    }

    /// The stream's id of the event, a UUID: `6a7d2f0c-8d6a-4b7e-9a3e-0f6f7f1f2a3b`; null in a few old events.
    async fn event_id(&self) -> Option<ID> {
        self.0.event_id.as_ref().map(ID::from)
    }
}
