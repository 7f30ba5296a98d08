//! Special functions: formulas of primitives, with derivatives that are formulas as well.
mod bessel;
mod function;
mod gamma;
mod normal;

use crate::{Arg, Backend, Expr, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// `x ln (1 + y)`, and 0 where `x` is, whatever the logarithm (but NaN where `y` is).
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.xlog1py>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.xlog1py(-1.0)?.to_vec::<f32>()?, [0., f32::NEG_INFINITY]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn xlog1py(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        let (x, y) = (&self.lazy(), &Expr::from(other.into()));
        // where the logarithm is finite the formula is right as it stands, and so is its gradient
        let nothing = x.eq(0) & (y.le(-1) | y.eq(f64::INFINITY));
        (x * nothing.where_(0, y).log1p()).eval_as("xlog1py")
    }
}
