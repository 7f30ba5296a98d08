//! Normalisations by mean and variance.
use crate::{
    Backend, DType, Divisor, Error, Expr, Fused, Op, Operands, PadAxis, Pool, Result, Scalar, Shape, Tensor,
};
use smallvec::smallvec;

/// The running statistics of a batch or instance norm, one number for each channel: `(mean, variance)`.
pub type Running<'a, B> = (&'a Tensor<B>, &'a Tensor<B>);

/// Options of [`Tensor::batch_norm`].
#[derive(Clone, Copy, Debug)]
pub struct BatchNormOptions<'a, B: Backend> {
    /// Mean and variance so far: what evaluation normalises by.
    pub running: Option<Running<'a, B>>,
    /// The factor of each channel.
    pub weight: Option<&'a Tensor<B>>,
    /// What is added to each channel.
    pub bias: Option<&'a Tensor<B>>,
    /// Whether to normalise by the batch's own statistics, and to update the running ones.
    pub training: bool,
    /// How much the batch counts in the running statistics.
    pub momentum: f64,
    /// Added to the variance.
    pub eps: f64,
}

impl<B: Backend> Default for BatchNormOptions<'_, B> {
    fn default() -> Self {
        Self { running: None, weight: None, bias: None, training: false, momentum: 0.1, eps: 1e-5 }
    }
}

/// Options of [`Tensor::instance_norm`].
#[derive(Clone, Copy, Debug)]
pub struct InstanceNormOptions<'a, B: Backend> {
    /// Mean and variance so far.
    pub running: Option<Running<'a, B>>,
    /// The factor of each channel.
    pub weight: Option<&'a Tensor<B>>,
    /// What is added to each channel.
    pub bias: Option<&'a Tensor<B>>,
    /// Whether to normalise by the statistics of each instance, or by the running ones.
    pub use_input_stats: bool,
    /// How much the input counts in the running statistics.
    pub momentum: f64,
    /// Added to the variance.
    pub eps: f64,
}

impl<B: Backend> Default for InstanceNormOptions<'_, B> {
    fn default() -> Self {
        Self { running: None, weight: None, bias: None, use_input_stats: true, momentum: 0.1, eps: 1e-5 }
    }
}

/// What [`Tensor::batch_norm`] and [`Tensor::instance_norm`] give.
#[derive(Clone, Debug)]
pub struct Normalised<B: Backend> {
    /// The normalised input.
    pub output: Tensor<B>,
    /// The running mean and variance afterwards, where there were any. They carry no history.
    pub running: Option<(Tensor<B>, Tensor<B>)>,
}

/// Options of [`Tensor::local_response_norm`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponseNormOptions {
    /// The factor of the mean square.
    pub alpha: f64,
    /// The exponent.
    pub beta: f64,
    /// Added to the mean square.
    pub k: f64,
}

impl Default for LocalResponseNormOptions {
    fn default() -> Self {
        Self { alpha: 1e-4, beta: 0.75, k: 1. }
    }
}

