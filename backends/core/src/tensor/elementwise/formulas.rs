//! Functions that are formulas of primitives: written once, over [`Expr`], and run in one pass.
use crate::{Arg, Backend, DType, Expr, Result, Tensor};
use std::f64::consts::{LN_2, PI};

/// `name(x, more..) = formula` makes the method of [`Expr`] and the method of [`Tensor`], whose example
/// starts from the tensor `x`.
macro_rules! formulas {
    ($($(#[$doc:meta])* $method:ident($x:ident $(, $arg:ident)*) = $formula:expr;
        example $start:literal: $call:literal => $t:ident $y:literal;)*) => {
        impl<B: Backend> Expr<B> {$(
            #[doc = concat!("As [`Tensor::", stringify!($method), "`].")]
            pub fn $method(&self $(, $arg: impl Into<Expr<B>>)*) -> Self {
                let $x = self;
                $(let $arg = &$arg.into();)*
                $formula
            }
        )*}

        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let x = Tensor::new(", $start, ", &Cpu::default())?;
assert_eq!(x.", $call, "?.to_vec::<", stringify!($t), ">()?, ", $y, ");
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self $(, $arg: impl Into<Arg<B>>)*) -> Result<Self> {
                self.lazy().$method($($arg.into()),*).eval_as(stringify!($method))
            }
        )*}
    };
}

