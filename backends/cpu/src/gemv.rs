//! Products of a matrix and a vector, which take as long as the matrix takes to be read.
use crate::{
    gemm::{Matrix, Product, blocks},
    parallel,
    real::{Real, halved},
    simd::{Level, dispatch},
    stream::fetch,
    value::Native,
};

/// Rows that are read at once, as memory gives more where several of its pages are asked for.
const ROWS: usize = 4;
/// Lanes that a row is summed in, while others are read beside it.
const LANES: usize = 16;
/// Columns whose sums stay in the first cache while rows are added to them.
pub(crate) const WIDTH: usize = 1024;
/// Bytes of a row that are worth a job of their own, however many rows there are.
const FEW: usize = 1024;
/// How far ahead rows are fetched, in numbers.
const AHEAD: usize = 512;

/// What matrices and vectors are made of, and how their products are summed.
pub(crate) trait Summed: Native {
    type Sum: Native;

    /// `sum + a b`.
    fn plus_product<L: Level>(sum: Self::Sum, a: Self, b: Self) -> Self::Sum;

    fn plus(a: Self::Sum, b: Self::Sum) -> Self::Sum;

    /// `Σ aᵢ xᵢ` of each row; the sum of one does not depend on the others.
    #[inline(always)]
    fn dots<L: Level, const R: usize>(rows: [&[Self]; R], x: &[Self]) -> [Self::Sum; R] {
        dots_in_lanes::<L, Self, R>(rows, x)
    }

    /// `yⱼ += Σ xₚ bₚⱼ`, of rows in one piece.
    #[inline(always)]
    fn combine<L: Level>(b: Matrix<Self>, x: &[Self], y: &mut [Self::Sum]) {
        combine_in_fours::<L, Self>(b, x, y);
    }
}

impl<T: Real> Summed for T {
    type Sum = T;

    #[inline(always)]
    fn plus_product<L: Level>(sum: T, a: T, b: T) -> T {
        Product::plus_product::<L>(sum, a, b)
    }

    #[inline(always)]
    fn plus(a: T, b: T) -> T {
        Product::plus(a, b)
    }
}

/// `a x`, where the rows of `a` or its columns lie in one piece; else nothing. `x` is one row.
pub(crate) fn product<T: Summed>(a: Matrix<T>, x: Matrix<T>, threads: bool) -> Option<Vec<T::Sum>> {
    let x: Vec<T> = x.t().column(0).collect();
    match a.strides {
        [_, 1] => Some(dots(a, &x, threads)),
        [1, _] => Some(combination(a.t(), &x, threads)),
        _ => None,
    }
}

/// `yᵢ = Σ aᵢⱼ xⱼ`, of rows in one piece.
fn dots<T: Summed>(a: Matrix<T>, x: &[T], threads: bool) -> Vec<T::Sum> {
    let mut y = vec![T::Sum::default(); a.size[0]];
    let grain = if threads { parallel::GRAIN / x.len() } else { usize::MAX };
    parallel::pieces(&mut y, 1, grain.max(1), |first, y| {
        dispatch!(|L| {
            let (fours, rest) = y.as_chunks_mut::<ROWS>();
            for (i, y) in fours.iter_mut().enumerate() {
                *y = T::dots::<L, ROWS>([0, 1, 2, 3].map(|r| a.row(first + ROWS * i + r)), x);
            }
            let first = first + ROWS * fours.len();
            for (i, y) in rest.iter_mut().enumerate() {
                [*y] = T::dots::<L, 1>([a.row(first + i)], x);
            }
        });
    });
    y
}

/// `yⱼ = Σ xₚ bₚⱼ`, of rows in one piece.
fn combination<T: Summed>(b: Matrix<T>, x: &[T], threads: bool) -> Vec<T::Sum> {
    let mut y = vec![T::Sum::default(); b.size[1]];
    let grain = if threads { (parallel::GRAIN / x.len()).max(FEW / size_of::<T>()) } else { usize::MAX };
    parallel::pieces(&mut y, 1, grain, |first, y| {
        for columns in blocks(y.len(), WIDTH) {
            let b = b.columns(first + columns.start..first + columns.end);
            let y = &mut y[columns];
            dispatch!(|L| T::combine::<L>(b, x, y));
        }
    });
    y
}

/// [`Summed::dots`] in plain loops.
#[inline(always)]
pub(crate) fn dots_in_lanes<L: Level, T: Summed, const R: usize>(rows: [&[T]; R], x: &[T]) -> [T::Sum; R] {
    let mut lanes = [[T::Sum::default(); LANES]; R];
    let (whole, rest) = x.as_chunks::<LANES>();
    let chunks = rows.map(|row| &row.as_chunks::<LANES>().0[..whole.len()]);
    for (j, x) in whole.iter().enumerate() {
        let a = chunks.map(|row| &row[j]);
        a.iter().for_each(|a| fetch(a.as_ptr().wrapping_add(AHEAD)));
        for i in 0..LANES {
            for r in 0..R {
                lanes[r][i] = T::plus_product::<L>(lanes[r][i], a[r][i], x[i]);
            }
        }
    }
    let done = LANES * whole.len();
    for (i, x) in rest.iter().enumerate() {
        for r in 0..R {
            lanes[r][i] = T::plus_product::<L>(lanes[r][i], rows[r][done + i], *x);
        }
    }
    lanes.map(|lanes| halved(lanes, T::plus))
}

/// [`Summed::combine`] in plain loops.
#[inline(always)]
pub(crate) fn combine_in_fours<L: Level, T: Summed>(b: Matrix<T>, x: &[T], y: &mut [T::Sum]) {
    let (fours, rest) = x.as_chunks::<ROWS>();
    for (p, x) in fours.iter().enumerate() {
        let [a, b, c, d] = [0, 1, 2, 3].map(|r| b.row(ROWS * p + r));
        for ((((y, a), b), c), d) in y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            let sum = T::plus_product::<L>(T::plus_product::<L>(*y, *a, x[0]), *b, x[1]);
            *y = T::plus_product::<L>(T::plus_product::<L>(sum, *c, x[2]), *d, x[3]);
        }
    }
    for (p, x) in rest.iter().enumerate() {
        let row = b.row(ROWS * fours.len() + p);
        y.iter_mut().zip(row).for_each(|(y, b)| *y = T::plus_product::<L>(*y, *b, *x));
    }
}

/// `Σ aᵢ bᵢ`, in as many sums as the adders can work on at once.
#[inline(always)]
pub(crate) fn dot<L: Level, T: Product>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::default(); 64];
    let ((whole_a, rest_a), (whole_b, rest_b)) = (a.as_chunks::<64>(), b.as_chunks::<64>());
    for (a, b) in whole_a.iter().zip(whole_b) {
        // a line of memory at a time, each of 64 bytes
        for i in (0..64).step_by(64 / size_of::<T>()) {
            fetch(a.as_ptr().wrapping_add(AHEAD + i));
        }
        for i in 0..64 {
            lanes[i] = lanes[i].plus_product::<L>(a[i], b[i]);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(rest_a).zip(rest_b) {
        *lane = lane.plus_product::<L>(*a, *b);
    }
    halved(lanes, T::plus)
}
