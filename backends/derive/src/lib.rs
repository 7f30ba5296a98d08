//! Derives `Module`.
