//! Products of matrices of F32 on processors with AVX-512.
//!
//! A tile is up to eight rows of up to three vectors of columns of the result, whose sums stay in registers for a whole block
//! of the inner dimension. Blocks of the right operand are packed in panels as wide as a tile, which stay in the second
//! cache while all rows pass by, unless it is small and lies in rows. The left one is read where it lies if rows lie in lines,
//! and is packed a few rows at a time, column by column, otherwise. So no operand is ever turned or copied whole.
//!
//! Few rows times a large matrix whose columns lie in lines, as a layer's weights do, are computed the other way around,
//! `cᵀ = bᵀ aᵀ`, with tiles turned as they are written: packing the weights would take longer than reading them.
//!
//! How a sum is added up depends on the inner dimension alone: neither on threads nor on where a tile lies.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

mod pack;

use crate::{
    gemm::{Matrix, MatrixMut, Plus, Then, blocks},
    parallel,
};
use pack::{pack, pack_rows, turned_eight, upper};
use std::{arch::x86_64::*, cell::RefCell, iter::repeat, ops::Range, ptr::null};

/// Numbers in a vector.
const LANES: usize = 16;
/// Vectors of columns, and rows, of a tile.
const VECTORS: usize = 3;
const ROWS: usize = 8;
/// Rows of the left operand that are packed at once, where they lie side by side.
const SIDE: usize = 128;
/// Inner numbers of a block.
const DEPTH: usize = 512;
/// Numbers of the right operand that are packed at once: they fill a part of the second cache.
const BLOCK: usize = 256 * 1024;
/// So few numbers of the right operand are not packed where they lie in rows.
const FEW_NUMBERS: usize = 16 * 1024;
/// So few rows are turned rather than that what they are multiplied by is packed.
const FEW_ROWS: usize = 128;
/// How far ahead of its use a panel is asked for, in numbers.
const AHEAD: usize = 12 * VECTORS * LANES;
/// Rows that are there before something is done with them, and so columns where the tiles are turned: those are what a
/// formula goes along.
const DONE: [usize; 2] = [64, 384];
/// Products of numbers that are worth another thread.
const WORK: usize = 1 << 20;

/// A vector in memory.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] [f32; LANES]);

/// What a thread packs: rows of the left operand, and a block of the right one.
#[derive(Default)]
struct Packed {
    rows: Vec<Line>,
    panels: Vec<Line>,
}

impl Packed {
    /// Room for so many numbers.
    fn room(lines: &mut Vec<Line>, numbers: usize) -> *mut f32 {
        let len = numbers.div_ceil(LANES);
        if lines.len() < len {
            lines.resize(len, Line([0.0; LANES]));
        }
        lines.as_mut_ptr().cast()
    }
}

thread_local!(static PACKED: RefCell<Packed> = RefCell::default());

/// Whether there is something to compute, of operands that lie in lines, rows or columns.
pub(crate) fn fits(size: [usize; 2], a: Matrix<f32>, b: Matrix<f32>) -> bool {
    !size.contains(&0) && a.size[1] > 0 && a.strides.contains(&1) && b.strides.contains(&1)
}

