//! Reductions that pass NaN over.
use crate::{Backend, Dims, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// `Σ x`, with NaN counting as zero; whole numbers are summed in I64.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nansum.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, f64::NAN, 3.0], &Cpu::default())?;
    /// assert_eq!(x.nansum(..)?.item::<f32>()?, 4.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nansum(&self, dims: impl Into<Dims>) -> Result<Self> {
        if !self.dtype().is_float() {
            return self.sum(dims);
        }
        let x = self.lazy();
        x.isnan().where_(0, &x).eval_as("nansum")?.sum(dims)
    }

    /// The mean of what is not NaN, of real numbers; of nothing else it is NaN.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nanmean.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, f64::NAN, 3.0], &Cpu::default())?;
    /// assert_eq!(x.nanmean(..)?.item::<f32>()?, 2.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nanmean(&self, dims: impl Into<Dims>) -> Result<Self> {
        if !self.dtype().is_float() {
            return self.mean(dims).map_err(|e| e.within("nanmean"));
        }
        let dims = dims.into();
        let count = self.eq(self)?.sum(dims.clone())?;
        self.in_full_precision(|x| x.nansum(dims)?.div(count))
    }
}
