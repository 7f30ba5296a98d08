//! Reading and writing where an index says.
//!
//! An index is checked as a whole before anything is read or written by it.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Fold, Max, Min, Prod, Sum},
    parallel,
    scan::Around,
    simd::dispatch,
    stream::{CacheLine, fetch},
    value::{Native, Output},
    view::{self, each_row},
    wide::widened,
};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::{DType, Error, Layout, Meta, Result, Scatter};
use std::borrow::Cow;

/// How many elements are filled with one number before what is written to them, about: they are to stay in cache.
const FILLED: usize = 16 * 1024;

/// A line of a cache, in bytes.
const LINE: usize = size_of::<CacheLine>();
/// How many bytes of rows lie between the one that is copied and the one that is fetched meanwhile, about.
const AHEAD: usize = 4096;
/// Rows of fewer bytes than this are copied and no more.
const SHORT: usize = 4 * LINE;

/// Runs a body with `T` bound to a type of the dtype's elements, and `join` to how two of them are joined:
/// that there, and the new one.
macro_rules! joining {
    ($kind:expr, $dtype:expr, $t:ident, $join:ident => $body:expr) => {
        match ($kind, $dtype) {
            (Scatter::Set, dtype) => bits!(dtype, $t => {
                let $join = |_: $t, new: $t| new;
                $body
            }),
            // the sum of truth values is `or`, and their product `and`
            (Scatter::Max, dtype) | (Scatter::Add, dtype @ DType::Bool) => joining!(@ Max, dtype, $t, $join, $body),
            (Scatter::Min, dtype) | (Scatter::Mul, dtype @ DType::Bool) => joining!(@ Min, dtype, $t, $join, $body),
            (Scatter::Add, dtype) => joining!(@ Sum, dtype, $t, $join, $body),
            (Scatter::Mul, dtype) => joining!(@ Prod, dtype, $t, $join, $body),
        }
    };
    (@ $fold:ty, $dtype:expr, $t:ident, $join:ident, $body:expr) => {
        wide!($dtype, $t => {
            let $join = |old: $t, new: $t| <$fold>::join(old, new);
            $body
        })
    };
}

/// The row-major numbers of an index, each of which lies in `[0, size)`.
fn places<'a>(op: &'static str, index: &'a CpuValue, size: usize, axis: usize) -> Result<Cow<'a, [i64]>> {
    let places = wide(index);
    match places.iter().find(|&&i| i as u64 >= size as u64) {
        None => Ok(places),
        Some(i) => {
            let why = match size {
                0 => format!("index {i} is out of range: dim {axis} has size 0, and so no places"),
                _ => format!(
                    "index {i} is out of range for dim {axis} of size {size}: it has to lie in [0, {}]",
                    size - 1
                ),
            };
            Err(Error::index(op, why))
        }
    }
}

/// The row-major numbers of an index.
fn wide(index: &CpuValue) -> Cow<'_, [i64]> {
    match index.meta.dtype {
        DType::I64 => match index.rows::<i64>() {
            Some(rows) => Cow::Borrowed(rows),
            None => Cow::Owned(numbers::<i64>(index)),
        },
        DType::I32 => Cow::Owned(numbers::<i32>(index)),
        DType::I8 => Cow::Owned(numbers::<i8>(index)),
        DType::U32 => Cow::Owned(numbers::<u32>(index)),
        // `infer` lets no other dtype through
        _ => Cow::Owned(numbers::<u8>(index)),
    }
}

fn numbers<T: Native + Into<i64>>(index: &CpuValue) -> Vec<i64> {
    match index.rows::<T>() {
        Some(rows) => rows.iter().map(|&i| i.into()).collect(),
        None => {
            let memory = index.memory::<T>();
            index.layout.offsets().map(|at| memory[at].into()).collect()
        }
    }
}

