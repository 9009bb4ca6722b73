//! The REST answers, byte for byte, over the embedded store.

mod answers;
mod faults;
mod hostile;
mod openapi;
mod reports;
mod shapes;
mod streams;

mod server;
mod stopping;
