//! The same elements, seen otherwise; copied where no strides describe that.
use crate::{
    CpuValue, parallel,
    value::{Native, Output},
};
use firesteel_core::{Layout, Result, Shape};

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
    bits!(x.meta.dtype, T => copy::<T>(x))
}

fn copy<T: Native>(x: &CpuValue) -> Result<CpuValue> {
    let mut y = Output::<T>::new(x.meta.numel())?;
    if let Some(element) = x.uniform::<T>() {
        parallel::pieces(y.slice(), 1, parallel::GRAIN, |_, y| y.fill(element));
    } else {
        copy_to(x, y.slice());
    }
    Ok(y.finish(&x.meta.shape, x.meta.dtype))
}

/// Writes the elements row-major, a row at a time.
pub(crate) fn copy_to<T: Native>(x: &CpuValue, y: &mut [T]) {
    if y.is_empty() {
        return;
    }
    let memory = x.memory::<T>();
    if let Some(rows) = x.rows::<T>() {
        parallel::pieces(y, 1, parallel::GRAIN, |start, y| y.copy_from_slice(&rows[start..start + y.len()]));
        return;
    }
    let rank = x.layout.shape.rank();
    let (row, stride) = match rank {
        0 => (1, 1),
        rank => (x.layout.shape[rank - 1], x.layout.strides[rank - 1]),
    };
    let starts: Vec<usize> = outer(&x.layout).offsets().collect();
    parallel::pieces(y, row, parallel::GRAIN, |first, y| {
        for (y, &start) in y.chunks_mut(row).zip(&starts[first..]) {
            match stride {
                0 => y.fill(memory[start]),
                1 => y.copy_from_slice(&memory[start..start + row]),
                _ => {
                    let mut at = start;
                    for y in y {
                        *y = memory[at];
                        at = at.wrapping_add_signed(stride);
                    }
                }
            }
        }
    });
}

/// All axes but the last: where the rows start.
fn outer(layout: &Layout) -> Layout {
    let mut layout = layout.clone();
    if let Some(last) = layout.shape.rank().checked_sub(1) {
        layout.shape.remove(last);
        layout.strides.truncate(last);
    }
    layout
}

/// Writes the elements to where `at` says in `y`.
pub(crate) fn copy_into<T: Native>(x: &CpuValue, y: &mut [T], at: &Layout) {
    let memory = x.memory::<T>();
    x.layout.offsets().zip(at.offsets()).for_each(|(from, to)| y[to] = memory[from]);
}
