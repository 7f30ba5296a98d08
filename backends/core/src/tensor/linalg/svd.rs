//! Singular values.
use super::{Decomposition, Symbol};
use crate::{Backend, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// `(U, S, Vᵀ)` with `A = U diag(S) Vᵀ` of matrices `(.., m, n)`: singular values `(.., k)` in descending order, and
    /// orthogonal vectors, `(.., m, k)` and `(.., k, n)` with `k = min(m, n)`, or where they are `full` `(.., m, m)` and
    /// `(.., n, n)`. Of equal singular values the vectors have no gradient, nor have those beyond the `k`th.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.svd.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[0.0, 2.0], [1.0, 0.0]], &Cpu::default())?;
    /// let (u, s, vt) = a.svd(false)?;
    /// assert_eq!(s.to_vec::<f32>()?, [2., 1.]);
    /// assert!(u.mul(&s)?.matmul(&vt)?.allclose(&a, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn svd(&self, full: bool) -> Result<(Self, Self, Self)> {
        let (_, m, n) = self.matrices("svd")?;
        Self::triple("svd", Decomposition::Svd { full: full && m != n }, &[self])
    }

    /// The singular values of [`svd`](Self::svd) alone, which have a gradient where they are equal too.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.svdvals.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[0.0, 2.0], [1.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(a.svdvals()?.to_vec::<f32>()?, [2., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn svdvals(&self) -> Result<Self> {
        Ok(self.svd(false).map_err(|e| e.within("svdvals"))?.1)
    }
}

/// With `X' = X - Xᵀ` and `Eᵢⱼ = sⱼ² - sᵢ²`:
/// `∂A = U ((Uᵀ ∂U)'/E · S + S (Vᵀ ∂V)'/E + diag ∂s) Vᵀ + (I - U Uᵀ) ∂U S⁻¹ Vᵀ + U S⁻¹ ∂Vᵀ (I - V Vᵀ)`.
/// What there is nothing of stays nothing, where singular values are equal too.
/// [Giles, 2008](https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf)
pub(super) fn gradient([u, s, vt]: [&Symbol; 3], [gu, gs, gvt]: [&Symbol; 3]) -> Result<Symbol> {
    let (k, m, n) = (s.size(-1)?, u.size(-2)?, vt.size(-1)?);
    // vectors beyond the kth belong to no singular value
    let first = |x: &Symbol, dim: isize| x.narrow(dim, 0, k);
    let (u, gu, vt, gvt) = (first(u, -1)?, first(gu, -1)?, first(vt, -2)?, first(gvt, -2)?);
    let (column, squares) = (s.unsqueeze(-1)?, s.square()?);
    let turn = |x: Symbol| x.sub(x.mt()?)?.over_gaps(&squares);
    let left = turn(u.mt()?.matmul(&gu)?)?.mul(s.unsqueeze(-2)?)?;
    let right = turn(vt.matmul(&gvt.mt()?)?)?.mul(&column)?;
    let inner = left.add(right)?.add(gs.diag_embed(0, -2, -1)?)?;
    let mut sum = u.matmul(&inner)?.matmul(&vt)?;
    // where nothing turns out of the plane of the vectors, a singular value of zero does no harm
    let over = |x: &Symbol, s: &Symbol| {
        let (x, s) = (x.lazy(), s.lazy());
        let nothing = &(x.eq(0) & s.eq(0));
        nothing.where_(0, x / nothing.where_(1, s)).eval()
    };
    if m > k {
        let out = gu.sub(u.matmul(&u.mt()?.matmul(&gu)?)?)?;
        sum = sum.add(over(&out, &s.unsqueeze(-2)?)?.matmul(&vt)?)?;
    }
    if n > k {
        let out = gvt.sub(gvt.matmul(&vt.mt()?)?.matmul(&vt)?)?;
        sum = sum.add(u.matmul(&over(&out, &column)?)?)?;
    }
    Ok(sum)
}
