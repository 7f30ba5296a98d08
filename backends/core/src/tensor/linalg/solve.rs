//! Systems of linear equations.
use super::{Decomposition, Symbol, cholesky::Triangle};
use crate::{Axes, Backend, Error, Result, Shape, SymbolicGradients, Tensor};

impl<B: Backend> Tensor<B> {
    /// `X` with `A X = B`, of this `A (.., n, n)` and `B (.., n, k)`, or a vector `(n)` or a batch of them `(.., n)` for each
    /// matrix; leading dims broadcast. A matrix that is singular is an error.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.solve.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (a, b) = (Tensor::new([[2.0, 0.0], [1.0, 1.0]], &cpu)?, Tensor::new([4.0, 5.0], &cpu)?);
    /// assert_eq!(a.solve(&b)?.to_vec::<f32>()?, [2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn solve(&self, b: &Self) -> Result<Self> {
        Ok(self.solved("solve", b, true)?.0)
    }

    /// [`solve`](Self::solve), and for each matrix an I32: 0, or the number of the first zero on the diagonal of `U`, where
    /// it is singular and the solution is not finite.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.solve_ex.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::zeros([1, 1], &Cpu::default())?;
    /// assert_eq!(a.solve_ex(&a)?.1.item::<i32>()?, 1);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_ex(&self, b: &Self) -> Result<(Self, Self)> {
        self.solved("solve_ex", b, false)
    }

    #[track_caller]
    fn solved(&self, op: &'static str, b: &Self, check: bool) -> Result<(Self, Self)> {
        let (batch, n) = self.square_matrices(op)?;
        // vectors: one alone, or as many as there are matrices
        let vectors = b.rank() == 1 || *b.shape() == [&batch[..], &[n]].concat()[..];
        let right = if vectors { b.unsqueeze(-1)? } else { b.clone() };
        let (a, right) = Self::same_batch(op, self, &right)?;
        let (x, info) = Self::pair(op, Decomposition::Solve { check }, &[&a, &right])?;
        Ok((if vectors { x.squeeze(-1)? } else { x }, info))
    }

    /// The inverses of matrices `(.., n, n)`. One that is singular is an error. What is multiplied with an inverse is better
    /// [solved](Self::solve) for.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.inv.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[2.0, 0.0], [0.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(a.inv()?.to_vec::<f32>()?, [0.5, 0., 0., 0.25]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn inv(&self) -> Result<Self> {
        let (_, n) = self.square_matrices("inv")?;
        Ok(self.solved("inv", &self.identity(n)?.broadcast_to(self.shape())?, true)?.0)
    }

    /// As [`inv`](Self::inv). Needs the feature `linalg`.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[2.0]], &Cpu::default())?;
    /// assert_eq!(a.inverse()?.item::<f32>()?, 0.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn inverse(&self) -> Result<Self> {
        self.inv()
    }

    /// [`inv`](Self::inv), and for each matrix an I32: 0, or the number of the first zero on the diagonal of `U`, where it is
    /// singular and the inverse is not finite.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.inv_ex.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[2.0]], &Cpu::default())?;
    /// assert_eq!(a.inv_ex()?.1.item::<i32>()?, 0);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn inv_ex(&self) -> Result<(Self, Self)> {
        let (_, n) = self.square_matrices("inv_ex")?;
        self.solved("inv_ex", &self.identity(n)?.broadcast_to(self.shape())?, false)
    }

    /// `X` with `A X = B`, of a triangle of this `A (.., n, n)` alone and `B (.., n, k)`; leading dims broadcast. `unit` says
    /// that the diagonal counts as ones. `X A = B` is `A.mt()?.solve_triangular(&B.mt()?, ..)?.mt()?`, of the other triangle.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.solve_triangular.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let cpu = Cpu::default();
    /// let (a, b) = (Tensor::new([[2.0, 9.0], [1.0, 1.0]], &cpu)?, Tensor::new([[4.0], [5.0]], &cpu)?);
    /// assert_eq!(a.solve_triangular(&b, Triangle::Lower, false)?.to_vec::<f32>()?, [2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_triangular(&self, b: &Self, triangle: Triangle, unit: bool) -> Result<Self> {
        self.triangular("solve_triangular", b, triangle, unit)
    }

    #[track_caller]
    pub(super) fn triangular(
        &self,
        op: &'static str,
        b: &Self,
        triangle: Triangle,
        unit: bool,
    ) -> Result<Self> {
        self.square_matrices(op)?;
        let (a, b) = Self::same_batch(op, self, b)?;
        let what = Decomposition::Triangular { upper: triangle == Triangle::Upper, unit };
        Self::single(op, what, &[&a, &b])
    }

    /// The tensor `X` with `tensordot(A, X) = B`: the first dims of this `A` are those of `B`, and the rest those of `X`,
    /// after the dims that are named have been moved to its end.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.tensorsolve.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (a, b) = (Tensor::eye(6, &cpu)?.reshape([2, 3, 6])?, Tensor::ones([2, 3], &cpu)?);
    /// assert_eq!(a.tensorsolve(&b, &[])?.shape(), &[6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tensorsolve(&self, b: &Self, dims: &[isize]) -> Result<Self> {
        let op = "tensorsolve";
        let moved = dims.iter().map(|&dim| self.axis(op, dim)).collect::<Result<Axes>>()?;
        let stay = (0..self.rank()).filter(|axis| !moved.contains(axis));
        let axes: Axes = stay.chain(moved.iter().copied()).collect();
        if axes.len() != self.rank() {
            return Err(Error::value(op, format!("the dims {dims:?} name one of {} twice", self.shape())));
        }
        let a = self.ordered(axes)?;
        let first = a.shape()[..b.rank().min(a.rank())].iter().copied().collect::<Shape>();
        if b.rank() > a.rank() || first.numel() != b.numel() {
            let why = format!("the first dims of {} hold not as many as {}", a.shape(), b.shape());
            return Err(Error::shape(op, why));
        }
        let rest: Shape = a.shape()[b.rank()..].into();
        let matrix = a.reshape([b.numel(), rest.numel()])?;
        matrix.solve(&b.ravel()?).map_err(|e| e.within(op))?.shaped(rest)
    }

    /// The inverse of a tensor as a map: the first `ind` dims go to the rest, and back.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.tensorinv.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::eye(6, &Cpu::default())?.reshape([2, 3, 6])?;
    /// assert_eq!(a.tensorinv(2)?.shape(), &[6, 2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tensorinv(&self, ind: usize) -> Result<Self> {
        let op = "tensorinv";
        if ind == 0 || ind > self.rank() {
            return Err(Error::value(op, format!("ind {ind} has to be in [1, {}]", self.rank())));
        }
        let (first, rest) = self.shape().split_at(ind);
        let (rows, columns) = (Shape::from(first).numel(), Shape::from(rest).numel());
        if rows != columns {
            let why = format!("{first:?} and {rest:?} of {} are not as many", self.shape());
            return Err(Error::shape(op, why));
        }
        self.reshape([rows, columns])?.inv().map_err(|e| e.within(op))?.shaped([rest, first].concat().into())
    }
}

/// `∂B = A⁻ᵀ ∂X`, `∂A = -∂B Xᵀ`. [Giles, 2008](https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf)
pub(super) fn gradient(a: &Symbol, x: &Symbol, g: &Symbol) -> Result<SymbolicGradients> {
    let b = a.mt()?.solve_ex(g)?.0;
    Ok(vec![Some(b.matmul(&x.mt()?)?.neg()?), Some(b)])
}

/// As [`gradient`], of the triangle alone.
pub(super) fn triangular_gradient(
    a: &Symbol,
    x: &Symbol,
    g: &Symbol,
    upper: bool,
    unit: bool,
) -> Result<SymbolicGradients> {
    let other = if upper { Triangle::Lower } else { Triangle::Upper };
    let b = a.mt()?.triangular("solve_triangular", g, other, unit)?;
    let whole = b.matmul(&x.mt()?)?.neg()?;
    let strict = i64::from(unit);
    let a = if upper { whole.triu(strict)? } else { whole.tril(-strict)? };
    Ok(vec![Some(a), Some(b)])
}
