//! Running functions along an axis.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Arithmetic, Fold, Number, Prod, Sum},
    parallel,
    value::Output,
    view,
};
use firesteel_core::{Result, Scan, Shape};

/// How many columns run side by side.
const WIDTH: usize = 512;

/// A row-major shape seen from one axis: `[outer, n, inner]`.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub outer: usize,
    pub n: usize,
    pub inner: usize,
}

impl Around {
    pub(crate) fn new(shape: &Shape, axis: usize) -> Self {
        let size = |axes: &[usize]| axes.iter().product();
        Self { outer: size(&shape[..axis]), n: shape[axis], inner: size(&shape[axis + 1..]) }
    }
}

pub(crate) fn scan(kind: Scan, x: &CpuValue, axis: usize) -> Result<CpuValue> {
    native!(x.meta.dtype, T => match kind {
        Scan::Sum => running::<T, Sum>(x, axis),
        Scan::Prod => running::<T, Prod>(x, axis),
    })
}

fn running<T: Number, F: Fold>(x: &CpuValue, axis: usize) -> Result<CpuValue> {
    let x = view::contiguous(x)?;
    let xs = x.rows::<T>().unwrap_or_default();
    along::<T>(&x, axis, F::start(), |total, at| F::join(total, T::total(xs[at].lane())))
}

pub(crate) fn recurrence(a: &CpuValue, b: &CpuValue, axis: usize) -> Result<CpuValue> {
    let (a, b) = (view::contiguous(a)?, view::contiguous(b)?);
    native!(a.meta.dtype, T => {
        let (xs, ys) = (a.rows::<T>().unwrap_or_default(), b.rows::<T>().unwrap_or_default());
        let wide = |x: T| T::total(x.lane());
        along::<T>(&a, axis, Arithmetic::ZERO, |y, at| wide(xs[at]).times(y).plus(wide(ys[at])))
    })
}

/// What `step` makes of what came before along the axis, at every place of a row-major shape.
fn along<T: Number>(
    x: &CpuValue,
    axis: usize,
    start: T::Total,
    step: impl Fn(T::Total, usize) -> T::Total + Sync,
) -> Result<CpuValue> {
    let mut y = Output::<T>::new(x.meta.numel())?;
    let Around { n, inner, .. } = Around::new(&x.meta.shape, axis);
    parallel::pieces(y.slice(), n * inner, parallel::GRAIN, |first, y| {
        for (i, y) in y.chunks_mut((n * inner).max(1)).enumerate() {
            let at = (first + i) * n * inner;
            if inner == 1 {
                let mut total = start;
                for (i, y) in y.iter_mut().enumerate() {
                    total = step(total, at + i);
                    *y = T::of(total);
                }
                continue;
            }
            let mut totals = [start; WIDTH];
            for columns in (0..inner).step_by(WIDTH) {
                let totals = &mut totals[..WIDTH.min(inner - columns)];
                totals.fill(start);
                for row in (0..n).map(|row| row * inner + columns) {
                    let ys = &mut y[row..row + totals.len()];
                    for (i, (y, total)) in ys.iter_mut().zip(totals.iter_mut()).enumerate() {
                        *total = step(*total, at + row + i);
                        *y = T::of(*total);
                    }
                }
            }
        }
    });
    Ok(y.finish(&x.meta.shape, x.meta.dtype))
}
