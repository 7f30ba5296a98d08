use crate::{
    CpuValue,
    testing::{at, error, first, indices, moved, numbers, run, small, value, views},
};
use firesteel_core::{DType, ErrorKind, Op, Scatter};

const INTEGERS: [DType; 5] = [DType::I64, DType::I32, DType::I8, DType::U32, DType::U8];

/// Places in `[0, size)` without a pattern, in a view that is not row-major.
fn places(dtype: DType, shape: &[usize], size: usize) -> CpuValue {
    let count = shape.iter().product();
    let places = (0..count).map(|i| ((i * 7 + i / 3) % size.max(1)) as f64).collect::<Vec<_>>();
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let axes: Vec<usize> = (0..shape.len()).rev().collect();
    let x = value(dtype, reversed, &places);
    x.view(x.layout.permute(&axes))
}

fn join(kind: Scatter, old: f64, new: f64, dtype: DType) -> f64 {
    let y = match kind {
        Scatter::Set => new,
        Scatter::Add => old + new,
        Scatter::Mul => old * new,
        Scatter::Max => old.max(new),
        Scatter::Min => old.min(new),
    };
    match dtype {
        DType::Bool => y.min(1.0),
        DType::I8 => y as i64 as i8 as f64,
        DType::U8 => y as i64 as u8 as f64,
        _ => y,
    }
}

#[test]
fn gather_reads_every_view() {
    for (n, &dtype) in DType::ALL.iter().enumerate() {
        for (x, axis) in views(dtype).iter().flat_map(|x| (0..3).map(move |axis| (x, axis))) {
            let (shape, xs) = (&x.meta.shape, numbers(x));
            if shape[axis] == 0 {
                continue;
            }
            let smaller: Vec<usize> =
                shape.iter().enumerate().map(|(a, &s)| if a == axis { 6 } else { s.div_ceil(2) }).collect();
            let index = places(INTEGERS[n % 5], &smaller, shape[axis]);
            let wide = numbers(&index);
            let read = |to: Vec<usize>| xs[at(shape, &moved(&to, axis, wide[at(&smaller, &to)] as usize))];
            let wanted: Vec<f64> = indices(&smaller).into_iter().map(read).collect();
            assert_eq!(first(Op::Gather { x, index: &index, axis }), wanted, "{x:?} along {axis}");
        }
    }
}

/// Short rows, and long ones that fill lines of a cache, or do not.
#[test]
fn index_select_copies_rows_of_every_length() {
    for (dtype, width) in [DType::U8, DType::F16, DType::F32, DType::F64]
        .into_iter()
        .flat_map(|dtype| [1, 31, 32, 63, 64, 67, 255, 256, 301].map(|width| (dtype, width)))
    {
        let shape = [2, 40, width];
        let xs = small(dtype, shape.iter().product());
        let x = value(dtype, shape, &xs);
        let index = places(DType::I64, &[97], 40);
        let wide = numbers(&index);
        let wanted: Vec<f64> = indices(&[2, 97, width])
            .into_iter()
            .map(|to| xs[at(&shape, &moved(&to, 1, wide[to[1]] as usize))])
            .collect();
        assert_eq!(first(Op::IndexSelect { x: &x, index: &index, axis: 1 }), wanted, "{dtype} {width}");
    }
}

#[test]
fn scatter_writes_in_order() {
    for (n, &dtype) in DType::ALL.iter().enumerate() {
        for (into, axis) in views(dtype).iter().flat_map(|x| (0..3).map(move |axis| (x, axis))) {
            let shape = &into.meta.shape;
            if shape[axis] == 0 {
                continue;
            }
            let smaller: Vec<usize> =
                shape.iter().enumerate().map(|(a, &s)| if a == axis { 6 } else { s.div_ceil(2) }).collect();
            let index = places(INTEGERS[n % 5], &smaller, shape[axis]);
            let (wide, xs) = (numbers(&index), small(dtype, smaller.iter().product()));
            let x = value(dtype, &smaller[..], &xs);
            for &kind in Scatter::ALL {
                let mut wanted = numbers(into);
                for to in indices(&smaller) {
                    let from = at(&smaller, &to);
                    let y = &mut wanted[at(shape, &moved(&to, axis, wide[from] as usize))];
                    *y = join(kind, *y, xs[from], dtype);
                }
                let found = first(Op::Scatter { kind, into, index: &index, x: &x, axis });
                assert_eq!(found, wanted, "{kind:?} into {into:?} along {axis}");
            }
        }
    }
}

