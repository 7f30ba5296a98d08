//! Products of matrices of I8, summed in I32: by dot products of four bytes where the processor has them.
//!
//! Where it has none, bytes are widened to I32.
#[cfg(test)]
mod tests;
mod vectors;

use crate::{
    CpuValue,
    dots::{self, FEW, Kernel},
    elementwise::cast,
    gemv,
    matmul::{last_two, starts},
    parallel,
    value::Output,
};
use bytemuck::cast_ref;
use firesteel_core::{DType, Meta, Result};

/// The product of batches of matrices in I32, or the last byte of each sum in I8; nothing where it is not of I8, or where
/// nothing is gained.
pub(crate) fn matmul(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<Option<CpuValue>> {
    let ([.., m, n], Some(&k)) = (&out.shape[..], a.meta.shape.last()) else { return Ok(None) };
    let work = out.numel().saturating_mul(k);
    if a.meta.dtype != DType::I8 || a.is_same() || b.is_same() || work == 0 {
        return Ok(None);
    }
    if *m == 1 || *n == 1 {
        return vectors(a, b, out);
    }
    match Kernel::of(DType::I8) {
        Some(kernel) if m * n * k >= FEW => product_by(kernel, a, b, out),
        _ => Ok(None),
    }
}

/// The product by this kernel, of whatever size.
fn product_by(kernel: Kernel, a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<Option<CpuValue>> {
    if out.dtype == DType::I32 {
        return dots::product::<u8, 4, i32>(kernel, [a, b], out, |sums, _, y| *y = *cast_ref(sums));
    }
    dots::product::<u8, 4, u8>(kernel, [a, b], out, |sums, _, y| {
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = *sum as u8);
    })
}

/// The product of matrices of which one is a row or a column, where the other lies in rows or columns.
fn vectors(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<Option<CpuValue>> {
    let [.., m, n] = out.shape[..] else { return Ok(None) };
    let mut y = Output::<i32>::new(out.numel())?;
    let (batch_a, batch_b) = (starts(a), starts(b));
    let operands = |batch: usize| {
        let (a, b) = (last_two::<i8>(a, batch_a[batch]), last_two::<i8>(b, batch_b[batch]));
        if n == 1 { (a, b.t()) } else { (b.t(), a) }
    };
    if !operands(0).0.strides.contains(&1) {
        return Ok(None);
    }
    // as where matrices of other numbers are multiplied
    let threads = batch_a.len() < parallel::num_threads();
    let size = out.numel() / batch_a.len();
    let work = size * a.meta.shape[a.meta.shape.rank() - 1];
    let grain = if threads { usize::MAX } else { (parallel::GRAIN / work).max(1) * size };
    parallel::pieces(y.slice(), size, grain, |first, y| {
        for (i, y) in y.chunks_exact_mut(size).enumerate() {
            let (matrix, vector) = operands(first + i);
            let sums = gemv::product(matrix, vector, threads);
            sums.iter().for_each(|sums| y.copy_from_slice(sums));
        }
    });
    debug_assert!(m == 1 || n == 1);
    cast(&y.finish(&out.shape, DType::I32), out.dtype).map(Some)
}