/// `c = a b + plus`, of operands that [fit](fits), and then what comes after.
///
/// # Safety
/// The processor has AVX-512.
pub(crate) unsafe fn product(
    mut c: MatrixMut<f32>,
    a: Matrix<f32>,
    b: Matrix<f32>,
    plus: Plus<f32>,
    then: Option<Then<f32>>,
    threads: bool,
) {
    let ([m, k], n) = (a.size, b.size[1]);
    assert!(b.size[0] == k && c.size == [m, n] && fits(c.size, a, b));
    assert!(!matches!(plus, Plus::Row(row) if row.len() != n));
    // few rows take as long as a tile has
    let work = m.max(ROWS) * k * n / WORK;
    let threads = if threads { work.min(parallel::num_threads()) } else { 1 };
    let turned = b.strides[0] == 1 && b.strides[1] != 1 && 2 * m <= n.min(k) && m <= FEW_ROWS;
    if threads <= 1 {
        // SAFETY: the caller's promise.
        return unsafe { serial(&mut c, a, b, plus, then, turned) };
    }
    let part = |len: usize, parts: usize, unit| len.div_ceil(parts).next_multiple_of(unit);
    let (height, width) = if turned {
        let [down, across] = grid([n, k, m], threads, packs(a.t()));
        (part(m, across, LANES), part(n, down, LANES))
    } else {
        let [down, across] = grid([m, k, n], threads, packs(b));
        (part(m, down, ROWS), part(n, across, LANES))
    };
    let mut columns: Vec<_> = c.split_columns(width).collect();
    let jobs = columns.iter_mut().flat_map(|(column, c)| repeat(*column).zip(c.split_rows(height)));
    parallel::jobs(jobs.collect(), |(column, (row, mut c)): (usize, (usize, MatrixMut<f32>))| {
        let [height, width] = c.size;
        let columns = column..column + width;
        let plus = match plus {
            Plus::Row(row) => Plus::Row(&row[columns.clone()]),
            plus => plus,
        };
        let here =
            then.map(|then| move |[i, j]: [usize; 2], c: MatrixMut<f32>| then([row + i, column + j], c));
        let then = here.as_ref().map(|here| here as Then<f32>);
        // SAFETY: the caller's promise.
        unsafe { serial(&mut c, a.part(row, height), b.columns(columns), plus, then, turned) }
    });
}

/// Into how many parts rows and columns are split: each part of the rows packs the right operand anew, and each of the
/// columns reads the left one.
fn grid([m, k, n]: [usize; 3], threads: usize, packs: bool) -> [usize; 2] {
    let most = threads.min(m.div_ceil(ROWS));
    let parts = (1..=most).map(|down| [down, threads.div_ceil(down)]);
    let cost = |&[down, across]: &[usize; 2]| {
        let idle = (down * across - threads) * m * n / threads;
        down * n * usize::from(packs) + across * m + idle / k.max(1)
    };
    parts.min_by_key(cost).unwrap_or([1, 1])
}

/// Whether the right operand is packed: unless it is small and lies in rows of whole vectors.
fn packs(b: Matrix<f32>) -> bool {
    b.strides[1] != 1 || b.size[0] * b.size[1] > FEW_NUMBERS || !b.size[1].is_multiple_of(LANES)
}

/// [`product`] on one thread; the other way around where `turned` is set.
#[target_feature(enable = "avx512f")]
fn serial(
    c: &mut MatrixMut<f32>,
    a: Matrix<f32>,
    b: Matrix<f32>,
    plus: Plus<f32>,
    then: Option<Then<f32>>,
    turned: bool,
) {
    let (a, b) = if turned { (b.t(), a.t()) } else { (a, b) };
    let (k, n) = (a.size[1], b.size[1]);
    let depth = even(k, DEPTH);
    let width = even(n, BLOCK / depth).next_multiple_of(LANES);
    PACKED.with_borrow_mut(|Packed { rows, panels }| {
        for inner in blocks(k, depth) {
            for columns in blocks(n, width) {
                let b = b.part(inner.start, inner.len()).columns(columns.clone());
                let right = if packs(b) {
                    let room = Packed::room(panels, depth * width);
                    // SAFETY: there is room for as many vectors of columns, of as many numbers.
                    unsafe { pack(b, room) };
                    Right::Packed(room)
                } else {
                    Right::Rows(b)
                };
                let plus = if inner.start == 0 { plus } else { Plus::Before };
                let then = then.filter(|_| inner.end == k);
                block(c, columns, a.columns(inner.clone()), right, (plus, then), turned, rows);
            }
        }
    });
}

/// A block of the right operand.
#[derive(Clone, Copy)]
enum Right<'a> {
    Rows(Matrix<'a, f32>),
    Packed(*const f32),
}

