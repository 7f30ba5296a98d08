//! The kernels, by [faer](https://docs.rs/faer): matrices of F64, row-major, one after the other.
use crate::{CustomOp, Data, Error, Metas, Result, TensorData};
use faer::{Mat, MatRef, Side, linalg::solvers::Solve, linalg::triangular_solve as triangle, prelude::Par};

/// The numbers of an operand, and its last two sizes.
struct Matrices {
    numbers: Vec<f64>,
    rows: usize,
    columns: usize,
}

impl Matrices {
    fn of(x: &TensorData) -> Self {
        let (rows, columns) = match x.shape()[..] {
            [.., rows, columns] => (rows, columns),
            _ => (0, 0),
        };
        Self { numbers: x.to_vec(), rows, columns }
    }

    /// The `i`th of them.
    fn at(&self, i: usize) -> MatRef<'_, f64> {
        let size = self.rows * self.columns;
        MatRef::from_row_major_slice(&self.numbers[i * size..][..size], self.rows, self.columns)
    }
}

/// How many matrices there are, of whatever size.
fn count(x: &TensorData) -> usize {
    let rank = x.shape().rank();
    x.shape()[..rank.saturating_sub(2)].iter().product()
}

/// The elements of a matrix, row-major.
fn rows(matrix: MatRef<'_, f64>) -> impl Iterator<Item = f64> {
    (0..matrix.nrows()).flat_map(move |i| (0..matrix.ncols()).map(move |j| matrix[(i, j)]))
}

/// Results as what they were promised to be.
pub(super) fn finish(results: Vec<Vec<f64>>, out: &Metas) -> Result<Vec<Data>> {
    let typed = |(numbers, meta): (Vec<f64>, &crate::Meta)| {
        Ok(TensorData::new(&meta.shape, Data::F64(numbers))?.cast(meta.dtype).into_data())
    };
    results.into_iter().zip(out).map(typed).collect()
}

/// What iterations would not end with is an error.
fn finite(op: &dyn CustomOp, x: &Matrices) -> Result<()> {
    if x.numbers.iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    Err(Error::value(op.name(), "the matrix holds NaN or infinities"))
}

fn stuck(op: &dyn CustomOp) -> Error {
    Error::value(
        op.name(),
        "did not converge: the matrix is too ill-conditioned, or its numbers are too large",
    )
}

/// In the batch, the number of a matrix that is wrong.
fn of_batch(i: usize, count: usize) -> String {
    if count == 1 { "the matrix".into() } else { format!("matrix {i} of the batch") }
}

pub fn cholesky<const CHECK: bool>(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    let (mut factors, mut infos) = (Vec::with_capacity(a.numbers.len()), vec![]);
    for i in 0..count {
        let n = a.rows;
        match a.at(i).llt(Side::Lower) {
            Ok(llt) => {
                factors.extend(rows(llt.L()));
                infos.push(0.);
            }
            Err(_) => {
                let order = minor(a.at(i));
                if CHECK {
                    let why = format!(
                        "{} is not positive definite: its leading minor of order {order} is not positive",
                        of_batch(i, count)
                    );
                    return Err(Error::value(op.name(), why));
                }
                factors.extend(std::iter::repeat_n(f64::NAN, n * n));
                infos.push(order as f64);
            }
        }
    }
    finish(vec![factors, infos], out)
}

pub fn cholesky_solve(_: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (l, b, count) = (Matrices::of(&xs[0]), Matrices::of(&xs[1]), count(&xs[0]));
    let mut x = Vec::with_capacity(b.numbers.len());
    for i in 0..count {
        let mut right = b.at(i).to_owned();
        triangle::solve_lower_triangular_in_place(l.at(i), right.as_mut(), Par::Seq);
        triangle::solve_upper_triangular_in_place(l.at(i).transpose(), right.as_mut(), Par::Seq);
        x.extend(rows(right.as_ref()));
    }
    finish(vec![x], out)
}

