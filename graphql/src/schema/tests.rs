//! Tests of the schema over the embedded store.

mod activity;
mod as_of;
mod both_stores;
mod contract;
mod cost;
mod dear;
mod failing;
pub(crate) mod fixture;
mod kept;
mod limited;
mod lists;
mod loading;
mod objects;
mod overview;
mod people;
mod reports;
mod searching;
mod shape;
mod stock;
mod variables;
mod worded;
mod wrong;
