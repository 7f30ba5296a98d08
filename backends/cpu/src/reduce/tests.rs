use crate::{
    CpuValue,
    testing::{at, error, first, indices, moved, numbers, run, small, value, views},
};
use firesteel_core::{ArgReduce, Axes, DType, ErrorKind, Meta, Op, Reduce, Scalar};

fn plain(kind: Reduce, x: &CpuValue, axes: &[usize]) -> Vec<f64> {
    let (shape, xs) = (&x.meta.shape, numbers(x));
    let out = x.meta.reduced(&axes.into());
    let start = [0.0, 1.0, 0.0, f64::NEG_INFINITY, f64::INFINITY][kind as usize];
    let mut y = vec![start; out.numel()];
    for index in indices(shape) {
        let to = axes.iter().fold(index.clone(), |index, &axis| moved(&index, axis, 0));
        let (y, x) = (&mut y[at(&out, &to)], xs[at(shape, &index)]);
        *y = match kind {
            Reduce::Sum | Reduce::Mean => *y + x,
            Reduce::Prod => *y * x,
            Reduce::Max => y.max(x),
            Reduce::Min => y.min(x),
        };
    }
    let count: usize = axes.iter().map(|&a| shape[a]).product();
    if kind == Reduce::Mean { y.iter().map(|y| y / count as f64).collect() } else { y }
}

/// Where along an axis the first of the best stand.
fn places(kind: ArgReduce, x: &CpuValue, axis: usize) -> Vec<f64> {
    let (shape, xs) = (&x.meta.shape, numbers(x));
    let best = |index: Vec<usize>| {
        let there = |i| xs[at(shape, &moved(&index, axis, i))];
        let better = |i, j| match kind {
            ArgReduce::Max => there(i) > there(j),
            ArgReduce::Min => there(i) < there(j),
        };
        (0..shape[axis]).fold(0, |j, i| if better(i, j) { i } else { j }) as f64
    };
    indices(&shape.with(axis, 1)).into_iter().map(best).collect()
}

#[test]
fn every_view_every_dtype_over_all_axes() {
    let subsets: [&[usize]; 8] = [&[], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]];
    for &dtype in DType::ALL {
        for x in views(dtype) {
            for (axes, &kind) in
                subsets.iter().flat_map(|axes| Reduce::ALL.iter().map(move |kind| (axes, kind)))
            {
                let empty = axes.iter().any(|&a| x.meta.shape[a] == 0);
                let arithmetic = matches!(kind, Reduce::Sum | Reduce::Prod | Reduce::Mean);
                let allowed = match kind {
                    _ if dtype == DType::Bool => !arithmetic,
                    Reduce::Mean => dtype.is_float(),
                    Reduce::Max | Reduce::Min => !empty,
                    Reduce::Sum | Reduce::Prod => true,
                };
                if !allowed {
                    assert!(run(Op::Reduce(kind, &x, Axes::from_slice(axes))).is_err());
                    continue;
                }
                let found = first(Op::Reduce(kind, &x, Axes::from_slice(axes)));
                let mut wanted = plain(kind, &x, axes);
                if dtype == DType::Bool {
                    wanted.iter_mut().for_each(|y| *y = y.clamp(0.0, 1.0));
                }
                if matches!(dtype, DType::I8 | DType::U8) && kind == Reduce::Sum {
                    let wrapped = |y: f64| {
                        if dtype == DType::I8 { f64::from(y as i64 as i8) } else { f64::from(y as i64 as u8) }
                    };
                    wanted.iter_mut().for_each(|y| *y = wrapped(*y));
                }
                // products of many small numbers leave the dtype, but not f64
                let highest = if dtype.is_float() { 60_000.0 } else { 100.0 };
                if kind == Reduce::Prod && wanted.iter().any(|y| y.abs() > highest) {
                    continue;
                }
                let close = |(a, b): (&f64, &f64)| {
                    let tolerance = if dtype.is_half() { 1e-2 } else { 1e-6 };
                    (a - b).abs() <= tolerance * b.abs() || a.is_nan() && b.is_nan()
                };
                let same = found.len() == wanted.len() && found.iter().zip(&wanted).all(close);
                assert!(same, "{kind:?} of {x:?} over {axes:?}: {found:?}, not {wanted:?}");
            }
        }
    }
}

#[test]
fn few_columns_short_rows_and_few_rows() {
    for shape in
        [[1, 1003, 3], [5, 203, 7], [2, 150, 32], [2, 150, 33], [1, 3, 2500], [3, 1, 2500], [70, 70, 3]]
    {
        for dtype in [DType::F32, DType::I32] {
            let x = value(dtype, shape, &small(dtype, shape.iter().product()));
            for axis in 0..3 {
                for kind in [Reduce::Sum, Reduce::Max, Reduce::Min] {
                    let found = first(Op::Reduce(kind, &x, Axes::from_slice(&[axis])));
                    assert!(found == plain(kind, &x, &[axis]), "{kind:?} of {shape:?} along {axis}");
                }
                for kind in ArgReduce::ALL {
                    let found = first(Op::ArgReduce(*kind, &x, axis));
                    assert!(found == places(*kind, &x, axis), "{kind:?} of {shape:?} along {axis}");
                }
            }
        }
    }
}

