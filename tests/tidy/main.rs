//! The house rules, as tests: sizes, arrows between crates, which file may name which driver, module docs.

mod arrows;
mod drivers;
mod files;
mod sizes;
mod words;
