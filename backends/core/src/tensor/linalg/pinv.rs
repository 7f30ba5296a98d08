//! Inverses of what has none: pseudo-inverses, ranks, and least squares.
use super::{Symbol, Triangle};
use crate::{
    Backend, CustomOp, DType, Error, Meta, Metas, Op, Outputs, Result, Shape, SymbolicGradients, Symbols,
    Tensor, keepdim,
};
use smallvec::smallvec;
use std::sync::Arc;

/// Which singular values count as zero: those up to `atol`, or up to `rtol` times the largest, whichever is more. Each is a
/// number, or a tensor with one for each matrix.
#[derive(Clone, Copy)]
pub struct Tolerances<'a, B: Backend> {
    /// Absolute: 0, unless it is set.
    pub atol: Option<&'a Tensor<B>>,
    /// Relative: the larger size of the matrix times the dtype's rounding, unless one of both is set.
    pub rtol: Option<&'a Tensor<B>>,
    /// Whether the matrices are symmetric, of which the lower triangle is read.
    pub hermitian: bool,
}

impl<B: Backend> Default for Tolerances<'_, B> {
    fn default() -> Self {
        Self { atol: None, rtol: None, hermitian: false }
    }
}

/// What [`Tensor::lstsq`] gives.
#[derive(Clone)]
pub struct Lstsq<B: Backend> {
    /// `X (.., n, k)`, the smallest where there are many.
    pub solution: Tensor<B>,
    /// `Σ (A X - B)²` of each column `(.., k)`.
    pub residuals: Tensor<B>,
    /// The ranks of the matrices, as I64.
    pub rank: Tensor<B>,
    /// The singular values of the matrices.
    pub singular_values: Tensor<B>,
}

impl<B: Backend> Tensor<B> {
    /// The pseudo-inverses (of Moore and Penrose) of matrices `(.., m, n)`: `(.., n, m)`. Singular values that count as zero
    /// stay zero.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.pinv.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[2.0, 0.0], [0.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(a.pinv(Default::default())?.to_vec::<f32>()?, [0.5, 0., 0., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pinv(&self, tolerances: Tolerances<'_, B>) -> Result<Self> {
        let op = "pinv";
        let (atol, rtol) = self.tolerances(op, &tolerances)?;
        let inverse = PseudoInverse { hermitian: tolerances.hermitian };
        let here = std::panic::Location::caller();
        let operands = smallvec![self, &atol, &rtol];
        Self::one(Op::Custom(Arc::new(inverse), operands)).map_err(|e| e.within(op).at(here))
    }

    /// How many singular values of each matrix do not count as zero, as I64.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[2.0, 0.0], [0.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(a.matrix_rank(Default::default())?.item::<i64>()?, 1);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_rank(&self, tolerances: Tolerances<'_, B>) -> Result<Self> {
        let op = "matrix_rank";
        let (atol, rtol) = self.tolerances(op, &tolerances)?;
        let x = self.detach();
        let values = match tolerances.hermitian {
            true => x.eigvalsh(Triangle::Lower).map_err(|e| e.within(op))?.abs()?,
            false => x.svdvals().map_err(|e| e.within(op))?,
        };
        values.gt(values.least(&atol, &rtol)?)?.sum(-1)
    }

    /// The condition number: the largest singular value over the smallest.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.cond.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[4.0, 0.0], [0.0, 2.0]], &Cpu::default())?;
    /// assert_eq!(a.cond()?.item::<f32>()?, 2.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cond(&self) -> Result<Self> {
        let values = self.svdvals().map_err(|e| e.within("cond"))?;
        let (k, last) = (values.size(-1)?, values.rank() - 1);
        if k == 0 {
            return Err(Error::shape(
                "cond",
                format!("there is none of matrices without elements, {}", self.shape()),
            ));
        }
        let at = |start: usize| values.narrow(last as isize, start, 1)?.squeeze(-1);
        at(0)?.div(at(k - 1)?)
    }

    /// `X` that makes `|A X - B|` smallest, of this `A (.., m, n)` and `B (.., m, k)`, and of several the smallest. Singular
    /// values up to `rcond` times the largest count as zero: the larger size of the matrix times the dtype's rounding, unless
    /// it is set.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.lstsq.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (a, b) = (Tensor::new([[1.0], [1.0]], &cpu)?, Tensor::new([[1.0], [3.0]], &cpu)?);
    /// let found = a.lstsq(&b, None)?;
    /// assert!((found.solution.item::<f32>()? - 2.).abs() < 1e-6);
    /// assert!((found.residuals.item::<f32>()? - 2.).abs() < 1e-5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn lstsq(&self, b: &Self, rcond: impl Into<Option<f64>>) -> Result<Lstsq<B>> {
        let op = "lstsq";
        let (_, m, _) = self.matrices(op)?;
        if b.rank() < 2 || b.size(-2)? != m {
            let why = format!("{} has to be (.., {m}, k), for {}", b.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        let rtol = rcond.into().map(|rcond| self.new_full((), rcond)).transpose()?;
        let tolerances = Tolerances { rtol: rtol.as_ref(), ..Default::default() };
        let (atol, rtol) = self.tolerances(op, &tolerances)?;
        let solution = self.pinv(tolerances).map_err(|e| e.within(op))?.matmul(b)?;
        let residuals = self.matmul(&solution)?.sub(b)?.square()?.sum(-2)?;
        let singular_values = self.detach().svdvals()?;
        let rank = singular_values.gt(singular_values.least(&atol, &rtol)?)?.sum(-1)?;
        Ok(Lstsq { solution, residuals, rank, singular_values })
    }

    /// Both tolerances for each matrix, `(.., 1)`.
    #[track_caller]
    fn tolerances(&self, op: &'static str, given: &Tolerances<'_, B>) -> Result<(Self, Self)> {
        let (batch, m, n) = self.matrices(op)?;
        if given.hermitian && m != n {
            return Err(Error::shape(op, format!("symmetric matrices are square, not {}", self.shape())));
        }
        let rounding = match self.dtype() {
            DType::F64 => f64::EPSILON,
            DType::F32 => f32::EPSILON.into(),
            _ => half::bf16::EPSILON.into(),
        };
        let relative = if given.atol.is_some() { 0. } else { m.max(n) as f64 * rounding };
        let each = |given: Option<&Self>, default: f64| {
            let tolerance =
                given.map_or_else(|| self.new_full((), default), |t| t.detach().to(self.dtype()))?;
            let shape: Shape = [&batch[..], &[1]].concat().into();
            tolerance.unsqueeze(-1)?.broadcast_to(shape)
        };
        Ok((each(given.atol, 0.)?, each(given.rtol, relative)?))
    }

    /// Up to where these singular values count as zero.
    #[track_caller]
    fn least(&self, atol: &Self, rtol: &Self) -> Result<Self> {
        if self.size(-1)? == 0 {
            return Ok(atol.clone());
        }
        rtol.mul(self.amax(keepdim(-1))?)?.maximum(atol)
    }
}

