//! Running sums, products and recurrences are those of the processor.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree, numbers};
use firesteel_core::{Axes, DType, Op, Scan};

fn tolerance(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::F64 => (1e-12, 1e-11),
        DType::F16 => (4e-3, 1e-2),
        DType::BF16 => (2e-2, 5e-2),
        _ => (1e-5, 1e-4),
    }
}

#[test]
fn all_kinds_and_dtypes() {
    for dtype in DTYPES.into_iter().filter(|&dtype| dtype != DType::Bool) {
        for &kind in Scan::ALL {
            let (rtol, atol) = tolerance(dtype);
            for axis in 0..3 {
                let x = numbers(&[5, 70, 3], dtype, 1);
                agree(vec![Op::Scan(kind, 0, axis)], std::slice::from_ref(&x), rtol, atol);
                let turned = Op::Permute(0, Axes::from_slice(&[2, 0, 1]));
                agree(vec![turned, Op::Scan(kind, 1, axis)], &[x], rtol, atol);
            }
        }
    }
}

#[test]
fn recurrences_go_step_by_step() {
    for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        let (rtol, atol) = tolerance(dtype);
        for axis in 0..2 {
            let (a, b) = (numbers(&[6, 7], dtype, 1), numbers(&[6, 7], dtype, 2));
            agree(vec![Op::Recurrence { a: 0, b: 1, axis }], &[a, b], 8. * rtol, 8. * atol);
        }
    }
}

#[test]
fn long_rows_are_summed_in_parts() {
    for (shape, axis) in [(&[1_000_001][..], 0), (&[2, 100_003], 1), (&[50_000, 3], 0), (&[3, 20_000], 0)] {
        let x = numbers(shape, DType::I32, 1);
        agree(vec![Op::Scan(Scan::Sum, 0, axis)], &[x], 0., 0.);
        let x = numbers(shape, DType::F32, 1);
        agree(vec![Op::Scan(Scan::Sum, 0, axis)], &[x], 1e-4, 2e-2);
    }
}

#[test]
fn nothing_has_no_sums() {
    for shape in [&[0][..], &[3, 0], &[0, 3]] {
        agree(
            vec![Op::Scan(Scan::Sum, 0, 0), Op::Scan(Scan::Prod, 0, 0)],
            &[numbers(shape, DType::F32, 1)],
            0.,
            0.,
        );
    }
}
