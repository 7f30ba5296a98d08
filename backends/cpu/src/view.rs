//! The same elements, seen otherwise; copied where no strides describe that.
use crate::{
    CpuValue, chain, parallel,
    simd::dispatch_v3,
    stream::{fence, stream},
    turn::turn_rows,
    value::{Native, Output},
};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::{Layout, Result, Shape};
use smallvec::SmallVec;
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Elements of a transposed copy that are written together: of F32, a cache line.
const TILE: usize = 16;
/// Elements that are read together: some lines, as memory likes it.
const LONG: usize = 4 * TILE;
/// Tiles are taken from blocks of this side, so that the pages in use are few.
const BLOCK: usize = 8 * TILE;
/// Fewer rows than this make no tile: what they are made of is read once for each.
const NARROW: usize = 8;

pub(crate) fn reshape(x: &CpuValue, shape: &Shape) -> Result<CpuValue> {
    if x.is_same() {
        return Ok(x.view(Layout::uniform(shape.clone())));
    }
    match x.layout.reshape(shape) {
        Some(layout) => Ok(x.view(layout)),
        None => Ok(contiguous(x)?.view(Layout::contiguous(shape.clone()))),
    }
}

/// The value with its elements row-major in memory, copied where they lie otherwise.
pub(crate) fn contiguous(x: &CpuValue) -> Result<CpuValue> {
    if !x.is_same() && x.layout.is_contiguous() {
        return Ok(x.clone());
    }
    bits!(x.meta.dtype, T => {
        let mut y = Output::<T>::new(x.meta.numel())?;
        copy_to(x, y.slice());
        Ok(y.finish(&x.meta.shape, x.meta.dtype))
    })
}

/// Writes the elements row-major.
pub(crate) fn copy_to<T: Native>(x: &CpuValue, y: &mut [T]) {
    copy_into(x, y, &Layout::contiguous(x.meta.shape.clone()));
}

/// Writes the elements to where `to` says in `y`: a slice of a row-major layout, of the same shape. Where it
/// names a place twice, the last element stays.
pub(crate) fn copy_into<T: Native>(x: &CpuValue, y: &mut [T], to: &Layout) {
    if x.meta.numel() == 0 {
        return;
    }
    let memory = x.memory::<T>();
    let Copy { from, to, axes } = Copy::new(&x.layout, to);
    let Some((&outer, inner)) = axes.split_first() else {
        y[to] = memory[from];
        return;
    };
    // one step of the outermost axis leads past everything that the others reach
    let unit = outer.to.unsigned_abs();
    let streams = chain::streams(&x.meta);
    let len = (y.len() - to).min(outer.size * unit);
    parallel::pieces(&mut y[to..to + len], unit, parallel::GRAIN, |first, y| {
        let outer = Axis { size: y.len().div_ceil(unit), ..outer };
        let from = from.wrapping_add_signed(first as isize * outer.from);
        let axes: Axes = [outer].into_iter().chain(inner.iter().copied()).collect();
        copy_piece(memory, from, y, &axes, streams);
        if streams {
            fence();
        }
    });
}

/// An axis of a copy: its size, and how far apart neighbours are where they are read and where written.
#[derive(Clone, Copy, Debug)]
struct Axis {
    size: usize,
    from: isize,
    to: isize,
}

type Axes = SmallVec<[Axis; 6]>;

/// A copy between two layouts, with axes that step as one joined, and the longest step in what is written
/// outermost; all steps there are positive.
struct Copy {
    from: usize,
    to: usize,
    axes: Axes,
}

impl Copy {
    fn new(x: &Layout, y: &Layout) -> Self {
        let mut copy = Copy { from: x.offset, to: y.offset, axes: Axes::new() };
        for ((&size, &from), &to) in x.shape.iter().zip(&x.strides).zip(&y.strides) {
            let far = size as isize - 1;
            match to {
                _ if size == 1 => (),
                0 => copy.from = copy.from.wrapping_add_signed(far * from),
                1.. => copy.axes.push(Axis { size, from, to }),
                _ => {
                    copy.from = copy.from.wrapping_add_signed(far * from);
                    copy.to = copy.to.wrapping_add_signed(far * to);
                    copy.axes.push(Axis { size, from: -from, to: -to });
                }
            }
        }
        copy.axes.sort_by_key(|axis| std::cmp::Reverse(axis.to));
        copy.axes.dedup_by(|inner, outer| {
            let size = inner.size as isize;
            let one = outer.from == inner.from * size && outer.to == inner.to * size;
            if one {
                *outer = Axis { size: outer.size * inner.size, ..*inner };
            }
            one
        });
        copy
    }
}

