//! Rows of half precision, widened piece by piece where they are joined: so that no wider copy is written and read.
use super::{PART, row};
use crate::{
    CpuValue,
    elementwise::Stored,
    number::{Arithmetic, Fold, Max, Min, Number, Prod, Sum},
    parallel,
    simd::dispatch,
    value::Output,
};
use firesteel_core::{Axes, DType, Meta, Reduce, Result};
use half::{bf16, f16};

/// How many elements are widened at once.
const PIECE: usize = 2048;

/// The reduction, where it is of long rows of halves that lie one behind another; else nothing.
pub(super) fn reduce(kind: Reduce, x: &CpuValue, axes: &Axes, out: &Meta) -> Result<Option<CpuValue>> {
    match out.dtype {
        DType::BF16 => of_halves::<bf16>(kind, x, axes, out),
        DType::F16 => of_halves::<f16>(kind, x, axes, out),
        DType::F64
        | DType::F32
        | DType::I64
        | DType::I32
        | DType::I8
        | DType::U32
        | DType::U8
        | DType::Bool => Ok(None),
    }
}

fn of_halves<H: Stored<Number = f32>>(
    kind: Reduce,
    x: &CpuValue,
    axes: &Axes,
    out: &Meta,
) -> Result<Option<CpuValue>> {
    let shape = &x.meta.shape;
    let are_last = axes.iter().all(|&axis| axis + axes.len() >= shape.rank());
    let n = axes.iter().map(|&axis| shape[axis]).product();
    let Some(x) = x.rows::<H>().filter(|_| are_last && n >= PIECE) else { return Ok(None) };
    let y = match kind {
        Reduce::Sum => rows::<H, Sum>(x, n, 1, out),
        Reduce::Mean => rows::<H, Sum>(x, n, n, out),
        Reduce::Prod => rows::<H, Prod>(x, n, 1, out),
        Reduce::Max => rows::<H, Max>(x, n, 1, out),
        Reduce::Min => rows::<H, Min>(x, n, 1, out),
    };
    y.map(Some)
}

/// Rows of `n`, whose totals are divided by `count`.
fn rows<H: Stored<Number = f32>, F: Fold>(x: &[H], n: usize, count: usize, out: &Meta) -> Result<CpuValue> {
    let parts = n.div_ceil(PART);
    let mut totals = Output::<f64>::new(out.numel() * parts)?;
    parallel::pieces(totals.slice(), 1, parallel::GRAIN / n.min(PART) + 1, |first, totals| {
        for (i, y) in (first..).zip(totals) {
            let row = &x[i / parts * n..][..n];
            *y = row.chunks(PART).nth(i % parts).map_or(F::start(), total::<H, F>);
        }
    });
    let mut y = Output::<H>::new(out.numel())?;
    for (y, parts) in y.slice().iter_mut().zip(totals.read().chunks(parts)) {
        let total = parts.iter().copied().fold(F::start(), F::join);
        H::narrow(&[f32::of(if count == 1 { total } else { total.over(count) })], std::slice::from_mut(y));
    }
    Ok(y.finish(&out.shape, out.dtype))
}

fn total<H: Stored<Number = f32>, F: Fold>(x: &[H]) -> f64 {
    let (mut total, mut numbers) = (F::start(), [0.; PIECE]);
    for x in x.chunks(PIECE) {
        let numbers = &mut numbers[..x.len()];
        H::widen(x, numbers);
        total = F::join(total, dispatch!(|L| row::<f32, F>(numbers, 0, numbers.len(), 1)));
    }
    total
}
