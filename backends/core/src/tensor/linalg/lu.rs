//! The decomposition into a lower and an upper triangle, rows exchanged so that no factor is large.
use super::{Decomposition, Symbol, Triangle};
use crate::{Backend, CustomOp, DType, Data, Element, Error, Metas, Result, Tensor, TensorData};

/// `A = P L U`, packed: what [`Tensor::lu_factor`] gives and [`Tensor::lu_solve`] takes.
#[derive(Clone)]
pub struct PivotedLu<B: Backend> {
    /// `U`, and below its diagonal `L`, whose own diagonal is ones: `(.., m, n)`.
    pub lu: Tensor<B>,
    /// For each row the one it was exchanged with, counted from 1, one after the other: I32 `(.., min(m, n))`.
    pub pivots: Tensor<B>,
    /// For each matrix an I32: 0, or the number of the first zero on the diagonal of `U`.
    pub info: Tensor<B>,
}

impl<B: Backend> Tensor<B> {
    /// The decomposition `A = P L U` of matrices `(.., m, n)`, packed.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[1.0, 2.0], [2.0, 2.0]], &Cpu::default())?;
    /// let factored = a.lu_factor()?;
    /// assert_eq!(factored.lu.to_vec::<f32>()?, [2., 2., 0.5, 1.]);
    /// assert_eq!(factored.pivots.to_vec::<i32>()?, [2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn lu_factor(&self) -> Result<PivotedLu<B>> {
        self.matrices("lu_factor")?;
        let (lu, pivots, info) = Self::triple("lu_factor", Decomposition::Lu, &[self])?;
        Ok(PivotedLu { lu, pivots, info })
    }

    /// `(P, L, U)` with `A = P L U` of matrices `(.., m, n)`.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[1.0, 2.0], [2.0, 2.0]], &Cpu::default())?;
    /// let (p, l, u) = a.lu()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0., 1., 1., 0.]);
    /// assert_eq!(p.matmul(&l)?.matmul(&u)?.to_vec::<f32>()?, a.to_vec::<f32>()?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn lu(&self) -> Result<(Self, Self, Self)> {
        let PivotedLu { lu, pivots, .. } = self.lu_factor().map_err(|e| e.within("lu"))?;
        lu.lu_unpack(&pivots)
    }

    /// `(P, L, U)` of what [`lu_factor`](Self::lu_factor) packed: this tensor and its pivots.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.lu_unpack.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let factored = Tensor::new([[1.0, 2.0], [2.0, 2.0]], &Cpu::default())?.lu_factor()?;
    /// let (_, l, u) = factored.lu.lu_unpack(&factored.pivots)?;
    /// assert_eq!((l.to_vec::<f32>()?, u.to_vec::<f32>()?), (vec![1., 0., 0.5, 1.], vec![2., 2., 0., 1.]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn lu_unpack(&self, pivots: &Self) -> Result<(Self, Self, Self)> {
        let (batch, m, n) = self.matrices("lu_unpack")?;
        let k = m.min(n);
        if *pivots.shape() != [&batch[..], &[k]].concat()[..] {
            let why = format!("the pivots {} are not those of {}", pivots.shape(), self.shape());
            return Err(Error::shape("lu_unpack", why));
        }
        let order = pivots.order_of_rows(m)?;
        // row `order[i]` of A is row i of L U
        let row = Self::arange(0..m, order.backend())?.unsqueeze(-1)?;
        let permutation = row.eq(order.unsqueeze(-2)?)?.to(self.dtype())?;
        let (lower, upper) = self.triangles()?;
        Ok((permutation, lower, upper))
    }

    /// `L`, with ones on its diagonal, and `U`, of both packed into one.
    #[track_caller]
    fn triangles(&self) -> Result<(Self, Self)> {
        let (_, m, n) = self.matrices("lu_unpack")?;
        let k = m.min(n);
        let lower = self.narrow(-1, 0, k)?.tril(-1)?;
        let diagonal = Self::eye([m, k], (self.dtype(), self.backend()))?;
        Ok((lower.add(diagonal)?, self.narrow(-2, 0, k)?.triu(0)?))
    }

    /// Which of `rows` rows of `A` each row of `L U` is, as I64, of these pivots.
    #[track_caller]
    fn order_of_rows(&self, rows: usize) -> Result<Self> {
        Self::single("lu_unpack", Decomposition::Permutation { rows }, &[self])
    }

    /// The rows of these matrices in another order, given for each batch.
    #[track_caller]
    fn rows_in(&self, order: &Self) -> Result<Self> {
        let index = order.unsqueeze(-1)?.broadcast_to(self.shape())?;
        self.gather(-2, &index)
    }

    /// `X` with `A X = B`, of `B (.., n, k)` and this `A` as packed by [`lu_factor`](Self::lu_factor), with its pivots;
    /// leading dims broadcast. `transposed` solves `Aᵀ X = B`. `X A = B` is solved by `Bᵀ` and the other of both, transposed.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_solve.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let a = Tensor::new([[1.0, 2.0], [2.0, 2.0]], &cpu)?.lu_factor()?;
    /// let x = a.lu.lu_solve(&a.pivots, &Tensor::new([[3.0], [4.0]], &cpu)?, false)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn lu_solve(&self, pivots: &Self, b: &Self, transposed: bool) -> Result<Self> {
        let op = "lu_solve";
        let (batch, n) = self.square_matrices(op)?;
        if *pivots.shape() != [&batch[..], &[n]].concat()[..] {
            let why = format!("the pivots {} are not those of {}", pivots.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        let (a, b) = Self::same_batch(op, self, b)?;
        let order = pivots.order_of_rows(n)?;
        let order = order.broadcast_to([&a.shape()[..a.rank() - 2], &[n]].concat())?;
        if transposed {
            // Aᵀ = Uᵀ Lᵀ Pᵀ, and P puts row i to order[i]
            let half = a.mt()?.triangular(op, &b, Triangle::Lower, false)?;
            let rows = a.mt()?.triangular(op, &half, Triangle::Upper, true)?;
            return rows.rows_in(&order.argsort(-1, crate::Order::Ascending)?);
        }
        let half = a.triangular(op, &b.rows_in(&order)?, Triangle::Lower, true)?;
        a.triangular(op, &half, Triangle::Upper, false)
    }
}

