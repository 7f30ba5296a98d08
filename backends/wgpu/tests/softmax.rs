//! Softmax gives what the processor gives: short rows and long ones, along any axis.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{agree, numbers};
use firesteel_core::{DType, Data, Fused, Op, Operands, TensorData};

fn both(x: TensorData, axis: usize, rtol: f64, atol: f64) {
    let operand = || Operands::from_slice(&[0]);
    let code =
        vec![Op::Fused(Fused::Softmax(axis), operand()), Op::Fused(Fused::LogSoftmax(axis), operand())];
    agree(code, &[x], rtol, atol);
}

#[test]
fn rows_of_every_length() {
    for n in [1, 2, 3, 4, 12, 33, 100, 1000, 1024, 9001, 12_000] {
        both(numbers(&[3, n], DType::F32, 1), 1, 1e-5, 1e-6);
        both(numbers(&[n, 6], DType::F32, 1), 0, 1e-5, 1e-6);
    }
    both(numbers(&[3, 40, 5], DType::F32, 2), 1, 1e-5, 1e-6);
    both(numbers(&[70_000, 2], DType::F32, 2), 1, 1e-5, 1e-6);
}

#[test]
fn other_dtypes() {
    for (dtype, rtol, atol) in
        [(DType::F64, 1e-12, 1e-13), (DType::F16, 2e-3, 1e-3), (DType::BF16, 2e-2, 1e-2)]
    {
        for shape in [[7, 33], [6, 64]] {
            both(numbers(&shape, dtype, 1), 1, rtol, atol);
            both(numbers(&shape, dtype, 1), 0, rtol, atol);
        }
    }
}

#[test]
fn infinities_and_nan() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows = vec![
        -inf, -inf, -inf, -inf, 1., -inf, 2., -inf, 1., inf, 2., 0., 1., nan, 2., 3., 1e30, -1e30, 0., 1e30,
    ];
    both(TensorData::new([5, 4], Data::F32(rows)).unwrap(), 1, 1e-5, 1e-6);
}
