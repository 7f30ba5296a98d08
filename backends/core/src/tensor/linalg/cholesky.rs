//! Cholesky's decomposition of symmetric matrices that are positive definite, and what is solved by it.
use super::{Decomposition, Symbol};
use crate::{Backend, Result, SymbolicGradients, Tensor};

/// Which triangle of matrices counts, and which one a factor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Triangle {
    /// The one below the diagonal.
    #[default]
    Lower,
    /// The one above it.
    Upper,
}

impl<B: Backend> Tensor<B> {
    /// The lower triangle `L` with `A = L Lᵀ` of symmetric matrices `(.., n, n)`, or the upper one `Lᵀ`; of `A` no other
    /// triangle is read. What is not positive definite is an error.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.cholesky.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let a = Tensor::new([[4.0, 2.0], [2.0, 2.0]], &Cpu::default())?;
    /// assert_eq!(a.cholesky(Triangle::Lower)?.to_vec::<f32>()?, [2., 0., 1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky(&self, triangle: Triangle) -> Result<Self> {
        Ok(self.root("cholesky", triangle, true)?.0)
    }

    /// [`cholesky`](Self::cholesky), and for each matrix an I32: 0, or the order of the leading minor that is not positive,
    /// where the factor is NaN.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let a = Tensor::new([[4.0, 2.0], [2.0, -2.0]], &Cpu::default())?;
    /// assert_eq!(a.cholesky_ex(Triangle::Lower)?.1.item::<i32>()?, 2);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky_ex(&self, triangle: Triangle) -> Result<(Self, Self)> {
        self.root("cholesky_ex", triangle, false)
    }

    #[track_caller]
    fn root(&self, op: &'static str, triangle: Triangle, check: bool) -> Result<(Self, Self)> {
        self.square_matrices(op)?;
        let lower = if triangle == Triangle::Upper { self.mt()? } else { self.clone() };
        let (factor, info) = Self::pair(op, Decomposition::Cholesky { check }, &[&lower])?;
        Ok((if triangle == Triangle::Upper { factor.mt()? } else { factor }, info))
    }

    /// `X` with `A X = B`, given this `B (.., n, k)` and a factor of `A = L Lᵀ`.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.cholesky_solve.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let a = Tensor::new([[4.0, 2.0], [2.0, 2.0]], &Cpu::default())?;
    /// let x = a.cholesky_solve(&a.cholesky(Triangle::Lower)?, Triangle::Lower)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1., 0., 0., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky_solve(&self, factor: &Self, triangle: Triangle) -> Result<Self> {
        let op = "cholesky_solve";
        factor.square_matrices(op)?;
        let lower = if triangle == Triangle::Upper { factor.mt()? } else { factor.clone() };
        let (lower, b) = Self::same_batch(op, &lower, self)?;
        Self::single(op, Decomposition::CholeskySolve, &[&lower, &b])
    }

    /// `A⁻¹`, given a factor of `A = L Lᵀ`.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.cholesky_inverse.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let factor = Tensor::new([[2.0]], &Cpu::default())?;
    /// assert_eq!(factor.cholesky_inverse(Triangle::Lower)?.item::<f32>()?, 0.25);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky_inverse(&self, triangle: Triangle) -> Result<Self> {
        let (_, n) = self.square_matrices("cholesky_inverse")?;
        self.identity(n)?.cholesky_solve(self, triangle).map_err(|e| e.within("cholesky_inverse"))
    }
}

/// Of `A = L Lᵀ`, `∂B = A⁻¹ ∂X` and `∂A = -∂B Xᵀ`, and so `∂L = (∂A + ∂Aᵀ) L`.
pub(super) fn solve_gradient(l: &Symbol, x: &Symbol, g: &Symbol) -> Result<SymbolicGradients> {
    let b = g.cholesky_solve(l, Triangle::Lower)?;
    let a = b.matmul(&x.mt()?)?;
    let whole = a.add(a.mt()?)?.neg()?;
    Ok(vec![Some(whole.matmul(&l.tril(0)?)?), Some(b)])
}

/// With `Φ = tril(Lᵀ ∂L)`, whose diagonal is halved: `∂A = ½ L⁻ᵀ (Φ + Φᵀ) L⁻¹`.
/// [Murray, 2016](https://arxiv.org/abs/1602.07527)
pub(super) fn gradient(l: &Symbol, g: &Symbol) -> Result<Symbol> {
    let phi = l.mt()?.matmul(g)?.tril(0)?;
    let symmetric = (phi.tril(-1)?.mt()? + &phi)?;
    let upper = l.mt()?;
    let left = upper.triangular("cholesky", &symmetric, Triangle::Upper, false)?;
    // X L⁻¹ = (L⁻ᵀ Xᵀ)ᵀ
    let both = upper.triangular("cholesky", &left.mt()?, Triangle::Upper, false)?.mt()?;
    both.mul(0.5)
}