/// Of the square part `A = P L U`: `∂A = P L⁻ᵀ (tril₋₁(Lᵀ ∂L) + triu(∂U Uᵀ)) U⁻ᵀ`. What a wide matrix has beside it,
/// `U₂ = L⁻¹ Pᵀ A₂`, takes `∂U₂ U₂ᵀ` from the first, and what a tall one has below, `L₂ = A₂ U⁻¹`, takes `L₂ᵀ ∂L₂` from the
/// second. [Walter and Lehmann, 2010](https://arxiv.org/abs/1009.6112)
pub(super) fn gradient(lu: &Symbol, pivots: &Symbol, g: &Symbol) -> Result<Symbol> {
    let (_, m, n) = lu.matrices("lu_factor")?;
    let k = m.min(n);
    let block = |x: &Symbol, rows: usize, columns: usize| {
        let x = x.narrow(-2, rows, if rows == 0 { k } else { m - k })?;
        x.narrow(-1, columns, if columns == 0 { k } else { n - k })
    };
    // both triangles of the square part, which the solves below read apart
    let square = block(lu, 0, 0)?;
    let lower = square.tril(-1)?.add(square.identity(k)?)?;
    let upper = square.triu(0)?;
    let gs = block(g, 0, 0)?;
    let mut inner_lower = lower.mt()?.matmul(&gs.tril(-1)?)?;
    let mut inner_upper = gs.triu(0)?.matmul(&upper.mt()?)?;
    if n > k {
        inner_lower = inner_lower.sub(block(g, 0, k)?.matmul(&block(lu, 0, k)?.mt()?)?)?;
    }
    if m > k {
        inner_upper = inner_upper.sub(block(lu, k, 0)?.mt()?.matmul(&block(g, k, 0)?)?)?;
    }
    let inner = inner_lower.tril(-1)?.add(inner_upper.triu(0)?)?;
    // X U⁻ᵀ = (U⁻¹ Xᵀ)ᵀ
    let by_upper = |x: &Symbol| upper.triangular("lu_factor", &x.mt()?, Triangle::Upper, false)?.mt();
    let by_lower = |x: &Symbol| lower.mt()?.triangular("lu_factor", x, Triangle::Upper, true);
    let mut rows = by_lower(&by_upper(&inner)?)?;
    if n > k {
        rows = Symbol::cat(&[&rows, &by_lower(&block(g, 0, k)?)?], -1)?;
    }
    if m > k {
        rows = Symbol::cat(&[&rows, &by_upper(&block(g, k, 0)?)?], -2)?;
    }
    rows.rows_in(&pivots.order_of_rows(m)?.argsort(-1, crate::Order::Ascending)?)
}

/// Exchanges rows one after the other, as the pivots say.
pub(super) fn permutation_kernel(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let pivots: Vec<i64> = xs[0].to_vec();
    let (k, rows) = (xs[0].shape().last().copied().unwrap_or(0), out[0].shape.last().copied().unwrap_or(0));
    let batches = out[0].shape[..out[0].shape.rank() - 1].iter().product::<usize>();
    let mut orders = Vec::with_capacity(batches * rows);
    for i in 0..batches {
        let mut order: Vec<i64> = (0..rows as i64).collect();
        for (row, &pivot) in pivots[i * k..][..k].iter().enumerate() {
            match usize::try_from(pivot - 1) {
                Ok(other) if other < rows && row < rows => order.swap(row, other),
                _ => {
                    let why = format!("the pivot {pivot} of row {row} has to lie in [1, {rows}]");
                    return Err(Error::index(op.name(), why));
                }
            }
        }
        orders.extend(order);
    }
    debug_assert_eq!(out[0].dtype, DType::I64);
    Ok(vec![i64::wrap(orders)])
}
