//! Variance and standard deviation.
use crate::{Backend, DType, Dims, Error, Result, Tensor, keepdim};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// `Σ (x - mean)² / (n - correction)`, of real numbers. The correction is 1 for Bessel's (PyTorch's
    /// default), 0 for the plain mean square.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.var.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// assert_eq!(x.var(.., 1)?.item::<f32>()?, 1.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn var(&self, dims: impl Into<Dims>, correction: impl Into<f64>) -> Result<Self> {
        Ok(self.var_mean(dims, correction)?.0)
    }

    /// `√var`. Where the variance is zero, so is the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.std.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// assert_eq!(x.std(.., 1)?.item::<f32>()?, 1.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn std(&self, dims: impl Into<Dims>, correction: impl Into<f64>) -> Result<Self> {
        Ok(self.std_mean(dims, correction)?.0)
    }

    /// [`std`](Self::std) and the mean.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.std_mean.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// let (std, mean) = x.std_mean(.., 1)?;
    /// assert_eq!((std.item::<f32>()?, mean.item::<f32>()?), (1., 2.));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn std_mean(&self, dims: impl Into<Dims>, correction: impl Into<f64>) -> Result<(Self, Self)> {
        let (var, mean) = self.spread("std", dims.into(), correction.into())?;
        Ok((var.flat_root()?, mean))
    }

    /// [`var`](Self::var) and the mean.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.var_mean.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// let (var, mean) = x.var_mean(.., 0)?;
    /// assert_eq!((var.item::<f32>()?, mean.item::<f32>()?), (2. / 3., 2.));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn var_mean(&self, dims: impl Into<Dims>, correction: impl Into<f64>) -> Result<(Self, Self)> {
        self.spread("var", dims.into(), correction.into())
    }

    /// The variance and the mean, in two passes: a sum of squares alone would cancel.
    #[track_caller]
    fn spread(&self, name: &'static str, dims: Dims, correction: f64) -> Result<(Self, Self)> {
        let here = Location::caller();
        if !self.dtype().is_float() {
            let why = format!("needs real numbers, not {}: cast with `.float()`", self.dtype());
            return Err(Error::dtype(name, why));
        }
        let (axes, keep) = dims.resolve(name, self.shape()).map_err(|e| e.at(here))?;
        let kept = keepdim(&axes[..]);
        let x = if self.dtype().is_half() { &self.to(DType::F32)? } else { self };
        let n: usize = axes.iter().map(|&axis| self.shape()[axis]).product();
        let mean = x.mean(kept.clone())?;
        let squares = (x.lazy() - &mean).square().eval_as(name)?.sum(kept)?;
        let var = squares.div((n as f64 - correction).max(0.))?;
        let finish = |y: Self| if keep { y.to(self.dtype()) } else { y.without(&axes)?.to(self.dtype()) };
        Ok((finish(var)?, finish(mean)?))
    }

    /// `√x` whose gradient is zero where `x` is, not infinite: that of a norm or a deviation.
    #[track_caller]
    pub(in crate::tensor) fn flat_root(&self) -> Result<Self> {
        let x = self.lazy();
        let zero = x.eq(0);
        zero.where_(0, zero.where_(1, &x).sqrt()).eval_as("sqrt")
    }
}
