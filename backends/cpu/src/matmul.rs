//! Products of matrices.
use crate::{
    CpuValue,
    gemm::{Matrix, Product},
    parallel,
    value::Output,
};
use firesteel_core::{Layout, Meta, Result};

pub(crate) fn matmul(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<CpuValue> {
    multiply!(product(a, b, out))
}

fn product<T: Product>(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let mut y = Output::<T>::new(out.numel())?;
    let [.., m, n] = out.shape[..] else {
        return Ok(y.finish(&out.shape, out.dtype));
    };
    if m * n > 0 {
        let (batch_a, batch_b) = (starts(a), starts(b));
        // a few large products share their work, many small ones are shared out
        let threads = batch_a.len() < parallel::num_threads();
        let flops = m * n * a.meta.shape[a.meta.shape.rank() - 1].max(1);
        let grain = if threads { usize::MAX } else { (parallel::GRAIN / flops).max(1) * m * n };
        parallel::pieces(y.slice(), m * n, grain, |first, y| {
            for (i, y) in y.chunks_exact_mut(m * n).enumerate() {
                T::product(
                    y,
                    last_two(a, batch_a[first + i]),
                    last_two(b, batch_b[first + i]),
                    false,
                    threads,
                );
            }
        });
    }
    Ok(y.finish(&out.shape, out.dtype))
}

/// Where each matrix of a batch starts.
fn starts(x: &CpuValue) -> Vec<usize> {
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
fn last_two<T: Product>(x: &CpuValue, start: usize) -> Matrix<'_, T> {
    let (shape, strides) = (&x.layout.shape, &x.layout.strides);
    let rank = shape.rank();
    Matrix::new(x.memory(), start, [shape[rank - 2], shape[rank - 1]], [strides[rank - 2], strides[rank - 1]])
}
