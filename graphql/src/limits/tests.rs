//! Hostile documents.
