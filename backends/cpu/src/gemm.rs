//! Products of matrices that lie in memory in any way: what matrix products, convolutions and attention
//! have in common.
use crate::{
    gemv, parallel,
    simd::{Level, dispatch_v3},
    value::Native,
};
#[cfg(target_arch = "x86_64")]
use crate::{
    simd::{Isa, best},
    tiles,
};
use gemm_common::Parallelism;
use std::{marker::PhantomData, ops::Range};

/// A matrix seen in a slice: element `(i, j)` lies at `start + i · row + j · col`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    start: usize,
    pub(crate) size: [usize; 2],
    pub(crate) strides: [isize; 2],
}

impl<'a, T> Matrix<'a, T> {
    /// A view of `data`, in which every element has to lie.
    pub(crate) fn new(data: &'a [T], start: usize, size: [usize; 2], strides: [isize; 2]) -> Self {
        let reach = |side: fn(isize) -> isize| -> isize {
            let ends = size.iter().zip(strides).map(|(&n, s)| side(s * (n as isize - 1)));
            start as isize + ends.sum::<isize>()
        };
        let inside =
            size.contains(&0) || reach(|s| s.min(0)) >= 0 && (reach(|s| s.max(0)) as usize) < data.len();
        assert!(
            inside,
            "a matrix {size:?} by strides {strides:?} from {start} leaves {} elements",
            data.len()
        );
        Self { data, start, size, strides }
    }

    /// Row-major from the start of `data`.
    pub(crate) fn rows(data: &'a [T], size: [usize; 2]) -> Self {
        Self::new(data, 0, size, [size[1] as isize, 1])
    }

    /// Rows become columns.
    pub(crate) fn t(self) -> Self {
        let ([m, n], [row, col]) = (self.size, self.strides);
        Self { size: [n, m], strides: [col, row], ..self }
    }

    /// The rows from `first`, `len` of them.
    pub(crate) fn part(self, first: usize, len: usize) -> Self {
        debug_assert!(first + len <= self.size[0]);
        Self { start: self.at(first, 0), size: [len, self.size[1]], ..self }
    }

    /// Some of the columns.
    pub(crate) fn columns(self, columns: Range<usize>) -> Self {
        self.t().part(columns.start, columns.len()).t()
    }

    /// A row that lies in one piece.
    pub(crate) fn row(&self, i: usize) -> &'a [T] {
        debug_assert!(self.strides[1] == 1 && i < self.size[0]);
        &self.data[self.at(i, 0)..][..self.size[1]]
    }

    /// The memory of rows in lines, from the first to the end of the last.
    pub(crate) fn lines(&self) -> &'a [T] {
        debug_assert!(self.strides[1] == 1 && self.strides[0] >= 0);
        match self.size {
            [0, _] | [_, 0] => &[],
            [m, n] => &self.data[self.start..self.at(m - 1, n - 1) + 1],
        }
    }

    /// One number.
    pub(crate) fn number(&self, i: usize, j: usize) -> T
    where
        T: Copy,
    {
        self.data[self.at(i, j)]
    }

    /// The numbers of a column.
    pub(crate) fn column(self, j: usize) -> impl Iterator<Item = T>
    where
        T: Copy,
    {
        (0..self.size[0]).map(move |i| self.data[self.at(i, j)])
    }

    /// Where element `(0, 0)` lies.
    pub(crate) fn pointer(&self) -> *const T {
        self.data.as_ptr().wrapping_add(self.start)
    }

    fn at(&self, i: usize, j: usize) -> usize {
        self.start.wrapping_add_signed(i as isize * self.strides[0] + j as isize * self.strides[1])
    }
}

/// A matrix to be written, each row of which lies in one piece.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a, T> {
    start: *mut T,
    pub(crate) size: [usize; 2],
    stride: usize,
    memory: PhantomData<&'a mut [T]>,
}

// SAFETY: it is the only way to its elements, as `&mut [T]` is.
unsafe impl<T: Send> Send for MatrixMut<'_, T> {}

impl<'a, T: Copy> MatrixMut<'a, T> {
    /// Row-major, all of `data`.
    pub(crate) fn rows(data: &'a mut [T], size: [usize; 2]) -> Self {
        assert_eq!(data.len(), size[0] * size[1]);
        Self { start: data.as_mut_ptr(), size, stride: size[1], memory: PhantomData }
    }

    /// Blocks of columns, each with the number of its first.
    pub(crate) fn split_columns(self, width: usize) -> impl Iterator<Item = (usize, Self)> {
        let ([m, n], width) = (self.size, width.max(1));
        (0..n).step_by(width).map(move |from| {
            // no two blocks share an element, so that each is the only way to its own
            let start = self.start.wrapping_add(from);
            (from, Self { start, size: [m, width.min(n - from)], ..self })
        })
    }

