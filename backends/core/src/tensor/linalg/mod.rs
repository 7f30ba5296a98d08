//! Linear algebra. Decompositions of matrices are operations with gradients of their own, which are formulas of products
//! and other decompositions, so that any order works; all else is made of them.
//!
//! They are computed on the host, in F64 whatever the dtype is, and rounded once: a device that is not the host reads their
//! operands first. Their kernels come with the feature `linalg`, and are an error without it.
mod cholesky;
mod det;
mod eigen;
#[cfg(feature = "linalg")]
mod host;
mod ldl;
mod lu;
mod norm;
mod pinv;
mod power;
mod qr;
mod solve;
mod svd;

pub use cholesky::Triangle;
pub use lu::PivotedLu;
pub use norm::MatrixNorm;
pub use pinv::{Lstsq, Tolerances};
pub use qr::QrMode;

use crate::{
    Backend, CustomOp, DType, Error, HostKernel, Kernel, Meta, Metas, Op, Outputs, Result, Shape,
    SymbolicGradients, Symbols, Tensor, Trace,
};
use smallvec::smallvec;
use std::sync::Arc;

/// A tensor without numbers.
type Symbol = Tensor<Trace>;

/// What a matrix is taken apart into, or solved for. Operands are batches of matrices, whose leading axes are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decomposition {
    /// `A [n, n] -> (L, I32 info)` with `A = L Lᵀ`; where `check`, what is not positive definite is an error.
    Cholesky { check: bool },
    /// `(L [n, n], B [n, k]) -> X` with `L Lᵀ X = B`, of the lower triangle of `L` alone.
    CholeskySolve,
    /// `A [n, n] -> e^A`.
    Exp,
    /// `A [m, n] -> (LU, I32 pivots [k], I32 info)` with `A = P L U`, both factors packed into one matrix.
    Lu,
    /// `A [m, n] -> (Q, R)` with `A = Q R` and orthogonal `Q`, square where it is complete.
    Qr { complete: bool },
    /// `A [m, n] -> (reflectors and R, tau [k])`, as LAPACK's `geqrf`.
    Householder,
    /// Symmetric `A [n, n] -> (w [n], V)` with `A V = V diag w`, ascending.
    Eigh,
    /// `A [n, n] -> (w [n, 2], V [n, n, 2])`, complex, with `A V = V diag w`.
    Eig,
    /// `A [m, n] -> (U, S [k], Vᵀ)` with `A = U diag(S) Vᵀ`, descending; square factors where they are full.
    Svd { full: bool },
    /// `(A [n, n], B [n, k]) -> (X, I32 info)` with `A X = B`; where `check`, what is singular is an error.
    Solve { check: bool },
    /// `(A [n, n], B [n, k]) -> X` with `A X = B`, of a triangle of `A` alone, or of ones on its diagonal.
    Triangular { upper: bool, unit: bool },
    /// `A [n, n] -> (LD, I32 pivots [n], I32 info)`, as LAPACK's `sytrf` of the lower triangle.
    Ldl,
    /// `(LD [n, n], I32 pivots [n], B [n, k]) -> X`, as LAPACK's `sytrs`.
    LdlSolve,
    /// I32 pivots `[k] -> I64 [m]`: which row of `A` each row of `L U` is.
    Permutation { rows: usize },
}

