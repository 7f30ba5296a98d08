//! Random numbers, from the device's generator: each call takes a stream of its own, so that a program with
//! one seed gets the same numbers on every machine.
use crate::{
    Arg, Backend, DType, Distribution, Error, Expr, Op, Order, Requirement, Result, Shape, Tensor,
    TensorOptions,
};
use std::{f64::consts::PI, ops::Range};

/// Starts a device's random numbers from a seed, as `torch.manual_seed` does.
/// <https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html>
///
/// ```
/// use firesteel::{manual_seed, prelude::*};
/// let cpu = Cpu::default();
/// manual_seed(&cpu, 7);
/// let x = Tensor::rand([3], &cpu)?;
/// assert_eq!(x.shape().to_string(), "[3]");
/// # Ok::<(), firesteel::Error>(())
/// ```
pub fn manual_seed<B: Backend>(backend: &B, seed: u64) {
    backend.generator().manual_seed(seed);
}

// ---- of a shape
impl<B: Backend> Tensor<B> {
    /// Even numbers in `[0, 1)`; F32 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.rand.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::rand([100], &Cpu::default())?;
    /// assert!(x.to_vec::<f32>()?.iter().all(|x| (0. ..1.).contains(x)));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rand(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        let (dtype, backend) = options.options();
        draw(Distribution::Uniform, shape.into(), dtype.unwrap_or(DType::F32), backend)
    }

    /// Normal numbers of mean 0 and variance 1; F32 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.randn.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::randn([1000], &Cpu::default())?;
    /// assert!(x.mean(..)?.item::<f32>()?.abs() < 0.2);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn randn(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        let (dtype, backend) = options.options();
        draw(Distribution::Normal, shape.into(), dtype.unwrap_or(DType::F32), backend)
    }

    /// Whole numbers in a range, all as likely; I64 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.randint.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let dice = Tensor::randint(1..7, [100], &Cpu::default())?;
    /// assert!(dice.to_vec::<i64>()?.iter().all(|x| (1..7).contains(x)));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn randint(
        range: Range<i64>,
        shape: impl Into<Shape>,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let (dtype, backend) = options.options();
        let dtype = dtype.unwrap_or(DType::I64);
        let Some(width) = range.end.checked_sub(range.start).filter(|&width| width > 0) else {
            let why = format!("there are no numbers in {range:?}, or more than 2^63");
            return Err(Error::value("randint", why));
        };
        for bound in [range.start, range.end - 1] {
            let there = crate::Scalar::Int(bound).round_to(dtype);
            if !dtype.is_float() && there.to_i64() != bound {
                return Err(Error::value("randint", format!("{dtype} has no {bound}")));
            }
        }
        // 64 bits for each number would slow what 32 serve as well: PyTorch draws the same line
        let wide =
            dtype == DType::I64 || i32::try_from(range.end).is_err() || i32::try_from(range.start).is_err();
        let kind = if wide || width > i64::from(i32::MAX) { DType::I64 } else { DType::I32 };
        let bits = draw(Distribution::Bits, shape.into(), kind, backend)?;
        (bits.remainder(width)? + range.start)?.to(dtype)
    }

    /// The whole numbers below `n` in random order; I64 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.randperm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let mut order = Tensor::randperm(4, &Cpu::default())?.to_vec::<i64>()?;
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn randperm(n: usize, options: impl TensorOptions<B>) -> Result<Self> {
        let (dtype, backend) = options.options();
        let keys = draw(Distribution::Bits, n.into(), DType::I64, backend)?;
        keys.argsort(0, Order::Ascending)?.to(dtype.unwrap_or(DType::I64))
    }

    /// Normal numbers with means and deviations of their own, one for each element of the operands, which
    /// broadcast; one of them may be a number. No gradient flows to them. With two numbers there is
    /// [`normal_like`](Self::normal_like).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.normal.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let means = Tensor::new([0.0, 1000.0], &Cpu::default())?;
    /// let x = Tensor::normal(&means, 1.0)?.to_vec::<f32>()?;
    /// assert!(x[0] < 100. && x[1] > 900.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn normal(mean: impl Into<Arg<B>>, std: impl Into<Arg<B>>) -> Result<Self> {
        let real = |dtype: DType| if dtype.is_float() { dtype } else { DType::F32 };
        let (mean, std) = match (mean.into(), std.into()) {
            (Arg::Tensor(mean), std) => mean.meet(std, real),
            (mean, Arg::Tensor(std)) => std.meet(mean, real).map(|(std, mean)| (mean, std)),
            (Arg::Scalar(_), Arg::Scalar(_)) => {
                Err(Error::value("normal", "two numbers have no shape: use `normal_like`, or `randn`"))
            }
        }
        .map_err(|e| e.within("normal"))?;
        let z = mean.drawn(Distribution::Normal)?;
        (mean.detach().lazy() + std.detach().lazy() * &z).eval_as("normal")
    }
}

