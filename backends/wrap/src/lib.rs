//! The decorators of Firesteel: backends that wrap another.
mod autodiff;

pub use autodiff::{Autodiff, Tracked, enable_grad, is_grad_enabled, no_grad};
