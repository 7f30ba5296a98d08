//! Numbers from nothing are those of the processor: random ones to the bit, but for functions of them.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree};
use firesteel_core::{Axes, DType, Distribution, Op, Scalar, Shape, Span, Stream};

#[test]
fn random_numbers() {
    // the low half of the offset runs over
    for stream in [Stream { seed: 7, offset: 3 }, Stream { seed: 1 << 40, offset: (1 << 32) - 2 }] {
        for dtype in DTYPES.into_iter().filter(|&dtype| dtype != DType::Bool) {
            for n in [1, 5, 1001] {
                let draw = |kind| Op::Random(kind, stream, Shape::from([n]), dtype);
                if !dtype.is_float() {
                    agree(vec![draw(Distribution::Bits)], &[], 0., 0.);
                    continue;
                }
                agree(vec![draw(Distribution::Uniform)], &[], 0., 0.);
                let tolerance = if dtype == DType::F64 { 1e-12 } else { 2e-6 };
                let tolerance = if dtype.is_half() { 1e-2 } else { tolerance };
                agree(vec![draw(Distribution::Normal)], &[], tolerance, tolerance);
            }
        }
    }
}

#[test]
fn ranges_and_one_number() {
    for dtype in DTYPES {
        agree(vec![Op::Full(Scalar::Int(1), Shape::from([2, 3]), dtype)], &[], 0., 0.);
        let arange = |start, step| Op::Arange { start, step, len: 9, dtype };
        agree(vec![arange(Scalar::Int(3), Scalar::Int(2))], &[], 0., 0.);
        agree(vec![arange(Scalar::Float(0.5), Scalar::Float(0.25))], &[], 0., 0.);
    }
}

#[test]
fn views_are_copied_where_they_are_read() {
    let backwards = |len: usize| Span { start: len - 1, step: -2, len: len.div_ceil(2) };
    for dtype in DTYPES {
        let x = common::numbers(&[6, 5, 7], dtype, 1);
        let spans = [backwards(6), Span { start: 1, step: 1, len: 3 }, backwards(7)];
        let code = vec![
            Op::Permute(0, Axes::from_slice(&[2, 0, 1])),
            Op::Reshape(1, Shape::from([42, 5])),
            Op::Slice(0, spans.into_iter().collect()),
            Op::Reshape(3, Shape::from([3, 12])),
            Op::Windows { x: 0, axis: 2, size: 3, step: 2 },
        ];
        agree(code, &[x], 0., 0.);
    }
}
