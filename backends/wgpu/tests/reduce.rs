//! Reductions give what the processor gives: every kind, dtype, and way of lying in memory.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree, numbers};
use firesteel_core::{ArgReduce, Axes, DType, Op, Reduce};

fn axes(axes: &[usize]) -> Axes {
    axes.into()
}

/// What the error of a sum is measured against.
fn tolerance(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::F64 => (1e-12, 1e-11),
        DType::F16 => (4e-3, 1e-2),
        DType::BF16 => (2e-2, 5e-2),
        _ => (1e-5, 1e-3),
    }
}

#[test]
fn all_kinds_and_dtypes() {
    for dtype in DTYPES {
        for &kind in Reduce::ALL {
            let has_meaning = match kind {
                Reduce::Sum | Reduce::Prod => dtype != DType::Bool,
                Reduce::Mean => dtype.is_float(),
                Reduce::Max | Reduce::Min => true,
            };
            if !has_meaning {
                continue;
            }
            let (rtol, atol) = tolerance(dtype);
            let shape = if kind == Reduce::Prod { [3, 4, 5] } else { [7, 33, 70] };
            // kernels are the same for all dtypes but for the type
            let axes_of = [&[1][..], &[0, 2], &[0], &[2], &[1, 2], &[0, 1, 2], &[]];
            for over in axes_of.into_iter().take(if dtype == DType::F32 { 7 } else { 2 }) {
                let x = numbers(&shape, dtype, 5);
                agree(vec![Op::Reduce(kind, 0, axes(over))], std::slice::from_ref(&x), rtol, atol);
                let turned = Op::Permute(0, axes(&[2, 0, 1]));
                agree(vec![turned, Op::Reduce(kind, 1, axes(over))], &[x], rtol, atol);
            }
        }
    }
}

#[test]
fn large_sums_are_made_in_parts() {
    for (shape, over) in
        [(&[1_000_003][..], &[0][..]), (&[3, 400_001], &[1]), (&[300_000, 3], &[0]), (&[20_000, 70], &[1])]
    {
        let x = numbers(shape, DType::F32, 7);
        agree(vec![Op::Reduce(Reduce::Sum, 0, axes(over))], std::slice::from_ref(&x), 1e-4, 5e-2);
        agree(
            vec![Op::Reduce(Reduce::Max, 0, axes(over)), Op::Reduce(Reduce::Mean, 0, axes(over))],
            &[x],
            1e-4,
            1e-5,
        );
    }
}

#[test]
fn places_of_the_best() {
    for dtype in DTYPES.into_iter().filter(|&dtype| dtype != DType::Bool) {
        for &kind in ArgReduce::ALL {
            for axis in 0..3 {
                let x = numbers(&[5, 300, 9], dtype, 3);
                agree(vec![Op::ArgReduce(kind, 0, axis)], std::slice::from_ref(&x), 0., 0.);
                let turned = Op::Permute(0, axes(&[1, 2, 0]));
                agree(vec![turned, Op::ArgReduce(kind, 1, axis)], &[x], 0., 0.);
            }
        }
    }
}

#[test]
fn nan_is_the_largest_and_the_smallest() {
    let mut x: Vec<f32> = (0..100).map(|i| i as f32).collect();
    x[40] = f32::NAN;
    x[70] = f32::NAN;
    let x = firesteel_core::TensorData::new([100], firesteel_core::Data::F32(x)).unwrap();
    agree(
        vec![Op::Reduce(Reduce::Max, 0, axes(&[0])), Op::Reduce(Reduce::Min, 0, axes(&[0]))],
        std::slice::from_ref(&x),
        0.,
        0.,
    );
    agree(vec![Op::ArgReduce(ArgReduce::Max, 0, 0), Op::ArgReduce(ArgReduce::Min, 0, 0)], &[x], 0., 0.);
}
