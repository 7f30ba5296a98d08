//! Every primitive, as data.
use crate::{Axes, CustomOp, DType, Program, Scalar, Shape, Stream};
use smallvec::SmallVec;
use std::sync::Arc;

/// Declares a family of operations that differ only in their arithmetic, with their names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $family:ident { $($(#[$kind_doc:meta])* $kind:ident $name:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $family { $($(#[$kind_doc])* $kind),* }

        impl $family {
            /// Every member of the family.
            pub const ALL: &[$family] = &[$($family::$kind),*];

            /// The operation's name in errors and tables: PyTorch's.
            pub fn name(self) -> &'static str {
                match self { $($family::$kind => $name),* }
            }
        }
    )*};
}

kinds! {
    /// Functions of one element. Those from `Neg` to `Not` take integers too; the rest take floats.
    Unary {
        /// `-x`
        Neg "neg",
        /// `|x|`
        Abs "abs",
        /// -1, 0 or 1; NaN for NaN
        Sign "sign",
        /// `max(x, 0)`
        Relu "relu",
        /// Bits inverted; of Bool, its negation
        Not "bitwise_not",
        /// The largest whole number not above `x`
        Floor "floor",
        /// The smallest whole number not below `x`
        Ceil "ceil",
        /// To the nearest whole number, halves to the even one
        Round "round",
        /// Towards zero
        Trunc "trunc",
        /// `√x`
        Sqrt "sqrt",
        /// `1 / √x`
        Rsqrt "rsqrt",
        /// `1 / x`
        Recip "reciprocal",
        /// `eˣ`
        Exp "exp",
        /// `2ˣ`
        Exp2 "exp2",
        /// `eˣ - 1`
        Expm1 "expm1",
        /// `ln x`
        Log "log",
        /// `log₂ x`
        Log2 "log2",
        /// `log₁₀ x`
        Log10 "log10",
        /// `ln (1 + x)`
        Log1p "log1p",
        /// `sin x`
        Sin "sin",
        /// `cos x`
        Cos "cos",
        /// `tan x`
        Tan "tan",
        /// `arcsin x`
        Asin "asin",
        /// `arccos x`
        Acos "acos",
        /// `arctan x`
        Atan "atan",
        /// `sinh x`
        Sinh "sinh",
        /// `cosh x`
        Cosh "cosh",
        /// `tanh x`
        Tanh "tanh",
        /// `arsinh x`
        Asinh "asinh",
        /// `arcosh x`
        Acosh "acosh",
        /// `artanh x`
        Atanh "atanh",
        /// `1 / (1 + e⁻ˣ)`
        Sigmoid "sigmoid",
        /// `2/√π ∫₀ˣ e^(-t²) dt`
        Erf "erf",
        /// `1 - erf x`
        Erfc "erfc",
        /// The inverse of `erf`
        Erfinv "erfinv",
        /// `ln |Γ(x)|`
        Lgamma "lgamma",
        /// `d ln Γ(x) / dx`
        Digamma "digamma",
    }
    /// Functions of two elements of one dtype.
    Binary {
        /// `a + b`; of Bool, or
        Add "add",
        /// `a - b`
        Sub "sub",
        /// `a b`; of Bool, and
        Mul "mul",
        /// `a / b`; of integers, towards zero
        Div "div",
        /// `aᵇ`; integers wrap
        Pow "pow",
        /// The remainder with the sign of `b` (Python's `%`)
        Remainder "remainder",
        /// The remainder with the sign of `a` (C's `fmod`)
        Fmod "fmod",
        /// The larger; NaN where one is
        Maximum "maximum",
        /// The smaller; NaN where one is
        Minimum "minimum",
        /// The angle of the point `(b, a)`
        Atan2 "atan2",
        /// `|a|` with the sign of `b`
        Copysign "copysign",
        /// Hurwitz's zeta function `Σ (b + k)⁻ᵃ` over `k ≥ 0`; `ζ(2, x)` is the derivative of `digamma`
        Zeta "zeta",
        /// Of integers and Bool
        BitAnd "bitwise_and",
        /// Of integers and Bool
        BitOr "bitwise_or",
        /// Of integers and Bool
        BitXor "bitwise_xor",
        /// Of integers; zero where `b` is not in `[0, bits)`
        Shl "bitwise_left_shift",
        /// Of integers, keeping the sign; all sign where `b` is not in `[0, bits)`
        Shr "bitwise_right_shift",
    }
    /// Comparisons of two elements of one dtype, which give Bool.
    Compare {
        /// `a = b`
        Eq "eq",
        /// `a ≠ b`
        Ne "ne",
        /// `a < b`
        Lt "lt",
        /// `a ≤ b`
        Le "le",
        /// `a > b`
        Gt "gt",
        /// `a ≥ b`
        Ge "ge",
    }
    /// Functions of all elements along some axes, which stay with size one. Of no elements: 0, 1 and NaN
    /// for the first three; `Max` and `Min` need one.
    Reduce {
        /// `Σ x`; half precision is summed in F32
        Sum "sum",
        /// `Π x`
        Prod "prod",
        /// `Σ x / n`, of floats
        Mean "mean",
        /// The largest, NaN where one is; of Bool, any
        Max "amax",
        /// The smallest, NaN where one is; of Bool, all
        Min "amin",
    }
    /// Where along one axis, which stays with size one; the first of equals, NaN before all.
    ArgReduce {
        /// Of the largest
        Max "argmax",
        /// Of the smallest
        Min "argmin",
    }
    /// Running functions along one axis.
    Scan {
        /// `yᵢ = Σ x₀..xᵢ`
        Sum "cumsum",
        /// `yᵢ = Π x₀..xᵢ`
        Prod "cumprod",
    }
    /// How what is written joins what is there.
    Scatter {
        /// The new value; which of several, where an index repeats, is the last on the Cpu
        Set "set",
        /// The sum
        Add "add",
        /// The product
        Mul "prod",
        /// The larger
        Max "amax",
        /// The smaller
        Min "amin",
    }
    /// What random numbers look like.
    Distribution {
        /// Even in `[0, 1)`: 24 bits for F32 and narrower, 53 for F64
        Uniform "rand",
        /// Mean 0, variance 1, by Box and Muller's transform
        Normal "randn",
        /// Every value of an integer dtype, even
        Bits "random",
    }
}

