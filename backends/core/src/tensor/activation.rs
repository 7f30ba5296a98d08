//! Activations: formulas of one element, each in one pass. Where a formula has a kink, a comparison says
//! which side it belongs to, so that the derivative there is PyTorch's; what the other side computes is kept
//! finite, so that it cannot spoil the gradient.
use crate::{Backend, DType, Error, Expr, Result, Scalar, Shape, Tensor};

/// How [`Tensor::gelu`] is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gelu {
    /// By the error function.
    #[default]
    Exact,
    /// By `tanh`: PyTorch's `approximate="tanh"`.
    Tanh,
}

/// Options of [`Tensor::rrelu`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RreluOptions {
    /// The smallest slope.
    pub lower: f64,
    /// The largest slope.
    pub upper: f64,
    /// Whether each negative element gets a slope of its own, or all the mean one.
    pub training: bool,
}

impl Default for RreluOptions {
    fn default() -> Self {
        Self { lower: 1. / 8., upper: 1. / 3., training: false }
    }
}

/// `ln (1 + eˣ)` without overflow: `max(x, 0) + ln (1 + e^-|x|)`.
pub(crate) fn softplus<B: Backend>(x: &Expr<B>) -> Expr<B> {
    let positive = x.gt(0.0);
    positive.where_(x.clone(), 0.0) + positive.where_(x.neg(), x.clone()).exp().log1p()
}

/// `max(x, 0)` with the gradient of `clamp(min=0)`: 1 at 0. A NaN stays.
pub(crate) fn hinge<B: Backend>(x: Expr<B>) -> Expr<B> {
    x.lt(0.0).where_(0.0, x)
}

// ---- linear in pieces
impl<B: Backend> Tensor<B> {
    /// `x` where it is positive, else `slope · x` (PyTorch's default slope is 0.01).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-2.0, 3.0], &Cpu::default())?;
    /// assert_eq!(x.leaky_relu(0.5)?.to_vec::<f32>()?, [-1., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, slope: f64) -> Result<Self> {
        let x = self.lazy();
        x.gt(0.0).where_(x.clone(), x * slope).eval_as("leaky_relu")
    }

    /// `x` where it is positive, else `weight · x`, with one weight for all or one for each channel
    /// (dim 1).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[-2.0, -2.0]], &cpu)?;
    /// let weight = Tensor::new([0.5, 0.25], &cpu)?;
    /// assert_eq!(x.prelu(&weight)?.to_vec::<f32>()?, [-1., -0.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn prelu(&self, weight: &Self) -> Result<Self> {
        let channels = self.shape().get(1).copied().unwrap_or(1);
        if weight.rank() > 1 || ![1, channels].contains(&weight.numel()) {
            let why = format!(
                "the weight {} has to hold one number or {channels}, one for each channel of {}",
                weight.shape(),
                self.shape()
            );
            return Err(Error::shape("prelu", why));
        }
        let weight = match weight.numel() {
            1 => weight.reshape(())?,
            n => weight.reshape([&[n][..], &vec![1; self.rank() - 2]].concat())?,
        };
        let x = self.lazy();
        x.gt(0.0).where_(x.clone(), x * weight).eval_as("prelu")
    }

    /// `x` where it is positive, else `x` times a slope: drawn evenly from `[lower, upper)` for each element
    /// in training, the mean of both otherwise.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html>
    ///
    /// ```
    /// use firesteel::{RreluOptions, prelude::*};
    /// let x = Tensor::new([-2.0, 3.0], &Cpu::default())?;
    /// let options = RreluOptions { lower: 0.25, upper: 0.75, training: false };
    /// assert_eq!(x.rrelu(options)?.to_vec::<f32>()?, [-1., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rrelu(&self, options: RreluOptions) -> Result<Self> {
        let RreluOptions { lower, upper, training } = options;
        if !(lower <= upper && (upper - lower).is_finite()) {
            return Err(Error::value("rrelu", format!("lower {lower} must not exceed upper {upper}")));
        }
        if !training {
            return self.leaky_relu((lower + upper) / 2.);
        }
        let x = self.lazy();
        let slope = self.noise(self.shape())?.lazy() * (upper - lower) + lower;
        x.gt(0.0).where_(x.clone(), x * slope).eval_as("rrelu")
    }

    /// `x` held in `[min, max]`; whole numbers stay whole. The gradient at the bounds is zero.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-2.0, 0.5, 2.0], &Cpu::default())?;
    /// assert_eq!(x.hardtanh(-1, 1)?.to_vec::<f32>()?, [-1., 0.5, 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hardtanh(&self, min: impl Into<Scalar>, max: impl Into<Scalar>) -> Result<Self> {
        let (min, max) = (min.into(), max.into());
        if min.to_f64() > max.to_f64() {
            return Err(Error::value("hardtanh", format!("min {min} must not exceed max {max}")));
        }
        let (x, min, max) = (self.lazy(), min.round_to(self.dtype()), max.round_to(self.dtype()));
        x.le(min).where_(min, x.ge(max).where_(max, x)).eval_as("hardtanh")
    }

    /// `x` held in `[0, 6]`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-2.0, 3.0, 8.0], &Cpu::default())?;
    /// assert_eq!(x.relu6()?.to_vec::<f32>()?, [0., 3., 6.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn relu6(&self) -> Result<Self> {
        self.hardtanh(0, 6)
    }

    /// `x` where it is above `threshold`, else `value`; whole numbers stay whole.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.threshold(1, -5)?.to_vec::<f32>()?, [-5., 2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn threshold(&self, threshold: impl Into<Scalar>, value: impl Into<Scalar>) -> Result<Self> {
        let [threshold, value] = [threshold.into(), value.into()].map(|s| s.round_to(self.dtype()));
        let x = self.lazy();
        x.le(threshold).where_(value, x).eval_as("threshold")
    }

    /// `x` where `|x| > lambda`, else 0 (PyTorch's default is 0.5).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-2.0, 0.5], &Cpu::default())?;
    /// assert_eq!(x.hardshrink(0.5)?.to_vec::<f32>()?, [-2., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hardshrink(&self, lambda: f64) -> Result<Self> {
        let x = self.lazy();
        x.abs().le(lambda).where_(0.0, x).eval_as("hardshrink")
    }

    /// `x` moved towards 0 by `lambda`, but not beyond (PyTorch's default is 0.5).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-2.0, 0.25, 1.0], &Cpu::default())?;
    /// assert_eq!(x.softshrink(0.5)?.to_vec::<f32>()?, [-1.5, 0., 0.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn softshrink(&self, lambda: f64) -> Result<Self> {
        if lambda.is_nan() || lambda < 0. {
            return Err(Error::value("softshrink", format!("lambda has to be 0 or more, not {lambda}")));
        }
        let x = self.lazy();
        let moved = x.gt(0.0).where_(x.clone() - lambda, x.clone() + lambda);
        x.abs().le(lambda).where_(0.0, moved).eval_as("softshrink")
    }

    /// `clamp(x / 6 + 1/2, 0, 1)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-4.0, 0.0, 4.0], &Cpu::default())?;
    /// assert_eq!(x.hardsigmoid()?.to_vec::<f32>()?, [0., 0.5, 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hardsigmoid(&self) -> Result<Self> {
        let x = self.lazy();
        let slope = (x.clone() + 3.0) * (1.0 / 6.0);
        x.le(-3.0).where_(0.0, x.ge(3.0).where_(1.0, slope)).eval_as("hardsigmoid")
    }

    /// `x · hardsigmoid(x)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-4.0, 0.0, 4.0], &Cpu::default())?;
    /// assert_eq!(x.hardswish()?.to_vec::<f32>()?, [0., 0., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hardswish(&self) -> Result<Self> {
        let x = self.lazy();
        let parabola = x.clone() * ((x.clone() + 3.0) * (1.0 / 6.0));
        x.le(-3.0).where_(0.0, x.ge(3.0).where_(x, parabola)).eval_as("hardswish")
    }
}

