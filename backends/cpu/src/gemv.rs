//! Products of a matrix and a vector, which take as long as the matrix takes to be read.
use crate::{
    gemm::{Matrix, Product, blocks},
    parallel,
    real::{Real, halved},
    simd::{Level, dispatch},
    stream::fetch,
};

/// Rows that are read at once, as memory gives more where several of its pages are asked for.
const ROWS: usize = 4;
/// Lanes that a row is summed in, while others are read beside it.
const LANES: usize = 16;
/// Columns whose sums stay in the first cache while rows are added to them.
const WIDTH: usize = 1024;
/// Columns that are worth a job of their own, however many rows there are.
const FEW: usize = 256;
/// How far ahead rows are fetched, in numbers.
const AHEAD: usize = 512;

/// `a x`, where the rows of `a` or its columns lie in one piece; else nothing. `x` is one row.
pub(crate) fn product<T: Real>(a: Matrix<T>, x: Matrix<T>, threads: bool) -> Option<Vec<T>> {
    let x: Vec<T> = x.t().column(0).collect();
    match a.strides {
        [_, 1] => Some(dots(a, &x, threads)),
        [1, _] => Some(combination(a.t(), &x, threads)),
        _ => None,
    }
}

/// `yᵢ = Σ aᵢⱼ xⱼ`, of rows in one piece.
fn dots<T: Real>(a: Matrix<T>, x: &[T], threads: bool) -> Vec<T> {
    let mut y = vec![T::default(); a.size[0]];
    let grain = if threads { parallel::GRAIN / x.len() } else { usize::MAX };
    parallel::pieces(&mut y, 1, grain.max(1), |first, y| {
        dispatch!(|L| {
            let (fours, rest) = y.as_chunks_mut::<ROWS>();
            for (i, y) in fours.iter_mut().enumerate() {
                *y = dots_at_once::<L, T, ROWS>([0, 1, 2, 3].map(|r| a.row(first + ROWS * i + r)), x);
            }
            let first = first + ROWS * fours.len();
            for (i, y) in rest.iter_mut().enumerate() {
                [*y] = dots_at_once::<L, T, 1>([a.row(first + i)], x);
            }
        });
    });
    y
}

/// `Σ aᵢ xᵢ` of each row; the sum of one does not depend on the others.
#[inline(always)]
fn dots_at_once<L: Level, T: Product, const R: usize>(rows: [&[T]; R], x: &[T]) -> [T; R] {
    let mut lanes = [[T::default(); LANES]; R];
    let (whole, rest) = x.as_chunks::<LANES>();
    let chunks = rows.map(|row| &row.as_chunks::<LANES>().0[..whole.len()]);
    for (j, x) in whole.iter().enumerate() {
        let a = chunks.map(|row| &row[j]);
        a.iter().for_each(|a| fetch(a.as_ptr().wrapping_add(AHEAD)));
        for i in 0..LANES {
            for r in 0..R {
                lanes[r][i] = lanes[r][i].plus_product::<L>(a[r][i], x[i]);
            }
        }
    }
    let done = LANES * whole.len();
    for (i, x) in rest.iter().enumerate() {
        for r in 0..R {
            lanes[r][i] = lanes[r][i].plus_product::<L>(rows[r][done + i], *x);
        }
    }
    lanes.map(|lanes| halved(lanes, T::plus))
}

/// `yⱼ = Σ xₚ bₚⱼ`, of rows in one piece.
fn combination<T: Real>(b: Matrix<T>, x: &[T], threads: bool) -> Vec<T> {
    let mut y = vec![T::default(); b.size[1]];
    let grain = if threads { (parallel::GRAIN / x.len()).max(FEW) } else { usize::MAX };
    parallel::pieces(&mut y, 1, grain, |first, y| {
        for columns in blocks(y.len(), WIDTH) {
            let (y, n) = (&mut y[columns.clone()], columns.len());
            let row = |p: usize| &b.row(p)[first + columns.start..][..n];
            dispatch!(|L| {
                // given away: a closure that may be called again would be compiled on its own, for the baseline
                let y = y;
                let (fours, rest) = x.as_chunks::<ROWS>();
                for (p, x) in fours.iter().enumerate() {
                    let [a, b, c, d] = [0, 1, 2, 3].map(|r| row(ROWS * p + r));
                    for ((((y, a), b), c), d) in y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                        let sum = y.plus_product::<L>(*a, x[0]).plus_product::<L>(*b, x[1]);
                        *y = sum.plus_product::<L>(*c, x[2]).plus_product::<L>(*d, x[3]);
                    }
                }
                for (p, x) in rest.iter().enumerate() {
                    let row = row(ROWS * fours.len() + p);
                    y.iter_mut().zip(row).for_each(|(y, b)| *y = y.plus_product::<L>(*b, *x));
                }
            });
        }
    });
    y
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
