//! The GraphQL schema: what it is built from, and its text.

mod connection;
mod cursor;
mod domain;
pub(crate) mod errors;
mod filter;
mod global_user;
mod hourly_activity;
mod node;
mod page;
mod page_list;
mod paging;
mod pipeline;
mod query;
mod ranks;
mod scalars;
mod user;
mod wiki;

pub use query::Query;

use crate::loaders::Loaders;
use crate::pipeline::PipelineState;
use ::schema::clock::Clock;
use ::schema::store::Store;
use async_graphql::{Context, EmptyMutation, EmptySubscription, SDLExportOptions};
use std::sync::Arc;

/// The schema, ready to execute.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// What the resolvers read from.
#[derive(Clone)]
pub struct ApiContext {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// What is known of the stages and the gaps.
    pub pipeline: Arc<dyn PipelineState>,
}

/// The schema over `api`.
pub fn build(api: ApiContext) -> Schema {
    builder().data(api).finish()
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
    builder().finish().sdl_with_options(options)
}

fn builder() -> async_graphql::SchemaBuilder<Query, EmptyMutation, EmptySubscription> {
    async_graphql::Schema::build(Query, EmptyMutation, EmptySubscription)
}

/// What this request's resolvers read from.
fn api<'a>(ctx: &Context<'a>) -> &'a ApiContext {
    ctx.data_opt().expect("build puts the context into the schema")
}

/// This operation's loaders.
fn loaders<'a>(ctx: &Context<'a>) -> &'a Loaders {
    ctx.data_opt().expect("each execution gets loaders of its own")
}

#[cfg(test)]
mod tests;
