//! Pooling gives what the processor gives.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{agree, numbers};
use firesteel_core::{Axes, DType, Divisor, Fused, Op, Operands, Pool};

fn pool(kernel: &[usize], stride: usize, padding: usize, dilation: usize, output: &[usize]) -> Pool {
    let all = |n: usize| -> Axes { kernel.iter().map(|_| n).collect() };
    Pool {
        kernel: kernel.into(),
        stride: all(stride),
        padding: all(padding),
        dilation: all(dilation),
        output: output.into(),
    }
}

fn all(shape: &[usize], pool: &Pool, dtype: DType, rtol: f64) {
    let x = [numbers(shape, dtype, 1)];
    let one = || Operands::from_slice(&[0]);
    agree(vec![Op::Fused(Fused::MaxPool(pool.clone().into()), one())], &x, 0., 0.);
    if dtype.is_float() {
        for divisor in [Divisor::Padded, Divisor::Inside, Divisor::Fixed(5)] {
            agree(vec![Op::Fused(Fused::AvgPool(pool.clone().into(), divisor), one())], &x, rtol, rtol);
        }
    }
}

#[test]
fn windows_of_every_kind() {
    all(&[2, 3, 9], &pool(&[3], 2, 1, 1, &[5]), DType::F32, 1e-6);
    all(&[2, 3, 8, 9], &pool(&[2, 3], 2, 0, 1, &[4, 4]), DType::F32, 1e-6);
    all(&[2, 3, 8, 9], &pool(&[3, 3], 1, 1, 2, &[6, 7]), DType::F32, 1e-6);
    all(&[3, 8, 9], &pool(&[3, 3], 2, 1, 1, &[5, 5]), DType::F32, 1e-6);
    all(&[2, 4, 5, 6], &pool(&[2, 2, 2], 1, 1, 1, &[5, 6, 7]), DType::F32, 1e-6);
    for (dtype, rtol) in [(DType::F64, 1e-12), (DType::F16, 2e-3), (DType::I64, 0.), (DType::U8, 0.)] {
        all(&[2, 3, 8, 9], &pool(&[3, 3], 2, 1, 1, &[4, 5]), dtype, rtol);
    }
}