impl CustomOp for Decomposition {
    fn name(&self) -> &'static str {
        match self {
            Decomposition::Cholesky { .. } => "cholesky",
            Decomposition::CholeskySolve => "cholesky_solve",
            Decomposition::Exp => "matrix_exp",
            Decomposition::Lu => "lu_factor",
            Decomposition::Qr { .. } => "qr",
            Decomposition::Householder => "geqrf",
            Decomposition::Eigh => "eigh",
            Decomposition::Eig => "eig",
            Decomposition::Svd { .. } => "svd",
            Decomposition::Solve { .. } => "solve",
            Decomposition::Triangular { .. } => "solve_triangular",
            Decomposition::Ldl => "ldl_factor",
            Decomposition::LdlSolve => "ldl_solve",
            Decomposition::Permutation { .. } => "lu_unpack",
        }
    }

    fn outputs(&self) -> usize {
        match self {
            Decomposition::Lu | Decomposition::Svd { .. } | Decomposition::Ldl => 3,
            Decomposition::Cholesky { .. } | Decomposition::Qr { .. } | Decomposition::Householder => 2,
            Decomposition::Eigh | Decomposition::Eig | Decomposition::Solve { .. } => 2,
            Decomposition::CholeskySolve | Decomposition::Exp | Decomposition::Triangular { .. } => 1,
            Decomposition::LdlSolve | Decomposition::Permutation { .. } => 1,
        }
    }

    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        let (a, dtype) = (&xs[0].shape, xs[0].dtype);
        let real = |batch: &[usize], last: &[usize]| Meta::new([batch, last].concat(), dtype);
        let whole = |batch: &[usize], last: &[usize]| Meta::new([batch, last].concat(), DType::I32);
        if let Decomposition::Permutation { rows } = self {
            let ([batch @ .., _], true) = (&a[..], dtype.is_integer()) else { return Err(self.misfit(xs)) };
            return Ok(smallvec![Meta::new([batch, &[*rows]].concat(), DType::I64)]);
        }
        let [batch @ .., m, n] = &a[..] else { return Err(self.misfit(xs)) };
        let (m, n, k) = (*m, *n, *m.min(n));
        let square =
            !matches!(self, Decomposition::Lu | Decomposition::Qr { .. } | Decomposition::Svd { .. })
                && *self != Decomposition::Householder;
        if !dtype.is_float() || (square && m != n) {
            return Err(self.misfit(xs));
        }
        Ok(match self {
            Decomposition::Cholesky { .. } => smallvec![real(batch, &[n, n]), whole(batch, &[])],
            Decomposition::Lu => smallvec![real(batch, &[m, n]), whole(batch, &[k]), whole(batch, &[])],
            Decomposition::Qr { complete } => {
                let k = if *complete { m } else { k };
                smallvec![real(batch, &[m, k]), real(batch, &[k, n])]
            }
            Decomposition::Householder => smallvec![real(batch, &[m, n]), real(batch, &[k])],
            Decomposition::Eigh => smallvec![real(batch, &[n]), real(batch, &[n, n])],
            Decomposition::Eig => smallvec![real(batch, &[n, 2]), real(batch, &[n, n, 2])],
            Decomposition::Svd { full } => {
                let (rows, columns) = if *full { (m, n) } else { (k, k) };
                smallvec![real(batch, &[m, rows]), real(batch, &[k]), real(batch, &[columns, n])]
            }
            Decomposition::Exp => smallvec![xs[0].clone()],
            Decomposition::Solve { .. }
            | Decomposition::Triangular { .. }
            | Decomposition::CholeskySolve
            | Decomposition::LdlSolve => {
                let b = xs.last().map_or(xs[0], |b| b);
                let fits = b.dtype == dtype && b.shape.rank() == a.rank() && b.shape.starts_with(batch);
                let pivots = xs.get(1).filter(|_| *self == Decomposition::LdlSolve);
                let counted = pivots.is_none_or(|pivots| pivots.dtype.is_integer());
                if !fits || !counted || b.shape[batch.len()] != n {
                    return Err(self.misfit(xs));
                }
                match self {
                    Decomposition::Solve { .. } => smallvec![b.clone(), whole(batch, &[])],
                    _ => smallvec![b.clone()],
                }
            }
            Decomposition::Ldl => smallvec![real(batch, &[n, n]), whole(batch, &[n]), whole(batch, &[])],
            Decomposition::Permutation { .. } => Metas::new(),
        })
    }

    fn decompose(&self, _: Symbols) -> Result<Outputs<Symbol>> {
        let why = "is computed on the host by kernels that come with the feature `linalg`: enable it";
        Err(Error::unsupported(self.name(), why))
    }

    fn gradient(&self, xs: Symbols, ys: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        Ok(Some(match self {
            Decomposition::Cholesky { .. } => vec![Some(cholesky::gradient(&ys[0], &gs[0])?)],
            Decomposition::Lu => vec![Some(lu::gradient(&ys[0], &ys[1], &gs[0])?)],
            Decomposition::Qr { complete: false } => {
                vec![Some(qr::gradient(&xs[0], [&ys[0], &ys[1]], [&gs[0], &gs[1]])?)]
            }
            Decomposition::Eigh => vec![Some(eigen::gradient(&ys[0], &ys[1], &gs[0], &gs[1])?)],
            Decomposition::Eig => vec![Some(eigen::complex_gradient(&ys[0], &ys[1], &gs[0], &gs[1])?)],
            Decomposition::Svd { .. } => {
                vec![Some(svd::gradient([&ys[0], &ys[1], &ys[2]], [&gs[0], &gs[1], &gs[2]])?)]
            }
            Decomposition::CholeskySolve => cholesky::solve_gradient(&xs[0], &ys[0], &gs[0])?,
            Decomposition::Exp => vec![Some(power::exp_gradient(&xs[0], &gs[0])?)],
            Decomposition::Solve { .. } => solve::gradient(&xs[0], &ys[0], &gs[0])?,
            Decomposition::Triangular { upper, unit } => {
                solve::triangular_gradient(&xs[0], &ys[0], &gs[0], *upper, *unit)?
            }
            Decomposition::Qr { complete: true } | Decomposition::Householder => {
                let why = "has no gradient: detach its operand, or use `qr` with `QrMode::Reduced`";
                return Err(Error::gradient(self.name(), why));
            }
            Decomposition::Ldl | Decomposition::LdlSolve | Decomposition::Permutation { .. } => {
                return Err(Error::gradient(self.name(), "has no gradient: detach its operand"));
            }
        }))
    }

    fn kernel(&self, _machine: &str) -> Option<Kernel> {
        self.on_host().map(Kernel::Host)
    }
}

