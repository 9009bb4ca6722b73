//! The live feed.