/// Copies to `y` from its start, on this thread; around the caches where `streams` is set and lines of memory are
/// written whole.
fn copy_piece<T: Native>(memory: &[T], from: usize, y: &mut [T], axes: &[Axis], streams: bool) {
    let Some((&last, rest)) = axes.split_last() else {
        return;
    };
    let Axis { size, from: stride, to: step } = last;
    let turned = rest.iter().rposition(|axis| axis.from == 1).filter(|_| step == 1);
    match (stride, step) {
        (1, 1) => each(rest, from, 0, &mut |from, to| {
            y[to..to + size].copy_from_slice(&memory[from..from + size]);
        }),
        (0, 1) => each(rest, from, 0, &mut |from, to| y[to..to + size].fill(memory[from])),
        (-1, 1) => each(rest, from, 0, &mut |from, to| {
            let (x, y) = (&memory[from + 1 - size..=from], &mut y[to..to + size]);
            dispatch_v3!(|L| y.iter_mut().zip(x.iter().rev()).for_each(|(y, x)| *y = *x));
        }),
        _ => match turned {
            Some(i) => {
                let others: Axes = [&rest[..i], &rest[i + 1..]].concat().into();
                each(&others, from, 0, &mut |from, to| {
                    transpose(memory, from, y, to, [rest[i], last], streams);
                });
            }
            None => each(rest, from, 0, &mut |mut from, mut to| {
                for _ in 0..size {
                    y[to] = memory[from];
                    (from, to) = (from.wrapping_add_signed(stride), to.wrapping_add_signed(step));
                }
            }),
        },
    }
}

/// Calls `f` with every place that is read and where it is written.
fn each<F: FnMut(usize, usize)>(axes: &[Axis], from: usize, to: usize, f: &mut F) {
    match axes.split_first() {
        None => f(from, to),
        Some((axis, inner)) => {
            for i in 0..axis.size as isize {
                each(inner, from.wrapping_add_signed(i * axis.from), to.wrapping_add_signed(i * axis.to), f);
            }
        }
    }
}

/// Reads along one axis and writes along another, tile by tile: `read` lies densely in `memory`, `written` in `y`.
fn transpose<T: Native>(
    memory: &[T],
    from: usize,
    y: &mut [T],
    to: usize,
    [read, written]: [Axis; 2],
    streams: bool,
) {
    let steps =
        |range: Range<usize>, step| range.clone().step_by(step).map(move |i| i..range.end.min(i + step));
    if let (true, Ok(step @ 1..)) = (read.size < NARROW, usize::try_from(written.from)) {
        for columns in steps(0..written.size, NARROW * BLOCK) {
            for row in 0..read.size {
                let y = &mut y[to + row * read.to.unsigned_abs() + columns.start..][..columns.len()];
                let x = memory[from + columns.start * step + row..].chunks(step);
                y.iter_mut().zip(x).for_each(|(y, x)| *y = x[0]);
            }
        }
        return;
    }
    let mut held = [[T::default(); TILE]; LONG];
    for block in steps(0..read.size, BLOCK) {
        for columns in steps(0..written.size, BLOCK) {
            for (rows, columns) in steps(block.clone(), LONG)
                .flat_map(|rows| steps(columns.clone(), TILE).map(move |c| (rows.clone(), c)))
            {
                let from = from.wrapping_add_signed(columns.start as isize * written.from) + rows.start;
                let held = &mut held[..rows.len()];
                read_tile(memory, from, written.from, columns.len(), held);
                for (held, row) in held.iter().zip(rows) {
                    let y = &mut y[to + row * read.to.unsigned_abs() + columns.start..][..columns.len()];
                    if streams && y.len() == TILE && y.as_ptr().addr().is_multiple_of(size_of_val(held)) {
                        stream(cast_slice(held), cast_slice_mut(y));
                    } else {
                        y.copy_from_slice(&held[..y.len()]);
                    }
                }
            }
        }
    }
}

/// Reads a tile as a whole, before it is written: `count` rows, which lie `step` apart, as columns. Lines of memory
/// are then used once, even where they would drive each other out of the cache.
#[inline(always)]
fn read_tile<T: Native>(memory: &[T], from: usize, step: isize, count: usize, held: &mut [[T; TILE]]) {
    match usize::try_from(step) {
        Ok(step) if count == TILE => turn_rows(&memory[from..], step, held),
        _ => {
            for i in 0..count {
                let x = &memory[from.wrapping_add_signed(i as isize * step)..];
                held.iter_mut().zip(x).for_each(|(held, x)| held[i] = *x);
            }
        }
    }
}

/// Walks `y`, which begins with element `first` of rows of `width`, a row or what there is of it at a time:
/// calls `work` with where `rows` says that the row starts, with the column from which it is, and the part.
#[inline(always)]
pub(crate) fn each_row<T>(
    y: &mut [T],
    first: usize,
    width: usize,
    rows: &Layout,
    mut work: impl FnMut(usize, usize, &mut [T]),
) {
    if y.is_empty() {
        return;
    }
    let mut starts = rows.offsets_from(first / width);
    let (mut column, mut rest) = (first % width, y);
    while let (false, Some(start)) = (rest.is_empty(), starts.next()) {
        let (part, after) = rest.split_at_mut((width - column).min(rest.len()));
        work(start, column, part);
        (column, rest) = (0, after);
    }
}
