//! The program `pagetrack` from outside: what it prints, what it refuses, and how it ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which fail by panicking")]

mod failures;
mod hostile;
mod http;
mod output;
mod process;
mod settings;