formulas! {
    /// `x + alpha · other`: PyTorch's `torch.add(x, other, alpha=alpha)`, and with a negative `alpha` its `sub`.
    add_scaled(x, other, alpha) = x + alpha * other;
    example "[1.0, 2.0]": "add_scaled(3.0, 2.0)" => f32 "[7., 8.]";

    /// `x + value · a · b`.
    addcmul(x, a, b, value) = x + value * a * b;
    example "[1.0, 2.0]": "addcmul(3.0, 2.0, 0.5)" => f32 "[4., 5.]";

    /// `x + value · a / b`.
    addcdiv(x, a, b, value) = x + value * a / b;
    example "[1.0, 2.0]": "addcdiv(3.0, 2.0, 2.0)" => f32 "[4., 5.]";

    /// `x + weight · (end - x)`: from `x` to `end` as the weight goes from 0 to 1.
    ///
    /// From a half on it is written from the end, so that both ends are hit exactly.
    lerp(x, end, weight) = {
        let step = end - x;
        let (from_start, from_end) = (x + weight * &step, end - &step * (1.0 - weight));
        match weight.number() {
            Some(weight) if weight.abs() < 0.5 => from_start,
            Some(_) => from_end,
            None => weight.abs().lt(0.5).where_(from_start, from_end),
        }
    };
    example "[1.0, 2.0]": "lerp(5.0, 0.25)" => f32 "[2., 2.75]";

    /// No less than `min`. Where `x` is equal to it the gradient is that of `x`.
    clamp_min(x, min) = match min.number() {
        Some(_) => x.lt(min).where_(min, x),
        None => x.ge(min).where_(x, x.maximum(min)),
    };
    example "[1.0, 3.0]": "clamp_min(2)" => f32 "[2., 3.]";

    /// No more than `max`. Where `x` is equal to it the gradient is that of `x`.
    clamp_max(x, max) = match max.number() {
        Some(_) => x.gt(max).where_(max, x),
        None => x.le(max).where_(x, x.minimum(max)),
    };
    example "[1.0, 3.0]": "clamp_max(2)" => f32 "[1., 2.]";

    /// No less than `min` and no more than `max` (which counts where they cross). Where `x` is equal to a
    /// bound the gradient is that of `x`.
    clamp(x, min, max) = x.clamp_min(min).clamp_max(max);
    example "[-1.0, 0.5, 3.0]": "clamp(0.0, 1.0)" => f32 "[0., 0.5, 1.]";

    /// The larger of both; a number where one is NaN. Of equals `x` gets the gradient.
    fmax(x, other) = (x.ge(other) | other.isnan()).where_(x, other);
    example "[1.0, f64::NAN]": "fmax(0.5)" => f32 "[1., 0.5]";

    /// The smaller of both; a number where one is NaN. Of equals `x` gets the gradient.
    fmin(x, other) = (x.le(other) | other.isnan()).where_(x, other);
    example "[1.0, f64::NAN]": "fmin(0.5)" => f32 "[0.5, 0.5]";

    /// The part behind the point, with the sign of `x`.
    frac(x) = x - x.trunc();
    example "[1.5, -2.25]": "frac()" => f32 "[0.5, -0.25]";

    /// Degrees to radians.
    deg2rad(x) = x * (PI / 180.);
    example "[0.0, 180.0]": "deg2rad()" => f32 "[0., std::f32::consts::PI]";

    /// Radians to degrees.
    rad2deg(x) = x * (180. / PI);
    example "[0.0, std::f32::consts::PI]": "rad2deg()" => f32 "[0., 180.]";

    /// `ln (eˣ + eʸ)` without overflow: the larger, and `ln (1 + e^-|x - y|)`. Equal infinities have no gap.
    logaddexp(x, other) = {
        let (larger, gap) = larger_and_gap(x, other);
        larger + gap.exp().log1p()
    };
    example "[1000.0]": "logaddexp(0.0)" => f32 "[1000.]";

    /// `log₂ (2ˣ + 2ʸ)` without overflow: the larger, and `log₂ (1 + 2^-|x - y|)`. Equal infinities have no gap.
    logaddexp2(x, other) = {
        let (larger, gap) = larger_and_gap(x, other);
        larger + gap.exp2().log1p() / LN_2
    };
    example "[3.0]": "logaddexp2(3.0)" => f32 "[4.]";

    /// `x ln y`, and 0 where `x` is, whatever the logarithm (but NaN where `y` is).
    xlogy(x, other) = {
        // 0 · ln 1 is that 0; where ln y is finite the formula is right as it stands, and so is its gradient
        let nothing = x.eq(0) & (other.le(0) | other.eq(f64::INFINITY));
        x * nothing.where_(1, other).log()
    };
    example "[0.0, 2.0]": "xlogy(1.0)" => f32 "[0., 0.]";

    /// `sin πx / πx`, and 1 at 0.
    sinc(x) = {
        let zero = x.eq(0);
        let z = zero.where_(1.0, x * PI);
        zero.where_(1.0, z.sin() / &z)
    };
    example "[0.0]": "sinc()" => f32 "[1.]";

    /// `√(x² + y²)`, the length of the vector `(x, y)`: `m √(1 + (n / m)²)` with the larger magnitude `m` and the
    /// smaller `n`, which does not overflow before the result does.
    hypot(x, other) = {
        let (a, b) = (&x.abs(), &other.abs());
        let (m, n) = (a.maximum(b), a.minimum(b));
        let ratio = (m.eq(0) | m.isinf()).where_(0.0, n / &m);
        &m * (1.0 + ratio.square()).sqrt()
    };
    example "[3.0, 0.0]": "hypot(4.0)" => f32 "[5., 4.]";

    /// `x · 2ʸ`.
    ldexp(x, other) = x * other.exp2();
    example "[1.0, 3.0]": "ldexp(2)" => f32 "[4., 12.]";

    /// 0 below zero, 1 above it, and `values` at zero.
    heaviside(x, values) = x.eq(false).where_(values, x.gt(false));
    example "[-2.0, 0.0, 3.0]": "heaviside(0.5)" => f32 "[0., 0.5, 1.]";

    /// Whether the sign is negative, that of zero and NaN included.
    signbit(x) = Expr::from(1.0).copysign(x).lt(0);
    example "[1.0, -0.0]": "signbit()" => bool "[false, true]";

    /// Whether it is not a number.
    isnan(x) = x.ne(x);
    example "[1.0, f64::NAN]": "isnan()" => bool "[false, true]";

    /// Whether it is +∞ or -∞.
    isinf(x) = x.abs().eq(f64::INFINITY);
    example "[1.0, f64::NEG_INFINITY]": "isinf()" => bool "[false, true]";

    /// Whether it is neither infinite nor NaN.
    isfinite(x) = x.abs().lt(f64::INFINITY);
    example "[1.0, f64::NAN]": "isfinite()" => bool "[true, false]";

    /// Whether it is +∞.
    isposinf(x) = x.eq(f64::INFINITY);
    example "[f64::INFINITY, f64::NEG_INFINITY]": "isposinf()" => bool "[true, false]";

    /// Whether it is -∞.
    isneginf(x) = x.eq(f64::NEG_INFINITY);
    example "[f64::INFINITY, f64::NEG_INFINITY]": "isneginf()" => bool "[false, true]";
}

