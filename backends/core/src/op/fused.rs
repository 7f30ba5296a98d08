//! Operations that a backend may run in one kernel.
use crate::{Divisor, Error, FftWay, NormAxes, Pool, Program, Result};
use std::sync::Arc;

/// Operations that a backend may run in one kernel; each means its decomposition.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Fused {
    /// `x Wᵀ + b`: `(x [.., in], W [out, in], b? [out]) -> [.., out]`.
    Linear,
    /// `f(x Wᵀ + b)` with a program `f` that goes element by element, of the layer's result and what stands beside that:
    /// `(x [.., in], W [out, in], b? [out], beside [.., out]*) -> [.., out]`.
    LinearThen(Arc<Program>),
    /// The product of matrices of I8 in I32, which wraps: `(a [.., m, k], b [.., k, n]) -> [.., m, n]`, with equal leading
    /// axes.
    IntMm,
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
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        eps: f64,
    },
    /// `(x, weight?) -> (y, 1/rms)` over the last `dims` axes, with `y = x / √(mean x² + eps) · weight`.
    RmsNorm {
        /// How many of the last axes are normalised together.
        dims: usize,
        /// Added to the mean square.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        eps: f64,
    },
    /// `(x [n, c, ..], weight?, bias?) -> (y, mean [1, c, 1..], 1/σ [1, c, 1..])`, normalised over all axes
    /// but the second by the batch's own mean and biased variance.
    BatchNorm {
        /// Added to the variance.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        eps: f64,
    },
    /// `(x [n, c, ..], weight? [c], bias? [c]) -> (y, mean [n, groups, 1, 1], 1/σ [n, groups, 1, 1])`: `x` as
    /// `[n, groups, c / groups, ..]`, normalised over all axes but the first two.
    GroupNorm {
        /// How many groups the channels fall into.
        groups: usize,
        /// Added to the variance.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        eps: f64,
    },
    /// The way back through a normalisation: `(x, mean?, 1/σ, dy, weight?) -> (dx, dweight?, dbias?)`; the mean is there where
    /// it was taken away. All but `x` and `dy` have its axes with size one where they do not vary.
    NormGrad(Box<NormAxes>),
    /// `(q [.., n, d], k [.., m, d], v [.., m, e], mask? [.., n, m]) -> (y [.., n, e], lse [.., n, 1])`, with
    /// `y = softmax(scale · q kᵀ + mask) v` and the log of the softmax's denominators. A Bool mask keeps
    /// where it is true. A row that keeps nothing is zero.
    Attention {
        /// What the products are multiplied by.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
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
    MaxPool(Box<Pool>),
    /// The mean of each window: `x [.., spatial] -> [.., output]`.
    AvgPool(Box<Pool>, Divisor),
    /// The `k` largest (or smallest) along an axis, in order, and their indices.
    TopK {
        /// How many.
        k: usize,
        /// Along which axis.
        axis: usize,
        /// The largest, or the smallest.
        largest: bool,
    },
    /// All steps of an LSTM:
    /// `(x [t, n, i], w [4h, i], u [4h, h], h₀ [n, h], c₀ [n, h], b? [4h]) -> (y [t, n, h], c [t, n, h], gates [t, n, 4h]?)`,
    /// with `i, f, g, o = xₜ wᵀ + yₜ₋₁ uᵀ + b`, of which `g` goes through `tanh` and the others through `σ`,
    /// `cₜ = f cₜ₋₁ + i g` and `yₜ = o tanh cₜ`.
    Lstm {
        /// Whether the gates are a result too, as the way back wants.
        gates: bool,
    },
    /// The way back through `Lstm`:
    /// `(u, c₀, c, gates, dy [t, n, h], dc [t, n, h], dgates? [t, n, 4h]) -> (ds [t, n, 4h], dh₀, dc₀)`, where `s` are the
    /// sums that the gates are functions of.
    LstmGrad,
    /// All steps of a GRU:
    /// `(x [t, n, i], w [3h, i], u [3h, h], h₀ [n, h], b? [3h], d? [3h]) -> (y [t, n, h], gates [t, n, 4h]?)`, both biases or
    /// neither, with `r, z = σ(xₜ wᵀ + b + yₜ₋₁ uᵀ + d)` of their thirds, `m = yₜ₋₁ uᵀ + d` of the last,
    /// `g = tanh(xₜ wᵀ + b + r m)` and `yₜ = g + z (yₜ₋₁ - g)`.
    ///
    /// The gates lie as `m, r, z, g`: side by side is what the state goes into, and so is what the input goes into.
    Gru {
        /// Whether the gates are a result too, as the way back wants.
        gates: bool,
    },
    /// The way back through `Gru`: `(u, h₀, y, gates, dy [t, n, h], dgates? [t, n, 4h]) -> (ds [t, n, 4h], dh₀)`, where `s` are
    /// `m` and the sums that the other gates are functions of.
    GruGrad,
    /// The discrete Fourier transform of each row of complex numbers: `x [rows, n, 2] -> [rows, n, 2]`, with
    /// `yₖ = scale · Σⱼ xⱼ e^(∓2πi jk/n)`. [`torch.fft.fft`](https://docs.pytorch.org/docs/stable/generated/torch.fft.fft.html)
    Fft {
        /// The sign of the exponent.
        way: FftWay,
        /// What the sums are multiplied by.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        scale: f64,
    },
    /// That of each row of real numbers, of which the first `n/2 + 1` are conjugates of the rest:
    /// `x [rows, n] -> [rows, n/2 + 1, 2]`.
    /// [`torch.fft.rfft`](https://docs.pytorch.org/docs/stable/generated/torch.fft.rfft.html)
    Rfft {
        /// The sign of the exponent.
        way: FftWay,
        /// What the sums are multiplied by.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        scale: f64,
    },
    /// That of each row of `n` complex numbers, of which the first `n/2 + 1` are given and conjugates of the rest, so that it
    /// is real: `x [rows, n/2 + 1, 2] -> [rows, n]`. The imaginary parts of the first, and of an even `n` those of the last,
    /// count as zero. [`torch.fft.irfft`](https://docs.pytorch.org/docs/stable/generated/torch.fft.irfft.html)
    Irfft {
        /// The sign of the exponent.
        way: FftWay,
        /// How many real numbers a row of the result has.
        n: usize,
        /// What the sums are multiplied by.
        #[cfg_attr(feature = "serde", serde(with = "crate::scalar::written"))]
        scale: f64,
    },
    /// Element-wise operations on equal shapes, in one pass; several results.
    Chain(Arc<Program>),
}

