//! Norms, and the logarithm of a sum of exponentials.
use crate::{Backend, Dims, Error, Reduce, Result, Tensor, keepdim};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// `(Σ |x|ᵖ)^(1/p)`, of real numbers. `p` is 2 for Euclid's norm, +∞ for the largest magnitude, -∞ for
    /// the smallest, and 0 for how many are not zero. Where the norm is zero, so is the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.norm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[3.0, -4.0], [0.0, 1.0]], &Cpu::default())?;
    /// assert_eq!(x.norm(2, 1)?.to_vec::<f32>()?, [5., 1.]);
    /// assert_eq!(x.norm(f64::INFINITY, ..)?.item::<f32>()?, 4.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn norm(&self, p: impl Into<f64>, dims: impl Into<Dims>) -> Result<Self> {
        let (p, dims) = (p.into(), dims.into());
        if !self.dtype().is_float() {
            let why = format!("needs real numbers, not {}: cast with `.float()`", self.dtype());
            return Err(Error::dtype("norm", why));
        }
        if p.is_nan() {
            return Err(Error::value("norm", "p is not a number"));
        }
        self.in_full_precision(|x| x.norm_of_reals(p, dims)).map_err(|e| e.within("norm"))
    }

    #[track_caller]
    fn norm_of_reals(&self, p: f64, dims: Dims) -> Result<Self> {
        if p == 0. {
            return self.ne(0)?.to(self.dtype())?.sum(dims);
        }
        if p == 1. {
            return self.abs()?.sum(dims);
        }
        if p == 2. {
            return self.square()?.sum(dims)?.flat_root();
        }
        if p.is_infinite() {
            return self.abs()?.reduce(if p > 0. { Reduce::Max } else { Reduce::Min }, dims);
        }
        if p < 0. {
            // a zero makes the sum infinite, and the norm zero, as it should
            return self.abs()?.pow(p)?.sum(dims)?.pow(1. / p);
        }
        self.flat_power(p)?.sum(dims)?.flat_power(1. / p)
    }

    /// `|x|ᵖ` whose gradient is zero where `x` is, and not infinite for `p < 1`.
    #[track_caller]
    fn flat_power(&self, p: f64) -> Result<Self> {
        let x = self.lazy();
        let zero = x.eq(0);
        zero.where_(0, zero.where_(1, &x).abs().pow(p)).eval_as("pow")
    }

    /// The norm of the difference from another tensor, over all elements.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.dist.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([3.0, 0.0], &Cpu::default())?;
    /// assert_eq!(x.dist(&Tensor::new([0.0, 4.0], &Cpu::default())?, 2)?.item::<f32>()?, 5.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dist(&self, other: &Self, p: impl Into<f64>) -> Result<Self> {
        self.sub(other).and_then(|gap| gap.norm(p, ..)).map_err(|e| e.within("dist"))
    }

    /// `ln Σ eˣ` without overflow: `m + ln Σ e^(x - m)`, where `m` is the largest, a constant that the result
    /// does not depend on. Whole numbers are cast to F32 first.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.logsumexp.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1000.0, -1000.0], &Cpu::default())?;
    /// assert_eq!(x.logsumexp(0)?.item::<f32>()?, 1000.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, dims: impl Into<Dims>) -> Result<Self> {
        let (here, x) = (Location::caller(), self.to_float()?);
        let (axes, keep) = dims.into().resolve("logsumexp", x.shape()).map_err(|e| e.at(here))?;
        let kept = keepdim(&axes[..]);
        if axes.iter().any(|&axis| x.shape()[axis] == 0) {
            let y = x.exp()?.sum(kept)?.log()?;
            return if keep { Ok(y) } else { y.without(&axes) };
        }
        let max = x.detach().amax(kept.clone())?;
        // an infinite maximum would leave NaN behind: without a shift the sum is 0 or ∞, as it should be
        let max = max.lazy().isfinite().where_(&max, 0).eval_as("logsumexp")?;
        let sum = (x.lazy() - &max).exp().eval_as("logsumexp")?.sum(kept)?;
        let y = (sum.lazy().log() + &max).eval_as("logsumexp")?;
        if keep { Ok(y) } else { y.without(&axes) }
    }
}