// ---- of the shape of another
/// Numbers from a distribution, with the shape and device of a tensor, and its dtype. They are drawn in F32
/// or F64, and rounded once. `x` is what was drawn.
macro_rules! distributions {
    ($($(#[$doc:meta])* $method:ident($($arg:ident),*) $torch:literal, $kind:ident, $valid:expr, $rule:literal,
        |$x:ident| $formula:expr, $call:literal => $check:literal;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", $torch, ".html>\n
```
use firesteel::prelude::*;
let x = Tensor::zeros([100], &Cpu::default())?.", $call, "?;
assert!(x.to_vec::<f32>()?.iter().all(|", $check, "));
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self $(, $arg: impl Into<f64>)*) -> Result<Self> {
                $(let $arg: f64 = $arg.into();)*
                let valid: bool = $valid;
                if !valid {
                    return Err(Error::value(stringify!($method), format!($rule)));
                }
                let drawn = self.drawn(Distribution::$kind)?;
                let $x: Expr<B> = drawn.lazy();
                $formula.eval_as(stringify!($method))?.to(self.dtype())
            }
        )*}
    };
}

distributions! {
    /// Even numbers in `[low, high)`, like this tensor: PyTorch's `uniform_`.
    uniform_like(low, high) "Tensor.uniform_", Uniform, low <= high && (high - low).is_finite(),
        "there are no numbers from {low} to {high}",
        |x| x * (high - low) + low, "uniform_like(2, 3)" => "x| (2. ..=3.).contains(x)";

    /// Normal numbers, like this tensor: PyTorch's `normal_`.
    normal_like(mean, std) "Tensor.normal_", Normal, std >= 0.,
        "the standard deviation {std} is negative",
        |x| x * std + mean, "normal_like(100, 1)" => "x| *x > 50.";

    /// `e` to the power of normal numbers of this mean and deviation, like this tensor: PyTorch's
    /// `log_normal_`.
    log_normal_like(mean, std) "Tensor.log_normal_", Normal, std > 0.,
        "the standard deviation {std} is not positive",
        |x| (x * std + mean).exp(), "log_normal_like(0, 1)" => "x| *x > 0.";

    /// Numbers of density `λ e^(-λx)`, like this tensor: PyTorch's `exponential_`. They are `-ln (1 - u) / λ`
    /// of even ones.
    exponential_like(lambda) "Tensor.exponential_", Uniform, lambda > 0.,
        "the rate {lambda} is not positive",
        |x| (-x).log1p() / -lambda, "exponential_like(1)" => "x| *x >= 0.";

    /// Numbers of density `1/π · sigma / ((x - median)² + sigma²)`, like this tensor: PyTorch's `cauchy_`.
    /// They are `median + sigma · tan π(u - ½)` of even ones.
    cauchy_like(median, sigma) "Tensor.cauchy_", Uniform, sigma > 0.,
        "the width {sigma} is not positive",
        |x| ((x - 0.5) * PI).tan() * sigma + median, "cauchy_like(0, 1)" => "x| x.is_finite()";

    /// How many trials of probability `p` it takes to succeed once, like this tensor: PyTorch's `geometric_`.
    /// They are `⌊ln (1 - u) / ln (1 - p)⌋ + 1` of even ones.
    geometric_like(p) "Tensor.geometric_", Uniform, p > 0. && p < 1.,
        "the probability {p} does not lie between 0 and 1",
        |x| ((-x).log1p() / (-p).ln_1p()).floor() + 1.0, "geometric_like(0.5)" => "x| *x >= 1.";
}

impl<B: Backend> Tensor<B> {
    /// Even numbers in `[0, 1)`, with the shape, dtype and device of this tensor, which is of real numbers.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.rand_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([100], &Cpu::default())?.rand_like()?;
    /// assert!(x.to_vec::<f32>()?.iter().all(|x| (0. ..1.).contains(x)));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rand_like(&self) -> Result<Self> {
        Self::rand(self.shape(), (self.dtype(), self.backend()))
    }

    /// Normal numbers of mean 0 and variance 1, with the shape, dtype and device of this tensor, which is of
    /// real numbers.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.randn_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([1000], &Cpu::default())?.randn_like()?;
    /// assert!(x.mean(..)?.item::<f32>()?.abs() < 0.2);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn randn_like(&self) -> Result<Self> {
        Self::randn(self.shape(), (self.dtype(), self.backend()))
    }

    /// Whole numbers in a range, all as likely, with the shape, dtype and device of this tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.randint_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([100], &Cpu::default())?.randint_like(0..3)?;
    /// assert!(x.to_vec::<f32>()?.iter().all(|x| [0., 1., 2.].contains(x)));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn randint_like(&self, range: Range<i64>) -> Result<Self> {
        Self::randint(range, self.shape(), (self.dtype(), self.backend()))
    }

    /// One with the probability that each element is, else zero, in the dtype of this tensor. No gradient
    /// flows. What is no probability is an error, on a GPU when numbers are next read.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.bernoulli.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let p = Tensor::new([0.0, 1.0], &Cpu::default())?;
    /// assert_eq!(p.bernoulli()?.to_vec::<f32>()?, [0., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn bernoulli(&self) -> Result<Self> {
        if !self.dtype().is_float() {
            let why = format!("probabilities are real numbers, not {}: cast with `.float()`", self.dtype());
            return Err(Error::dtype("bernoulli", why));
        }
        let p = self.detach();
        let possible = (p.lazy().ge(0) & p.lazy().le(1)).eval_as("bernoulli")?;
        let possible = possible.required(Requirement::Probability)?;
        (self.drawn(Distribution::Uniform)?.lt(p)? & possible)?.to(self.dtype())
    }

    /// These truths, all of which have to hold.
    #[track_caller]
    pub(crate) fn required(&self, requirement: Requirement) -> Result<Self> {
        Self::one(Op::Require(self, requirement))
    }

    /// I64 indices `(samples)` or `(rows, samples)` drawn from each row of weights `(n)` or `(rows, n)`, which
    /// need not add up to one; with replacement or, without, each index once at most. A weight that is negative, infinite or
    /// NaN is an error, on a GPU when numbers are next read, and so is a row whose weights are all zero. Without replacement,
    /// indices are arbitrary once no weight is left.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.multinomial.html>
    ///
    /// With replacement, an even number is searched for in the running sum. Without, the `k` smallest waiting
    /// times are taken, which are exponential with the weights as their rates (Efraimidis and Spirakis,
    /// [Weighted random sampling](https://doi.org/10.1016/j.ipl.2005.11.003), 2006).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::Replacement;
    /// let weights = Tensor::new([0.0, 3.0, 0.0], &Cpu::default())?;
    /// assert_eq!(weights.multinomial(2, Replacement::With)?.to_vec::<i64>()?, [1, 1]);
    /// assert_eq!(weights.multinomial(1, Replacement::Without)?.to_vec::<i64>()?, [1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn multinomial(&self, samples: usize, replacement: Replacement) -> Result<Self> {
        let bad = |why: String| Err(Error::value("multinomial", why));
        let n = match self.shape()[..] {
            [n] | [_, n] => n,
            _ => return bad(format!("weights have one dim or two, and {} has others", self.shape())),
        };
        if !self.dtype().is_float() {
            return bad(format!("weights are real numbers, not {}: cast with `.float()`", self.dtype()));
        }
        if samples == 0 || n == 0 || (samples > n && replacement == Replacement::Without) {
            return bad(format!("cannot draw {samples} of {n} {}", replacement.name()));
        }
        let precise = if self.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let weights = self.detach().to(precise)?;
        let possible = (weights.lazy().ge(0) & weights.lazy().lt(f64::INFINITY)).eval_as("multinomial")?;
        let weights = possible.required(Requirement::Weight)?.where_(&weights, 0)?;
        let some = weights.gt(0)?.any(crate::keepdim(-1))?;
        let weights = some.required(Requirement::SomeWeight)?.where_(&weights, 0)?;
        let last = self.rank() - 1;
        match replacement {
            Replacement::With => {
                let sums = weights.cumsum(-1)?;
                let total = sums.span(last, crate::Span { start: n - 1, step: 1, len: 1 })?;
                let even = Self::rand(self.shape().with(last, samples), (precise, self.backend()))?;
                let places = sums.searchsorted(
                    even.mul(&total)?,
                    crate::SearchOptions { right: true, ..Default::default() },
                )?;
                // one past the end where a row has no weight at all
                places.clamp_max(n - 1)
            }
            Replacement::Without => {
                let waits = weights.exponential_like(1)?.div(&weights)?;
                Ok(waits.topk(samples, -1, Order::Ascending)?.1)
            }
        }
    }

    /// Numbers in F32, or F64 where this tensor is F64, with its shape.
    #[track_caller]
    fn drawn(&self, kind: Distribution) -> Result<Self> {
        let dtype = if self.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        draw(kind, self.shape().clone(), dtype, self.backend())
    }
}

/// Whether what was drawn goes back before the next draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// It does not: each is drawn once at most.
    #[default]
    Without,
    /// It does.
    With,
}

impl Replacement {
    fn name(self) -> &'static str {
        match self {
            Replacement::Without => "without replacement",
            Replacement::With => "with replacement",
        }
    }
}

#[track_caller]
fn draw<B: Backend>(kind: Distribution, shape: Shape, dtype: DType, backend: &B) -> Result<Tensor<B>> {
    // what has no size is an error of `infer`, and takes nothing from the generator
    let stream = backend.generator().reserve(shape.checked_numel().unwrap_or(0));
    Tensor::make(backend, Op::Random(kind, stream, shape, dtype))
}