/// `c = a b + plus`, and then what comes after, in some columns of `c` (of rows, where `turned` is set), of a part of the inner
/// dimension that is no deeper than [`DEPTH`].
#[target_feature(enable = "avx512f")]
fn block(
    c: &mut MatrixMut<f32>,
    columns: Range<usize>,
    a: Matrix<f32>,
    b: Right,
    (plus, then): (Plus<f32>, Option<Then<f32>>),
    turned: bool,
    packed: &mut Vec<Line>,
) {
    let [m, depth] = a.size;
    let mut done = 0;
    let in_lines = a.strides[1] == 1;
    let group = if in_lines { ROWS } else { SIDE };
    let (c_row, panels) = (c.stride(), panels(columns.len()));
    for first in (0..m).step_by(group) {
        let rows = group.min(m - first);
        let a = a.part(first, rows);
        let (left, a_step) = if in_lines {
            (a.pointer(), a.strides[0])
        } else {
            let room = Packed::room(packed, depth * SIDE);
            // SAFETY: there is room for so many rows.
            unsafe { pack_rows(a, room) };
            (room.cast_const(), 1)
        };
        for panel in panels.clone() {
            let (b, b_row) = match b {
                Right::Packed(b) => (b.wrapping_add(panel.start * depth), (panel.vectors() * LANES) as isize),
                Right::Rows(b) => (b.columns(panel.start..panel.start + panel.len).pointer(), b.strides[0]),
            };
            let start = columns.start + panel.start;
            let last = mask(panel.len - (panel.vectors() - 1) * LANES);
            for row in (0..rows).step_by(ROWS) {
                let at = first + row;
                let (c, across) =
                    if turned { (c.pointer(start, at), at) } else { (c.pointer(at, start), start) };
                let (before, before_row) = match plus {
                    Plus::Nothing => (null(), 0),
                    Plus::Row(row) => (row[across..].as_ptr(), 0),
                    Plus::Before => (c.cast_const(), c_row),
                };
                // of rows in lines there is one group of eight
                let a = left.wrapping_add(row * depth);
                let tile = Tile { depth, a, a_step, b, b_row, before, before_row, c, c_row, last };
                let way = usize::from(in_lines) + usize::from(turned);
                let kernel = KERNELS[ROWS.min(rows - row) - 1][panel.vectors() - 1][way];
                // SAFETY: the tile's rows, columns and inner numbers lie in the three matrices, or where they were
                // packed, and this processor has AVX-512.
                unsafe { kernel(&tile) };
            }
        }
        let end = first + rows;
        if let Some(then) = then
            && (end - done >= DONE[usize::from(turned)] || end == m)
        {
            let (rows, columns) =
                if turned { (columns.clone(), done..end) } else { (done..end, columns.clone()) };
            then([rows.start, columns.start], c.part(rows, columns));
            done = end;
        }
    }
}

/// The length of parts, of about equal length and at most `most`.
fn even(len: usize, most: usize) -> usize {
    len.div_ceil(len.div_ceil(most))
}

/// Columns of one tile.
#[derive(Clone, Copy)]
struct Panel {
    start: usize,
    len: usize,
}

impl Panel {
    fn vectors(self) -> usize {
        self.len.div_ceil(LANES)
    }
}

/// Panels as wide as tiles, the last ones of a vector less where that makes them end with the columns.
fn panels(columns: usize) -> impl Iterator<Item = Panel> + Clone {
    let vectors = columns.div_ceil(LANES);
    let count = vectors.div_ceil(VECTORS);
    let whole = if count == 1 { 1 } else { count + vectors - VECTORS * count };
    let start = move |i: usize| (i * VECTORS * LANES - i.saturating_sub(whole) * LANES).min(columns);
    (0..count).map(move |i| Panel { start: start(i), len: start(i + 1) - start(i) })
}

/// The first `len` lanes.
fn mask(len: usize) -> __mmask16 {
    if len >= LANES { !0 } else { (1 << len) - 1 }
}

/// What a kernel works on. Rows of the left operand lie `a_step` apart: in lines, or packed side by side.
struct Tile {
    depth: usize,
    a: *const f32,
    a_step: isize,
    b: *const f32,
    b_row: isize,
    /// What is added, if anything.
    before: *const f32,
    before_row: usize,
    c: *mut f32,
    c_row: usize,
    /// Which columns of the last vector there are.
    last: __mmask16,
}

type Kernel = unsafe fn(&Tile);

/// By rows, vectors, and way: the left operand packed, its rows in lines, or that and the tile turned.
static KERNELS: [[[Kernel; 3]; VECTORS]; ROWS] = {
    macro_rules! kernels {
        ($($rows:literal)*) => {
            [$([ways!($rows, 1), ways!($rows, 2), ways!($rows, 3)]),*]
        };
    }
    macro_rules! ways {
        ($rows:literal, $vectors:literal) => {
            [
                tile::<$rows, $vectors, false, false>,
                tile::<$rows, $vectors, true, false>,
                tile::<$rows, $vectors, true, true>,
            ]
        };
    }
    kernels!(1 2 3 4 5 6 7 8)
};

