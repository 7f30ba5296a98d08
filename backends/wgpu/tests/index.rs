//! Reading and writing by indices gives what the processor gives.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree, numbers};
use firesteel_core::{Axes, DType, Data, Op, Scatter, Shape, TensorData};

const INDICES: [DType; 5] = [DType::I64, DType::I32, DType::I8, DType::U32, DType::U8];

/// Indices below `size`, some of them again and again.
fn indices(shape: &[usize], size: usize, dtype: DType) -> TensorData {
    let n = shape.iter().product::<usize>();
    let numbers = (0..n).map(|i| ((i * i + 3 * i) % 31 % size) as i64).collect();
    TensorData::new(Shape::from(shape), Data::I64(numbers)).unwrap().cast(dtype)
}

fn axes(axes: &[usize]) -> Axes {
    axes.into()
}

#[test]
fn slices_are_selected() {
    for dtype in DTYPES {
        for index in INDICES {
            for axis in 0..3 {
                let x = numbers(&[5, 6, 8], dtype, 1);
                let i = indices(&[9], 5, index);
                agree(vec![Op::IndexSelect { x: 0, index: 1, axis }], &[x.clone(), i.clone()], 0., 0.);
                let turned = Op::Permute(0, axes(&[2, 0, 1]));
                agree(vec![turned, Op::IndexSelect { x: 2, index: 1, axis }], &[x, i], 0., 0.);
            }
        }
    }
}

#[test]
fn elements_are_gathered() {
    for dtype in DTYPES {
        for index in INDICES {
            for (axis, shape) in [[2, 6, 7], [5, 9, 3], [4, 1, 20]].iter().enumerate() {
                let x = numbers(&[5, 6, 8], dtype, 1);
                let i = indices(shape, 5, index);
                agree(vec![Op::Gather { x: 0, index: 1, axis }], &[x.clone(), i.clone()], 0., 0.);
                let turned = Op::Permute(0, axes(&[1, 0, 2]));
                if axis == 2 {
                    agree(vec![turned, Op::Gather { x: 2, index: 1, axis }], &[x, i], 0., 0.);
                }
            }
        }
    }
}

#[test]
fn nothing_is_read_from_nothing() {
    let index = TensorData::new([0], Data::I64(vec![])).unwrap();
    for shape in [&[0, 4][..], &[3, 4], &[3, 0]] {
        let x = numbers(shape, DType::F32, 1);
        agree(vec![Op::IndexSelect { x: 0, index: 1, axis: 0 }], &[x, index.clone()], 0., 0.);
    }
    let (x, index) = (numbers(&[0, 4], DType::F32, 1), indices(&[0, 4], 1, DType::I64));
    agree(vec![Op::Gather { x: 0, index: 1, axis: 0 }], &[x, index], 0., 0.);
}

#[test]
fn negative_indices_count_from_the_end() {
    for dtype in INDICES {
        let index = numbers(&[7, 11], dtype, 4);
        agree(vec![Op::WrapIndex(0, 40)], std::slice::from_ref(&index), 0., 0.);
        agree(vec![Op::Permute(0, axes(&[1, 0])), Op::WrapIndex(1, 40)], &[index], 0., 0.);
    }
}

/// Of halves the processor rounds after every step.
fn tolerance(dtype: DType) -> f64 {
    if dtype.is_half() { 5e-2 } else { 1e-6 }
}

/// All ways of joining for dtypes of every make, one for the others.
fn kinds(dtype: DType) -> &'static [Scatter] {
    match dtype {
        DType::F32 | DType::F16 | DType::I64 | DType::Bool => Scatter::ALL,
        _ => &[Scatter::Add],
    }
}

#[test]
fn elements_are_scattered() {
    for dtype in DTYPES {
        for &kind in kinds(dtype) {
            for (axis, shape) in [[2, 6, 7], [5, 40, 3], [4, 1, 20]].iter().enumerate() {
                let (into, x) = (numbers(&[5, 6, 8], dtype, 1), numbers(shape, dtype, 2));
                let index = indices(shape, 5, if axis == 0 { DType::I32 } else { DType::I64 });
                let scatter = Op::Scatter { kind, into: 0, index: 1, x: 2, axis };
                agree(vec![scatter], &[into, index, x], tolerance(dtype), tolerance(dtype));
            }
        }
    }
}

#[test]
fn slices_are_put() {
    for dtype in DTYPES {
        for &kind in kinds(dtype) {
            for (count, index) in [(3, DType::U8), (40, DType::I64)] {
                for axis in 0..3 {
                    let mut shape = [5, 6, 8];
                    shape[axis] = count;
                    let (into, x) = (numbers(&[5, 6, 8], dtype, 1), numbers(&shape, dtype, 2));
                    let index = indices(&[count], 5, index);
                    let put = Op::IndexPut { kind, into: 0, index: 1, x: 2, axis };
                    agree(vec![put], &[into, index, x], tolerance(dtype), tolerance(dtype));
                }
            }
        }
    }
}

#[test]
fn many_slices_are_added() {
    let (into, x) = (numbers(&[300, 16], DType::F32, 1), numbers(&[5000, 16], DType::F32, 2));
    let places = (0..5000).map(|i| i * i % 299).collect();
    let index = TensorData::new([5000], Data::I32(places)).unwrap();
    let put = Op::IndexPut { kind: Scatter::Add, into: 0, index: 1, x: 2, axis: 0 };
    agree(vec![put], &[into, index, x], 1e-5, 1e-5);
}
