//! The house rules, as tests: sizes, arrows between crates, which file may name which driver, names and module
//! docs, no sleeping in tests.

mod arrows;
mod drivers;
mod files;
mod sizes;
mod sleeps;
mod words;