#[test]
fn slices_are_selected_and_put() {
    for (n, &dtype) in DType::ALL.iter().enumerate() {
        for (x, axis) in views(dtype).iter().flat_map(|x| (0..3).map(move |axis| (x, axis))) {
            let (shape, xs) = (&x.meta.shape, numbers(x));
            for count in [0, 7] {
                if shape[axis] == 0 && count > 0 {
                    continue;
                }
                let index = places(INTEGERS[n % 5], &[count], shape[axis]);
                let (wide, part) = (numbers(&index), shape.with(axis, count));
                let read = |to: Vec<usize>| xs[at(shape, &moved(&to, axis, wide[to[axis]] as usize))];
                let wanted: Vec<f64> = indices(&part).into_iter().map(read).collect();
                assert_eq!(first(Op::IndexSelect { x, index: &index, axis }), wanted);

                let news = small(dtype, part.numel());
                let new = value(dtype, &part, &news);
                for &kind in Scatter::ALL {
                    let mut wanted = xs.clone();
                    for to in indices(&part) {
                        let y = &mut wanted[at(shape, &moved(&to, axis, wide[to[axis]] as usize))];
                        *y = join(kind, *y, news[at(&part, &to)], dtype);
                    }
                    let found = first(Op::IndexPut { kind, into: x, index: &index, x: &new, axis });
                    assert_eq!(found, wanted, "{kind:?} into {x:?} along {axis}");
                }
            }
        }
    }
}

#[test]
fn large_ones_are_shared_between_threads() {
    let (n, width) = (3000, 40);
    let index = places(DType::I64, &[5000], n);
    let xs = small(DType::F32, 5000 * width);
    let into = value(DType::F32, [n, width], &vec![1.0; n * width]);
    let x = value(DType::F32, [5000, width], &xs);
    let mut wanted = vec![1.0; n * width];
    for (place, xs) in numbers(&index).into_iter().zip(xs.chunks(width)) {
        wanted[place as usize * width..][..width].iter_mut().zip(xs).for_each(|(y, x)| *y += x);
    }
    assert_eq!(
        first(Op::IndexPut { kind: Scatter::Add, into: &into, index: &index, x: &x, axis: 0 }),
        wanted
    );
    let wide = index.view(index.layout.clone());
    let wide = run(Op::Reshape(&wide, [5000, 1].into())).unwrap().remove(0);
    let wide = run(Op::Broadcast(&wide, [5000, width].into())).unwrap().remove(0);
    assert_eq!(first(Op::Scatter { kind: Scatter::Add, into: &into, index: &wide, x: &x, axis: 0 }), wanted);
    let (turned, into) = (x.view(x.layout.permute(&[1, 0])), into.view(into.layout.permute(&[1, 0])));
    let wide = wide.view(wide.layout.permute(&[1, 0]));
    let y = run(Op::Scatter { kind: Scatter::Add, into: &into, index: &wide, x: &turned, axis: 1 })
        .unwrap()
        .remove(0);
    assert_eq!(numbers(&y.view(y.layout.permute(&[1, 0]))), wanted);
}

#[test]
fn an_index_out_of_range_is_an_error_that_names_it() {
    let x = value(DType::F32, [2, 3], &[0.0; 6]);
    for dtype in INTEGERS {
        for bad in [3.0, 100.0, -1.0] {
            if bad < 0.0 && !dtype.is_signed() {
                continue;
            }
            let wide = value(dtype, [2, 3], &[0., 1., 2., 0., bad, 1.]);
            let row = value(dtype, [3], &[0., bad, 1.]);
            let kind = Scatter::Add;
            for op in [
                Op::Gather { x: &x, index: &wide, axis: 1 },
                Op::Scatter { kind, into: &x, index: &wide, x: &x, axis: 1 },
                Op::IndexSelect { x: &x, index: &row, axis: 1 },
                Op::IndexPut { kind, into: &x, index: &row, x: &x, axis: 1 },
            ] {
                let (kind, message) = error(op);
                assert_eq!(kind, ErrorKind::Index);
                assert!(
                    message.contains(&format!("index {bad} is out of range for dim 1 of size 3")),
                    "{message}"
                );
            }
        }
    }
    let (empty, zero) = (value(DType::F32, [0], &[]), value(DType::I64, [1], &[0.0]));
    assert!(error(Op::IndexSelect { x: &empty, index: &zero, axis: 0 }).1.contains("size 0"));
}

#[test]
fn negative_indices_are_wrapped() {
    for dtype in INTEGERS {
        let index = value(dtype, [3], &[0.0, if dtype.is_signed() { -1.0 } else { 3.0 }, 2.0]);
        assert_eq!(first(Op::WrapIndex(&index, 4)), [0.0, 3.0, 2.0]);
        assert!(error(Op::WrapIndex(&index, 0)).1.contains("index 0 is out of range"));
        assert_eq!(error(Op::WrapIndex(&index, 2)).0, ErrorKind::Index);
    }
    let low = value(DType::I64, [1], &[-5.0]);
    assert!(error(Op::WrapIndex(&low, 4)).1.contains("index -5 is out of range for a dim of size 4"));
    let narrow = value(DType::I8, [1], &[-1.0]);
    assert!(error(Op::WrapIndex(&narrow, 1000)).1.contains("cast the index to int64"));
}
