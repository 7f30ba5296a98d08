//! Every primitive, as data.
mod fused;
mod kinds;
mod parts;

pub use fused::Fused;
pub use kinds::{ArgReduce, Binary, Compare, Distribution, Reduce, Scan, Scatter, Unary};
pub use parts::{Conv, Divisor, FftWay, NormAxes, PadAxis, Padding, Pool, Requirement, Span, Spans};

use crate::{Axes, CustomOp, DType, Scalar, Shape, Stream};
use smallvec::SmallVec;
use std::sync::Arc;

/// Operands of an operation that takes any number of them.
pub type Operands<T> = SmallVec<[T; 4]>;

/// A primitive with its operands in place. `T` is whatever flows through an interpreter: values,
/// shapes, node numbers. Operands have equal dtypes, and equal shapes where they go element by element:
/// broadcasts and promotions are settled before.
///
/// It goes through many hands, so what is large in it is boxed.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Op<T> {
    // ---- create: from nothing
    /// One number everywhere.
    Full(Scalar, Shape, DType),
    /// `start + i · step`, computed in F64 or I64 and then cast.
    Arange {
        /// The first number.
        start: Scalar,
        /// The distance between neighbours.
        step: Scalar,
        /// How many.
        len: usize,
        /// Of the result.
        dtype: DType,
    },
    /// A pure function: the same stream gives the same numbers everywhere.
    Random(Distribution, Stream, Shape, DType),

    // ---- view: the same elements seen otherwise
    /// Row-major order kept under another shape.
    Reshape(T, Shape),
    /// Axis `axes[i]` becomes axis `i`.
    Permute(T, Axes),
    /// Axes of size one stretched; the rank stays.
    Broadcast(T, Shape),
    /// A part of each axis.
    Slice(T, Spans),
    /// Windows of `size` elements, `step` apart along `axis`; what is in them becomes a new last axis.
    Windows {
        /// The operand.
        x: T,
        /// Which axis.
        axis: usize,
        /// Elements of a window.
        size: usize,
        /// Distance between windows.
        step: usize,
    },

    // ---- elementwise
    /// A function of one element.
    Unary(Unary, T),
    /// A function of two elements.
    Binary(Binary, T, T),
    /// A comparison, which gives Bool.
    Compare(Compare, T, T),
    /// The second operand where the first (Bool) is true, else the third.
    Select(T, T, T),
    /// Another dtype: floats round to nearest, integers wrap, what is not zero is true.
    Cast(T, DType),

    // ---- reduce
    /// All elements along the axes to one; the axes stay with size one.
    Reduce(Reduce, T, Axes),
    /// Which index along the axis; it stays with size one. Gives I64.
    ArgReduce(ArgReduce, T, usize),

    // ---- scan
    /// A running function along the axis.
    Scan(Scan, T, usize),
    /// `yᵢ = aᵢ yᵢ₋₁ + bᵢ` along the axis, with `y₋₁ = 0`; for floats. (`cumprod`'s gradient is one.)
    Recurrence {
        /// The factors.
        a: T,
        /// The terms.
        b: T,
        /// Along which axis.
        axis: usize,
    },

    // ---- sort
    /// In order along the axis, equals staying in theirs and NaN counting as largest: the values, and the
    /// I64 indices they came from.
    Sort {
        /// The operand.
        x: T,
        /// Along which axis.
        axis: usize,
        /// Largest first.
        descending: bool,
    },
    /// Where each of `values [.., n]` belongs in `sorted [.., m]` (or `[m]`) so that it stays in order, as I64.
    SearchSorted {
        /// Ascending along its last axis.
        sorted: T,
        /// What to find a place for.
        values: T,
        /// After equals instead of before.
        right: bool,
    },

    // ---- matmul
    /// `[.., m, k] · [.., k, n] -> [.., m, n]` with equal leading axes.
    MatMul(T, T),

    // ---- conv
    /// `(x [n, c, ..], w [o, c / groups, ..]) -> [n, o, ..]`.
    Conv(Box<Conv>, T, T),
    /// The adjoint of `Conv` in `x`: `(g [n, o, ..], w) -> [n, c, size..]`. It is also the transposed
    /// convolution.
    ConvInputGrad {
        /// The convolution that it is adjoint to.
        conv: Box<Conv>,
        /// The gradient of its result.
        g: T,
        /// Its weight.
        w: T,
        /// The spatial sizes of its input.
        size: Axes,
    },
    /// The adjoint of `Conv` in `w`: `(g [n, o, ..], x [n, c, ..]) -> [o, c / groups, size..]`.
    ConvWeightGrad {
        /// The convolution that it is adjoint to.
        conv: Box<Conv>,
        /// The gradient of its result.
        g: T,
        /// Its input.
        x: T,
        /// The spatial sizes of its weight.
        size: Axes,
    },

    // ---- index: an index is any integer dtype, and out of range is an error
    /// `y[i][j] = x[index[i][j]][j]` for axis 0, and so on: `index` may be smaller than `x` on other axes.
    Gather {
        /// What is read.
        x: T,
        /// Where, with the shape of the result.
        index: T,
        /// Along which axis.
        axis: usize,
    },
    /// `into` with `y[index[i][j]][j] ∘= x[i][j]` for axis 0, and so on; `x` has the shape of `index`.
    Scatter {
        /// How a value joins what is there.
        kind: Scatter,
        /// What is there before.
        into: T,
        /// Where to.
        index: T,
        /// What is written.
        x: T,
        /// Along which axis.
        axis: usize,
    },
    /// `x` at the places of `index [n]` along the axis.
    IndexSelect {
        /// What is read.
        x: T,
        /// Which places: of rank one.
        index: T,
        /// Along which axis.
        axis: usize,
    },
    /// `into` with the slices of `x` joined at the places of `index [n]` along the axis.
    IndexPut {
        /// How a value joins what is there.
        kind: Scatter,
        /// What is there before.
        into: T,
        /// Which places: of rank one.
        index: T,
        /// As many slices along the axis as places.
        x: T,
        /// Along which axis.
        axis: usize,
    },
    /// The index counted from the start where it is negative, checked to lie in `[-len, len)`.
    WrapIndex(T, usize),
    /// Truths (Bool) as they are, checked to hold everywhere.
    Require(T, Requirement),

    // ---- join: tensors put together
    /// One after another along the axis.
    Concat(Operands<T>, usize),
    /// More elements, each of them this number.
    Pad(T, Padding, Scalar),
    /// The adjoint of `Windows`: what lies in overlapping windows is added up. `x [.., windows, .., size]`
    /// loses its last axis, and `axis` becomes `len`.
    Fold {
        /// The windows.
        x: T,
        /// Which axis counts the windows.
        axis: usize,
        /// The size that the axis gets.
        len: usize,
        /// Distance between windows.
        step: usize,
    },
    /// `into` with `x` in place of the elements that a slice of it would see.
    Write {
        /// What is there before.
        into: T,
        /// What is written.
        x: T,
        /// Which part.
        spans: Spans,
    },

    // ---- with parts of their own
    /// One kernel where the backend has it, else its decomposition.
    Fused(Fused, Operands<T>),
    /// What a user adds; a file of it would lack its code.
    #[cfg_attr(feature = "serde", serde(skip))]
    Custom(Arc<dyn CustomOp>, Operands<T>),
}

