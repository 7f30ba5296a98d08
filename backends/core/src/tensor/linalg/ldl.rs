//! The decomposition `A = L D Lᵀ` of symmetric matrices that need not be positive definite, by Bunch and Kaufman's pivots
//! as LAPACK has them.
use super::Decomposition;
use crate::{Backend, Error, Result, Tensor};
#[cfg(feature = "linalg")]
use crate::{CustomOp, Data, Metas, TensorData};

impl<B: Backend> Tensor<B> {
    /// `(LD, pivots, info)` of symmetric matrices `(.., n, n)`, of which the lower triangle is read, packed as LAPACK's `sytrf`
    /// does: blocks of `D` of size 1 and 2 on the diagonal, the columns of `L` below them, and I32 pivots, which are negative
    /// where a block has size 2. It has no gradient.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_factor_ex.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[4.0, 2.0], [2.0, 2.0]], &Cpu::default())?;
    /// let (ld, pivots, _) = a.ldl_factor_ex()?;
    /// assert_eq!((ld.tril(0)?.to_vec::<f32>()?, pivots.to_vec::<i32>()?), (vec![4., 0., 0.5, 1.], vec![1, 2]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ldl_factor_ex(&self) -> Result<(Self, Self, Self)> {
        self.square_matrices("ldl_factor_ex")?;
        Self::triple("ldl_factor_ex", Decomposition::Ldl, &[self])
    }

    /// `X` with `A X = B`, of `B (.., n, k)` and this `A` as [`ldl_factor_ex`](Self::ldl_factor_ex) packs it, with its
    /// pivots; leading dims of `B` broadcast. It has no gradient.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_solve.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (ld, pivots, _) = Tensor::new([[4.0, 2.0], [2.0, 2.0]], &cpu)?.ldl_factor_ex()?;
    /// let x = ld.ldl_solve(&pivots, &Tensor::new([[6.0], [4.0]], &cpu)?)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ldl_solve(&self, pivots: &Self, b: &Self) -> Result<Self> {
        let op = "ldl_solve";
        let (batch, n) = self.square_matrices(op)?;
        if *pivots.shape() != [&batch[..], &[n]].concat()[..] {
            let why = format!("the pivots {} are not those of {}", pivots.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        let (ld, b) = Self::same_batch(op, self, b)?;
        let pivots = pivots.broadcast_to([&ld.shape()[..ld.rank() - 2], &[n]].concat())?;
        Self::single(op, Decomposition::LdlSolve, &[&ld, &pivots, &b])
    }
}

/// A square matrix, row-major.
#[cfg(feature = "linalg")]
struct Square<'a> {
    numbers: &'a mut [f64],
    n: usize,
}

#[cfg(feature = "linalg")]
impl Square<'_> {
    /// Of the symmetric matrix, whose lower triangle it is.
    fn at(&self, i: usize, j: usize) -> f64 {
        self.numbers[i.max(j) * self.n + i.min(j)]
    }

    fn set(&mut self, i: usize, j: usize, x: f64) {
        self.numbers[i.max(j) * self.n + i.min(j)] = x;
    }

    /// Exchanges rows and columns `i` and `j` of what is left from `start` on.
    fn exchange(&mut self, start: usize, i: usize, j: usize) {
        for k in start..self.n {
            if k != i && k != j {
                let (x, y) = (self.at(i, k), self.at(j, k));
                self.set(i, k, y);
                self.set(j, k, x);
            }
        }
        let (x, y) = (self.at(i, i), self.at(j, j));
        self.set(i, i, y);
        self.set(j, j, x);
    }

    /// The largest magnitude in column `j` from row `start` on, but for row `j`, and its row.
    fn largest(&self, j: usize, start: usize) -> (f64, usize) {
        let rows = (start..self.n).filter(|&i| i != j).map(|i| (self.at(i, j).abs(), i));
        rows.fold((0., j), |best, next| if next.0 > best.0 { next } else { best })
    }

    /// Takes the matrix apart: the pivots, and the number of the first block that is zero.
    /// [Bunch and Kaufman, 1977](https://doi.org/10.1090/S0025-5718-1977-0428694-0)
    fn factor(&mut self) -> (Vec<f64>, usize) {
        let n = self.n;
        // the ratio that bounds how much elements grow
        let alpha = (1. + 17f64.sqrt()) / 8.;
        let (mut pivots, mut zero, mut k) = (vec![], 0, 0);
        while k < n {
            let own = self.at(k, k).abs();
            let (column, row) = self.largest(k, k + 1);
            if own.max(column) == 0. {
                zero = if zero == 0 { k + 1 } else { zero };
                pivots.push((k + 1) as f64);
                k += 1;
                continue;
            }
            let (mut step, mut pivot) = (1, k);
            if own < alpha * column {
                let (other, _) = self.largest(row, k);
                if own * other >= alpha * column * column {
                    // the element on the diagonal will do
                } else if self.at(row, row).abs() >= alpha * other {
                    pivot = row;
                } else {
                    (step, pivot) = (2, row);
                }
            }
            let last = k + step - 1;
            if pivot != last {
                self.exchange(k + step, pivot, last);
                // rows of the block itself
                if step == 2 {
                    let (x, y) = (self.at(last, k), self.at(pivot, k));
                    self.set(last, k, y);
                    self.set(pivot, k, x);
                }
            }
            if step == 1 {
                let d = self.at(k, k);
                for j in k + 1..n {
                    let l = self.at(j, k) / d;
                    for i in j..n {
                        let x = self.at(i, j) - self.at(i, k) * l;
                        self.set(i, j, x);
                    }
                }
                for i in k + 1..n {
                    self.set(i, k, self.at(i, k) / d);
                }
                pivots.push((pivot + 1) as f64);
            } else {
                let (a, b, c) = (self.at(k, k), self.at(k + 1, k), self.at(k + 1, k + 1));
                let d = a * c - b * b;
                let rows: Vec<[f64; 2]> = (k + 2..n)
                    .map(|i| {
                        let (x, y) = (self.at(i, k), self.at(i, k + 1));
                        [(c * x - b * y) / d, (a * y - b * x) / d]
                    })
                    .collect();
                for j in k + 2..n {
                    for i in j..n {
                        let [l, m] = rows[j - k - 2];
                        let x = self.at(i, j) - self.at(i, k) * l - self.at(i, k + 1) * m;
                        self.set(i, j, x);
                    }
                }
                for (i, [l, m]) in (k + 2..n).zip(rows) {
                    self.set(i, k, l);
                    self.set(i, k + 1, m);
                }
                pivots.extend([-((pivot + 1) as f64); 2]);
            }
            k += step;
        }
        (pivots, zero)
    }
}

