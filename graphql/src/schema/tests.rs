//! Tests of the schema over the embedded store.

mod contract;