/// Computes a tile of `R` rows and `V` vectors of columns; its columns become rows of `c` where `TURNED` is set.
///
/// # Safety
/// All of it lies in memory that may be read and written, but for the columns that `last` excludes.
#[target_feature(enable = "avx512f")]
unsafe fn tile<const R: usize, const V: usize, const LINES: bool, const TURNED: bool>(tile: &Tile) {
    let Tile { depth, mut a, a_step, mut b, b_row, c, c_row, .. } = *tile;
    let mut sums = [[_mm512_setzero_ps(); V]; R];
    // SAFETY: the caller's promise. What is asked for ahead need not be there.
    unsafe {
        let (lines, across) = if TURNED { (V * LANES, 1) } else { (R, V) };
        for r in 0..lines {
            for j in 0..across {
                _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add(r * c_row + j * LANES).cast_const().cast());
            }
        }
        let row = if LINES { a_step } else { 1 };
        let column = if LINES { 1 } else { ROWS };
        let mut step = |a: *const f32, b: *const f32| {
            let mut line = [_mm512_setzero_ps(); V];
            for j in 0..V {
                _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD + j * LANES).cast());
                line[j] = _mm512_loadu_ps(b.add(j * LANES));
            }
            for r in 0..R {
                let x = _mm512_set1_ps(*a.offset(r as isize * row));
                for j in 0..V {
                    sums[r][j] = _mm512_fmadd_ps(x, line[j], sums[r][j]);
                }
            }
        };
        let mut left = depth;
        while left >= 4 {
            step(a, b);
            step(a.add(column), b.offset(b_row));
            step(a.add(2 * column), b.offset(2 * b_row));
            step(a.add(3 * column), b.offset(3 * b_row));
            a = a.wrapping_add(4 * column);
            b = b.wrapping_offset(4 * b_row);
            left -= 4;
        }
        for _ in 0..left {
            step(a, b);
            a = a.wrapping_add(column);
            b = b.wrapping_offset(b_row);
        }
        if TURNED {
            return put_turned(tile, sums);
        }
        let &Tile { before, before_row, last, .. } = tile;
        for (r, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                let mask = if j + 1 == V { last } else { !0 };
                let sum = if before.is_null() {
                    *sum
                } else {
                    let before = before.wrapping_add(r * before_row + j * LANES);
                    _mm512_add_ps(_mm512_maskz_loadu_ps(mask, before), *sum)
                };
                _mm512_mask_storeu_ps(c.wrapping_add(r * c_row + j * LANES), mask, sum);
            }
        }
    }
}

/// Writes a tile's columns as rows.
///
/// # Safety
/// As [`tile`].
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn put_turned<const R: usize, const V: usize>(tile: &Tile, sums: [[__m512; V]; R]) {
    let &Tile { before, before_row, c, c_row, last, .. } = tile;
    for j in 0..V {
        let columns = if j + 1 == V { last.count_ones() as usize } else { LANES };
        let rows = std::array::from_fn(|r| if r < R { sums[r][j] } else { _mm512_setzero_ps() });
        for (i, &pair) in turned_eight(rows).iter().enumerate() {
            // columns `first` and `first + 4`, see there
            let (low, high) = (_mm512_castps512_ps256(pair), upper(pair));
            let first = i / 4 * 8 + i % 4;
            for (column, sum) in [(first, low), (first + 4, high)] {
                if column >= columns {
                    continue;
                }
                let column = j * LANES + column;
                // SAFETY: the caller's promise.
                unsafe {
                    let sum = _mm512_castps256_ps512(sum);
                    let sum = if before.is_null() {
                        sum
                    } else {
                        let before = before.wrapping_add(column * before_row);
                        _mm512_add_ps(_mm512_maskz_loadu_ps(mask(R), before), sum)
                    };
                    _mm512_mask_storeu_ps(c.wrapping_add(column * c_row), mask(R), sum);
                }
            }
        }
    }
}
