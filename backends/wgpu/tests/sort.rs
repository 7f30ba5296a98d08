//! Orders are those of the processor: equals stay in theirs, and NaN is largest.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree, numbers};
use firesteel_core::{Axes, DType, Data, Fused, Op, TensorData};
use smallvec::smallvec;

#[test]
fn rows_are_sorted() {
    for dtype in DTYPES {
        for descending in [false, true] {
            let x = numbers(&[3, 70, 2], dtype, 1);
            for axis in 0..3 {
                agree(vec![Op::Sort { x: 0, axis, descending }], std::slice::from_ref(&x), 0., 0.);
            }
            let turned = Op::Permute(0, Axes::from_slice(&[2, 0, 1]));
            agree(vec![turned, Op::Sort { x: 1, axis: 2, descending }], &[x], 0., 0.);
        }
    }
}

#[test]
fn long_rows_are_merged() {
    for n in [1024, 1025, 5000] {
        for dtype in [DType::F32, DType::BF16, DType::U8, DType::I64] {
            let x = numbers(&[3, n], dtype, 1);
            for descending in [false, true] {
                agree(vec![Op::Sort { x: 0, axis: 1, descending }], std::slice::from_ref(&x), 0., 0.);
            }
        }
    }
}

/// Of every dtype whose numbers are told apart by 32 bits, whole and in steps.
#[test]
fn longer_rows_go_by_digits() {
    for dtype in DTYPES.into_iter().filter(|dtype| dtype.size() <= 4) {
        let x = numbers(&[2, 140_000], dtype, 1);
        agree(vec![Op::Sort { x: 0, axis: 1, descending: dtype.is_float() }], &[x], 0., 0.);
    }
    agree(
        vec![Op::Sort { x: 0, axis: 0, descending: false }],
        &[numbers(&[140_000, 2], DType::F32, 1)],
        0.,
        0.,
    );
    let some = [f32::NAN, -0., 1e-40, f32::INFINITY, 0., -1., -f32::NAN, f32::NEG_INFINITY, f32::MAX, -1e-40];
    let x = TensorData::new([200_000], Data::F32(some.repeat(20_000))).unwrap();
    for descending in [false, true] {
        agree(vec![Op::Sort { x: 0, axis: 0, descending }], std::slice::from_ref(&x), 0., 0.);
    }
    // all that a digit of theirs can be
    let x = TensorData::new(
        [150_000],
        Data::I32((0..150_000).map(|i| i32::wrapping_mul(i, -2_083_457)).collect()),
    )
    .unwrap();
    agree(vec![Op::Sort { x: 0, axis: 0, descending: false }], &[x], 0., 0.);
}

#[test]
fn nothing_and_one_are_in_order() {
    for shape in [&[0][..], &[3, 0], &[0, 3], &[1], &[5, 1]] {
        let x = numbers(shape, DType::F32, 1);
        agree(vec![Op::Sort { x: 0, axis: shape.len() - 1, descending: false }], &[x], 0., 0.);
    }
}

#[test]
fn nan_is_largest() {
    let numbers = vec![f32::NAN, -0., 1., f32::INFINITY, 0., -1., f32::NAN, f32::NEG_INFINITY, 0., -0.];
    let x = TensorData::new([10], Data::F32(numbers)).unwrap();
    for descending in [false, true] {
        let sorted = Op::Sort { x: 0, axis: 0, descending };
        agree(
            vec![sorted, Op::SearchSorted { sorted: 1, values: 0, right: descending }],
            std::slice::from_ref(&x),
            0.,
            0.,
        );
    }
}

#[test]
fn values_find_their_place() {
    for dtype in DTYPES {
        for right in [false, true] {
            let (x, values) = (numbers(&[4, 50], dtype, 1), numbers(&[4, 30], dtype, 2));
            let sort = || Op::Sort { x: 0, axis: 1, descending: false };
            agree(
                vec![sort(), Op::SearchSorted { sorted: 2, values: 1, right }],
                &[x, values.clone()],
                0.,
                0.,
            );
            let sort = Op::Sort { x: 0, axis: 0, descending: false };
            let row = numbers(&[50], dtype, 1);
            agree(vec![sort, Op::SearchSorted { sorted: 2, values: 1, right }], &[row, values], 0., 0.);
        }
    }
}

/// Of rows in one tile, in several, and in so many that their first are more than a tile; equals in their order.
#[test]
fn the_first_of_an_order() {
    for (shape, axis, k) in [([5, 2000], 1, 7), ([2000, 3], 0, 512), ([3, 40], 1, 40), ([1, 50_000], 1, 100)]
    {
        for dtype in [DType::F32, DType::F16, DType::U8, DType::I64] {
            let x = numbers(&shape, dtype, 1);
            for largest in [false, true] {
                let topk = Fused::TopK { k, axis, largest };
                agree(vec![Op::Fused(topk, smallvec![0])], std::slice::from_ref(&x), 0., 0.);
            }
        }
    }
    let x = numbers(&[3, 2000], DType::F32, 1);
    let topk = Fused::TopK { k: 600, axis: 1, largest: true };
    agree(vec![Op::Fused(topk, smallvec![0])], &[x], 0., 0.);
}
