//! The documented REST routes, answer for answer as the FastAPI service gave them, and the hourly reports.
//!
//! Knows the store and nothing of GraphQL, of the pipeline or of which store it got. A composition root merges
//! [`router`] with what else listens on the port and takes [`fallback`] as that of the whole.

mod router;

mod domains;
mod openapi;
mod pages;
mod reports;
mod stats;

mod as_of;
mod deadline;
mod error;
mod list;
mod params;
mod slash;
mod state;
mod wire;

pub use as_of::COUNTS_AS_OF;
pub use router::{fallback, router};