/// `(A [m, n], atol [1], rtol [1]) -> [n, m]`.
#[derive(Clone, Copy, Debug)]
struct PseudoInverse {
    hermitian: bool,
}

impl CustomOp for PseudoInverse {
    fn name(&self) -> &'static str {
        "pinv"
    }

    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        let [batch @ .., m, n] = &xs[0].shape[..] else {
            return Err(Error::internal(self.name(), "takes matrices"));
        };
        Ok(smallvec![Meta::new([batch, &[*n, *m]].concat(), xs[0].dtype)])
    }

    /// `V S⁻¹ Uᵀ`, with zeros for what counts as zero.
    fn decompose(&self, xs: Symbols) -> Result<Outputs<Symbol>> {
        let [a, atol, rtol] = xs else { return Err(Error::internal(self.name(), "takes three operands")) };
        let (u, s, vt) = if self.hermitian {
            let (w, v) = a.eigh(Triangle::Lower)?;
            (v.clone(), w, v.mt()?)
        } else {
            a.svd(false)?
        };
        let size = s.abs()?;
        let counts = size.gt(size.least(atol, rtol)?)?;
        let inverse = (counts.lazy().where_(1, 0) / counts.lazy().where_(&s, 1)).eval()?;
        Ok(smallvec![vt.mt()?.mul(inverse.unsqueeze(-2)?)?.matmul(&u.mt()?)?])
    }

    /// `∂A = -Pᵀ ∂P Pᵀ + (I - A P) ∂Pᵀ P Pᵀ + Pᵀ P ∂Pᵀ (I - P A)`, which needs no singular values that differ. The tolerances
    /// have none. [Golub and Pereyra, 1973](https://doi.org/10.1137/0710036)
    fn gradient(&self, xs: Symbols, ys: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        let (a, p, g) = (&xs[0], &ys[0], &gs[0]);
        let (pt, gt) = (p.mt()?, g.mt()?);
        let inner = pt.matmul(g)?.matmul(&pt)?;
        // (I - A P) X = X - A P X
        let beside = gt.matmul(p)?.matmul(&pt)?;
        let beside = beside.sub(a.matmul(&p.matmul(&beside)?)?)?;
        let below = pt.matmul(p)?.matmul(&gt)?;
        let below = below.sub(below.matmul(p)?.matmul(a)?)?;
        Ok(Some(vec![Some(beside.add(below)?.sub(inner)?), None, None]))
    }
}
