//! Normalisations and losses give what the processor gives.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{agree, numbers};
use firesteel_core::{Axes, DType, Data, Fused, Op, Operands, TensorData};

const FLOATS: [(DType, f64, f64); 4] = [
    (DType::F32, 1e-5, 1e-5),
    (DType::F64, 1e-12, 1e-12),
    (DType::F16, 4e-3, 4e-3),
    (DType::BF16, 3e-2, 3e-2),
];

fn operands(n: usize) -> Operands<usize> {
    (0..n).collect()
}

#[test]
fn over_the_last_axes() {
    for (dtype, rtol, atol) in FLOATS {
        for shape in [[3, 4, 5], [2, 3, 64], [1, 2, 9000]] {
            let tail = &shape[2..];
            let xs = [numbers(&shape, dtype, 1), numbers(tail, dtype, 2), numbers(tail, dtype, 3)];
            for n in 1..4 {
                let norm = Fused::LayerNorm { dims: 1, eps: 1e-5 };
                agree(vec![Op::Fused(norm, operands(n))], &xs[..n], rtol, atol);
            }
            for n in 1..3 {
                agree(
                    vec![Op::Fused(Fused::RmsNorm { dims: 1, eps: 1e-5 }, operands(n))],
                    &xs[..n],
                    rtol,
                    atol,
                );
            }
        }
        let x = numbers(&[5, 4, 3], dtype, 1);
        agree(vec![Op::Fused(Fused::LayerNorm { dims: 2, eps: 1e-5 }, operands(1))], &[x], rtol, atol);
    }
}

#[test]
fn of_channels() {
    for (dtype, rtol, atol) in FLOATS {
        for shape in [&[4, 3, 5, 6][..], &[7, 10], &[2, 5, 300]] {
            let tail = &shape[1..2];
            let xs = [numbers(shape, dtype, 1), numbers(tail, dtype, 2), numbers(tail, dtype, 3)];
            for n in 1..4 {
                agree(vec![Op::Fused(Fused::BatchNorm { eps: 1e-5 }, operands(n))], &xs[..n], rtol, atol);
            }
        }
    }
}

#[test]
fn of_groups_of_channels() {
    for (dtype, rtol, atol) in FLOATS {
        for (shape, groups) in
            [(&[4, 6, 5, 6][..], 3), (&[7, 12], 4), (&[2, 6, 300], 2), (&[1, 3, 90, 100], 3)]
        {
            let tail = &shape[1..2];
            let xs = [numbers(shape, dtype, 1), numbers(tail, dtype, 2), numbers(tail, dtype, 3)];
            for n in 1..4 {
                let norm = Fused::GroupNorm { groups, eps: 1e-5 };
                agree(vec![Op::Fused(norm, operands(n))], &xs[..n], rtol, atol);
            }
        }
    }
}

fn targets(dtype: DType, numbers: Vec<i64>) -> TensorData {
    TensorData::new([numbers.len()], Data::I64(numbers)).unwrap().cast(dtype)
}

#[test]
fn cross_entropy() {
    for (dtype, rtol, atol) in FLOATS {
        let loss = |ignore_index| Op::Fused(Fused::CrossEntropy { ignore_index }, operands(2));
        for index in [DType::I64, DType::I32, DType::U8] {
            let x = numbers(&[5, 7], dtype, 1);
            agree(vec![loss(3)], &[x.clone(), targets(index, vec![0, 6, 3, 2, 5])], rtol, atol);
            agree(vec![loss(-100)], &[x, targets(index, vec![0, 6, 3, 2, 5])], rtol, atol);
        }
        let turned = Op::Permute(0, Axes::from_slice(&[1, 0]));
        let wide = Op::Fused(Fused::CrossEntropy { ignore_index: -100 }, [2, 1].into_iter().collect());
        agree(
            vec![turned, wide],
            &[numbers(&[1000, 3], dtype, 1), targets(DType::I64, vec![999, 0, 500])],
            rtol,
            atol,
        );
    }
}
