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
    matmul::{each, last_two},
    value::Output,
};
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
        return dots::product::<u8, 4, u32>(kernel, [a, b], out, |sums, _, y| *y = *sums);
    }
    dots::product::<u8, 4, u8>(kernel, [a, b], out, |sums, _, y| {
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = *sum as u8);
    })
}

/// The product of matrices of which one is a row or a column, where the other lies in rows or columns.
fn vectors(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<Option<CpuValue>> {
    let [.., m, n] = out.shape[..] else { return Ok(None) };
    let matrix = if n == 1 { a } else { b };
    if !last_two::<i8>(matrix, matrix.layout.offset).strides.contains(&1) {
        return Ok(None);
    }
    let mut y = Output::<i32>::new(out.numel())?;
    each::<i8, _>(a, b, y.slice(), m * n, |a, b, y, threads| {
        let (matrix, vector) = if n == 1 { (a, b.t()) } else { (b.t(), a) };
        gemv::product(matrix, vector, threads).iter().for_each(|sums| y.copy_from_slice(sums));
    });
    cast(&y.finish(&out.shape, DType::I32), out.dtype).map(Some)
}
