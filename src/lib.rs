//! PyTorch rebuilt the way Rust would have it: tensors, autograd, `nn` and `optim`, generic over the backend.

// the derive macro names this crate from outside and from inside alike
extern crate self as firesteel;

mod any;
pub mod audio;
pub mod data;
pub mod io;
pub mod nn;
pub mod optim;
pub mod text;
pub mod train;
pub mod vision;

pub use any::{Any, AnyValue};
pub use firesteel_core::*;
#[cfg(feature = "cpu")]
pub use firesteel_cpu::{Cpu, num_threads, set_num_threads};
#[cfg(feature = "wgpu")]
pub use firesteel_wgpu::{Wgpu, WgpuCounters, WgpuInfo, wgpu};
pub use firesteel_wrap::*;

/// A tensor; without a backend named, one that can be differentiated on whichever machine the program
/// chose when it started.
///
/// ```
/// use firesteel::prelude::*;
/// fn twice(x: &Tensor) -> Result<Tensor> {
///     x * 2.0
/// }
/// let device = Autodiff::new("cpu".parse::<Any>()?);
/// assert_eq!(twice(&Tensor::new(3.0, &device)?)?.item::<f32>()?, 6.);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub type Tensor<B = Autodiff<Any>> = firesteel_core::Tensor<B>;

/// The guide's examples run.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/first-steps.md")]
    struct FirstSteps;
    #[doc = include_str!("../docs/pytorch.md")]
    struct PyTorch;
    #[doc = include_str!("../docs/backend.md")]
    struct Backend;
    #[doc = include_str!("../docs/operation.md")]
    struct Operation;
    #[cfg(feature = "wgpu")]
    #[doc = include_str!("../docs/browser.md")]
    struct Browser;
}

/// What most programs use.
pub mod prelude {
    #[cfg(feature = "cpu")]
    pub use crate::Cpu;
    #[cfg(feature = "wgpu")]
    pub use crate::Wgpu;
    pub use crate::{
        Any, Autodiff, Backend, DType, Differentiable, Dims, Error, Expr, Index, Result, Scalar, Shape,
        Slice, Tensor, keepdim,
        nn::{Layer, Module, State},
        no_grad, slice,
    };
}
