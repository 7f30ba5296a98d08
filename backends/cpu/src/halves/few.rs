//! Few rows times large matrices, as a model that writes word by word asks for: each number of a matrix is read once, where
//! it lies. Packing it would take longer than all else.
use crate::{
    CpuValue,
    elementwise::{Stored, cast},
    gemm::{Matrix, MatrixMut, Product},
    matmul::{last_two, starts},
    parallel,
    value::{Native, Output},
    view,
};
use firesteel_core::{DType, Meta, Result};

/// So few rows leave matrices as they lie.
pub(super) const ROWS: usize = 32;
/// Numbers of a job: widened, they stay in the second cache.
const BLOCK: usize = 128 * 1024;

/// `a b + bias`, of batches; `a` has `k` columns.
pub(super) fn product<T: Stored<Number = f32>>(
    [a, b]: [&CpuValue; 2],
    bias: Option<&[f32]>,
    [m, k, n]: [usize; 3],
    out: &Meta,
) -> Result<CpuValue> {
    let a = view::contiguous(a)?;
    #[cfg(target_arch = "x86_64")]
    if let Some(kernels) = super::rows::Kernels::of(out.dtype)
        && b.layout.strides[b.meta.shape.rank() - 2] == 1
    {
        return shared_out::<T, T>(&a, b, bias, [m, k, n], out, |a, b, sums| {
            kernels.product(a, b.t(), sums);
            Ok(())
        });
    }
    let a = cast(&a, DType::F32)?;
    shared_out::<T, f32>(&a, b, bias, [m, k, n], out, |a, b, sums| {
        let mut memory = Output::new(b.size[0] * b.size[1])?;
        let mut sums = MatrixMut::rows(sums, [a.size[0], b.size[1]]);
        f32::product(&mut sums, a, widened(b, memory.slice()), false, false);
        Ok(())
    })
}

/// Shares columns of the results out: `product` writes those of some columns of `b`, row by row.
fn shared_out<T: Stored<Number = f32>, A: Native>(
    a: &CpuValue,
    b: &CpuValue,
    bias: Option<&[f32]>,
    [m, k, n]: [usize; 3],
    out: &Meta,
    product: impl Fn(Matrix<A>, Matrix<T>, &mut [f32]) -> Result<()> + Sync,
) -> Result<CpuValue> {
    let (a, places) = (a.rows::<A>().unwrap_or_default(), starts(b));
    let width = (BLOCK / k).max(1).next_multiple_of(ROWS);
    let mut y = Output::<T>::new(out.numel())?;
    let mut parts = vec![];
    for (batch, y) in y.slice().chunks_exact_mut(m * n).enumerate() {
        let columns = MatrixMut::rows(y, [m, n]).split_columns(width);
        parts.extend(columns.map(|(column, y)| (batch, column, y)));
    }
    parallel::try_jobs(parts, |(batch, column, mut y)| {
        let columns = column..column + y.size[1];
        let a = Matrix::rows(&a[batch * m * k..][..m * k], [m, k]);
        let b = last_two::<T>(b, places[batch]).columns(columns.clone());
        let mut sums = Output::<f32>::new(m * columns.len())?;
        product(a, b, sums.slice())?;
        for (i, sums) in sums.slice().chunks_exact_mut(columns.len()).enumerate() {
            if let Some(bias) = bias {
                sums.iter_mut().zip(&bias[columns.clone()]).for_each(|(sum, bias)| *sum += bias);
            }
            T::narrow(sums, y.row(i));
        }
        Ok(())
    })?;
    Ok(y.finish(&out.shape, out.dtype))
}

/// A matrix in F32, which lies as it did where its rows or columns lie in lines.
fn widened<'a, T: Stored<Number = f32>>(b: Matrix<T>, memory: &'a mut [f32]) -> Matrix<'a, f32> {
    if b.strides[0] == 1 && b.strides[1] != 1 {
        return widened(b.t(), memory).t();
    }
    for (i, y) in memory.chunks_exact_mut(b.size[1]).enumerate() {
        if b.strides[1] == 1 {
            T::widen(b.row(i), y);
        } else {
            y.iter_mut().enumerate().for_each(|(j, y)| T::widen(&[b.number(i, j)], std::slice::from_mut(y)));
        }
    }
    Matrix::rows(memory, b.size)
}