/// The larger of both, and how far the other is from it, which is not positive. Of equals `x` is the larger: no corner, as of
/// a maximum or a magnitude, takes from the second derivative there.
fn larger_and_gap<B: Backend>(x: &Expr<B>, other: &Expr<B>) -> (Expr<B>, Expr<B>) {
    let first = x.ge(other);
    let (larger, smaller) = (first.where_(x, other), first.where_(other, x));
    let gap = (x.eq(other) & x.isinf()).where_(0.0, smaller - &larger);
    (larger, gap)
}

impl<B: Backend> Expr<B> {
    /// `x²`.
    pub fn square(&self) -> Self {
        self * self
    }

    /// As [`Tensor::logit`].
    pub fn logit(&self, eps: impl Into<Option<f64>>) -> Self {
        let z = match eps.into() {
            // the lower bound counts where it lies above the upper one
            Some(eps) => self.lt(eps).where_(eps, self.gt(1. - eps).where_(1. - eps, self)),
            None => self.clone(),
        };
        (&z / (1.0 - &z)).log()
    }
}

/// What [`Tensor::nan_to_num`] puts in the place of what is not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NanToNumOptions {
    /// For NaN: 0, unless said otherwise.
    pub nan: f64,
    /// For +∞; the largest number of the dtype where nothing is said.
    pub posinf: Option<f64>,
    /// For -∞; the smallest number of the dtype where nothing is said.
    pub neginf: Option<f64>,
}

impl<B: Backend> Tensor<B> {
    /// `ln (x / (1 - x))`, the inverse of the sigmoid. With an `eps`, `x` is first clamped to
    /// `[eps, 1 - eps]`; without (`None`), it is NaN outside of `[0, 1]`.
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.logit>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.5, 1.0], &Cpu::default())?;
    /// assert_eq!(x.logit(None)?.to_vec::<f32>()?, [0., f32::INFINITY]);
    /// assert!(x.logit(1e-3)?.to_vec::<f32>()?[1] < 7.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logit(&self, eps: impl Into<Option<f64>>) -> Result<Self> {
        self.lazy().logit(eps).eval_as("logit")
    }

    /// Numbers in the place of NaN and the infinities. Whole numbers stay as they are.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nan_to_num.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::NanToNumOptions;
    /// let x = Tensor::new([f64::NAN, f64::INFINITY], &Cpu::default())?;
    /// assert_eq!(x.nan_to_num(NanToNumOptions::default())?.to_vec::<f32>()?, [0., f32::MAX]);
    /// let options = NanToNumOptions { nan: 1., posinf: Some(9.), ..Default::default() };
    /// assert_eq!(x.nan_to_num(options)?.to_vec::<f32>()?, [1., 9.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nan_to_num(&self, options: NanToNumOptions) -> Result<Self> {
        let largest = match self.dtype() {
            DType::F64 => f64::MAX,
            DType::F32 => f32::MAX.into(),
            DType::BF16 => half::bf16::MAX.into(),
            DType::F16 => half::f16::MAX.into(),
            DType::I64 | DType::I32 | DType::I8 | DType::U32 | DType::U8 | DType::Bool => {
                return Ok(self.clone());
            }
        };
        let x = self.lazy();
        let (above, below) = (options.posinf.unwrap_or(largest), options.neginf.unwrap_or(-largest));
        let finite = x.isposinf().where_(above, x.isneginf().where_(below, &x));
        x.isnan().where_(options.nan, finite).eval_as("nan_to_num")
    }
}