impl<T> Op<T> {
    /// The same operation over other operands: the one traversal, from which the rest follows.
    #[inline]
    pub fn try_map<U, E>(self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<Op<U>, E> {
        Ok(match self {
            Op::Full(value, shape, dtype) => Op::Full(value, shape, dtype),
            Op::Arange { start, step, len, dtype } => Op::Arange { start, step, len, dtype },
            Op::Random(kind, stream, shape, dtype) => Op::Random(kind, stream, shape, dtype),
            Op::Reshape(x, shape) => Op::Reshape(f(x)?, shape),
            Op::Permute(x, axes) => Op::Permute(f(x)?, axes),
            Op::Broadcast(x, shape) => Op::Broadcast(f(x)?, shape),
            Op::Slice(x, spans) => Op::Slice(f(x)?, spans),
            Op::Windows { x, axis, size, step } => Op::Windows { x: f(x)?, axis, size, step },
            Op::Unary(kind, x) => Op::Unary(kind, f(x)?),
            Op::Binary(kind, a, b) => Op::Binary(kind, f(a)?, f(b)?),
            Op::Compare(kind, a, b) => Op::Compare(kind, f(a)?, f(b)?),
            Op::Select(c, a, b) => Op::Select(f(c)?, f(a)?, f(b)?),
            Op::Cast(x, dtype) => Op::Cast(f(x)?, dtype),
            Op::Reduce(kind, x, axes) => Op::Reduce(kind, f(x)?, axes),
            Op::ArgReduce(kind, x, axis) => Op::ArgReduce(kind, f(x)?, axis),
            Op::Scan(kind, x, axis) => Op::Scan(kind, f(x)?, axis),
            Op::Recurrence { a, b, axis } => Op::Recurrence { a: f(a)?, b: f(b)?, axis },
            Op::Sort { x, axis, descending } => Op::Sort { x: f(x)?, axis, descending },
            Op::SearchSorted { sorted, values, right } => {
                Op::SearchSorted { sorted: f(sorted)?, values: f(values)?, right }
            }
            Op::MatMul(a, b) => Op::MatMul(f(a)?, f(b)?),
            Op::Conv(conv, x, w) => Op::Conv(conv, f(x)?, f(w)?),
            Op::ConvInputGrad { conv, g, w, size } => Op::ConvInputGrad { conv, g: f(g)?, w: f(w)?, size },
            Op::ConvWeightGrad { conv, g, x, size } => Op::ConvWeightGrad { conv, g: f(g)?, x: f(x)?, size },
            Op::Gather { x, index, axis } => Op::Gather { x: f(x)?, index: f(index)?, axis },
            Op::Scatter { kind, into, index, x, axis } => {
                Op::Scatter { kind, into: f(into)?, index: f(index)?, x: f(x)?, axis }
            }
            Op::IndexSelect { x, index, axis } => Op::IndexSelect { x: f(x)?, index: f(index)?, axis },
            Op::IndexPut { kind, into, index, x, axis } => {
                Op::IndexPut { kind, into: f(into)?, index: f(index)?, x: f(x)?, axis }
            }
            Op::WrapIndex(index, len) => Op::WrapIndex(f(index)?, len),
            Op::Require(x, requirement) => Op::Require(f(x)?, requirement),
            Op::Concat(xs, axis) => Op::Concat(xs.into_iter().map(f).collect::<Result<_, E>>()?, axis),
            Op::Pad(x, padding, value) => Op::Pad(f(x)?, padding, value),
            Op::Fold { x, axis, len, step } => Op::Fold { x: f(x)?, axis, len, step },
            Op::Write { into, x, spans } => Op::Write { into: f(into)?, x: f(x)?, spans },
            Op::Fused(kind, xs) => Op::Fused(kind, xs.into_iter().map(f).collect::<Result<_, E>>()?),
            Op::Custom(op, xs) => Op::Custom(op, xs.into_iter().map(f).collect::<Result<_, E>>()?),
        })
    }

    /// The same operation over other operands.
    #[inline]
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Op<U> {
        let Ok(op) = self.try_map(|x| Ok::<U, std::convert::Infallible>(f(x)));
        op
    }

    /// Calls `f` on each operand, in order.
    pub fn each(self, f: impl FnMut(T)) {
        self.map(f);
    }
}

/// Declares what each primitive is called and how many results it has. Of a family each kind has its own name and one
/// result. A primitive that is missing does not compile.
macro_rules! primitives {
    ({ $($family:ident of $kind:ident,)* } { $($primitive:ident $name:literal $outputs:literal,)* }) => {
        impl<T> Op<T> {
            /// The operation's name in errors, profiles and graphs.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Op::$primitive { .. } => $name,)*
                    $(Op::$family(kind, ..) => kind.name(),)*
                    Op::Fused(fused, _) => fused.name(),
                    Op::Custom(op, _) => op.name(),
                }
            }

            /// How many results it has.
            pub fn outputs(&self) -> usize {
                match self {
                    $(Op::$primitive { .. } => $outputs,)*
                    $(Op::$family(..) => 1,)*
                    Op::Fused(fused, _) => fused.outputs(),
                    Op::Custom(op, _) => op.outputs(),
                }
            }

            /// The names of all primitives: of all operations that cannot be decomposed.
            ///
            /// ```
            /// use firesteel_core::Op;
            /// let names = Op::<()>::primitives();
            /// assert!(names.contains(&"matmul") && names.contains(&"exp") && !names.contains(&"softmax"));
            /// ```
            pub fn primitives() -> Vec<&'static str> {
                let families = [$($kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>()),*];
                [$($name),*].into_iter().chain(families.into_iter().flatten()).collect()
            }
        }
    };
}

primitives! {
    {
        Random of Distribution,
        Unary of Unary,
        Binary of Binary,
        Compare of Compare,
        Reduce of Reduce,
        ArgReduce of ArgReduce,
        Scan of Scan,
    }
    {
        Full "full" 1,
        Arange "arange" 1,
        Reshape "reshape" 1,
        Permute "permute" 1,
        Broadcast "broadcast_to" 1,
        Slice "slice" 1,
        Windows "unfold" 1,
        Select "where" 1,
        Cast "to" 1,
        Recurrence "recurrence" 1,
        Sort "sort" 2,
        SearchSorted "searchsorted" 1,
        MatMul "matmul" 1,
        Conv "conv" 1,
        ConvInputGrad "conv_transpose" 1,
        ConvWeightGrad "conv_weight_grad" 1,
        Gather "gather" 1,
        Scatter "scatter" 1,
        IndexSelect "index_select" 1,
        IndexPut "index_put" 1,
        WrapIndex "index" 1,
        Require "require" 1,
        Concat "cat" 1,
        Pad "pad" 1,
        Fold "fold" 1,
        Write "slice_scatter" 1,
    }
}
