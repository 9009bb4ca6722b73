//! rest-compat.
