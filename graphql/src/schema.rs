//! The GraphQL schema: what it is built from, and its text.

pub(crate) mod activity;
pub(crate) mod bounds;
mod connection;
pub(crate) mod cursor;
mod domain;
pub(crate) mod errors;
mod filter;
mod global_user;
mod hourly_activity;
pub(crate) mod node;
mod overview;
mod page;
mod page_list;
mod paging;
mod pipeline;
mod query;
pub(crate) mod ranks;
mod reports;
pub(crate) mod scalars;
mod search;
mod subscription;
mod user;
mod wiki;

pub use query::Query;
pub use subscription::Subscription;

use crate::limits::{Limits, MAX_LEVELS};
use crate::live::Hub;
use crate::loaders::Loaders;
use crate::operation::Operations;
use crate::pipeline::PipelineState;
use ::schema::clock::Clock;
use ::schema::store::Store;
use async_graphql::{Context, EmptyMutation, SDLExportOptions};
use pipeline::StartedAt;
use std::sync::Arc;

/// The schema, ready to execute.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, Subscription>;

/// What the resolvers read from.
#[derive(Clone)]
pub struct ApiContext {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// The live feed.
    pub hub: Arc<Hub>,
    /// What is known of the stages and the gaps.
    pub pipeline: Arc<dyn PipelineState>,
}

/// The schema over `api`, whose store was opened just now; requests keep to `limits`.
pub fn build(api: ApiContext, limits: Limits) -> Schema {
    let started_at = StartedAt(api.clock.now());
    let operations = Operations::new(&api, limits);
    builder().extension(operations).data(started_at).data(limits).data(api).finish()
}

/// The schema's text: fields, arguments and enum values in alphabetical order.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .use_space_ident();
    let text = builder().finish().sdl_with_options(options);
    text.replace("\nschema {", &format!("\n\"\"\"\n{CONVENTIONS}\n\"\"\"\nschema {{"))
}

/// What holds everywhere: the description of the schema itself.
pub(crate) const CONVENTIONS: &str = "\
Every new page on every Wikimedia wiki, live.
Times: UTC; a range holds its start and not its end (`from` <= t < `to`). Buckets are whole UTC hours, days or
months.
Ids: `id` is opaque, for node(id) and caches. `pageId`, `userId`, `revId` are a wiki's own numbers: the same number on
another wiki is another page, another person.
Lists: a connection gives 20 items, or `first` or `last` (1 to 100), not both. Cursors are opaque and hold only for the
same parent, range and filter (else BAD_CURSOR); with one of `lastHours` a list goes on from the hour with which it
began. An answer may be shorter than asked when few rows pass the filter: go on while `hasNextPage` (backwards
`hasPreviousPage`) is true. Rankings are plain lists with `limit`.
Counts are exact; `extensions.asOf` says up to when. Not found is null.
Errors carry `extensions.code` (BAD_USER_INPUT, BAD_CURSOR, LIMIT_EXCEEDED, TIMEOUT, UNAVAILABLE, INTERNAL) and
`extensions.requestId`, 20 of them at most: `extensions.errorsLeftOut` says how many more there were.
Limits: GET /limits says which hold. A request whose `extensions` are {cost: true} is told `extensions.cost`:
`requested`, which the limit is about, is estimated from the document before anything is read; `actual` is the same
of what was answered.";

fn builder() -> async_graphql::SchemaBuilder<Query, EmptyMutation, Subscription> {
    // The cost pass has measured the nesting already; the library's own limit would come first, with another code.
    async_graphql::Schema::build(Query, EmptyMutation, Subscription).limit_recursive_depth(MAX_LEVELS as usize)
}

/// What this request's resolvers read from.
fn api<'a>(ctx: &Context<'a>) -> &'a ApiContext {
    ctx.data_opt().expect("build puts the context into the schema")
}

/// Items of a list that may be asked for.
fn max_list(ctx: &Context<'_>) -> usize {
    let limits: &Limits = ctx.data_opt().expect("build puts the limits into the schema");
    usize::try_from(limits.list).unwrap_or(usize::MAX)
}

/// This operation's loaders.
fn loaders<'a>(ctx: &Context<'a>) -> &'a Loaders {
    ctx.data_opt().expect("each execution gets loaders of its own")
}

#[cfg(test)]
pub(crate) mod tests;
