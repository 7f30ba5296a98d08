//! The decomposition into an orthogonal matrix and an upper triangle, and reflections.
use super::{Decomposition, Symbol, Triangle};
use crate::{Backend, Error, Result, Tensor};

/// How much [`Tensor::qr`] gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QrMode {
    /// `(.., m, k)` and `(.., k, n)` with `k = min(m, n)`.
    #[default]
    Reduced,
    /// `(.., m, m)` and `(.., m, n)`; of a tall matrix it has no gradient.
    Complete,
}

impl<B: Backend> Tensor<B> {
    /// `(Q, R)` with `A = Q R` of matrices `(.., m, n)`: columns of `Q` are orthogonal, and `R` is an upper triangle. Signs
    /// are those of LAPACK.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.qr.html>
    ///
    /// ```
    /// use firesteel::{QrMode, prelude::*};
    /// let a = Tensor::new([[3.0, 1.0], [4.0, 1.0]], &Cpu::default())?;
    /// let (q, r) = a.qr(QrMode::Reduced)?;
    /// assert!(q.matmul(&r)?.allclose(&a, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn qr(&self, mode: QrMode) -> Result<(Self, Self)> {
        let (_, m, n) = self.matrices("qr")?;
        let complete = mode == QrMode::Complete && m > n;
        Self::pair("qr", Decomposition::Qr { complete }, &[self])
    }

    /// [`qr`](Self::qr) as LAPACK packs it: `R` with the reflections' vectors below its diagonal, whose first elements, of 1,
    /// are not stored, and their factors `tau (.., k)`. It has no gradient.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.geqrf.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[3.0], [4.0]], &Cpu::default())?;
    /// let (packed, tau) = a.geqrf()?;
    /// assert_eq!((packed.to_vec::<f32>()?, tau.to_vec::<f32>()?), (vec![-5., 0.5], vec![1.6]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn geqrf(&self) -> Result<(Self, Self)> {
        self.matrices("geqrf")?;
        Self::pair("geqrf", Decomposition::Householder, &[self])
    }

    /// The first columns of the product of reflections `H₁ H₂ ..` with `Hᵢ = I - tauᵢ vᵢ vᵢᵀ`, whose vectors lie below the
    /// diagonal of this matrix `(.., m, n)`: as many as it has.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.householder_product.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[3.0], [4.0]], &Cpu::default())?;
    /// let (packed, tau) = a.geqrf()?;
    /// let q = packed.householder_product(&tau)?;
    /// assert!(q.allclose(&Tensor::new([[-0.6], [-0.8]], &Cpu::default())?, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn householder_product(&self, tau: &Self) -> Result<Self> {
        let (batch, m, n) = self.matrices("householder_product")?;
        let start = Self::eye([m, n], (self.dtype(), self.backend()))?;
        let start = start.broadcast_to([&batch[..], &[m, n]].concat())?;
        self.reflected("householder_product", tau, &start, false)
    }

    /// `Q C` of the product `Q = H₁ H₂ ..` of all reflections of this tensor and `tau` (see
    /// [`householder_product`](Self::householder_product)) and a matrix `C (.., m, k)`; `transposed` gives `Qᵀ C`. `C Q` is
    /// `(Qᵀ Cᵀ)ᵀ`.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.ormqr.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[3.0], [4.0]], &Cpu::default())?;
    /// let (packed, tau) = a.geqrf()?;
    /// let r = packed.ormqr(&tau, &a, true)?;
    /// assert!(r.allclose(&Tensor::new([[-5.0], [0.0]], &Cpu::default())?, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ormqr(&self, tau: &Self, other: &Self, transposed: bool) -> Result<Self> {
        self.reflected("ormqr", tau, other, transposed)
    }

    /// All reflections at once: `H₁ H₂ .. = I - V T Vᵀ` with the vectors as columns of `V`, `D = diag tau`, and
    /// `T⁻¹ = D⁻¹ + triu₁(Vᵀ V)`. Multiplied by `D`, a `tau` of zero does no harm.
    /// [Joffrain et al., 2006](https://doi.org/10.1145/1141885.1141886)
    #[track_caller]
    fn reflected(&self, op: &'static str, tau: &Self, other: &Self, transposed: bool) -> Result<Self> {
        let (batch, m, n) = self.matrices(op)?;
        let k = tau.shape().last().copied().unwrap_or(0);
        if k > m.min(n) || *tau.shape() != [&batch[..], &[k]].concat()[..] {
            let why = format!("{} are not the factors of reflections {}", tau.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        if other.rank() != self.rank()
            || !other.shape().starts_with(&batch)
            || other.shape()[batch.rank()] != m
        {
            let why = format!("{} has no columns that {} reflects", other.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        let ones = Self::eye([m, k], (self.dtype(), self.backend()))?;
        let v = self.narrow(-1, 0, k)?.tril(-1)?.add(ones)?;
        let factors = tau.unsqueeze(-1)?;
        let overlaps = v.mt()?.matmul(&v)?.triu(1)?;
        let seen = v.mt()?.matmul(other)?;
        // T = (I + D N)⁻¹ D with the strict triangle N, and Tᵀ = D (I + Nᵀ D)⁻¹
        let moved = if transposed {
            let inner = overlaps.mt()?.mul(factors.mt()?)?;
            inner.triangular(op, &seen, Triangle::Lower, true)?.mul(&factors)?
        } else {
            overlaps.mul(&factors)?.triangular(op, &seen.mul(&factors)?, Triangle::Upper, true)?
        };
        other.sub(v.matmul(&moved)?)
    }
}

/// With `M = R ∂Rᵀ - ∂Qᵀ Q`, of which the lower triangle is mirrored to `M'`: `∂A = (∂Q + Q M') R⁻ᵀ`. What a wide matrix has
/// beside its square part, `R₂ = Qᵀ A₂`, gives `∂A₂ = Q ∂R₂` and adds `A₂ ∂R₂ᵀ` to `∂Q`.
/// [Walter and Lehmann, 2010](https://arxiv.org/abs/1009.6112)
pub(super) fn gradient(a: &Symbol, [q, r]: [&Symbol; 2], [gq, gr]: [&Symbol; 2]) -> Result<Symbol> {
    let (_, m, n) = a.matrices("qr")?;
    let k = m.min(n);
    let parts = |x: &Symbol| Ok::<_, Error>((x.narrow(-1, 0, k)?, x.narrow(-1, k, n - k)?));
    let ((r1, _), (gr1, gr2)) = (parts(r)?, parts(gr)?);
    let (_, a2) = parts(a)?;
    let gq = if n > k { gq.add(a2.matmul(&gr2.mt()?)?)? } else { gq.clone() };
    let inner = r1.matmul(&gr1.mt()?)?.sub(gq.mt()?.matmul(q)?)?;
    let mirrored = inner.tril(0)?.add(inner.tril(-1)?.mt()?)?;
    let whole = gq.add(q.matmul(&mirrored)?)?;
    // X R⁻ᵀ = (R⁻¹ Xᵀ)ᵀ
    let square = r1.triangular("qr", &whole.mt()?, Triangle::Upper, false)?.mt()?;
    if n > k { Symbol::cat(&[&square, &q.matmul(&gr2)?], -1) } else { Ok(square) }
}
