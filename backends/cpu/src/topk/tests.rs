use crate::testing::{numbers, run, small, value, views};
use firesteel_core::{DType, Fused, Op, Span};
use smallvec::smallvec;

#[test]
fn the_first_of_a_stable_sort() {
    for &dtype in DType::ALL {
        let long = value(dtype, [2, 5000, 1], &small(dtype, 10_000));
        for x in views(dtype).iter().chain([&long]) {
            for axis in 0..3 {
                let n = x.meta.shape[axis];
                for (k, largest) in
                    [0, 1, 3, 70, n].into_iter().filter(|&k| k <= n).flat_map(|k| [(k, true), (k, false)])
                {
                    let found = run(Op::Fused(Fused::TopK { k, axis, largest }, smallvec![x])).unwrap();
                    let sorted = run(Op::Sort { x, axis, descending: largest }).unwrap();
                    for (found, sorted) in found.iter().zip(&sorted) {
                        let mut spans: firesteel_core::Spans =
                            x.meta.shape.iter().map(|&n| Span::all(n)).collect();
                        spans[axis].len = k;
                        let wanted = sorted.view(sorted.layout.slice(&spans));
                        assert_eq!(numbers(found), numbers(&wanted), "{k} of {x:?} along {axis}");
                    }
                }
            }
        }
    }
}

#[test]
fn nan_is_largest_and_never_lost_in_long_rows() {
    let mut xs: Vec<f64> = (0..50_000).map(|i| f64::from((i * 7919) % 50_000)).collect();
    xs[40_000] = f64::NAN;
    xs[45_000] = f64::INFINITY;
    for dtype in [DType::F64, DType::F32] {
        let x = value(dtype, [50_000], &xs);
        let top = |largest| run(Op::Fused(Fused::TopK { k: 4, axis: 0, largest }, smallvec![&x])).unwrap();
        assert_eq!(numbers(&top(true)[1])[..2], [40_000.0, 45_000.0]);
        assert_eq!(numbers(&top(true)[0])[2..], [49_999.0, 49_998.0]);
        assert_eq!(numbers(&top(false)[0]), [0.0, 1.0, 2.0, 3.0]);
    }
    let same = value(DType::F32, [10_000], &[2.0; 10_000]);
    let first = run(Op::Fused(Fused::TopK { k: 3, axis: 0, largest: true }, smallvec![&same])).unwrap();
    assert_eq!(numbers(&first[1]), [0.0, 1.0, 2.0]);
    let nans = value(DType::F32, [10_000], &[f64::NAN; 10_000]);
    let first = run(Op::Fused(Fused::TopK { k: 3, axis: 0, largest: false }, smallvec![&nans])).unwrap();
    assert_eq!(numbers(&first[1]), [0.0, 1.0, 2.0]);
}