/// A range along one axis: `start, start + step, ..`, `len` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first index.
    pub start: usize,
    /// The distance to the next; negative goes backwards, and zero does not move.
    pub step: isize,
    /// How many.
    pub len: usize,
}

impl Span {
    /// All of an axis.
    pub fn all(size: usize) -> Self {
        Span { start: 0, step: 1, len: size }
    }
}

/// One span for each axis.
pub type Spans = SmallVec<[Span; 4]>;

/// How many elements to add along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PadAxis {
    /// Before the first.
    pub low: usize,
    /// After the last.
    pub high: usize,
    /// Between each two neighbours.
    pub interior: usize,
}

/// One for each axis.
pub type Padding = SmallVec<[PadAxis; 4]>;

/// How a convolution's window moves, with one entry for each spatial axis.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conv {
    /// The distance between neighbouring windows.
    pub stride: Axes,
    /// Zeros added on both sides.
    pub padding: Axes,
    /// The distance between the elements of a window.
    pub dilation: Axes,
    /// How many independent groups the channels fall into.
    pub groups: usize,
}

/// How a pooling window moves, with one entry for each spatial axis (the last axes of the operand).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// The size of the window.
    pub kernel: Axes,
    /// The distance between neighbouring windows.
    pub stride: Axes,
    /// Added on both sides: what never wins a maximum, and zeros of a mean.
    pub padding: Axes,
    /// The distance between the elements of a window.
    pub dilation: Axes,
    /// The sizes of the result, as `ceil_mode` asks for; windows may hang over the end.
    pub output: Axes,
}

/// What an average is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Divisor {
    /// The elements of the window, with padding but without what hangs over it.
    Padded,
    /// Only the elements that lie in the tensor.
    Inside,
    /// This number.
    Fixed(usize),
}

/// Operations that a backend may run in one kernel; each means its decomposition.
#[derive(Clone, Debug)]
pub enum Fused {
    /// `x Wᵀ + b`: `(x [.., in], W [out, in], b? [out]) -> [.., out]`.
    Linear,
    /// `e^x / Σ e^x` along an axis.
    Softmax(usize),
    /// `x - ln Σ e^x` along an axis.
    LogSoftmax(usize),
    /// `(x, weight?, bias?) -> (y, mean, 1/σ)` over the last `dims` axes, with
    /// `y = (x - mean) / √(var + eps) · weight + bias`; mean and 1/σ keep those axes with size one.
    LayerNorm {
        /// How many of the last axes are normalised together.
        dims: usize,
        /// Added to the variance.
        eps: f64,
    },
    /// `(x, weight?) -> (y, 1/rms)` over the last `dims` axes, with `y = x / √(mean x² + eps) · weight`.
    RmsNorm {
        /// How many of the last axes are normalised together.
        dims: usize,
        /// Added to the mean square.
        eps: f64,
    },
    /// `(x [n, c, ..], weight?, bias?) -> (y, mean [1, c, 1..], 1/σ [1, c, 1..])`, normalised over all axes
    /// but the second by the batch's own mean and biased variance.
    BatchNorm {
        /// Added to the variance.
        eps: f64,
    },
    /// `(q [.., n, d], k [.., m, d], v [.., m, e], mask? [.., n, m]) -> (y [.., n, e], lse [.., n, 1])`, with
    /// `y = softmax(scale · q kᵀ + mask) v` and the log of the softmax's denominators. A Bool mask keeps
    /// where it is true. A row that keeps nothing is zero.
    Attention {
        /// What the products are multiplied by.
        scale: f64,
        /// Whether a query sees only keys that stand no later than it.
        causal: bool,
    },
    /// `(logits [n, c, ..], target [n, ..] of integers) -> (loss [n, ..], lse [n, ..])`, with
    /// `loss = lse - logits[target]`; where the target is `ignore_index` the loss is zero.
    CrossEntropy {
        /// The target that does not count.
        ignore_index: i64,
    },
    /// The largest element of each window, and its place in the flattened spatial axes:
    /// `x [.., spatial] -> (y, I64 indices) [.., output]`.
    MaxPool(Pool),
    /// The mean of each window: `x [.., spatial] -> [.., output]`.
    AvgPool(Pool, Divisor),
    /// The `k` largest (or smallest) along an axis, in order, and their indices.
    TopK {
        /// How many.
        k: usize,
        /// Along which axis.
        axis: usize,
        /// The largest, or the smallest.
        largest: bool,
    },
    /// Element-wise operations on equal shapes, in one pass; several results.
    Chain(Arc<Program>),
}

