//! The pure core and the storage: what a page is, which rows it becomes, and the stores that keep them.
//!
//! Knows no HTTP, no GraphQL and no topic of the bus.

pub mod activity;
pub mod clock;
pub mod counts;
pub mod hour;
pub mod lists;
pub mod page;
pub mod period;
pub mod query;
pub mod reference;
pub mod reports;
pub mod retention;
pub mod store;
pub mod tables;
pub mod verify;
pub mod wiki;