// ---- formulas, which may follow a layer
impl<B: Backend> Expr<B> {
    /// As [`Tensor::gelu`].
    pub fn gelu(&self, how: Gelu) -> Self {
        use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};
        let x = self;
        let twice = match how {
            Gelu::Exact => (x * FRAC_1_SQRT_2).erf() + 1.0,
            // √(2/π) (x + 0.044715 x³)
            Gelu::Tanh => ((x + x * x * x * 0.044715) * (FRAC_2_SQRT_PI / SQRT_2)).tanh() + 1.0,
        };
        x * 0.5 * twice
    }

    /// As [`Tensor::silu`].
    pub fn silu(&self) -> Self {
        self.sigmoid() * self
    }
}

// ---- smooth
impl<B: Backend> Tensor<B> {
    /// `x` where it is positive, else `alpha (eˣ - 1)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.elu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([f64::NEG_INFINITY, 3.0], &Cpu::default())?;
    /// assert_eq!(x.elu(2.0)?.to_vec::<f32>()?, [-2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Result<Self> {
        self.exponential_linear("elu", 1., alpha, 1.)
    }

    /// `x` where it is positive, else `alpha (e^(x / alpha) - 1)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.celu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([f64::NEG_INFINITY, 3.0], &Cpu::default())?;
    /// assert_eq!(x.celu(2.0)?.to_vec::<f32>()?, [-2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn celu(&self, alpha: f64) -> Result<Self> {
        if alpha == 0. {
            return Err(Error::value("celu", "alpha must not be 0"));
        }
        self.exponential_linear("celu", 1., alpha, 1. / alpha)
    }

    /// `1.0507 · elu(x, 1.6733)`, whose constants keep mean and variance from layer to layer.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.selu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 1.0], &Cpu::default())?;
    /// assert_eq!(x.selu()?.to_vec::<f32>()?, [0., 1.050701]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn selu(&self) -> Result<Self> {
        const ALPHA: f64 = 1.673_263_242_354_377_2;
        const SCALE: f64 = 1.050_700_987_355_480_5;
        self.exponential_linear("selu", SCALE, SCALE * ALPHA, 1.)
    }

    /// `scale · x` where `x` is positive, else `height · (e^(rate x) - 1)`.
    #[track_caller]
    fn exponential_linear(&self, op: &'static str, scale: f64, height: f64, rate: f64) -> Result<Self> {
        let x = self.lazy();
        let below = x.le(0.0);
        // above 0 the exponential is not looked at: it is kept from overflowing
        let curve = (below.where_(x.clone(), 0.0) * rate).expm1() * height;
        below.where_(curve, x * scale).eval_as(op)
    }

    /// `x Φ(x)`, with the normal distribution's `Φ`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html>
    ///
    /// ```
    /// use firesteel::{Gelu, prelude::*};
    /// let x = Tensor::new([0.0, 1.0], &Cpu::default())?;
    /// let (exact, tanh) = (x.gelu(Gelu::Exact)?, x.gelu(Gelu::Tanh)?);
    /// assert!((exact.to_vec::<f64>()?[1] - 0.84134).abs() < 1e-5);
    /// assert!((tanh.to_vec::<f64>()?[1] - 0.84119).abs() < 1e-5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn gelu(&self, how: Gelu) -> Result<Self> {
        self.lazy().gelu(how).eval_as("gelu")
    }

    /// `x σ(x)`, with the sigmoid `σ`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.silu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 100.0], &Cpu::default())?;
    /// assert_eq!(x.silu()?.to_vec::<f32>()?, [0., 100.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn silu(&self) -> Result<Self> {
        self.lazy().silu().eval_as("silu")
    }

    /// `x tanh(ln (1 + eˣ))`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mish.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 100.0], &Cpu::default())?;
    /// assert_eq!(x.mish()?.to_vec::<f32>()?, [0., 100.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mish(&self) -> Result<Self> {
        let x = self.lazy();
        (softplus(&x).tanh() * x).eval_as("mish")
    }

    /// `ln (1 + e^(beta x)) / beta`, and `x` where `beta x > threshold` (PyTorch's defaults are 1 and 20).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 100.0], &Cpu::default())?;
    /// assert_eq!(x.softplus(1.0, 20.0)?.to_vec::<f32>()?, [2f32.ln(), 100.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn softplus(&self, beta: f64, threshold: f64) -> Result<Self> {
        if beta == 0. {
            return Err(Error::value("softplus", "beta must not be 0"));
        }
        let x = self.lazy();
        let scaled = x.clone() * beta;
        let linear = scaled.gt(threshold);
        let curve = linear.where_(0.0, scaled).exp().log1p() / beta;
        linear.where_(x, curve).eval_as("softplus")
    }

    /// `ln σ(x)`, without overflow.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-1000.0, 0.0], &Cpu::default())?;
    /// assert_eq!(x.logsigmoid()?.to_vec::<f32>()?, [-1000., -(2f32.ln())]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logsigmoid(&self) -> Result<Self> {
        // ln σ(x) = -ln (1 + e⁻ˣ)
        (-softplus(&self.lazy().neg())).eval_as("logsigmoid")
    }

    /// `x / (1 + |x|)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-1.0, 3.0], &Cpu::default())?;
    /// assert_eq!(x.softsign()?.to_vec::<f32>()?, [-0.5, 0.75]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn softsign(&self) -> Result<Self> {
        let x = self.lazy();
        let below = x.abs() + 1.0;
        (x / below).eval_as("softsign")
    }

    /// `x - tanh(x)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 100.0], &Cpu::default())?;
    /// assert_eq!(x.tanhshrink()?.to_vec::<f32>()?, [0., 99.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tanhshrink(&self) -> Result<Self> {
        let x = self.lazy();
        let tanh = x.tanh();
        (x - tanh).eval_as("tanhshrink")
    }

    /// `a σ(b)`, with the halves `a` and `b` of a dim of even size.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.glu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 2.0, 0.0, 100.0]], &Cpu::default())?;
    /// assert_eq!(x.glu(-1)?.to_vec::<f32>()?, [0.5, 2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn glu(&self, dim: isize) -> Result<Self> {
        let size = self.size(dim)?;
        if !size.is_multiple_of(2) {
            return Err(Error::shape("glu", format!("dim {dim} of {} has an odd size", self.shape())));
        }
        let (a, b) = (self.narrow(dim, 0, size / 2)?, self.narrow(dim, size / 2, size / 2)?);
        (a.lazy() * b.lazy().sigmoid()).eval_as("glu")
    }

    /// Even random numbers in `[0, 1)`, in the dtype of this tensor (F32 where it holds whole numbers). They
    /// are constants: no gradient flows to them.
    #[track_caller]
    pub(crate) fn noise(&self, shape: &Shape) -> Result<Self> {
        let dtype = if self.dtype().is_float() { self.dtype() } else { DType::F32 };
        Self::rand(shape, (dtype, self.backend()))
    }
}
