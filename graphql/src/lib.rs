//! GraphQL over the store: the schema, its limits, the HTTP and WebSocket handlers, the live feed.
//!
//! Knows no table and no topic but `stored`; which store and bus it got only the composition root knows.

pub mod app;
pub mod http;
pub mod limits;
pub mod live;
pub mod loaders;
pub mod operation;
pub mod operations;
pub mod pipeline;
pub mod schema;