pub(crate) fn gather(x: &CpuValue, index: &CpuValue, axis: usize) -> Result<CpuValue> {
    let shape = &index.meta.shape;
    let places = places("gather", index, x.meta.shape[axis], axis)?;
    let (rows, width) = rows_of(&x.layout, shape, axis);
    let (far, last) = (x.layout.strides[axis], shape.rank() - 1);
    let near = if last == axis { 0 } else { x.layout.strides[last] };
    bits!(x.meta.dtype, T => {
        let memory = x.memory::<T>();
        let mut y = Output::<T>::new(places.len())?;
        parallel::pieces(y.slice(), 1, parallel::GRAIN, |first, y| {
            let mut places = places[first..].iter();
            each_row(y, first, width, &rows, |start, column, y| {
                if (far, near) == (1, 0) {
                    return pick(&memory[start..start + x.meta.shape[axis]], places.by_ref(), y);
                }
                let mut start = start.wrapping_add_signed(column as isize * near);
                for (y, &place) in y.iter_mut().zip(places.by_ref()) {
                    *y = memory[start.wrapping_add_signed(place as isize * far)];
                    start = start.wrapping_add_signed(near);
                }
            });
        });
        Ok(y.finish(shape, x.meta.dtype))
    })
}

/// Where the rows of an index begin in a layout that it reads along an axis, and how long they are.
fn rows_of(layout: &Layout, index: &[usize], axis: usize) -> (Layout, usize) {
    let mut rows = layout.clone();
    rows.strides[axis] = 0;
    rows.strides.pop();
    let (width, outer) = index.split_last().map_or((1, index), |(&width, outer)| (width, outer));
    rows.shape = outer.into();
    (rows, width.max(1))
}

pub(crate) fn scatter(
    kind: Scatter,
    into: &CpuValue,
    index: &CpuValue,
    x: &CpuValue,
    axis: usize,
) -> Result<CpuValue> {
    joined(kind, into, x, |into, x| scattered(kind, into, index, x, axis))
}

/// Runs a kernel on operands of which elements are joined, and therefore widened, unless they are only moved.
fn joined(
    kind: Scatter,
    into: &CpuValue,
    x: &CpuValue,
    kernel: impl FnOnce(&CpuValue, &CpuValue) -> Result<CpuValue>,
) -> Result<CpuValue> {
    match kind {
        Scatter::Set => kernel(into, x),
        Scatter::Add | Scatter::Mul | Scatter::Max | Scatter::Min => {
            widened(&[into, x], &into.meta, |xs, _| kernel(xs[0], xs[1]))
        }
    }
}

fn scattered(
    kind: Scatter,
    into: &CpuValue,
    index: &CpuValue,
    x: &CpuValue,
    axis: usize,
) -> Result<CpuValue> {
    let shape = &into.meta.shape;
    let places = places("scatter", index, shape[axis], axis)?;
    let x = view::contiguous(x)?;
    let slice = shape[1..].iter().product::<usize>();
    joining!(kind, into.meta.dtype, T, join => {
        let xs = x.rows::<T>().unwrap_or_default();
        let uniform = into.uniform::<T>();
        let mut y = if uniform.is_some() { Output::new(into.meta.numel())? } else { copied::<T>(into)? };
        // along axis 0 the index may lead anywhere, else some slices at a time are filled and written in cache
        let some = if axis == 0 { usize::MAX } else { (FILLED / slice.max(1)).max(1) };
        let written = if uniform.is_some() { into.meta.numel() } else { xs.len() };
        parallel::pieces(y.slice(), slice, share(into, written), |first, y| {
            for (i, y) in y.chunks_mut(some.saturating_mul(slice).max(1)).enumerate() {
                if let Some(x) = uniform {
                    y.fill(x);
                }
                if !xs.is_empty() {
                    let layout = Layout::contiguous(into.meta.shape.with(0, y.len() / slice));
                    let first = first + i * some;
                    scatter_slices(y, &layout, first, &index.meta.shape, &places, xs, axis, join);
                }
            }
        });
        Ok(y.finish(shape, into.meta.dtype))
    })
}

