//! Products of matrices.
use crate::{
    CpuValue, bytes,
    chain::Epilogue,
    gemm::{Matrix, MatrixMut, Plus, Product, Then},
    halves, parallel,
    value::{Native, Output},
    view,
    wide::widened,
};
use firesteel_core::{Error, Layout, Meta, Result, Shape};

/// The products of batches of matrices; of I8, in I8 or I32.
pub(crate) fn matmul(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<CpuValue> {
    if let Some(y) = halves::matmul(a, b, out)? {
        return Ok(y);
    }
    if let Some(y) = bytes::matmul(a, b, out)? {
        return Ok(y);
    }
    widened(&[a, b], out, |xs, out| wide!(out.dtype, T => product::<T>(xs[0], xs[1], out)))
}

fn product<T: Product>(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let mut y = Output::<T>::new(out.numel())?;
    let [.., m, n] = out.shape[..] else {
        return Ok(y.finish(&out.shape, out.dtype));
    };
    if m * n > 0 {
        each(a, b, y.slice(), m * n, |a, b, y, threads| {
            T::product(&mut MatrixMut::rows(y, [m, n]), a, b, false, threads);
        });
    }
    Ok(y.finish(&out.shape, out.dtype))
}

/// Calls `product` with the operands of each product of a batch and its `size` results; it may use all threads where it is told
/// so: a few large products share their work, many small ones are shared out.
pub(crate) fn each<T: Native, R: Native>(
    a: &CpuValue,
    b: &CpuValue,
    y: &mut [R],
    size: usize,
    product: impl Fn(Matrix<T>, Matrix<T>, &mut [R], bool) + Sync,
) {
    let (batch_a, batch_b) = (starts(a), starts(b));
    let threads = batch_a.len() < parallel::num_threads();
    let work = size * a.meta.shape[a.meta.shape.rank() - 1].max(1);
    let grain = if threads { usize::MAX } else { (parallel::GRAIN / work).max(1) * size };
    parallel::pieces(y, size, grain, |first, y| {
        for (i, y) in y.chunks_exact_mut(size).enumerate() {
            product(last_two(a, batch_a[first + i]), last_two(b, batch_b[first + i]), y, threads);
        }
    });
}

/// `x Wᵀ + b`, of a wide dtype.
pub(crate) fn linear(xs: &[&CpuValue], out: &Meta) -> Result<CpuValue> {
    wide!(out.dtype, T => in_rows::<T>(xs, None, out))
}

/// [`linear`] in F32, and then a formula, run on each part of the result that is there.
pub(crate) fn linear_then(xs: &[&CpuValue], epilogue: &Epilogue, out: &Meta) -> Result<CpuValue> {
    in_rows(xs, Some(&|at, part| epilogue.run(at, part)), out)
}

fn in_rows<T: Product>(xs: &[&CpuValue], then: Option<Then<T>>, out: &Meta) -> Result<CpuValue> {
    let [x, w, bias @ ..] = xs else {
        return Err(Error::internal("linear", "takes two or three operands"));
    };
    let (n, k) = (w.meta.shape[0], w.meta.shape[1]);
    let rows = out.numel() / n.max(1);
    let x = view::reshape(x, &Shape::from([rows, k]))?;
    let bias = bias.first().map(|bias| view::contiguous(bias)).transpose()?;
    let plus = bias.as_ref().map_or(Plus::Nothing, |bias| Plus::Row(bias.rows().unwrap_or_default()));
    let mut y = Output::<T>::new(out.numel())?;
    let mut into = MatrixMut::rows(y.slice(), [rows, n]);
    T::product_then(&mut into, last_two(&x, x.layout.offset), last_two(w, w.layout.offset).t(), plus, then);
    Ok(y.finish(&out.shape, out.dtype))
}

/// Where each matrix of a batch starts.
pub(crate) fn starts(x: &CpuValue) -> Vec<usize> {
    let lead = x.meta.shape.rank() - 2;
    let Layout { shape, strides, offset } = &x.layout;
    let batch = Layout {
        shape: shape[..lead].iter().copied().collect(),
        strides: strides[..lead].into(),
        offset: *offset,
    };
    batch.offsets().collect()
}

/// The matrix of the last two axes that starts there.
pub(crate) fn last_two<T: Native>(x: &CpuValue, start: usize) -> Matrix<'_, T> {
    let (shape, strides) = (&x.layout.shape, &x.layout.strides);
    let rank = shape.rank();
    Matrix::new(x.memory(), start, [shape[rank - 2], shape[rank - 1]], [strides[rank - 2], strides[rank - 1]])
}
