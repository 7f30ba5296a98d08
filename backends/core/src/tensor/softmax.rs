//! Softmax and its kin. PyTorch's `dtype` argument is a cast before: `x.to(DType::F64)?.softmax(-1)`.
use crate::{ArgReduce, Backend, Error, Fused, Op, Result, Tensor};
use smallvec::smallvec;

/// Options of [`Tensor::gumbel_softmax`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GumbelSoftmaxOptions {
    /// The temperature: the lower, the nearer to one-hot.
    pub tau: f64,
    /// Whether the result is one-hot, with the gradient of the soft one.
    pub hard: bool,
    /// Along which dim.
    pub dim: isize,
}

impl Default for GumbelSoftmaxOptions {
    fn default() -> Self {
        Self { tau: 1., hard: false, dim: -1 }
    }
}

impl<B: Backend> Tensor<B> {
    /// `eˣ / Σ eˣ` along a dim, without overflow.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1000.0, 1000.0]], &Cpu::default())?;
    /// assert_eq!(x.softmax(-1)?.to_vec::<f32>()?, [0.5, 0.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(&self, dim: isize) -> Result<Self> {
        self.along(self.axis("softmax", dim)?, Fused::Softmax)
    }

    /// `x - ln Σ eˣ` along a dim, without overflow.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1000.0, 1000.0]], &Cpu::default())?;
    /// assert_eq!(x.log_softmax(-1)?.to_vec::<f32>()?, [0.5f32.ln(), 0.5f32.ln()]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn log_softmax(&self, dim: isize) -> Result<Self> {
        self.along(self.axis("log_softmax", dim)?, Fused::LogSoftmax)
    }

    /// `softmax(-x)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[0.0, 1000.0]], &Cpu::default())?;
    /// assert_eq!(x.softmin(-1)?.to_vec::<f32>()?, [1., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn softmin(&self, dim: isize) -> Result<Self> {
        self.to_float()?.neg()?.softmax(dim)
    }

    /// A draw from the categorical distributions of the logits `x` along a dim, relaxed so that gradients
    /// flow: `softmax((x + g) / tau)` with Gumbel noise `g`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html>
    ///
    /// ```
    /// use firesteel::{GumbelSoftmaxOptions, prelude::*};
    /// let logits = Tensor::new([0.0, 1000.0], &Cpu::default())?;
    /// let draw = logits.gumbel_softmax(GumbelSoftmaxOptions { hard: true, ..Default::default() })?;
    /// assert_eq!(draw.to_vec::<f32>()?, [0., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn gumbel_softmax(&self, options: GumbelSoftmaxOptions) -> Result<Self> {
        let GumbelSoftmaxOptions { tau, hard, dim } = options;
        if tau.is_nan() || tau <= 0. {
            return Err(Error::value("gumbel_softmax", format!("tau has to be positive, not {tau}")));
        }
        // half a step of the generator keeps 0 and 1, whose logarithms are no numbers, out
        let even = self.noise(self.shape())?.lazy() + 2f64.powi(-25);
        let gumbel = even.log().neg().log().neg();
        let soft = ((self.lazy() + gumbel) / tau).eval_as("gumbel_softmax")?.softmax(dim)?;
        if !hard || soft.rank() == 0 {
            return Ok(soft);
        }
        let axis = soft.axis("gumbel_softmax", dim)?;
        let index = Self::one(Op::ArgReduce(ArgReduce::Max, &soft, axis))?;
        let (into, x) =
            (soft.detach().zeros_like()?, Self::full(index.shape(), 1.0, (soft.dtype(), self.backend()))?);
        let one_hot =
            Self::one(Op::Scatter { kind: crate::Scatter::Set, into: &into, index: &index, x: &x, axis })?;
        // one-hot in value, soft in gradient
        (one_hot - soft.detach())? + soft
    }

    /// A fused operation along an axis; a single number is taken for a row of one.
    #[track_caller]
    fn along(&self, axis: usize, fused: impl Fn(usize) -> Fused) -> Result<Self> {
        let x = self.to_float()?;
        if x.rank() > 0 {
            return Self::one(Op::Fused(fused(axis), smallvec![&x]));
        }
        let row = x.reshape([1])?;
        Self::one(Op::Fused(fused(0), smallvec![&row]))?.reshape(())
    }
}
