use crate::testing::{at, first, indices, moved, numbers, value, views};
use firesteel_core::{DType, Op, Scan};

/// `y` at every index, from `y` one step before along the axis and the index itself.
fn plain(shape: &[usize], axis: usize, start: f64, step: impl Fn(f64, usize) -> f64) -> Vec<f64> {
    let mut y = vec![0.0; shape.iter().product()];
    for index in indices(shape) {
        let before = match index[axis] {
            0 => start,
            i => y[at(shape, &moved(&index, axis, i - 1))],
        };
        let place = at(shape, &index);
        y[place] = step(before, place);
    }
    y
}

#[test]
fn running_sums_and_products() {
    for &dtype in DType::ALL.iter().filter(|&&d| d != DType::Bool) {
        for (x, axis) in views(dtype).iter().flat_map(|x| (0..3).map(move |axis| (x, axis))) {
            let (shape, xs) = (&x.meta.shape, numbers(x));
            let sums = plain(shape, axis, 0.0, |sum, i| sum + xs[i]);
            let fits = |y: f64| match dtype {
                DType::I8 | DType::U8 => y.abs() < 127.0,
                DType::BF16 => y.abs() <= 256.0,
                _ => y.abs() <= 2048.0,
            };
            for (kind, wanted) in
                [(Scan::Sum, sums), (Scan::Prod, plain(shape, axis, 1.0, |product, i| product * xs[i]))]
            {
                let found = first(Op::Scan(kind, x, axis));
                assert_eq!(found.len(), wanted.len());
                for (y, want) in found.into_iter().zip(wanted).filter(|&(_, want)| fits(want)) {
                    assert_eq!(y, want, "{kind:?} of {x:?} along {axis}");
                }
            }
        }
    }
}

#[test]
fn a_recurrence_multiplies_what_came_before() {
    for dtype in [DType::F64, DType::F32, DType::BF16, DType::F16] {
        for (b, axis) in views(dtype).iter().flat_map(|b| (0..3).map(move |axis| (b, axis))) {
            let shape = &b.meta.shape;
            let halves: Vec<f64> = numbers(b).iter().map(|b| if *b > 0.0 { 0.5 } else { -1.0 }).collect();
            let (a, terms) = (value(dtype, shape, &halves), numbers(b));
            let wanted = plain(shape, axis, 0.0, |y, i| halves[i] * y + terms[i]);
            let found = first(Op::Recurrence { a: &a, b, axis });
            assert_eq!(found.len(), wanted.len());
            for (y, want) in found.into_iter().zip(wanted) {
                assert!((y - want).abs() <= 0.01 * want.abs() + 1e-3, "{b:?} along {axis}: {y}, not {want}");
            }
        }
    }
}

#[test]
fn long_running_sums_stay_exact() {
    let n = 1 << 18;
    let x = value(DType::F32, [n], &vec![0.1; n]);
    let last = first(Op::Scan(Scan::Sum, &x, 0))[n - 1];
    assert!((last / (f64::from(0.1f32) * n as f64) - 1.0).abs() < 1e-6);
}

#[test]
fn long_sums_are_cut_in_parts() {
    for (shape, axis) in [([700, 500], 0), ([1, 300_001], 1), ([2, 150_000], 1), ([100_001, 3], 0)] {
        let n = shape[0] * shape[1];
        let xs: Vec<f64> = (0..n).map(|i| ((i * 7) % 11) as f64 - 5.0).collect();
        let x = value(DType::F32, shape, &xs);
        assert!(
            first(Op::Scan(Scan::Sum, &x, axis)) == plain(&shape, axis, 0.0, |sum, i| sum + xs[i]),
            "{shape:?}"
        );
    }
    // a part that overflows, after one that vanishes
    let x = [vec![0.0; 200_000], vec![2.0; 200_000]].concat();
    assert!(first(Op::Scan(Scan::Prod, &value(DType::F64, [400_000], &x), 0)).iter().all(|&y| y == 0.0));
}