/// Writes what falls in the slices of `y` along axis 0, the first of which has number `first`.
#[allow(clippy::too_many_arguments)]
fn scatter_slices<T: Native>(
    y: &mut [T],
    layout: &Layout,
    first: usize,
    index: &[usize],
    places: &[i64],
    xs: &[T],
    axis: usize,
    join: impl Fn(T, T) -> T,
) {
    let last = index.len() - 1;
    let (far, near) = (layout.strides[axis] as usize, usize::from(last != axis));
    let (mut rows, width) = rows_of(layout, index, axis);
    // along axis 0 the index may lead anywhere; along another, slices read those of the same number
    let (skipped, lowest) = if axis == 0 { (0, first) } else { (first, 0) };
    if axis != 0 {
        rows.shape[0] = index[0].saturating_sub(first).min(layout.shape[0]);
    }
    let skipped = skipped * index[1..].iter().product::<usize>();
    let lines = places.get(skipped..).unwrap_or_default().chunks(width);
    let values = xs.get(skipped..).unwrap_or_default().chunks(width);
    for ((start, places), xs) in rows.offsets().zip(lines).zip(values) {
        for (i, (&place, &x)) in places.iter().zip(xs).enumerate() {
            let place = (place as usize).wrapping_sub(lowest);
            if place < layout.shape[axis] {
                let y = &mut y[start + place * far + i * near];
                *y = join(*y, x);
            }
        }
    }
}

/// A copy of what is there before.
fn copied<T: Native>(into: &CpuValue) -> Result<Output<T>> {
    let mut y = Output::<T>::new(into.meta.numel())?;
    view::copy_to(into, y.slice());
    Ok(y)
}

/// A grain that gives each thread one piece of `into`, where as much is written that it pays.
fn share(into: &CpuValue, written: usize) -> usize {
    let all = into.meta.numel();
    if written < parallel::GRAIN { all } else { all / parallel::num_threads() }
}

pub(crate) fn index_select(x: &CpuValue, index: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    let places = places("index_select", index, x.meta.shape[axis], axis)?;
    let slice = Layout {
        shape: x.meta.shape[axis + 1..].into(),
        strides: x.layout.strides[axis + 1..].into(),
        offset: 0,
    };
    let x = if slice.is_contiguous() { x } else { &view::contiguous(x)? };
    let (inner, stride) = (slice.shape.numel(), x.layout.strides[axis]);
    let rows = Layout {
        shape: x.meta.shape[..axis].into(),
        strides: x.layout.strides[..axis].into(),
        offset: x.layout.offset,
    };
    bits!(x.meta.dtype, T => {
        let memory = x.memory::<T>();
        let mut y = Output::<T>::new(out.numel())?;
        parallel::pieces(y.slice(), inner, parallel::GRAIN, |first, y| {
            each_row(y, first * inner, places.len() * inner, &rows, |start, column, y| {
                let places = &places[column / inner..];
                let from = |place: i64| start.wrapping_add_signed(place as isize * stride);
                if inner == 1 && stride == 1 {
                    return pick(&memory[start..start + x.meta.shape[axis]], places, y);
                }
                if inner == 1 {
                    y.iter_mut().zip(places).for_each(|(y, place)| *y = memory[from(*place)]);
                    return;
                }
                let (bytes, rows) = (inner * size_of::<T>(), y.chunks_exact_mut(inner).zip(places));
                if bytes < SHORT {
                    rows.for_each(|(y, place)| y.copy_from_slice(&memory[from(*place)..][..inner]));
                    return;
                }
                let later = places.iter().skip((AHEAD / bytes).max(1));
                let later = later.map(|place| memory.as_ptr().wrapping_add(from(*place)));
                let rows = rows.zip(later.chain(std::iter::repeat(memory.as_ptr())));
                dispatch!(|L| for ((y, place), later) in rows {
                    copy_row(&memory[from(*place)..][..inner], later, y);
                });
            });
        });
        Ok(y.finish(&out.shape, out.dtype))
    })
}

/// The numbers of a row that lie at these places.
fn pick<'p, T: Native>(x: &[T], places: impl IntoIterator<Item = &'p i64>, y: &mut [T]) {
    y.iter_mut().zip(places).for_each(|(y, &place)| *y = x[place as usize]);
}

