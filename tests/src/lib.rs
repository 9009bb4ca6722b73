//! What the tests from end to end are made of: events, a model that answers, real servers and real processes.

pub mod app;
pub mod ask;
pub mod events;
pub mod model;
pub mod process;
pub mod servers;
pub mod stream_server;
pub mod wait;
