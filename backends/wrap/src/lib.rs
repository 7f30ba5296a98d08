//! Decorators of Firesteel backends: each wraps any backend, and is one.
mod autodiff;
mod profile;

pub use autodiff::{
    Autodiff, GradCheck, Tracked, checkpoint, enable_grad, grad, gradcheck, gradgradcheck, hessian, hvp,
    is_grad_enabled, jacobian, no_grad, register_hook, with_gradient,
};
pub use profile::{Profile, Report, Spent};
