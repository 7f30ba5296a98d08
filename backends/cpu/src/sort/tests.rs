use crate::testing::{at, first, indices, moved, numbers, run, value, views};
use firesteel_core::{DType, Op};
use std::cmp::Ordering;

/// NaN is largest.
fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[test]
fn equals_stay_in_their_order() {
    for &dtype in DType::ALL {
        for x in views(dtype) {
            let (shape, xs) = (&x.meta.shape, numbers(&x));
            for (axis, descending) in (0..3).flat_map(|axis| [(axis, false), (axis, true)]) {
                let sorted = run(Op::Sort { x: &x, axis, descending }).unwrap();
                let (values, places) = (numbers(&sorted[0]), numbers(&sorted[1]));
                for start in indices(&shape.with(axis, 1)).iter().filter(|_| shape[axis] > 0) {
                    let there = |i| at(shape, &moved(start, axis, i));
                    let mut order: Vec<usize> = (0..shape[axis]).collect();
                    order.sort_by(|&i, &j| {
                        let order = compare(xs[there(i)], xs[there(j)]);
                        if descending { order.reverse() } else { order }
                    });
                    for (i, &from) in order.iter().enumerate() {
                        assert_eq!(places[there(i)], from as f64, "{x:?} along {axis}, {descending}");
                        assert_eq!(values[there(i)], xs[there(from)]);
                    }
                }
            }
        }
    }
}

#[test]
fn nan_is_largest_and_zeros_are_equal() {
    let xs = [1.0, f64::NAN, -0.0, f64::INFINITY, 0.0, -f64::NAN, f64::NEG_INFINITY, -2.0];
    for dtype in [DType::F64, DType::F32, DType::BF16, DType::F16] {
        let x = value(dtype, [8], &xs);
        let places = |descending| numbers(&run(Op::Sort { x: &x, axis: 0, descending }).unwrap()[1]);
        assert_eq!(places(false), [6., 7., 2., 4., 0., 3., 1., 5.]);
        assert_eq!(places(true), [1., 5., 3., 0., 2., 4., 7., 6.]);
    }
}

#[test]
fn extremes_of_integers_keep_their_order() {
    for (dtype, low, high) in [
        (DType::I64, -(2f64.powi(62)), 2f64.powi(62)),
        (DType::I32, i32::MIN.into(), i32::MAX.into()),
        (DType::I8, -128.0, 127.0),
        (DType::U32, 0.0, u32::MAX.into()),
        (DType::U8, 0.0, 255.0),
    ] {
        let x = value(dtype, [4], &[high, 1.0, low, 2.0]);
        assert_eq!(first(Op::Sort { x: &x, axis: 0, descending: false }), [low, 1.0, 2.0, high]);
    }
}

#[test]
fn places_before_and_after_equals() {
    for &dtype in DType::ALL.iter().filter(|&&d| d != DType::Bool) {
        let sorted = value(dtype, [2, 4], &[1., 3., 3., 5., 0., 0., 2., 9.]);
        let values = value(dtype, [2, 3], &[3., 0., 6., 0., 2., 10.]);
        let place = |right| first(Op::SearchSorted { sorted: &sorted, values: &values, right });
        assert_eq!(place(false), [1., 0., 4., 0., 2., 4.]);
        assert_eq!(place(true), [3., 0., 4., 2., 3., 4.]);

        let one = value(dtype, [3], &[1., 2., 3.]);
        assert_eq!(
            first(Op::SearchSorted { sorted: &one, values: &values, right: false }),
            [2., 0., 3., 0., 1., 3.]
        );
        let scalar = value(dtype, [], &[2.0]);
        assert_eq!(first(Op::SearchSorted { sorted: &one, values: &scalar, right: true }), [2.0]);
        let nothing = value(dtype, [0], &[]);
        assert_eq!(first(Op::SearchSorted { sorted: &nothing, values: &scalar, right: true }), [0.0]);
        assert!(first(Op::SearchSorted { sorted: &one, values: &nothing, right: true }).is_empty());
    }
}
