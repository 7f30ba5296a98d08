//! PyTorch rebuilt the way Rust would have it: tensors, autograd, `nn` and `optim`, generic over the backend.

// the derive macro names this crate from outside and from inside alike
extern crate self as firesteel;

mod any;
pub mod data;
pub mod io;
pub mod nn;
pub mod optim;

pub use any::{Any, AnyValue};
pub use firesteel_core::*;
#[cfg(feature = "cpu")]
pub use firesteel_cpu::{Cpu, num_threads, set_num_threads};
pub use firesteel_wrap::*;

/// What most programs use.
pub mod prelude {
    #[cfg(feature = "cpu")]
    pub use crate::Cpu;
    pub use crate::{
        Any, Autodiff, Backend, DType, Differentiable, Dims, Error, Expr, Index, Result, Scalar, Shape,
        Slice, Tensor, keepdim,
        nn::{Layer, Module, State},
        no_grad, slice,
    };
}