/// Copies a row, and has one that comes later fetched meanwhile, a line for each line: so memory is never waited for. A line
/// that one store fills need not be read first, which takes the widest vectors.
#[inline(always)]
fn copy_row<T: Native>(x: &[T], later: *const T, y: &mut [T]) {
    let (x, y) = (cast_slice::<T, u8>(x), cast_slice_mut::<T, u8>(y));
    let ((from, rest), (to, last)) = (x.as_chunks::<LINE>(), y.as_chunks_mut::<LINE>());
    for (i, (y, x)) in to.iter_mut().zip(from).enumerate() {
        fetch(later.cast::<u8>().wrapping_add(i * LINE));
        *y = *x;
    }
    last.copy_from_slice(rest);
}

pub(crate) fn index_put(
    kind: Scatter,
    into: &CpuValue,
    index: &CpuValue,
    x: &CpuValue,
    axis: usize,
) -> Result<CpuValue> {
    joined(kind, into, x, |into, x| put(kind, into, index, x, axis))
}

fn put(kind: Scatter, into: &CpuValue, index: &CpuValue, x: &CpuValue, axis: usize) -> Result<CpuValue> {
    let places = places("index_put", index, into.meta.shape[axis], axis)?;
    let x = view::contiguous(x)?;
    let Around { outer, n, inner } = Around::new(&into.meta.shape, axis);
    joining!(kind, into.meta.dtype, T, join => {
        let xs = x.rows::<T>().unwrap_or_default();
        let mut y = copied::<T>(into)?;
        // each piece takes from all rows those that fall in it, in their order
        let put_in = |y: &mut [T], first: usize, xs: &[T]| {
            for (&place, xs) in places.iter().zip(xs.chunks(inner)) {
                let place = (place as usize).wrapping_sub(first);
                if let Some(y) = place.checked_mul(inner).and_then(|at| y.get_mut(at..at + inner)) {
                    y.iter_mut().zip(xs).for_each(|(y, &x)| *y = join(*y, x));
                }
            }
        };
        if xs.is_empty() {
        } else if outer == 1 {
            parallel::pieces(y.slice(), inner, share(into, xs.len()), |first, y| put_in(y, first, xs));
        } else {
            let written = places.len() * inner;
            parallel::pieces(y.slice(), n * inner, parallel::GRAIN, |first, y| {
                for (y, xs) in y.chunks_mut(n * inner).zip(xs[first * written..].chunks(written)) {
                    put_in(y, 0, xs);
                }
            });
        }
        Ok(y.finish(&into.meta.shape, into.meta.dtype))
    })
}

pub(crate) fn wrap_index(index: &CpuValue, len: usize) -> Result<CpuValue> {
    let size = i64::try_from(len).unwrap_or(i64::MAX);
    let mut places = wide(index).into_owned();
    for place in &mut places {
        if *place < -size || *place >= size {
            let why = match size {
                0 => format!("index {place} is out of range: the dim has size 0, and so no places"),
                _ => format!(
                    "index {place} is out of range for a dim of size {size}: it has to lie in [-{size}, {}]",
                    size - 1
                ),
            };
            return Err(Error::index("index", why));
        }
        if *place < 0 {
            *place += size;
        }
    }
    match index.meta.dtype {
        DType::I64 => narrowed::<i64>(&places, index),
        DType::I32 => narrowed::<i32>(&places, index),
        DType::I8 => narrowed::<i8>(&places, index),
        DType::U32 => narrowed::<u32>(&places, index),
        _ => narrowed::<u8>(&places, index),
    }
}

fn narrowed<T: Native + TryFrom<i64>>(places: &[i64], index: &CpuValue) -> Result<CpuValue> {
    let mut y = Output::<T>::new(places.len())?;
    for (y, &place) in y.slice().iter_mut().zip(places) {
        *y = T::try_from(place).map_err(|_| {
            let dtype = index.meta.dtype;
            Error::index(
                "index",
                format!("place {place} is more than {dtype} can hold: cast the index to int64"),
            )
        })?;
    }
    Ok(y.finish(&index.meta.shape, index.meta.dtype))
}