impl Fused {
    /// The operation's name in errors and tables.
    pub fn name(&self) -> &'static str {
        match self {
            Fused::Linear => "linear",
            Fused::Softmax(_) => "softmax",
            Fused::LogSoftmax(_) => "log_softmax",
            Fused::LayerNorm { .. } => "layer_norm",
            Fused::RmsNorm { .. } => "rms_norm",
            Fused::BatchNorm { .. } => "batch_norm",
            Fused::Attention { .. } => "scaled_dot_product_attention",
            Fused::CrossEntropy { .. } => "cross_entropy",
            Fused::MaxPool(_) => "max_pool",
            Fused::AvgPool(..) => "avg_pool",
            Fused::TopK { .. } => "topk",
            Fused::Chain(_) => "chain",
        }
    }
}

/// Operands of an operation that takes any number of them.
pub type Operands<T> = SmallVec<[T; 4]>;

/// A primitive with its operands in place. `T` is whatever flows through an interpreter: values,
/// shapes, node numbers. Operands have equal dtypes, and equal shapes where they go element by element:
/// broadcasts and promotions are settled before.
#[derive(Clone, Debug)]
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
    Conv(Conv, T, T),
    /// The adjoint of `Conv` in `x`: `(g [n, o, ..], w) -> [n, c, size..]`. It is also the transposed
    /// convolution.
    ConvInputGrad {
        /// The convolution that it is adjoint to.
        conv: Conv,
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
        conv: Conv,
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
    /// What a user adds.
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

    /// The operation's name in errors, profiles and graphs.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Full(..) => "full",
            Op::Arange { .. } => "arange",
            Op::Random(kind, ..) => kind.name(),
            Op::Reshape(..) => "reshape",
            Op::Permute(..) => "permute",
            Op::Broadcast(..) => "broadcast_to",
            Op::Slice(..) => "slice",
            Op::Windows { .. } => "unfold",
            Op::Unary(kind, _) => kind.name(),
            Op::Binary(kind, ..) => kind.name(),
            Op::Compare(kind, ..) => kind.name(),
            Op::Select(..) => "where",
            Op::Cast(..) => "to",
            Op::Reduce(kind, ..) => kind.name(),
            Op::ArgReduce(kind, ..) => kind.name(),
            Op::Scan(kind, ..) => kind.name(),
            Op::Recurrence { .. } => "recurrence",
            Op::Sort { .. } => "sort",
            Op::SearchSorted { .. } => "searchsorted",
            Op::MatMul(..) => "matmul",
            Op::Conv(..) => "conv",
            Op::ConvInputGrad { .. } => "conv_transpose",
            Op::ConvWeightGrad { .. } => "conv_weight_grad",
            Op::Gather { .. } => "gather",
            Op::Scatter { .. } => "scatter",
            Op::IndexSelect { .. } => "index_select",
            Op::IndexPut { .. } => "index_put",
            Op::WrapIndex(..) => "index",
            Op::Concat(..) => "cat",
            Op::Pad(..) => "pad",
            Op::Fold { .. } => "fold",
            Op::Write { .. } => "slice_scatter",
            Op::Fused(fused, _) => fused.name(),
            Op::Custom(op, _) => op.name(),
        }
    }

    /// How many results it has.
    pub fn outputs(&self) -> usize {
        match self {
            Op::Sort { .. } => 2,
            Op::Fused(fused, _) => match fused {
                Fused::LayerNorm { .. } | Fused::BatchNorm { .. } => 3,
                Fused::RmsNorm { .. } | Fused::Attention { .. } | Fused::CrossEntropy { .. } => 2,
                Fused::MaxPool(_) | Fused::TopK { .. } => 2,
                Fused::Chain(program) => program.results.len(),
                Fused::Linear | Fused::Softmax(_) | Fused::LogSoftmax(_) | Fused::AvgPool(..) => 1,
            },
            Op::Custom(op, _) => op.outputs(),
            _ => 1,
        }
    }
}
