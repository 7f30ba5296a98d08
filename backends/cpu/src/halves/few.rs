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
    let wide = cast(&a, DType::F32)?;
    let (narrow, wide) = (a.rows::<T>().unwrap_or_default(), wide.rows::<f32>().unwrap_or_default());
    let places = starts(b);
    let width = (BLOCK / k).max(1).next_multiple_of(ROWS);
    let mut y = Output::<T>::new(out.numel())?;
    let mut parts = vec![];
    for (batch, y) in y.slice().chunks_exact_mut(m * n).enumerate() {
        let columns = MatrixMut::rows(y, [m, n]).split_columns(width);
        parts.extend(columns.map(|(column, y)| (batch, column, y)));
    }
    parallel::try_jobs(parts, |(batch, column, mut y)| {
        let columns = column..column + y.size[1];
        let b = last_two::<T>(b, places[batch]).columns(columns.clone());
        let mut sums = Output::<f32>::new(m * columns.len())?;
        let rows = Matrix::rows(&narrow[batch * m * k..][..m * k], [m, k]);
        if !by_rows(out.dtype, rows, b, sums.slice()) {
            let a = Matrix::rows(&wide[batch * m * k..][..m * k], [m, k]);
            let mut sums = MatrixMut::rows(sums.slice(), [m, columns.len()]);
            let mut memory = Output::new(k * columns.len())?;
            f32::product(&mut sums, a, widened(b, memory.slice()), false, false);
        }
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

/// Writes `a b` row by row, where the columns of `b` lie in lines and the processor has instructions for such; else says that
/// it has not.
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
fn by_rows<T: Native>(dtype: DType, a: Matrix<T>, b: Matrix<T>, sums: &mut [f32]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if b.strides[0] == 1
        && let Some(kernels) = super::rows::Kernels::of(dtype)
    {
        kernels.product(a, b.t(), sums);
        return true;
    }
    false
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