    /// Blocks of rows, each with the number of its first.
    pub(crate) fn split_rows(&mut self, height: usize) -> impl Iterator<Item = (usize, MatrixMut<'_, T>)> {
        let ([m, n], height, stride, start) = (self.size, height.max(1), self.stride, self.start);
        (0..m).step_by(height).map(move |from| {
            let start = start.wrapping_add(from * stride);
            (from, MatrixMut { start, size: [height.min(m - from), n], stride, memory: PhantomData })
        })
    }

    /// The whole matrix, lent.
    fn lent(&mut self) -> MatrixMut<'_, T> {
        MatrixMut { memory: PhantomData, ..*self }
    }

    /// Some columns of some rows, lent.
    pub(crate) fn part(&mut self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_, T> {
        debug_assert!(rows.end <= self.size[0] && columns.end <= self.size[1]);
        let start = self.start.wrapping_add(rows.start * self.stride + columns.start);
        MatrixMut { start, size: [rows.len(), columns.len()], ..self.lent() }
    }

    /// Where element `(i, j)` lies.
    pub(crate) fn pointer(&mut self, i: usize, j: usize) -> *mut T {
        debug_assert!(i < self.size[0] && j < self.size[1]);
        self.start.wrapping_add(i * self.stride + j)
    }

    /// How far rows lie apart.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn row(&mut self, i: usize) -> &mut [T] {
        assert!(i < self.size[0]);
        // SAFETY: the row lies in the memory that this was made of, and `self` is the only way to it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(i * self.stride), self.size[1]) }
    }

    /// Writes the same numbers to each row.
    fn repeat(&mut self, row: &[T])
    where
        T: Send + Sync,
    {
        let height = (parallel::GRAIN / self.size[1].max(1)).max(1);
        parallel::jobs(self.split_rows(height).collect(), |(_, mut part): (usize, MatrixMut<T>)| {
            (0..part.size[0]).for_each(|i| part.row(i).copy_from_slice(row));
        });
    }

    /// Writes one number everywhere.
    pub(crate) fn fill(&mut self, x: T) {
        (0..self.size[0]).for_each(|i| self.row(i).fill(x));
    }
}

/// What matrices can be multiplied of.
pub(crate) trait Product: Native {
    /// `c = a b`, or `c += a b` where `add` is set. Large products use all threads where `threads` is set.
    fn product(c: &mut MatrixMut<Self>, a: Matrix<Self>, b: Matrix<Self>, add: bool, threads: bool);

    /// `c = a b + plus` by kernels of our own, where there are some, and then what comes after; else false.
    fn tiled(
        _c: &mut MatrixMut<Self>,
        _a: Matrix<Self>,
        _b: Matrix<Self>,
        _plus: Plus<Self>,
        _then: Option<Then<Self>>,
        _threads: bool,
    ) -> bool {
        false
    }

    /// `c = a b + plus` on all threads, and then what comes after.
    fn product_then(
        c: &mut MatrixMut<Self>,
        a: Matrix<Self>,
        b: Matrix<Self>,
        plus: Plus<Self>,
        then: Option<Then<Self>>,
    ) {
        // what is a row or a column has a way of its own
        if !c.size.contains(&1) && Self::tiled(c, a, b, plus, then, true) {
            return;
        }
        if let Plus::Row(row) = plus {
            c.repeat(row);
        }
        Self::product(c, a, b, !matches!(plus, Plus::Nothing), true);
        if let Some(then) = then {
            let height = (parallel::GRAIN / 8 / c.size[1].max(1)).max(1);
            let parts = c.split_rows(height).collect();
            parallel::jobs(parts, |(row, part): (usize, MatrixMut<Self>)| then([row, 0], part));
        }
    }

    /// The sum; of integers, wrapping.
    fn plus(self, other: Self) -> Self;

    /// The product; of integers, wrapping.
    fn times(self, other: Self) -> Self;

    /// `self + a b`; rounded once where the hardware does so.
    fn plus_product<L: Level>(self, a: Self, b: Self) -> Self;
}

