//! Norms of matrices.
use crate::{Backend, Dims, Error, Result, Tensor};
use std::panic::Location;

/// Which norm of matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixNorm {
    /// The root of the sum of squares.
    #[default]
    Frobenius,
    /// The sum of the singular values.
    Nuclear,
    /// The largest singular value.
    Two,
    /// The smallest singular value.
    MinusTwo,
    /// The largest sum of magnitudes of a column.
    One,
    /// The smallest sum of magnitudes of a column.
    MinusOne,
    /// The largest sum of magnitudes of a row.
    Infinity,
    /// The smallest sum of magnitudes of a row.
    MinusInfinity,
}

impl<B: Backend> Tensor<B> {
    /// The norms of the matrices in two dims, first the rows', which are lost unless they are kept. Those by singular values need
    /// the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html>
    ///
    /// ```
    /// use firesteel::{MatrixNorm, prelude::*};
    /// let a = Tensor::new([[1.0, -2.0], [3.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(a.matrix_norm(MatrixNorm::One, [-2, -1])?.item::<f32>()?, 6.);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Infinity, [-2, -1])?.item::<f32>()?, 7.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_norm(&self, norm: MatrixNorm, dims: impl Into<Dims>) -> Result<Self> {
        let (here, op, dims) = (Location::caller(), "matrix_norm", dims.into());
        let (axes, keep) = dims.resolve(op, self.shape()).map_err(|e| e.at(here))?;
        if axes.len() != 2 || !self.dtype().is_float() {
            let why = format!(
                "needs the two dims of matrices of real numbers, not {} of {}",
                axes.len(),
                self.meta()
            );
            return Err(Error::shape(op, why));
        }
        // in the order in which they were named
        let (rows, columns) = match dims.dims.as_deref() {
            Some(&[rows, columns]) => (self.axis(op, rows)? as isize, self.axis(op, columns)? as isize),
            _ => (axes[0] as isize, axes[1] as isize),
        };
        let matrices = self.movedim([rows, columns], [-2, -1])?;
        let singular = || matrices.svdvals().map_err(|e| e.within(op).at(here));
        let sums = |dim: isize| matrices.abs()?.sum(dim);
        let y = match norm {
            MatrixNorm::Frobenius => matrices.norm(2, [-2, -1])?,
            MatrixNorm::Nuclear => singular()?.sum(-1)?,
            MatrixNorm::Two => singular()?.amax(-1)?,
            MatrixNorm::MinusTwo => singular()?.amin(-1)?,
            MatrixNorm::One => sums(-2)?.amax(-1)?,
            MatrixNorm::MinusOne => sums(-2)?.amin(-1)?,
            MatrixNorm::Infinity => sums(-1)?.amax(-1)?,
            MatrixNorm::MinusInfinity => sums(-1)?.amin(-1)?,
        };
        if keep { y.reshape(self.meta().reduced(&axes)) } else { Ok(y) }
    }
}