impl Decomposition {
    /// Operands that it does not take.
    fn misfit(&self, xs: &[&Meta]) -> Error {
        let given: Vec<_> = xs.iter().map(|x| x.to_string()).collect();
        let wants = match self {
            Decomposition::Lu
            | Decomposition::Qr { .. }
            | Decomposition::Svd { .. }
            | Decomposition::Householder => "matrices (.., m, n) of real numbers",
            Decomposition::Solve { .. } | Decomposition::Triangular { .. } | Decomposition::CholeskySolve => {
                "square matrices (.., n, n) of real numbers, and as many (.., n, k) of the same dtype"
            }
            Decomposition::LdlSolve => {
                "(.., n, n) of real numbers, pivots (.., n), and (.., n, k) of the same dtype"
            }
            Decomposition::Permutation { .. } => "pivots (.., k)",
            Decomposition::Cholesky { .. }
            | Decomposition::Eigh
            | Decomposition::Eig
            | Decomposition::Exp
            | Decomposition::Ldl => "square matrices (.., n, n) of real numbers",
        };
        Error::shape(self.name(), format!("needs {wants}, not {}", given.join(" and ")))
    }

    #[cfg(not(feature = "linalg"))]
    fn on_host(&self) -> Option<HostKernel> {
        match self {
            Decomposition::Permutation { .. } => Some(lu::permutation_kernel),
            _ => None,
        }
    }

    #[cfg(feature = "linalg")]
    fn on_host(&self) -> Option<HostKernel> {
        Some(match self {
            Decomposition::Cholesky { check: true } => host::cholesky::<true>,
            Decomposition::Cholesky { check: false } => host::cholesky::<false>,
            Decomposition::CholeskySolve => host::cholesky_solve,
            Decomposition::Exp => host::exp,
            Decomposition::Lu => host::lu,
            Decomposition::Qr { .. } => host::qr,
            Decomposition::Householder => host::householder,
            Decomposition::Eigh => host::eigh,
            Decomposition::Eig => host::eig,
            Decomposition::Svd { .. } => host::svd,
            Decomposition::Solve { check: true } => host::solve::<true>,
            Decomposition::Solve { check: false } => host::solve::<false>,
            Decomposition::Triangular { upper: true, unit: true } => host::triangular::<true, true>,
            Decomposition::Triangular { upper: true, unit: false } => host::triangular::<true, false>,
            Decomposition::Triangular { upper: false, unit: true } => host::triangular::<false, true>,
            Decomposition::Triangular { upper: false, unit: false } => host::triangular::<false, false>,
            Decomposition::Ldl => ldl::factor_kernel,
            Decomposition::LdlSolve => ldl::solve_kernel,
            Decomposition::Permutation { .. } => lu::permutation_kernel,
        })
    }
}

