//! The contract of Firesteel: tensors, operations as data, shape inference, and what a backend is.
//!
//! An operation is data ([`Op`]); a backend is an interpreter of operations ([`Backend`]); everything else
//! is an interpreter that wraps another ([`Decorator`], [`Differentiable`]). Users of Firesteel depend on
//! the crate `firesteel`, which exports all of this.

#[macro_use]
mod dtype;

mod backend;
mod block_on;
mod custom;
mod decompose;
mod decorator;
mod differentiable;
mod error;
mod expr;
pub mod formula;
mod infer;
mod layout;
mod meta;
mod op;
mod program;
mod random;
mod scalar;
mod shape;
mod tensor;
mod trace;

pub use backend::{Backend, Device, MemoryStats, Operand, Update, ValueOf};
pub use block_on::block_on;
pub use custom::{CustomOp, HostKernel, Kernel, SymbolicGradients, Symbols};
pub use decompose::decompose;
pub use decorator::Decorator;
pub use differentiable::{Differentiable, Gradients, Place, Pullback};
pub use dtype::{Category, DType, Data, Element, rust};
pub use error::{Error, ErrorKind, Result};
pub use expr::{Change, Expr};
pub use infer::infer;
pub use layout::{Layout, Offsets, Strides};
pub use meta::{Meta, Metas, Outputs, TensorData};
pub use op::{
    ArgReduce, Binary, Compare, Conv, Distribution, Divisor, FftWay, Fused, NormAxes, Op, Operands, PadAxis,
    Padding, Pool, Reduce, Requirement, Scan, Scatter, Span, Spans, Unary,
};
pub use program::Program;
pub use random::{Generator, Stream, recipe};
pub use scalar::Scalar;
pub use shape::{Axes, Dims, Shape, Sizes, keepdim};
pub use tensor::*;
pub use trace::{Symbol, Trace};
