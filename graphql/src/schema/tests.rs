//! Tests of the schema over the embedded store.

mod activity;
mod as_of;
mod contract;
mod failing;
pub(crate) mod fixture;
mod lists;
mod loading;
mod objects;
mod overview;
mod people;
mod reports;
mod shape;
mod stock;
mod variables;
mod wrong;
