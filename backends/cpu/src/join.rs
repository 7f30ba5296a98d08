//! Tensors put together.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Arithmetic, Number},
    parallel,
    value::Output,
    view,
};
use firesteel_core::{Layout, Meta, PadAxis, Result, Scalar, Span, Spans};

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
    let spread =
        |(pad, &len): (&PadAxis, &usize)| Span { start: pad.low, step: pad.interior as isize + 1, len };
    let spans: Spans = padding.iter().zip(&x.meta.shape).map(spread).collect();
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
    let last = x.meta.shape.rank() - 1;
    let windows = Windows {
        count: x.meta.shape[axis],
        size: x.meta.shape[last],
        step,
        far: x.layout.strides[axis],
        near: x.layout.strides[last],
    };
    let mut starts = x.layout.clone();
    starts.strides.pop();
    starts.strides[axis] = 0;
    starts.shape = out.shape.clone();
    let inner: usize = out.shape[axis + 1..].iter().product();
    native!(out.dtype, T => {
        let memory = x.memory::<T>();
        let mut y = Output::<T>::new(out.numel())?;
        parallel::pieces(y.slice(), 1, parallel::GRAIN, |first, y| {
            for (i, (y, start)) in y.iter_mut().zip(starts.offsets_from(first)).enumerate() {
                *y = windows.sum(memory, start, (first + i) / inner % out.shape[axis]);
            }
        });
        Ok(y.finish(&out.shape, out.dtype))
    })
}

/// Windows over an axis, and how far apart they and their elements lie in memory.
struct Windows {
    count: usize,
    size: usize,
    step: usize,
    far: isize,
    near: isize,
}

impl Windows {
    /// The sum of what the windows hold for one place: of window `w` that is element `place - w · step`.
    fn sum<T: Number>(&self, memory: &[T], start: usize, place: usize) -> T {
        let first = (place + 1).saturating_sub(self.size).div_ceil(self.step);
        let end = (place / self.step + 1).min(self.count);
        let held = (first..end).map(|w| {
            let within = (place - w * self.step) as isize;
            memory[start.wrapping_add_signed(w as isize * self.far + within * self.near)].lane()
        });
        T::of_lane(held.fold(Arithmetic::ZERO, Arithmetic::plus))
    }
}