/// [`Decomposition::Ldl`].
#[cfg(feature = "linalg")]
pub(super) fn factor_kernel(_: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let n = xs[0].shape().last().copied().unwrap_or(0);
    let mut numbers: Vec<f64> = xs[0].to_vec();
    let (mut pivots, mut infos) = (vec![], vec![]);
    let batches = out[2].numel();
    for i in 0..batches {
        let square = &mut numbers[i * n * n..][..n * n];
        (0..n).for_each(|row| square[row * n + row + 1..(row + 1) * n].fill(0.));
        let (found, zero) = Square { numbers: square, n }.factor();
        pivots.extend(found);
        infos.push(zero as f64);
    }
    super::host::finish(vec![numbers, pivots, infos], out)
}

/// [`Decomposition::LdlSolve`]: through `L`, `D` and `Lᵀ`, with the exchanges that their columns were made after.
#[cfg(feature = "linalg")]
pub(super) fn solve_kernel(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let [.., n, columns] = out[0].shape[..] else { return Err(Error::internal(op.name(), "takes matrices")) };
    let (mut ld, pivots): (Vec<f64>, Vec<i64>) = (xs[0].to_vec(), xs[1].to_vec());
    let mut x: Vec<f64> = xs[2].to_vec();
    if let Some(pivot) = pivots.iter().find(|p| p.unsigned_abs() == 0 || p.unsigned_abs() > n as u64) {
        return Err(Error::index(op.name(), format!("the pivot {pivot} has to lie in ±[1, {n}]")));
    }
    let batches = x.len().checked_div(n * columns).unwrap_or(0);
    for i in 0..batches {
        let a = Square { numbers: &mut ld[i * n * n..][..n * n], n };
        let (pivots, x) = (&pivots[i * n..][..n], &mut x[i * n * columns..][..n * columns]);
        let row = |i: usize| i * columns..(i + 1) * columns;
        let exchange = |x: &mut [f64], i: usize, j: usize| {
            (0..columns).for_each(|c| x.swap(i * columns + c, j * columns + c));
        };
        let subtract = |x: &mut [f64], into: usize, from: usize, factor: f64| {
            let source = x[row(from)].to_vec();
            x[row(into)].iter_mut().zip(source).for_each(|(x, y)| *x -= factor * y);
        };
        // the blocks: where each starts, how large it is, and which row its last was exchanged with
        let (mut blocks, mut k) = (vec![], 0);
        while k < n {
            let size = if pivots[k] < 0 && k + 1 < n { 2 } else { 1 };
            blocks.push((k, size, pivots[k].unsigned_abs() as usize - 1));
            k += size;
        }
        for &(k, size, pivot) in &blocks {
            exchange(x, k + size - 1, pivot);
            for i in k + size..n {
                (k..k + size).for_each(|j| subtract(x, i, j, a.at(i, j)));
            }
        }
        for &(k, size, _) in &blocks {
            for c in 0..columns {
                let (p, q) = (k * columns + c, (k + size - 1) * columns + c);
                if size == 1 {
                    x[p] /= a.at(k, k);
                } else {
                    let (d, e, f) = (a.at(k, k), a.at(k + 1, k), a.at(k + 1, k + 1));
                    let det = d * f - e * e;
                    (x[p], x[q]) = ((f * x[p] - e * x[q]) / det, (d * x[q] - e * x[p]) / det);
                }
            }
        }
        for &(k, size, pivot) in blocks.iter().rev() {
            for i in k + size..n {
                (k..k + size).for_each(|j| subtract(x, j, i, a.at(i, j)));
            }
            exchange(x, k + size - 1, pivot);
        }
    }
    super::host::finish(vec![x], out)
}
