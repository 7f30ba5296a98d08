//! Tensors put together.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Arithmetic, Number},
    parallel,
    value::Output,
    view::{self, each_row},
    wide::widened,
};
use firesteel_core::{Layout, Meta, PadAxis, Result, Scalar, Span, Spans};
use std::ops::Range;

pub(crate) fn concat(xs: &[&CpuValue], axis: usize, out: &Meta) -> Result<CpuValue> {
    bits!(out.dtype, T => {
        let mut y = Output::<T>::new(out.numel())?;
        let all = Layout::contiguous(out.shape.clone());
        let mut start = 0;
        for x in xs {
            let len = x.meta.shape[axis];
            let mut spans: Spans = out.shape.iter().map(|&size| Span::all(size)).collect();
            spans[axis] = Span { start, step: 1, len };
            view::copy_into::<T>(x, y.slice(), &all.slice(&spans));
            start += len;
        }
        Ok(y.finish(&out.shape, out.dtype))
    })
}

pub(crate) fn pad(x: &CpuValue, padding: &[PadAxis], value: Scalar, out: &Meta) -> Result<CpuValue> {
    let spans: Spans = padding.iter().zip(&x.meta.shape).map(|(pad, &len)| pad.span(len)).collect();
    let value = CpuValue::same(out.clone(), value);
    write(&value, x, &spans)
}

pub(crate) fn write(into: &CpuValue, x: &CpuValue, spans: &[Span]) -> Result<CpuValue> {
    let meta = &into.meta;
    bits!(meta.dtype, T => {
        let mut y = Output::<T>::new(meta.numel())?;
        view::copy_to::<T>(into, y.slice());
        view::copy_into::<T>(x, y.slice(), &Layout::contiguous(meta.shape.clone()).slice(spans));
        Ok(y.finish(&meta.shape, meta.dtype))
    })
}

pub(crate) fn fold(x: &CpuValue, axis: usize, step: usize, out: &Meta) -> Result<CpuValue> {
    widened(&[x], out, |xs, out| folded(xs[0], axis, step, out))
}

fn folded(x: &CpuValue, axis: usize, step: usize, out: &Meta) -> Result<CpuValue> {
    if out.numel() == 0 {
        return Ok(CpuValue::same(out.clone(), Scalar::Int(0)));
    }
    let last = out.shape.rank() - 1;
    let windows = Windows::new(x, axis, step, out.shape[axis]);
    let width = out.shape[last];
    let near = if axis == last { 0 } else { x.layout.strides[last] };
    let mut rows = Layout { shape: out.shape[..last].into(), ..x.layout.clone() };
    rows.strides[axis] = 0;
    rows.strides.truncate(last);
    // the place along the axis of each row, where it is another than that of the row
    let mut places = Layout::uniform(rows.shape.clone());
    places.strides.iter_mut().skip(axis).take(1).for_each(|stride| *stride = 1);
    wide!(out.dtype, T => {
        let memory = x.memory::<T>();
        let mut y = Output::<T>::new(out.numel())?;
        parallel::pieces(y.slice(), 1, parallel::GRAIN, |first, y| {
            let mut places = places.offsets_from(first / width);
            each_row(y, first, width, &rows, |start, column, y| {
                let place = places.next().unwrap_or(0);
                for (i, y) in (column..).zip(y) {
                    let place = if axis == last { i } else { place };
                    *y = windows.sum(memory, start.wrapping_add_signed(i as isize * near), place);
                }
            });
        });
        Ok(y.finish(&out.shape, out.dtype))
    })
}

/// Windows over an axis, and how their elements lie in memory.
struct Windows {
    /// For each place of the axis, which windows hold it.
    holding: Vec<Range<usize>>,
    step: usize,
    far: isize,
    near: isize,
}

impl Windows {
    fn new(x: &CpuValue, axis: usize, step: usize, len: usize) -> Self {
        let last = x.meta.shape.rank() - 1;
        let (count, size) = (x.meta.shape[axis], x.meta.shape[last]);
        let holding =
            |place: usize| (place + 1).saturating_sub(size).div_ceil(step)..(place / step + 1).min(count);
        let (far, near) = (x.layout.strides[axis], x.layout.strides[last]);
        Self { holding: (0..len).map(holding).collect(), step, far, near }
    }

    /// The sum of what the windows hold for one place: of window `w` that is element `place - w · step`.
    #[inline(always)]
    fn sum<T: Number>(&self, memory: &[T], start: usize, place: usize) -> T {
        let held = self.holding[place].clone().map(|w| {
            let within = (place - w * self.step) as isize;
            memory[start.wrapping_add_signed(w as isize * self.far + within * self.near)]
        });
        held.fold(Arithmetic::ZERO, Arithmetic::plus)
    }
}
