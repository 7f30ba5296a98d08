//! PyTorch rebuilt the way Rust would have it: tensors, autograd, `nn` and `optim`, generic over the backend.

pub use firesteel_core::*;
#[cfg(feature = "cpu")]
pub use firesteel_cpu::{Cpu, num_threads, set_num_threads};
pub use firesteel_wrap::*;

/// What most programs use.
pub mod prelude {
    #[cfg(feature = "cpu")]
    pub use crate::Cpu;
    pub use crate::{
        Autodiff, Backend, DType, Differentiable, Dims, Error, Expr, Result, Scalar, Shape, Slice, Tensor,
        keepdim, slice,
    };
}
