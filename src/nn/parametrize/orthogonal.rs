//! Weights with orthogonal rows or columns.
use super::{Parametrization, Parametrized, named};
use crate::nn::{Buffer, Module, Param};
use crate::{Backend, Error, QrMode, Result, Tensor};

/// Which map makes an orthogonal matrix of any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrthogonalMap {
    /// `e^A` of `A = L - Lᵀ`, with the lower triangle `L`.
    MatrixExp,
    /// `(I - A/2)⁻¹ (I + A/2)` of the same.
    Cayley,
    /// Reflections, whose vectors lie below the diagonal. The diagonal holds signs, which are not learned.
    Householder,
}

/// How [`orthogonal`] makes a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrthogonalOptions {
    /// The map: [`MatrixExp`](OrthogonalMap::MatrixExp) of square weights and [`Householder`](OrthogonalMap::Householder)
    /// of others, unless it is set.
    pub map: Option<OrthogonalMap>,
    /// Whether what is learned is a turn of the weight as it was, which is kept as a buffer; it is unless said otherwise.
    /// Only reflections can do without.
    pub use_trivialization: bool,
}

impl Default for OrthogonalOptions {
    fn default() -> Self {
        Self { map: None, use_trivialization: true }
    }
}

/// Orthogonal rows or columns, whichever are fewer, of a matrix or of a batch of them. Lezcano-Casado,
/// [Trivializations](https://arxiv.org/abs/1909.09501), 2019.
#[derive(Clone, Module)]
pub struct Orthogonal<B: Backend> {
    /// The square matrix that is turned: `(.., n, n)`
    pub base: Option<Buffer<B>>,
    /// Which map it is.
    pub map: OrthogonalMap,
}

/// The module with the parameter of this path as [`Orthogonal`]. A weight that is not orthogonal yet becomes it. Needs the
/// feature `linalg`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html>
///
/// ```
/// use firesteel::{Tolerance, nn::{Linear, parametrize::orthogonal}, prelude::*};
/// # #[cfg(feature = "linalg")] {
/// let layer = orthogonal(Linear::new(20, 40, &Cpu)?, "weight", Default::default())?;
/// let weight = layer.module()?.weight;
/// let near = Tolerance { rtol: 0., atol: 1e-5, equal_nan: false };
/// assert!(weight.t()?.matmul(&weight)?.allclose(&Tensor::eye(20, &Cpu)?, near)?);
/// # }
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn orthogonal<B: Backend, M: Module<B>>(
    module: M,
    name: &str,
    options: OrthogonalOptions,
) -> Result<Parametrized<B, M, Orthogonal<B>>> {
    named(module, name, |weight| Orthogonal::new(weight, options))
}

impl<B: Backend> Orthogonal<B> {
    /// For a weight like this.
    #[track_caller]
    pub fn new(weight: &Tensor<B>, options: OrthogonalOptions) -> Result<Self> {
        let [batch @ .., rows, columns] = &weight.shape()[..] else {
            let why = format!("only matrices are orthogonal, not {}", weight.meta());
            return Err(Error::shape("orthogonal", why));
        };
        let square = rows == columns;
        let map = options.map.unwrap_or(match square {
            true => OrthogonalMap::MatrixExp,
            false => OrthogonalMap::Householder,
        });
        if !options.use_trivialization {
            if map != OrthogonalMap::Householder {
                let why = "what the matrix exponential or Cayley's map would have to be made of is not known: use_trivialization";
                return Err(Error::value("orthogonal", why));
            }
            return Ok(Self { base: None, map });
        }
        let (tall, n, k) = tall(weight)?;
        let whole = if square {
            tall
        } else {
            // whatever is orthogonal to it
            let rest = Tensor::randn([batch, &[n, n - k]].concat(), (weight.dtype(), weight.backend()))?;
            Tensor::cat(&[&tall, &rest], -1)?
        };
        let (q, r) = whole.qr(QrMode::Reduced)?;
        // of an orthogonal matrix these signs give the matrix itself
        let base = q.mul(signs(&r)?)?;
        Ok(Self { base: Some(Buffer::new(base)), map })
    }
}

impl<B: Backend> Parametrization<B> for Orthogonal<B> {
    fn forward(&self, originals: &[Param<B>]) -> Result<Tensor<B>> {
        let original = &*originals[0];
        let (x, n, k) = tall(original)?;
        let turn = match self.map {
            OrthogonalMap::Householder => {
                let vectors = x.tril(-1)?;
                let tau = (2.0 / (vectors.square()?.sum(-2)? + 1.0)?)?;
                vectors.householder_product(&tau)?.mul(signs(&x.detach())?)?
            }
            map => {
                let lower = x.tril(0)?;
                let lower = lower.constant_pad_nd([0, (n - k) as i64], 0)?;
                let skew = (&lower - lower.mt()?)?;
                let whole = if map == OrthogonalMap::MatrixExp {
                    skew.matrix_exp()?
                } else {
                    let one = Tensor::eye(n, (x.dtype(), x.backend()))?;
                    let half = (skew * 0.5)?;
                    (&one - &half)?.solve(&(&one + &half)?)?
                };
                whole.narrow(-1, 0, k)?
            }
        };
        let turned = match &self.base {
            Some(base) => base.get().matmul(&turn)?,
            None => turn,
        };
        if original.size(-2)? < original.size(-1)? { turned.mt() } else { Ok(turned) }
    }

    fn right_inverse(&self, parameter: &Param<B>) -> Result<Vec<Param<B>>> {
        let original = if self.base.is_some() {
            // of which every map makes the identity
            let (rows, columns) = (parameter.size(-2)?, parameter.size(-1)?);
            let one = Tensor::eye([rows, columns], (parameter.dtype(), parameter.backend()))?;
            one.neg()?.broadcast_to(parameter.shape())?
        } else {
            let (tall, ..) = tall(&parameter.detach())?;
            let (packed, tau) = tall.geqrf()?;
            // where there is no reflection the matrix has a sign of its own
            let flips = tau.eq(0)?.where_(&tau.full_like(-1)?, 1)?;
            let signs = signs(&packed)?.squeeze(-2)?.mul(&flips)?;
            let (n, k) = (packed.size(-2)?, packed.size(-1)?);
            let diagonal = signs.diag_embed(0, -2, -1)?.constant_pad_nd([0, 0, 0, (n - k) as i64], 0)?;
            let whole = packed.tril(-1)?.add(diagonal)?;
            if parameter.size(-2)? < parameter.size(-1)? { whole.mt()? } else { whole }
        };
        Ok(vec![Param::new(original.contiguous())?])
    }
}

/// The matrix with no more columns than rows, and how many of both.
fn tall<B: Backend>(x: &Tensor<B>) -> Result<(Tensor<B>, usize, usize)> {
    let (rows, columns) = (x.size(-2)?, x.size(-1)?);
    let tall = if rows < columns { x.mt()? } else { x.clone() };
    Ok((tall, rows.max(columns), rows.min(columns)))
}

/// 1 or -1 for each column, as the diagonal says: `(.., 1, columns)`
fn signs<B: Backend>(x: &Tensor<B>) -> Result<Tensor<B>> {
    let diagonal = x.diagonal(0, -2, -1)?;
    diagonal.lt(0)?.where_(&diagonal.full_like(-1)?, 1)?.unsqueeze(-2)
}
