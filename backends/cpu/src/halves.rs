//! Products of matrices of half precision, by what a processor has for them: the tiles of AMX, or the dot products of
//! AVX-512 BF16, which multiply pairs of BF16 and add in F32. A number of F16 is the sum of two of BF16, exactly, so a
//! product of F16 is four of BF16: for tiles that pays.
//!
//! Where there is neither, halves are widened to F32.
mod few;
#[cfg(target_arch = "x86_64")]
mod rows;
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    dots::{self, Block, FEW, Kernel, SIDE, Sums},
    elementwise::{Stored, cast},
    view,
    wide::wide,
};
use bytemuck::{cast_mut, cast_slice_mut};
use firesteel_core::{DType, Layout, Meta, Result, Shape};
use half::{bf16, f16};

/// The product of batches of matrices, where it is of halves and this processor multiplies them; else nothing.
pub(crate) fn matmul(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<Option<CpuValue>> {
    product(a, b, None, out)
}

/// `x Wᵀ + b`, likewise.
pub(crate) fn linear(xs: &[&CpuValue], out: &Meta) -> Result<Option<CpuValue>> {
    let [x, w, bias @ ..] = xs else { return Ok(None) };
    if !out.dtype.is_half() {
        return Ok(None);
    }
    let (n, k) = (w.meta.shape[0], w.meta.shape[1]);
    let rows = Shape::from([out.numel() / n.max(1), k]);
    let y = Meta::new([rows[0], n], out.dtype);
    let x = view::reshape(x, &rows)?;
    let y = product(&x, &w.view(w.layout.permute(&[1, 0])), bias.first().copied(), &y)?;
    Ok(y.map(|y| y.view(Layout::contiguous(out.shape.clone()))))
}

fn product(a: &CpuValue, b: &CpuValue, bias: Option<&CpuValue>, out: &Meta) -> Result<Option<CpuValue>> {
    let (&[.., m, n], Some(&k)) = (&out.shape[..], a.meta.shape.last()) else { return Ok(None) };
    if !out.dtype.is_half() || a.is_same() || b.is_same() || n < 2 || m * n * k < FEW {
        return Ok(None);
    }
    if m <= few::ROWS && n * k >= FEW {
        return few_rows([a, b], bias, [m, k, n], out).map(Some);
    }
    match Kernel::of(out.dtype) {
        Some(kernel) if m > 1 => product_by(kernel, a, b, bias, out),
        _ => Ok(None),
    }
}

/// Of `m` rows, the numbers of both matrices read once.
fn few_rows(
    operands: [&CpuValue; 2],
    bias: Option<&CpuValue>,
    size: [usize; 3],
    out: &Meta,
) -> Result<CpuValue> {
    let bias = bias.map(in_wide_rows).transpose()?;
    let bias = bias.as_ref().and_then(CpuValue::rows);
    match out.dtype {
        DType::BF16 => few::product::<bf16>(operands, bias, size, out),
        _ => few::product::<f16>(operands, bias, size, out),
    }
}

/// The product by this kernel, of whatever size.
fn product_by(
    kernel: Kernel,
    a: &CpuValue,
    b: &CpuValue,
    bias: Option<&CpuValue>,
    out: &Meta,
) -> Result<Option<CpuValue>> {
    let bias = bias.map(in_wide_rows).transpose()?;
    let bias = bias.as_ref().and_then(CpuValue::rows::<f32>);
    match out.dtype {
        DType::BF16 => dots::product::<u16, 2, _>(kernel, [a, b], out, |sums, column, y| {
            round::<bf16>(sums, bias.map(|bias| &bias[column..]), y);
        }),
        _ => dots::product::<u16, 2, _>(kernel, [a, b], out, |sums, column, y| {
            round::<f16>(sums, bias.map(|bias| &bias[column..]), y);
        }),
    }
}

/// A bias in F32, in one piece.
fn in_wide_rows(bias: &CpuValue) -> Result<CpuValue> {
    view::contiguous(&cast(bias, wide(bias.meta.dtype))?)
}

/// Rounds a block of sums, with the bias of its columns.
fn round<T: Stored<Number = f32>>(sums: &mut Sums, bias: Option<&[f32]>, y: &mut Block<u16>) {
    let sums: &mut Block<f32> = cast_mut(sums);
    if let Some(bias) = bias {
        for sums in sums.chunks_exact_mut(SIDE) {
            sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
        }
    }
    T::narrow(sums, cast_slice_mut(y));
}
