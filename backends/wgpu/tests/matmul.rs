//! Products give what the processor gives: every dtype, odd sizes, and transposed operands.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree, numbers};
use firesteel_core::{Axes, DType, Fused, Op, Span};

fn turned(x: usize, rank: usize) -> Op<usize> {
    let mut axes: Axes = (0..rank).collect();
    axes.swap(rank - 1, rank - 2);
    Op::Permute(x, axes)
}

fn tolerance(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::F64 => (1e-12, 1e-11),
        DType::F16 => (4e-3, 5e-2),
        DType::BF16 => (2e-2, 5e-1),
        _ => (1e-5, 1e-3),
    }
}

#[test]
fn all_sizes_and_strides() {
    for [m, k, n] in [
        [1, 1, 1],
        [3, 5, 7],
        [8, 16, 4],
        [33, 20, 65],
        [64, 64, 64],
        [130, 40, 150],
        [5, 300, 1],
        [1, 300, 6],
        [1, 9000, 1],
        [600, 7, 1],
        [700, 64, 800],
    ] {
        let x = |shape: &[usize], seed| numbers(shape, DType::F32, seed);
        agree(vec![Op::MatMul(0, 1)], &[x(&[m, k], 1), x(&[k, n], 2)], 1e-4, 1e-3);
        agree(vec![turned(0, 2), Op::MatMul(2, 1)], &[x(&[k, m], 1), x(&[k, n], 2)], 1e-4, 1e-3);
        agree(vec![turned(1, 2), Op::MatMul(0, 2)], &[x(&[m, k], 1), x(&[n, k], 2)], 1e-4, 1e-3);
        agree(
            vec![turned(0, 2), turned(1, 2), Op::MatMul(2, 3)],
            &[x(&[k, m], 1), x(&[n, k], 2)],
            1e-4,
            1e-3,
        );
    }
}

#[test]
fn batches_broadcasts_and_slices() {
    let x = |shape: &[usize], seed| numbers(shape, DType::F32, seed);
    agree(vec![Op::MatMul(0, 1)], &[x(&[2, 3, 9, 12], 1), x(&[2, 3, 12, 20], 2)], 1e-4, 1e-3);
    agree(
        vec![Op::Broadcast(1, [5, 12, 20].into()), Op::MatMul(0, 2)],
        &[x(&[5, 9, 12], 1), x(&[1, 12, 20], 2)],
        1e-4,
        1e-3,
    );
    let part = |len: usize, start: usize| Span { start, step: 1, len };
    let slice = Op::Slice(0, [part(8, 1), part(9, 2)].into_iter().collect());
    agree(vec![slice, Op::MatMul(2, 1)], &[x(&[10, 12], 1), x(&[9, 6], 2)], 1e-4, 1e-3);
    let backwards = Op::Slice(0, [Span { start: 7, step: -1, len: 8 }, Span::all(12)].into_iter().collect());
    agree(vec![backwards, Op::MatMul(2, 1)], &[x(&[8, 12], 1), x(&[12, 6], 2)], 1e-4, 1e-3);
    agree(
        vec![Op::Permute(0, Axes::from_slice(&[1, 0, 2])), Op::MatMul(2, 1)],
        &[x(&[4, 3, 8], 1), x(&[3, 8, 1], 2)],
        1e-4,
        1e-3,
    );
    agree(vec![Op::MatMul(0, 1)], &[x(&[3, 0], 1), x(&[0, 4], 2)], 0., 0.);
    agree(vec![Op::MatMul(0, 1)], &[x(&[3, 0], 1), x(&[0, 1], 2)], 0., 0.);
}

#[test]
fn all_dtypes() {
    for dtype in DTYPES.into_iter().filter(|&dtype| dtype != DType::Bool) {
        let (rtol, atol) = tolerance(dtype);
        for n in [20, 7, 1] {
            let (a, b) = (numbers(&[2, 17, 12], dtype, 1), numbers(&[2, 12, n], dtype, 2));
            agree(vec![Op::MatMul(0, 1)], &[a, b], rtol, atol);
        }
    }
}

#[test]
fn products_of_bytes_in_more_bits() {
    for [m, k, n] in [[17, 12, 20], [1, 9000, 6], [3, 0, 2]] {
        let (a, b) = (numbers(&[2, m, k], DType::I8, 1), numbers(&[2, k, n], DType::I8, 2));
        agree(vec![Op::Fused(Fused::IntMm, [0, 1].into_iter().collect())], &[a, b], 0., 0.);
    }
}

#[test]
fn linear_layers() {
    for dtype in [DType::F32, DType::F16, DType::F64] {
        let (rtol, atol) = tolerance(dtype);
        let (x, w, b) =
            (numbers(&[3, 5, 12], dtype, 1), numbers(&[10, 12], dtype, 2), numbers(&[10], dtype, 3));
        agree(
            vec![Op::Fused(Fused::Linear, [0, 1].into_iter().collect())],
            &[x.clone(), w.clone()],
            rtol,
            atol,
        );
        agree(vec![Op::Fused(Fused::Linear, [0, 1, 2].into_iter().collect())], &[x, w, b], rtol, atol);
    }
}
