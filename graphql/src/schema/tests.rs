//! Tests of the schema over the embedded store.

mod contract;
mod failing;
pub(crate) mod fixture;
mod lists;
mod loading;
mod objects;
mod reports;
mod wrong;