#[test]
fn long_rows_of_halves() {
    for (rows, n, dtype) in [(1, 2048, DType::BF16), (3, 70_001, DType::F16), (300, 2049, DType::BF16)] {
        let data = small(dtype, rows * n);
        let wide: Vec<f64> = numbers(&value(dtype, [rows, n], &data));
        let x = value(dtype, [rows, n], &data);
        for (kind, axes) in Reduce::ALL.iter().flat_map(|&kind| [(kind, vec![1]), (kind, vec![0, 1])]) {
            let axes = Axes::from_vec(axes);
            let of_wide = first(Op::Reduce(kind, &value(DType::F32, [rows, n], &wide), axes.clone()));
            let rounded = numbers(&value(dtype, [of_wide.len()], &of_wide));
            assert_eq!(first(Op::Reduce(kind, &x, axes)), rounded, "{kind:?} of {rows} x {n} {dtype}");
        }
    }
}

#[test]
fn nothing_sums_to_zero_and_has_no_mean() {
    let x = value(DType::F32, [0], &[]);
    let all = Axes::from_slice(&[0]);
    assert_eq!(first(Op::Reduce(Reduce::Sum, &x, all.clone())), [0.0]);
    assert_eq!(first(Op::Reduce(Reduce::Prod, &x, all.clone())), [1.0]);
    assert!(first(Op::Reduce(Reduce::Mean, &x, all.clone()))[0].is_nan());
    let x = value(DType::Bool, [0], &[]);
    assert_eq!(first(Op::Reduce(Reduce::Max, &x, all.clone())), [0.0]);
    assert_eq!(first(Op::Reduce(Reduce::Min, &x, all)), [1.0]);
    let scalar = value(DType::F32, [], &[3.0]);
    assert_eq!(first(Op::Reduce(Reduce::Max, &scalar, Axes::new())), [3.0]);
}

#[test]
fn nan_is_the_largest_and_the_smallest_wherever_it_stands() {
    for place in [0, 1, 31, 64, 99] {
        let mut xs = small(DType::F32, 100);
        xs[place] = f64::NAN;
        for dtype in [DType::F64, DType::F32, DType::BF16, DType::F16] {
            for (shape, axis) in [([1, 100], 1), ([100, 1], 0)] {
                let x = value(dtype, shape, &xs);
                for kind in [Reduce::Max, Reduce::Min] {
                    assert!(first(Op::Reduce(kind, &x, Axes::from_slice(&[axis])))[0].is_nan());
                }
                for kind in ArgReduce::ALL {
                    assert_eq!(first(Op::ArgReduce(*kind, &x, axis)), [place as f64]);
                }
            }
        }
    }
}

#[test]
fn long_sums_are_exact_to_the_last_bits() {
    // in one F32 the sum would stop at 2^24
    let many = CpuValue::same(Meta::new([1 << 25], DType::F32), Scalar::Float(1.0));
    assert_eq!(first(Op::Reduce(Reduce::Sum, &many, Axes::from_slice(&[0]))), [33_554_432.0]);
    let tenths = vec![0.1; 300_000];
    let exact = f64::from(0.1f32) * 300_000.0;
    for (shape, axis) in [([300_000, 1], 0), ([1, 300_000], 1), ([100_000, 3], 0)] {
        let x = value(DType::F32, shape, &tenths);
        for y in first(Op::Reduce(Reduce::Sum, &x, Axes::from_slice(&[axis]))) {
            let exact = exact / if shape[1] == 3 { 3.0 } else { 1.0 };
            assert!((y / exact - 1.0).abs() < 1e-6, "{y} is not {exact}");
        }
    }
    let halves = value(DType::BF16, [4096], &[1.0; 4096]);
    assert_eq!(first(Op::Reduce(Reduce::Sum, &halves, Axes::from_slice(&[0]))), [4096.0]);
}

#[test]
fn the_first_of_equals() {
    for &dtype in DType::ALL.iter().filter(|&&d| d != DType::Bool) {
        for x in views(dtype) {
            for (axis, &kind) in (0..3).flat_map(|axis| ArgReduce::ALL.iter().map(move |kind| (axis, kind))) {
                if x.meta.shape[axis] == 0 {
                    assert_eq!(error(Op::ArgReduce(kind, &x, axis)).0, ErrorKind::Shape);
                    continue;
                }
                let wanted = places(kind, &x, axis);
                assert_eq!(first(Op::ArgReduce(kind, &x, axis)), wanted, "{kind:?} of {x:?} along {axis}");
            }
        }
    }
}