// ---- by the statistics of one example
impl<B: Backend> Tensor<B> {
    /// `(x - mean) / √(var + eps) · weight + bias` over the last dims, whose sizes are `normalized_shape`
    /// (PyTorch's default `eps` is 1e-5).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 3.0], [4.0, 8.0]], &Cpu::default())?;
    /// assert_eq!(x.layer_norm([2], None, None, 0.0)?.to_vec::<f32>()?, [-1., 1., -1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: impl Into<Shape>,
        weight: Option<&Self>,
        bias: Option<&Self>,
        eps: f64,
    ) -> Result<Self> {
        let dims = self.trailing("layer_norm", &normalized_shape.into())?;
        let (operands, after) = self.with_affine(weight, bias);
        let y = Self::one(Op::Fused(Fused::LayerNorm { dims, eps }, operands))?;
        match after {
            Some(bias) => y + bias,
            None => Ok(y),
        }
    }

    /// `x / √(mean x² + eps) · weight` over the last dims, whose sizes are `normalized_shape`; without an
    /// `eps` it is the distance from 1 to the next number.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 7.0]], &Cpu::default())?;
    /// let y = x.rms_norm([2], None, Some(0.0))?.to_vec::<f32>()?;
    /// assert!((y[0] - 0.2).abs() < 1e-6 && (y[1] - 1.4).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rms_norm(
        &self,
        normalized_shape: impl Into<Shape>,
        weight: Option<&Self>,
        eps: Option<f64>,
    ) -> Result<Self> {
        let dims = self.trailing("rms_norm", &normalized_shape.into())?;
        let eps = eps.unwrap_or_else(|| epsilon(self.dtype()));
        let operands: Operands<&Self> = [self].into_iter().chain(weight).collect();
        Self::one(Op::Fused(Fused::RmsNorm { dims, eps }, operands))
    }

    /// `(batch, channels, ..)` with its channels in `groups`, each group of an example normalised by its own
    /// mean and variance; weight and bias are `(channels)` (PyTorch's default `eps` is 1e-5).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 3.0, 4.0, 8.0]], &Cpu::default())?;
    /// assert_eq!(x.group_norm(2, None, None, 0.0)?.to_vec::<f32>()?, [-1., 1., -1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn group_norm(
        &self,
        groups: usize,
        weight: Option<&Self>,
        bias: Option<&Self>,
        eps: f64,
    ) -> Result<Self> {
        let (operands, after) = self.with_affine(weight, bias);
        let y = Self::one(Op::Fused(Fused::GroupNorm { groups, eps }, operands))?;
        y.plus_channels("group_norm", after)
    }

    /// Each channel of each example of `(batch, channels, ..)` normalised by its own mean and variance, or by
    /// the running ones. What the running statistics become is in the result.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html>
    ///
    /// ```
    /// use firesteel::{InstanceNormOptions, prelude::*};
    /// let x = Tensor::new([[[1.0, 3.0], [4.0, 8.0]]], &Cpu::default())?;
    /// let y = x.instance_norm(InstanceNormOptions { eps: 0.0, ..Default::default() })?.output;
    /// assert_eq!(y.to_vec::<f32>()?, [-1., 1., -1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn instance_norm(&self, options: InstanceNormOptions<B>) -> Result<Normalised<B>> {
        let InstanceNormOptions { running, weight, bias, use_input_stats, momentum, eps } = options;
        let op = "instance_norm";
        if !use_input_stats {
            let output = self.normalised_by(op, running, weight, bias, eps)?;
            return Ok(Normalised {
                output,
                running: running.map(|(mean, var)| (mean.detach(), var.detach())),
            });
        }
        let [n, c, ref spatial @ ..] = self.shape()[..] else {
            return Err(Error::shape(op, format!("needs (batch, channels, ..), not {}", self.shape())));
        };
        let inside = spatial.iter().product::<usize>();
        if inside <= 1 {
            let why =
                format!("needs more than one element in each channel, and {} has {inside}", self.shape());
            return Err(Error::value(op, why));
        }
        let (operands, after) = self.with_affine(weight, bias);
        let results = Self::apply(Op::Fused(Fused::GroupNorm { groups: c.max(1), eps }, operands))?;
        let [y, mean, rstd] = &results[..] else {
            return Err(Error::internal(op, "a group norm has three results"));
        };
        // the statistics of a channel are the means of those of its instances
        let over = |t: &Self| t.reshape([n, c])?.mean(0);
        let running = match running {
            Some(running) => {
                let var = variance(&rstd.detach(), eps, inside)?;
                Some(updated(op, running, &over(&mean.detach())?, &over(&var)?, momentum)?)
            }
            None => None,
        };
        Ok(Normalised { output: y.plus_channels(op, after)?, running })
    }

    /// How many of the last dims have these sizes.
    #[track_caller]
    fn trailing(&self, op: &'static str, shape: &Shape) -> Result<usize> {
        if self.shape().ends_with(shape) && shape.rank() > 0 {
            return Ok(shape.rank());
        }
        let why = format!("normalized_shape {shape} has to be the last sizes of {}", self.shape());
        Err(Error::shape(op, why))
    }

    /// The operands of a fused norm, and the bias that is added to its result: none of them takes one without a weight.
    fn with_affine<'a>(
        &'a self,
        weight: Option<&'a Self>,
        bias: Option<&'a Self>,
    ) -> (Operands<&'a Self>, Option<&'a Self>) {
        let (inside, after) = if weight.is_some() { (bias, None) } else { (None, bias) };
        ([self].into_iter().chain(weight).chain(inside).collect(), after)
    }

    /// `x + bias`, with one for each channel (dim 1).
    #[track_caller]
    fn plus_channels(&self, op: &'static str, bias: Option<&Self>) -> Result<Self> {
        match bias {
            Some(bias) => self + self.channel(op, "the bias", bias)?,
            None => Ok(self.clone()),
        }
    }

    /// One number for each channel, in a shape that stretches to this tensor's.
    #[track_caller]
    fn channel(&self, op: &'static str, what: &str, each: &Self) -> Result<Self> {
        let channels = self.shape().get(1).copied();
        if each.rank() != 1 || Some(each.numel()) != channels {
            let why =
                format!("{what} {} has to hold a number for each channel of {}", each.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        each.reshape(each.shape().aligned(self.rank() - 1))
    }

    /// `(x - mean) / √(var + eps) · weight + bias` by given statistics: one factor and one term for each
    /// channel.
    #[track_caller]
    fn normalised_by(
        &self,
        op: &'static str,
        running: Option<Running<B>>,
        weight: Option<&Self>,
        bias: Option<&Self>,
        eps: f64,
    ) -> Result<Self> {
        let Some((mean, var)) = running else {
            return Err(Error::value(op, "evaluation needs running statistics: give them, or train"));
        };
        let x = self.to_float()?;
        let (mean, var) =
            (x.channel(op, "the running mean", mean)?, x.channel(op, "the running variance", var)?);
        let mut factor = (var.lazy() + eps).rsqrt();
        if let Some(weight) = weight {
            factor = factor * x.channel(op, "the weight", weight)?;
        }
        let mut term = mean.lazy().neg() * factor.clone();
        if let Some(bias) = bias {
            term = term + x.channel(op, "the bias", bias)?;
        }
        let [factor, term] = Expr::eval_all([factor, term])?;
        (x.lazy() * factor + term).eval_as(op)
    }
}

// ---- by the statistics of the batch
impl<B: Backend> Tensor<B> {
    /// Each channel of `(batch, channels, ..)` normalised by its mean and variance over the batch in
    /// training, and by the running ones otherwise. What the running statistics become is in the result.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html>
    ///
    /// ```
    /// use firesteel::{BatchNormOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1.0, 4.0], [3.0, 8.0]], &cpu)?;
    /// let (mean, var) = (Tensor::zeros([2], &cpu)?, Tensor::ones([2], &cpu)?);
    /// let options = BatchNormOptions { running: Some((&mean, &var)), training: true, ..Default::default() };
    /// let normalised = x.batch_norm(BatchNormOptions { eps: 0.0, ..options })?;
    /// assert_eq!(normalised.output.to_vec::<f32>()?, [-1., -1., 1., 1.]);
    /// if let Some((mean, _)) = normalised.running {
    ///     assert_eq!(mean.to_vec::<f32>()?, [0.2, 0.6]);
    /// }
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn batch_norm(&self, options: BatchNormOptions<B>) -> Result<Normalised<B>> {
        let BatchNormOptions { running, weight, bias, training, momentum, eps } = options;
        let op = "batch_norm";
        if !training {
            let output = self.normalised_by(op, running, weight, bias, eps)?;
            return Ok(Normalised {
                output,
                running: running.map(|(mean, var)| (mean.detach(), var.detach())),
            });
        }
        let [_, c, ..] = self.shape()[..] else {
            return Err(Error::shape(op, format!("needs (batch, channels, ..), not {}", self.shape())));
        };
        let count = self.numel().checked_div(c).unwrap_or(0);
        if count <= 1 && c > 0 {
            let why = format!(
                "training needs more than one element for each channel, and {} has {count}",
                self.shape()
            );
            return Err(Error::value(op, why));
        }
        let (operands, after) = self.with_affine(weight, bias);
        let results = Self::apply(Op::Fused(Fused::BatchNorm { eps }, operands))?;
        let [y, mean, rstd] = &results[..] else {
            return Err(Error::internal(op, "a batch norm has three results"));
        };
        let running = match running {
            Some(running) => {
                let (mean, var) = (mean.detach().reshape([c])?, variance(&rstd.detach(), eps, count)?);
                Some(updated(op, running, &mean, &var.reshape([c])?, momentum)?)
            }
            None => None,
        };
        Ok(Normalised { output: y.plus_channels(op, after)?, running })
    }

    /// Each element divided by `(k + alpha · mean x²)^beta`, the mean taken over `size` neighbouring channels
    /// of `(batch, channels, ..)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html>
    ///
    /// ```
    /// use firesteel::{LocalResponseNormOptions, prelude::*};
    /// let x = Tensor::new([[[2.0], [4.0]]], &Cpu::default())?;
    /// let options = LocalResponseNormOptions { alpha: 1.0, beta: 1.0, k: 0.0 };
    /// assert_eq!(x.local_response_norm(1, options)?.to_vec::<f32>()?, [0.5, 0.25]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn local_response_norm(&self, size: usize, options: LocalResponseNormOptions) -> Result<Self> {
        let LocalResponseNormOptions { alpha, beta, k } = options;
        let spatial = self.spatial("local_response_norm", 1..=usize::MAX - 2)?;
        let (n, c) = (self.shape()[0], self.shape()[1]);
        if size == 0 || self.numel() == 0 {
            let why = format!("needs a size of 1 or more and elements, not {size} and {}", self.shape());
            return Err(Error::value("local_response_norm", why));
        }
        let x = self.to_float()?;
        let rows = x.square()?.reshape([n, c, spatial.numel()])?;
        let around = PadAxis { low: size / 2, high: (size - 1) / 2, interior: 0 };
        let padding = smallvec![PadAxis::default(), around, PadAxis::default()];
        let padded = Self::one(Op::Pad(&rows, padding, Scalar::Int(0)))?;
        let pool = Pool {
            kernel: smallvec![size, 1],
            stride: smallvec![1, 1],
            padding: smallvec![0, 0],
            dilation: smallvec![1, 1],
            output: smallvec![c, spatial.numel()],
        };
        let mut mean = Self::one(Op::Fused(
            Fused::AvgPool(pool.into(), Divisor::Fixed(size as i64)),
            smallvec![&padded],
        ))?;
        if !self.dtype().is_float() {
            // PyTorch takes the mean of whole numbers as one
            mean = Self::one(Op::Unary(crate::Unary::Trunc, &mean))?;
        }
        let below = (mean.reshape(self.shape())?.lazy() * alpha + k).pow(beta);
        (x.lazy() / below).eval_as("local_response_norm")
    }
}