impl Fused {
    /// The operation's name in errors and tables.
    pub fn name(&self) -> &'static str {
        match self {
            Fused::Linear => "linear",
            Fused::LinearThen(_) => "linear_then",
            Fused::IntMm => "int_mm",
            Fused::Softmax(_) => "softmax",
            Fused::LogSoftmax(_) => "log_softmax",
            Fused::LayerNorm { .. } => "layer_norm",
            Fused::RmsNorm { .. } => "rms_norm",
            Fused::BatchNorm { .. } => "batch_norm",
            Fused::GroupNorm { .. } => "group_norm",
            Fused::NormGrad(_) => "norm_grad",
            Fused::Attention { .. } => "scaled_dot_product_attention",
            Fused::CrossEntropy { .. } => "cross_entropy",
            Fused::MaxPool(_) => "max_pool",
            Fused::AvgPool(..) => "avg_pool",
            Fused::TopK { .. } => "topk",
            Fused::Lstm { .. } => "lstm",
            Fused::LstmGrad => "lstm_grad",
            Fused::Gru { .. } => "gru",
            Fused::GruGrad => "gru_grad",
            Fused::Fft { .. } => "fft",
            Fused::Rfft { .. } => "rfft",
            Fused::Irfft { .. } => "irfft",
            Fused::Chain(_) => "chain",
        }
    }

    /// Of the operands of [`Fused::LinearThen`] those of the layer, and what the program reads beside its result.
    pub fn layer_and_beside<'a, T>(program: &Program, xs: &'a [T]) -> Result<(&'a [T], &'a [T])> {
        let layer = program.inputs.checked_sub(1).and_then(|beside| xs.len().checked_sub(beside));
        let split = layer.and_then(|layer| xs.split_at_checked(layer));
        split.ok_or_else(|| {
            let why = format!("{} operands are too few for a program of {}", xs.len(), program.inputs);
            Error::internal("linear_then", why)
        })
    }

    /// How many results it has.
    pub fn outputs(&self) -> usize {
        match self {
            Fused::LayerNorm { .. } | Fused::BatchNorm { .. } | Fused::GroupNorm { .. } => 3,
            Fused::NormGrad(norm) if norm.affine.is_none() => 1,
            Fused::NormGrad(_) => 3,
            Fused::Lstm { gates: true } | Fused::LstmGrad => 3,
            Fused::Lstm { gates: false } | Fused::Gru { gates: true } | Fused::GruGrad => 2,
            Fused::Gru { gates: false } => 1,
            Fused::RmsNorm { .. } | Fused::Attention { .. } | Fused::CrossEntropy { .. } => 2,
            Fused::MaxPool(_) | Fused::TopK { .. } => 2,
            Fused::Chain(program) => program.results.len(),
            Fused::Linear | Fused::LinearThen(_) | Fused::IntMm => 1,
            Fused::Softmax(_) | Fused::LogSoftmax(_) | Fused::AvgPool(..) => 1,
            Fused::Fft { .. } | Fused::Rfft { .. } | Fused::Irfft { .. } => 1,
        }
    }
}
