//! Decorators of Firesteel backends: each wraps any backend, and is one.
mod autodiff;
mod profile;

pub use autodiff::{Autodiff, Tracked, enable_grad, is_grad_enabled, no_grad};
pub use profile::{Profile, Report, Spent};