impl<B: Backend> Tensor<B> {
    /// The results of a decomposition, with errors named after the function that it is for.
    #[track_caller]
    fn decomposed(op: &'static str, what: Decomposition, operands: &[&Self]) -> Result<Outputs<Self>> {
        let here = std::panic::Location::caller();
        let op_and_operands = Op::Custom(Arc::new(what), operands.iter().copied().collect());
        Self::apply(op_and_operands).map_err(|e| e.within(op).at(here))
    }

    /// The one result of a decomposition.
    #[track_caller]
    fn single(op: &'static str, what: Decomposition, operands: &[&Self]) -> Result<Self> {
        let result = Self::decomposed(op, what, operands)?.into_iter().next();
        result.ok_or_else(|| Error::internal(op, "a decomposition gave no result"))
    }

    /// Two results of a decomposition.
    #[track_caller]
    fn pair(op: &'static str, what: Decomposition, operands: &[&Self]) -> Result<(Self, Self)> {
        let mut results = Self::decomposed(op, what, operands)?.into_iter();
        match (results.next(), results.next()) {
            (Some(first), Some(second)) => Ok((first, second)),
            _ => Err(Error::internal(op, "a decomposition gave fewer results than it has")),
        }
    }

    /// Three results of a decomposition.
    #[track_caller]
    fn triple(op: &'static str, what: Decomposition, operands: &[&Self]) -> Result<(Self, Self, Self)> {
        let results = Self::decomposed(op, what, operands)?.into_vec();
        match <[Self; 3]>::try_from(results) {
            Ok([first, second, third]) => Ok((first, second, third)),
            Err(_) => Err(Error::internal(op, "a decomposition gave fewer results than it has")),
        }
    }

    /// The batch, the rows and the columns of matrices of real numbers.
    #[track_caller]
    fn matrices(&self, op: &'static str) -> Result<(Shape, usize, usize)> {
        match &self.shape()[..] {
            [batch @ .., m, n] if self.dtype().is_float() => Ok((batch.into(), *m, *n)),
            _ => {
                let why = format!("needs matrices (.., m, n) of real numbers, not {}", self.meta());
                Err(Error::shape(op, why))
            }
        }
    }

    /// The batch and the size of square matrices of real numbers.
    #[track_caller]
    fn square_matrices(&self, op: &'static str) -> Result<(Shape, usize)> {
        match self.matrices(op)? {
            (batch, m, n) if m == n => Ok((batch, n)),
            _ => Err(Error::shape(op, format!("needs square matrices, not {}", self.shape()))),
        }
    }

    /// Identity matrices as wide as these, in their dtype; one for all batches.
    #[track_caller]
    fn identity(&self, n: usize) -> Result<Self> {
        Self::eye(n, (self.dtype(), self.backend()))
    }

    /// Two operands with their leading dims stretched to the same.
    #[track_caller]
    fn same_batch(op: &'static str, a: &Self, b: &Self) -> Result<(Self, Self)> {
        let ([first @ .., m, n], [second @ .., p, q]) = (&a.shape()[..], &b.shape()[..]) else {
            let why = format!("needs matrices, not {} and {}", a.shape(), b.shape());
            return Err(Error::shape(op, why));
        };
        let Some(batch) = Shape::from(first).broadcast(&second.into()) else {
            let why = format!("the leading sizes of {} and {} do not broadcast", a.shape(), b.shape());
            return Err(Error::shape(op, why));
        };
        let stretched = |x: &Self, last: [usize; 2]| x.broadcast_to([&batch[..], &last].concat());
        Ok((stretched(a, [*m, *n])?, stretched(b, [*p, *q])?))
    }
}