/// `Σ Aᵏ / k!` of `A / 2ˢ`, which is small, by sixteen terms, and then squared `s` times.
pub fn exp(_: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    let mut y = Vec::with_capacity(a.numbers.len());
    for i in 0..count {
        let (a, n) = (a.at(i), a.rows);
        let norm = (0..n).map(|i| (0..n).map(|j| a[(i, j)].abs()).sum::<f64>()).fold(0., f64::max);
        // e^A overflows long before it would take as many
        let squarings = (2. * norm).log2().ceil().clamp(0., 1100.) as i32;
        let a = a * faer::Scale(0.5f64.powi(squarings));
        let square = &a * &a;
        let powers = [Mat::identity(n, n), a.clone(), square.clone(), &square * &a];
        let fourth = &square * &square;
        // Paterson and Stockmeyer: four polynomials of degree 3, in powers of A⁴
        let part = |i: usize| {
            let factor = |k: usize| (1..=k).map(|k| k as f64).product::<f64>().recip();
            let terms = powers.iter().enumerate().map(|(j, power)| power * faer::Scale(factor(4 * i + j)));
            terms.fold(Mat::zeros(n, n), |sum: Mat<f64>, term| sum + term)
        };
        let mut sum = (0..3).rev().fold(part(3), |sum, i| part(i) + &fourth * sum);
        (0..squarings).for_each(|_| sum = &sum * &sum);
        y.extend(rows(sum.as_ref()));
    }
    finish(vec![y], out)
}

/// The order of the first leading minor that has no factor: all larger ones have none either.
fn minor(a: MatRef<'_, f64>) -> usize {
    let (mut has, mut has_not) = (0, a.nrows());
    while has_not - has > 1 {
        let middle = (has + has_not) / 2;
        match a.get(..middle, ..middle).llt(Side::Lower) {
            Ok(_) => has = middle,
            Err(_) => has_not = middle,
        }
    }
    has_not
}

pub fn lu(_: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    let k = a.rows.min(a.columns);
    let (mut packed, mut pivots, mut infos) = (Vec::with_capacity(a.numbers.len()), vec![], vec![]);
    for i in 0..count {
        let lu = a.at(i).partial_piv_lu();
        let (lower, upper) = (lu.L(), lu.U());
        let at = |i: usize, j: usize| if i > j { lower[(i, j)] } else { upper[(i, j)] };
        packed.extend((0..a.rows).flat_map(|i| (0..a.columns).map(move |j| (i, j))).map(|(i, j)| at(i, j)));
        // the permutation, as rows that are exchanged one after the other, counted from 1
        let mut order: Vec<usize> = (0..a.rows).collect();
        for (step, &row) in lu.P().arrays().0[..k].iter().enumerate() {
            let place = order[step..].iter().position(|&r| r == row).map_or(step, |p| step + p);
            order.swap(step, place);
            pivots.push((place + 1) as f64);
        }
        infos.push((0..k).find(|&j| upper[(j, j)] == 0.).map_or(0., |j| (j + 1) as f64));
    }
    finish(vec![packed, pivots, infos], out)
}

pub fn qr(_: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    let width = out[0].shape[out[0].shape.rank() - 1];
    let (mut q, mut r) = (vec![], vec![]);
    for i in 0..count {
        if a.columns == 0 || a.rows == 0 {
            q.extend(rows(Mat::<f64>::identity(a.rows, width).as_ref()));
            continue;
        }
        let qr = a.at(i).qr();
        let basis = if width == a.rows { qr.compute_Q() } else { qr.compute_thin_Q() };
        q.extend(rows(basis.as_ref()));
        let upper = qr.R();
        let at = |i: usize, j: usize| if i <= j && i < upper.nrows() { upper[(i, j)] } else { 0. };
        r.extend((0..width).flat_map(|i| (0..a.columns).map(move |j| (i, j))).map(|(i, j)| at(i, j)));
    }
    finish(vec![q, r], out)
}

pub fn householder(_: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    let k = a.rows.min(a.columns);
    let (mut packed, mut tau) = (vec![], vec![]);
    for i in 0..if k == 0 { 0 } else { count } {
        let qr = a.at(i).qr();
        let (basis, upper, coefficients) = (qr.Q_basis(), qr.R(), qr.Q_coeff());
        let at = |i: usize, j: usize| if i > j { basis[(i, j)] } else { upper[(i, j)] };
        packed.extend((0..a.rows).flat_map(|i| (0..a.columns).map(move |j| (i, j))).map(|(i, j)| at(i, j)));
        // faer divides by what LAPACK multiplies with
        tau.extend((0..k).map(|j| 1. / coefficients[(j % coefficients.nrows(), j)]));
    }
    finish(vec![packed, tau], out)
}

