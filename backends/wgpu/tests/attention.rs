//! Attention gives what the processor gives: masks, causal rows, odd sizes and transposed heads.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{agree, numbers};
use firesteel_core::{Axes, DType, Fused, Op};

fn attention(causal: bool, operands: &[usize]) -> Op<usize> {
    Op::Fused(Fused::Attention { scale: 0.3, causal }, operands.iter().copied().collect())
}

#[test]
fn sizes_masks_and_causal_rows() {
    for [n, m, d, e] in [[5, 7, 8, 8], [40, 70, 16, 12], [33, 33, 5, 3], [1, 100, 64, 64], [64, 64, 32, 32]] {
        let x = |shape: &[usize], seed| numbers(shape, DType::F32, seed);
        let xs = [x(&[2, 3, n, d], 1), x(&[2, 3, m, d], 2), x(&[2, 3, m, e], 3)];
        for causal in [false, true] {
            agree(vec![attention(causal, &[0, 1, 2])], &xs, 1e-4, 1e-5);
        }
        for dtype in [DType::Bool, DType::F32] {
            let [q, k, v] = xs.clone();
            let mask = numbers(&[2, 3, n, m], dtype, 4);
            agree(vec![attention(false, &[0, 1, 2, 3])], &[q, k, v, mask], 1e-4, 1e-5);
        }
    }
}

#[test]
fn other_dtypes_and_layouts() {
    for (dtype, rtol, atol) in
        [(DType::F64, 1e-11, 1e-12), (DType::F16, 5e-3, 5e-3), (DType::BF16, 4e-2, 4e-2)]
    {
        let xs =
            [numbers(&[2, 20, 8], dtype, 1), numbers(&[2, 30, 8], dtype, 2), numbers(&[2, 30, 4], dtype, 3)];
        agree(vec![attention(false, &[0, 1, 2])], &xs, rtol, atol);
    }
    // heads that lie between the batch and the rows
    let x = |seed| numbers(&[2, 17, 3, 8], DType::F32, seed);
    let turned = |x| Op::Permute(x, Axes::from_slice(&[0, 2, 1, 3]));
    let code = vec![turned(0), turned(1), turned(2), attention(true, &[3, 4, 5])];
    agree(code, &[x(1), x(2), x(3)], 1e-4, 1e-5);
}
