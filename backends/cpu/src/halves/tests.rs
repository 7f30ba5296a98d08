use super::{Kernel, few_rows, product_by};
use crate::{
    Cpu, CpuValue,
    testing::{first, matrices, numbers, small, value},
};
use firesteel_core::{Backend, Binary, DType, Fused, Meta, Op, Operand, Shape, Update};
use smallvec::smallvec;

const HALVES: [DType; 2] = [DType::BF16, DType::F16];

/// What a dtype makes of numbers.
fn rounded(dtype: DType, x: &[f64]) -> Vec<f64> {
    numbers(&value(dtype, [x.len()], x))
}

/// Numbers with as many digits as the dtype has.
fn long(dtype: DType, count: usize) -> Vec<f64> {
    let number = |i: usize| ((i * 7919 % 4093) as f64 - 2046.0) / 1024.0;
    rounded(dtype, &(0..count).map(number).collect::<Vec<_>>())
}

#[test]
fn products_are_those_of_the_definition() {
    for [m, k, n] in [[2, 1, 2], [3, 5, 31], [32, 32, 32], [33, 40, 70], [100, 1100, 65], [300, 7, 300]] {
        for dtype in HALVES {
            let (a, b) = (long(dtype, m * k), long(dtype, k * n));
            let sum = |at: usize| (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum::<f64>();
            let exact: Vec<f64> = (0..m * n).map(sum).collect();
            let size = |at: usize| (0..k).map(|p| (a[at / n * k + p] * b[p * n + at % n]).abs()).sum::<f64>();
            let digit = if dtype == DType::BF16 { 2f64.powi(-8) } else { 2f64.powi(-11) };
            let out = Meta::new([m, n], dtype);
            for kernel in Kernel::all(dtype) {
                for a in matrices(dtype, [m, k], &a) {
                    for b in matrices(dtype, [k, n], &b) {
                        let got = numbers(&product_by(kernel, &a, &b, None, &out).unwrap().unwrap());
                        for (at, (got, exact)) in got.iter().zip(&exact).enumerate() {
                            let allowed = exact.abs() * digit * 1.01 + size(at) * 1e-6;
                            let what =
                                format!("{got} is not {exact} at {at} of {m} x {k} x {n} by {kernel:?}");
                            assert!((got - exact).abs() <= allowed, "{what}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn batches_share_what_is_broadcast() {
    let (m, k, n) = (40, 50, 60);
    for dtype in HALVES {
        let (a, b) = (small(dtype, 3 * m * k), small(dtype, k * n));
        let x = value(dtype, [3, m, k], &a);
        let y = value(dtype, [1, k, n], &b);
        let y = y.view(y.layout.broadcast(&Shape::from([3, k, n])));
        let got = first(Op::MatMul(&x, &y));
        let sum = |at: usize| (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum::<f64>();
        assert_eq!(got, rounded(dtype, &(0..3 * m * n).map(sum).collect::<Vec<_>>()));
    }
}

#[test]
fn linear_adds_its_bias_before_it_rounds() {
    let (m, k, n) = (2 * 35, 40, 50);
    for dtype in HALVES {
        let (x, w, bias) = (small(dtype, m * k), small(dtype, n * k), small(dtype, n));
        let values = [value(dtype, [2, m / 2, k], &x), value(dtype, [n, k], &w), value(dtype, [n], &bias)];
        let sum = |at: usize| (0..k).map(|p| x[at / n * k + p] * w[at % n * k + p]).sum::<f64>();
        let expected: Vec<f64> = (0..m * n).map(|at| sum(at) + bias[at % n]).collect();
        let got = first(Op::Fused(Fused::Linear, values.iter().collect()));
        assert_eq!(got, rounded(dtype, &expected));
    }
}

#[test]
fn infinity_and_nan_go_where_they_belong() {
    for dtype in HALVES {
        for special in [f64::INFINITY, f64::NAN] {
            let mut a = vec![1.0; 64 * 64];
            a[64] = special;
            let ones = value(dtype, [64, 64], &[1.0; 64 * 64]);
            let got = first(Op::MatMul(&value(dtype, [64, 64], &a), &ones));
            for (at, got) in got.iter().enumerate() {
                match at / 64 {
                    1 => assert!(got.to_bits() == special.to_bits() || got.is_nan() && special.is_nan()),
                    _ => assert_eq!(*got, 64.0),
                }
            }
        }
    }
}

/// Weights are packed once, and anew when they change.
#[test]
fn packed_weights_follow_a_change() {
    let (m, k, n) = (40, 300, 260);
    for dtype in HALVES {
        let (x, w) = (small(dtype, m * k), small(dtype, n * k));
        let x_value = value(dtype, [m, k], &x);
        let mut weights = value(dtype, [n, k], &w);
        let product =
            |weights: &CpuValue| first(Op::Fused(Fused::Linear, [&x_value, weights].into_iter().collect()));
        let once = product(&weights);
        assert_eq!(product(&weights), once);
        assert_eq!(product(&weights), once);
        let minus = value(dtype, [n, k], &vec![-1.0; n * k]);
        let op = Op::Binary(Binary::Mul, Operand::Target(0), Operand::Value(&minus));
        Cpu.update(vec![Update { targets: smallvec![&mut weights], op }]).unwrap();
        let turned: Vec<f64> = once.iter().map(|y| -y).collect();
        assert_eq!(product(&weights), turned);
        assert_eq!(product(&weights), turned);
    }
}

#[test]
fn few_rows_are_those_of_the_definition() {
    for [m, k, n] in [[1, 700, 33], [2, 129, 140], [3, 4100, 9], [5, 64, 515], [31, 95, 200], [32, 256, 64]] {
        for dtype in HALVES {
            let (a, b) = (long(dtype, m * k), long(dtype, k * n));
            let bias = small(dtype, n);
            let sum =
                |at: usize| (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum::<f64>() + bias[at % n];
            let size = |at: usize| (0..k).map(|p| (a[at / n * k + p] * b[p * n + at % n]).abs()).sum::<f64>();
            let digit = if dtype == DType::BF16 { 2f64.powi(-8) } else { 2f64.powi(-11) };
            let bias = value(dtype, [n], &bias);
            let out = Meta::new([m, n], dtype);
            for a in matrices(dtype, [m, k], &a) {
                for b in matrices(dtype, [k, n], &b) {
                    let got = numbers(&few_rows([&a, &b], Some(&bias), [m, k, n], &out).unwrap());
                    for (at, got) in got.into_iter().enumerate() {
                        let allowed = sum(at).abs() * digit * 1.01 + size(at) * 1e-6;
                        assert!(
                            (got - sum(at)).abs() <= allowed,
                            "{got} is not {} at {at} of {m} x {k} x {n}",
                            sum(at)
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn where_there_is_nothing_there_are_no_products() {
    for dtype in HALVES {
        let (a, b) = (value(dtype, [0, 3, 200], &[]), value(dtype, [0, 200, 100], &[]));
        assert_eq!(first(Op::MatMul(&a, &b)), Vec::<f64>::new());
        let b = value(dtype, [0, 100, 200], &[]);
        let b = b.view(b.layout.permute(&[0, 2, 1]));
        assert_eq!(first(Op::MatMul(&a, &b)), Vec::<f64>::new());
    }
}
