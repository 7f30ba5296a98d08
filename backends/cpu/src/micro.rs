//! Products of small matrices that lie in cache, whose sums stay in registers until they are done.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use pulp::Simd;

/// A matrix of F32 in cache: element `(i, j)` lies at `i * row + j * column`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// Columns of a product come in multiples of this.
pub(crate) const WIDTH: usize = 16;

/// `c = a b`, or `c += a b` where `add` is set, of `m x k` and `k x n`; `n` is a multiple of [`WIDTH`]. The
/// columns of `b` and `c` are neighbours in memory, and rows of `c` lie `stride` apart.
#[inline(always)]
pub(crate) fn product<S: Simd>(
    simd: S,
    [m, k, n]: [usize; 3],
    a: Grid,
    b: Grid,
    (c, stride): (&mut [f32], usize),
    add: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    assert!(n.is_multiple_of(WIDTH) && WIDTH.is_multiple_of(S::F32_LANES) && b.column == 1);
    assert!((m - 1) * a.row + (k - 1) * a.column < a.data.len());
    assert!((k - 1) * b.row + n <= b.data.len() && (m - 1) * stride + n <= c.len());
    let job = Job { m, k, a, b: b.data.as_ptr(), b_row: b.row, c: c.as_mut_ptr(), stride, add };
    let mut at = 0;
    while at < n {
        let width = match (S::F32_LANES, (n - at) / WIDTH) {
            // two panels of equal width are better than a wide and a narrow one
            (16, 5) => job.panel::<S, 8, 3>(simd, at),
            (16, 4..) => job.panel::<S, 6, 4>(simd, at),
            (16, 3) => job.panel::<S, 8, 3>(simd, at),
            (16, 2) => job.panel::<S, 12, 2>(simd, at),
            (16, _) => job.panel::<S, 12, 1>(simd, at),
            _ => job.panel::<S, 6, 2>(simd, at),
        };
        at += width;
    }
}

/// A product, of which [`product`] has seen that all of it lies in memory.
struct Job<'a> {
    m: usize,
    k: usize,
    a: Grid<'a>,
    b: *const f32,
    b_row: usize,
    c: *mut f32,
    stride: usize,
    add: bool,
}

impl Job<'_> {
    /// The columns from `at` on, `V` vectors of them, `R` rows at a time; gives how many columns.
    #[inline(always)]
    fn panel<S: Simd, const R: usize, const V: usize>(&self, simd: S, at: usize) -> usize {
        let mut row = 0;
        while row + R <= self.m {
            self.block::<S, R, V>(simd, row, at);
            row += R;
        }
        while row + 4 <= self.m {
            self.block::<S, 4, V>(simd, row, at);
            row += 4;
        }
        while row < self.m {
            self.block::<S, 1, V>(simd, row, at);
            row += 1;
        }
        V * S::F32_LANES
    }

    /// `R` rows and `V` vectors of columns.
    #[inline(always)]
    fn block<S: Simd, const R: usize, const V: usize>(&self, simd: S, first: usize, at: usize) {
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        let Grid { data, row, column } = self.a;
        // SAFETY: `first + R <= m` and `at + V vectors <= n`, and `product` saw that all rows and columns of the
        // three matrices lie in their slices. A vector is read and written wherever it lies.
        unsafe {
            let a = data.as_ptr().add(first * row);
            for p in 0..self.k {
                let b = self.b.add(p * self.b_row + at).cast::<S::f32s>();
                let mut line = [simd.splat_f32s(0.0); V];
                for j in 0..V {
                    line[j] = b.add(j).read_unaligned();
                }
                for r in 0..R {
                    let a = simd.splat_f32s(*a.add(r * row + p * column));
                    for j in 0..V {
                        sums[r][j] = simd.mul_add_e_f32s(a, line[j], sums[r][j]);
                    }
                }
            }
            for r in 0..R {
                let c = self.c.add((first + r) * self.stride + at).cast::<S::f32s>();
                for j in 0..V {
                    let before = if self.add { c.add(j).read_unaligned() } else { simd.splat_f32s(0.0) };
                    c.add(j).write_unaligned(simd.add_f32s(sums[r][j], before));
                }
            }
        }
    }
}