macro_rules! by_gemm {
    ($($t:ty: $kernel:path $(, $tiled:ident)?;)*) => {$(
        impl Product for $t {
            fn product(c: &mut MatrixMut<Self>, a: Matrix<Self>, b: Matrix<Self>, add: bool, threads: bool) {
                let ([m, k], [inner, n]) = (a.size, b.size);
                assert!(k == inner && c.size == [m, n]);
                if k == 0 || m == 0 || n == 0 {
                    return if !add { c.fill(0.0) };
                }
                if n == 1 && let Some(y) = gemv::product(a, b.t(), threads) {
                    return y.iter().enumerate().for_each(|(i, y)| put(&mut c.row(i)[0], *y, add));
                }
                if m == 1 && let Some(y) = gemv::product(b.t(), a, threads) {
                    return y.iter().zip(c.row(0)).for_each(|(y, c)| put(c, *y, add));
                }
                let plus = if add { Plus::Before } else { Plus::Nothing };
                if Self::tiled(c, a, b, plus, None, threads) {
                    return;
                }
                let alpha = if add { 1.0 } else { 0.0 };
                let parallelism = match threads {
                    true => Parallelism::Rayon(parallel::num_threads()),
                    false => Parallelism::None,
                };
                // The kernels write columns, so they are given cᵀ = bᵀ aᵀ: each stride of columns comes before
                // that of rows.
                // SAFETY: `Matrix::new` checked that all of `a` and `b` lies in their slices, and `c` is the
                // only way to m rows of n elements.
                let run = |c: &mut MatrixMut<Self>| unsafe {
                    $kernel()(
                        n, m, k, c.start, c.stride as isize, 1, add,
                        b.pointer(), b.strides[0], b.strides[1],
                        a.pointer(), a.strides[0], a.strides[1],
                        alpha, 1.0, false, false, false, parallelism,
                    );
                };
                if threads { parallel::install(|| run(c)) } else { run(c) }
            }

            $(fn tiled(
                c: &mut MatrixMut<Self>,
                a: Matrix<Self>,
                b: Matrix<Self>,
                plus: Plus<Self>,
                then: Option<Then<Self>>,
                threads: bool,
            ) -> bool {
                $tiled(c, a, b, plus, then, threads)
            })?

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }

            #[inline(always)]
            fn plus_product<L: Level>(self, a: Self, b: Self) -> Self {
                L::fma(a, b, self)
            }
        }
    )*};
}

by_gemm! {
    f32: gemm_f32::gemm::f32::get_gemm_fn, tiled;
    f64: gemm_f64::gemm::f64::get_gemm_fn;
}

/// [`Product::tiled`] of F32.
fn tiled(
    c: &mut MatrixMut<f32>,
    a: Matrix<f32>,
    b: Matrix<f32>,
    plus: Plus<f32>,
    then: Option<Then<f32>>,
    threads: bool,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Isa::V4(_) = best()
        && tiles::fits(c.size, a, b)
    {
        // SAFETY: the processor was seen to have AVX-512.
        unsafe { tiles::product(c.lent(), a, b, plus, then, threads) };
        return true;
    }
    let _ = (c, a, b, plus, then, threads);
    false
}

/// What is added to a product.
#[derive(Clone, Copy, Debug)]
// only our own kernels read it
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) enum Plus<'a, T> {
    Nothing,
    /// What is there already.
    Before,
    /// The same numbers in each row.
    Row(&'a [T]),
}

/// What is done with a product where it lies: with each part of it that is there, and where that begins.
pub(crate) type Then<'a, T> = &'a (dyn Fn([usize; 2], MatrixMut<T>) + Sync);

fn put<T: Product>(c: &mut T, y: T, add: bool) {
    *c = if add { c.plus(y) } else { y };
}

macro_rules! by_loops {
    ($($t:ty)*) => {$(
        impl Product for $t {
            fn product(c: &mut MatrixMut<Self>, a: Matrix<Self>, b: Matrix<Self>, add: bool, threads: bool) {
                let ([m, k], [inner, n]) = (a.size, b.size);
                assert!(k == inner && c.size == [m, n]);
                if !add {
                    c.fill(0);
                }
                if c.size.contains(&0) || k == 0 {
                    return;
                }
                let turned: Vec<Self>;
                let b = if b.strides[1] == 1 {
                    b
                } else {
                    turned = (0..k).flat_map(|p| (0..n).map(move |j| b.data[b.at(p, j)])).collect();
                    Matrix::rows(&turned, [k, n])
                };
                let height = if threads { (parallel::GRAIN / (k * n)).max(m.div_ceil(16)) } else { m };
                parallel::jobs(c.split_rows(height).collect(), |(first, mut c): (usize, MatrixMut<Self>)| {
                    let rows = c.size[0];
                    // a block of `b` stays in cache for all rows
                    for ps in blocks(k, 64) {
                        for js in blocks(n, 512) {
                            dispatch_v3!(|L| for i in 0..rows {
                                let c = &mut c.row(i)[js.clone()];
                                for p in ps.clone() {
                                    let x = a.data[a.at(first + i, p)];
                                    c.iter_mut().zip(&b.row(p)[js.clone()]).for_each(|(c, b)| *c = c.plus(x.times(*b)));
                                }
                            });
                        }
                    }
                });
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }

            #[inline(always)]
            fn plus_product<L: Level>(self, a: Self, b: Self) -> Self {
                self.plus(a.times(b))
            }
        }
    )*};
}

by_loops! { i64 i32 u8 }

/// `0..len` in ranges of `width`.
pub(crate) fn blocks(len: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(width).map(move |start| start..len.min(start + width))
}