pub fn eigh(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    finite(op, &a)?;
    let (mut values, mut vectors) = (vec![], vec![]);
    for i in 0..if a.rows == 0 { 0 } else { count } {
        let eigen = a.at(i).self_adjoint_eigen(Side::Lower).map_err(|_| stuck(op))?;
        values.extend(eigen.S().column_vector().iter());
        vectors.extend(rows(eigen.U()));
    }
    finish(vec![values, vectors], out)
}

pub fn eig(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    finite(op, &a)?;
    let (mut values, mut vectors) = (vec![], vec![]);
    for i in 0..if a.rows == 0 { 0 } else { count } {
        let eigen = a.at(i).eigen().map_err(|_| stuck(op))?;
        values.extend(eigen.S().column_vector().iter().flat_map(|w| [w.re, w.im]));
        let basis = eigen.U();
        // columns of length 1, as LAPACK's
        let length = |j: usize| (0..a.rows).map(|i| basis[(i, j)].norm_sqr()).sum::<f64>().sqrt();
        let lengths: Vec<f64> = (0..a.rows).map(length).collect();
        for i in 0..a.rows {
            vectors.extend(
                (0..a.rows).flat_map(|j| [basis[(i, j)].re / lengths[j], basis[(i, j)].im / lengths[j]]),
            );
        }
    }
    finish(vec![values, vectors], out)
}

pub fn svd(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, count) = (Matrices::of(&xs[0]), count(&xs[0]));
    finite(op, &a)?;
    let (left, right) = (out[0].shape[out[0].shape.rank() - 1], out[2].shape[out[2].shape.rank() - 2]);
    let (mut u, mut s, mut v) = (vec![], vec![], vec![]);
    for i in 0..count {
        if a.rows == 0 || a.columns == 0 {
            u.extend(rows(Mat::<f64>::identity(a.rows, left).as_ref()));
            v.extend(rows(Mat::<f64>::identity(right, a.columns).as_ref()));
            continue;
        }
        let full = (left, right) == (a.rows, a.columns);
        let svd = if full { a.at(i).svd() } else { a.at(i).thin_svd() }.map_err(|_| stuck(op))?;
        u.extend(rows(svd.U()));
        s.extend(svd.S().column_vector().iter());
        v.extend(rows(svd.V().transpose()));
    }
    finish(vec![u, s, v], out)
}

pub fn solve<const CHECK: bool>(op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<Data>> {
    let (a, b, count) = (Matrices::of(&xs[0]), Matrices::of(&xs[1]), count(&xs[0]));
    let (mut x, mut infos) = (Vec::with_capacity(b.numbers.len()), vec![]);
    for i in 0..count {
        let lu = a.at(i).partial_piv_lu();
        let singular = (0..a.rows).find(|&j| lu.U()[(j, j)] == 0.);
        if let Some(j) = singular.filter(|_| CHECK) {
            let why = format!("{} is singular: element {j} of the diagonal of U is 0", of_batch(i, count));
            return Err(Error::value(op.name(), why));
        }
        infos.push(singular.map_or(0., |j| (j + 1) as f64));
        x.extend(rows(lu.solve(b.at(i)).as_ref()));
    }
    finish(vec![x, infos], out)
}

pub fn triangular<const UPPER: bool, const UNIT: bool>(
    _: &dyn CustomOp,
    xs: &[TensorData],
    out: &Metas,
) -> Result<Vec<Data>> {
    let (a, b, count) = (Matrices::of(&xs[0]), Matrices::of(&xs[1]), count(&xs[0]));
    let mut x = Vec::with_capacity(b.numbers.len());
    for i in 0..count {
        let mut right = b.at(i).to_owned();
        let solve = match (UPPER, UNIT) {
            (true, true) => triangle::solve_unit_upper_triangular_in_place,
            (true, false) => triangle::solve_upper_triangular_in_place,
            (false, true) => triangle::solve_unit_lower_triangular_in_place,
            (false, false) => triangle::solve_lower_triangular_in_place,
        };
        solve(a.at(i), right.as_mut(), Par::Seq);
        x.extend(rows(right.as_ref()));
    }
    finish(vec![x], out)
}
