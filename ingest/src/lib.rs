//! From the event stream to the store: producer, cleaner and writer, and the bus between them.
//!
//! Knows no GraphQL, no REST and which store it got only from the composition root.

mod backoff;
pub mod bus;
pub mod clean;
pub mod cleaner;
pub mod position;
pub mod process;
pub mod producer;
pub mod rejected;
pub mod sample;
mod sealer;
pub mod settings;
pub mod source;
mod sse;
pub mod stage;
pub mod status;
pub mod writer;