/// The distance from 1 to the next number; half precision is computed with in F32.
fn epsilon(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::EPSILON } else { f32::EPSILON.into() }
}

/// The variance behind `1 / √(var + eps)`, as an estimate of that of the whole from `count` elements.
fn variance<B: Backend>(rstd: &Tensor<B>, eps: f64, count: usize) -> Result<Tensor<B>> {
    let rstd = rstd.lazy();
    let correction = count as f64 / (count as f64 - 1.);
    ((rstd.square().reciprocal() - eps) * correction).eval()
}

/// `running + momentum (new - running)` for mean and variance.
fn updated<B: Backend>(
    op: &'static str,
    (mean, var): Running<B>,
    new_mean: &Tensor<B>,
    new_var: &Tensor<B>,
    momentum: f64,
) -> Result<(Tensor<B>, Tensor<B>)> {
    let step = |old: &Tensor<B>, new: &Tensor<B>| {
        if old.shape() != new.shape() {
            let why = format!("running statistics {} have to be {}", old.shape(), new.shape());
            return Err(Error::shape(op, why));
        }
        let old = old.detach();
        (old.lazy() * (1. - momentum) + new.lazy() * momentum).eval_as(op)?.to(old.dtype())
    };
    Ok((step(mean, new_mean)?, step(var, new_var)?))
}
