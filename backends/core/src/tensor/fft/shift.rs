//! The order of frequencies, and what they are.
use crate::{Backend, Dims, Error, Result, Sizes, Tensor, TensorOptions};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// Frequency 0 in the middle of each dim, which comes first of a transform.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.fft.fftshift.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0, 1, 2, -2, -1], &Cpu::default())?;
    /// assert_eq!(x.fftshift(..)?.to_vec::<i64>()?, [-2, -1, 0, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn fftshift(&self, dims: impl Into<Dims>) -> Result<Self> {
        self.halves_exchanged("fftshift", dims.into(), |size| size / 2)
    }

    /// Undoes [`fftshift`](Self::fftshift).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.fft.ifftshift.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-2, -1, 0, 1, 2], &Cpu::default())?;
    /// assert_eq!(x.ifftshift(..)?.to_vec::<i64>()?, [0, 1, 2, -2, -1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ifftshift(&self, dims: impl Into<Dims>) -> Result<Self> {
        self.halves_exchanged("ifftshift", dims.into(), |size| size.div_ceil(2))
    }

    #[track_caller]
    fn halves_exchanged(&self, op: &'static str, dims: Dims, shift: fn(usize) -> usize) -> Result<Self> {
        let here = Location::caller();
        let (axes, _) = dims.resolve(op, self.shape()).map_err(|e| e.at(here))?;
        if axes.is_empty() {
            return Ok(self.clone());
        }
        let shifts = Sizes(axes.iter().map(|&axis| shift(self.shape()[axis]) as i64).collect());
        self.roll(shifts, &axes[..])
    }

    /// The frequencies of a transform of `n` samples that lie `d` apart: `0, 1, .., -2, -1`, divided by `n d`. F32 unless
    /// the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.fft.fftfreq.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let frequencies = Tensor::fftfreq(4, 0.5, &Cpu::default())?;
    /// assert_eq!(frequencies.to_vec::<f32>()?, [0., 0.5, -1., -0.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn fftfreq(n: usize, d: f64, options: impl TensorOptions<B>) -> Result<Self> {
        let half = (n / 2) as i64;
        Self::frequencies("fftfreq", -half..n as i64 - half, n, d, options)?.ifftshift(..)
    }

    /// The frequencies of [`rfft`](Self::rfft) of `n` samples that lie `d` apart: the first `n/2 + 1`, divided by `n d`. F32
    /// unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.fft.rfftfreq.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::rfftfreq(4, 0.5, &Cpu::default())?.to_vec::<f32>()?, [0., 0.5, 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rfftfreq(n: usize, d: f64, options: impl TensorOptions<B>) -> Result<Self> {
        Self::frequencies("rfftfreq", 0..(n / 2) as i64 + 1, n, d, options)
    }

    #[track_caller]
    fn frequencies(
        op: &'static str,
        steps: std::ops::Range<i64>,
        n: usize,
        d: f64,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let (dtype, backend) = options.options();
        let dtype = dtype.unwrap_or(crate::DType::F32);
        if n == 0 || d == 0. || !d.is_finite() || !dtype.is_float() {
            let why = format!("{n} samples have to be some, {d} apart some distance, and {dtype} real");
            return Err(Error::value(op, why));
        }
        Self::arange(steps, (dtype, backend))?.mul(1. / (n as f64 * d))
    }
}
