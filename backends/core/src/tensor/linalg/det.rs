//! Determinants.
use super::{Decomposition, Symbol};
use crate::{
    Backend, CustomOp, Error, Meta, Metas, Op, Outputs, Result, Shape, SymbolicGradients, Symbols, Tensor,
};
use smallvec::smallvec;
use std::sync::Arc;

impl<B: Backend> Tensor<B> {
    /// The determinants of square matrices. Of one that is singular the gradient is not finite.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.det.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[0.0, 2.0], [3.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(a.det()?.item::<f32>()?, -6.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn det(&self) -> Result<Self> {
        self.square_matrices("det")?;
        Self::one(Op::Custom(Arc::new(Determinant::Plain), smallvec![self]))
    }

    /// The sign of the determinants of square matrices, and the logarithm of their size: 0 and -∞ where one is singular.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.slogdet.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[0.0, 1.0], [1.0, 0.0]], &Cpu::default())?;
    /// let (sign, log) = a.slogdet()?;
    /// assert_eq!((sign.item::<f32>()?, log.item::<f32>()?), (-1., 0.));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn slogdet(&self) -> Result<(Self, Self)> {
        self.square_matrices("slogdet")?;
        Self::two(Op::Custom(Arc::new(Determinant::SignAndLog), smallvec![self]))
    }

    /// The logarithms of the determinants of square matrices: -∞ where one is zero, and NaN where one is negative.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.logdet.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[1.0, 0.0], [0.0, -1.0]], &Cpu::default())?;
    /// assert!(a.logdet()?.item::<f32>()?.is_nan());
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logdet(&self) -> Result<Self> {
        let (sign, log) = self.slogdet().map_err(|e| e.within("logdet"))?;
        sign.lt(0)?.where_(f64::NAN, &log)
    }
}

/// `A [n, n] -> []`, or its sign and the logarithm of its size.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Determinant {
    Plain,
    SignAndLog,
}

impl CustomOp for Determinant {
    fn name(&self) -> &'static str {
        match self {
            Determinant::Plain => "det",
            Determinant::SignAndLog => "slogdet",
        }
    }

    fn outputs(&self) -> usize {
        if *self == Determinant::Plain { 1 } else { 2 }
    }

    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        let [batch @ .., _, _] = &xs[0].shape[..] else {
            return Err(Error::internal(self.name(), "takes matrices"));
        };
        let each = Meta::new(Shape::from(batch), xs[0].dtype);
        Ok((0..self.outputs()).map(|_| each.clone()).collect())
    }

    /// The product of the diagonal of `U`, negative where an odd number of rows were exchanged.
    fn decompose(&self, xs: Symbols) -> Result<Outputs<Symbol>> {
        let (lu, pivots, _) = Symbol::triple(self.name(), Decomposition::Lu, &[&xs[0]])?;
        let n = lu.size(-1)?;
        let own = Symbol::arange(1..n + 1, (pivots.dtype(), pivots.backend()))?;
        let odd = pivots.ne(own)?.sum(-1)?.remainder(2)?.eq(1)?;
        let parity = odd.lazy().where_(-1, 1).eval()?.to(lu.dtype())?;
        let diagonal = lu.diagonal(0, -2, -1)?;
        Ok(match self {
            Determinant::Plain => smallvec![diagonal.prod(-1)?.mul(parity)?],
            Determinant::SignAndLog => {
                smallvec![diagonal.sign()?.prod(-1)?.mul(parity)?, diagonal.abs()?.log()?.sum(-1)?]
            }
        })
    }

    /// `∂A = ∂d d A⁻ᵀ`, and of the logarithm `∂A = ∂l A⁻ᵀ`; the sign has none.
    /// [Giles, 2008](https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf)
    fn gradient(&self, xs: Symbols, ys: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        let factor = match self {
            Determinant::Plain => gs[0].mul(&ys[0])?,
            Determinant::SignAndLog => gs[1].clone(),
        };
        let n = xs[0].size(-1)?;
        let scaled = xs[0].identity(n)?.mul(factor.unsqueeze(-1)?.unsqueeze(-1)?)?;
        Ok(Some(vec![Some(xs[0].mt()?.solve_ex(&scaled)?.0)]))
    }
}
