//! Tensors put together are what they are on the processor.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{DTYPES, agree, gpu, numbers};
use firesteel_core::{Axes, Backend, DType, Op, Operand, PadAxis, Scalar, Shape, Span, Spans, Update};
use smallvec::smallvec;

fn axes(axes: &[usize]) -> Axes {
    axes.into()
}

#[test]
fn one_after_another() {
    for dtype in DTYPES {
        let xs =
            [numbers(&[3, 4, 8], dtype, 1), numbers(&[3, 1, 8], dtype, 2), numbers(&[3, 0, 8], dtype, 3)];
        agree(vec![Op::Concat(smallvec![0, 1, 2, 0], 1)], &xs, 0., 0.);
        let xs = [numbers(&[2, 3], dtype, 1), numbers(&[5, 3], dtype, 2)];
        agree(vec![Op::Concat(smallvec![0, 1, 1], 0)], &xs, 0., 0.);
        let turned = Op::Permute(0, axes(&[1, 0]));
        agree(
            vec![turned, Op::Concat(smallvec![2, 1], 1)],
            &[numbers(&[4, 6], dtype, 1), numbers(&[6, 3], dtype, 2)],
            0.,
            0.,
        );
        let one = Op::Full(Scalar::Int(1), Shape::from([2, 5]), dtype);
        agree(vec![one, Op::Concat(smallvec![1, 0, 1], 1)], &[numbers(&[2, 3], dtype, 1)], 0., 0.);
    }
}

#[test]
fn many_are_joined() {
    let xs: Vec<_> = (0..20).map(|i| numbers(&[4, i, 3], DType::F32, i as u64)).collect();
    agree(vec![Op::Concat((0..20).collect(), 1)], &xs, 0., 0.);
}

#[test]
fn more_workgroups_than_one_dimension_takes() {
    let xs = [numbers(&[17_000_001], DType::U8, 1), numbers(&[3], DType::U8, 2)];
    agree(vec![Op::Concat(smallvec![1, 0], 0)], &xs, 0., 0.);
}

#[test]
fn an_update_writes_a_slice() {
    let gpu = gpu();
    let up = |shape: &[usize], seed| gpu.upload(numbers(shape, DType::F16, seed)).unwrap();
    let (mut cache, x) = (up(&[6, 4, 10], 1), up(&[6, 2, 10], 2));
    let spans: Spans = smallvec![Span::all(6), Span { start: 1, step: 1, len: 2 }, Span::all(10)];
    let into = up(&[6, 4, 10], 1);
    let want = gpu.run(Op::Write { into: &into, x: &x, spans: spans.clone() }).unwrap().remove(0);
    let write = Op::Write { into: Operand::Target(0), x: Operand::Value(&x), spans };
    gpu.update(vec![Update { targets: smallvec![&mut cache], op: write }]).unwrap();
    let down = |x: &_| firesteel_core::block_on(gpu.download(x)).unwrap();
    assert_eq!(down(&cache).data(), down(&want).data());
}

#[test]
fn padding_goes_around_and_between() {
    let pad = |low, high, interior| PadAxis { low, high, interior };
    for dtype in DTYPES {
        let x = numbers(&[3, 4, 8], dtype, 1);
        let value = Scalar::Int(1);
        for padding in [
            [pad(0, 0, 0), pad(1, 2, 0), pad(0, 0, 0)],
            [pad(4, 0, 0), pad(0, 0, 0), pad(0, 0, 0)],
            [pad(0, 1, 2), pad(1, 0, 0), pad(3, 2, 1)],
            [pad(0, 0, 0), pad(0, 0, 0), pad(4, 8, 0)],
            [pad(0, 0, 0), pad(0, 0, 0), pad(0, 0, 0)],
        ] {
            agree(vec![Op::Pad(0, padding[..].into(), value)], std::slice::from_ref(&x), 0., 0.);
            let turned = Op::Permute(0, axes(&[2, 0, 1]));
            agree(vec![turned, Op::Pad(1, padding[..].into(), value)], std::slice::from_ref(&x), 0., 0.);
        }
        agree(vec![Op::Pad(0, smallvec![], value)], &[numbers(&[], dtype, 1)], 0., 0.);
        agree(
            vec![Op::Pad(0, smallvec![pad(2, 3, usize::MAX / 8)], value)],
            &[numbers(&[0], dtype, 1)],
            0.,
            0.,
        );
        agree(
            vec![Op::Pad(0, smallvec![pad(2, 3, usize::MAX / 8)], value)],
            &[numbers(&[1], dtype, 1)],
            0.,
            0.,
        );
    }
}

#[test]
fn a_slice_is_written() {
    let span = |start, step, len| Span { start, step, len };
    for dtype in DTYPES {
        let into = numbers(&[6, 8, 12], dtype, 1);
        for spans in [
            [span(1, 1, 4), span(0, 1, 8), span(0, 1, 12)],
            [span(0, 1, 6), span(2, 1, 3), span(0, 1, 12)],
            [span(0, 1, 6), span(0, 1, 8), span(4, 1, 4)],
            [span(5, -2, 3), span(7, -1, 8), span(1, 3, 4)],
            [span(2, 0, 3), span(0, 1, 8), span(0, 0, 2)],
            [span(2, 1, 0), span(0, 1, 8), span(0, 1, 2)],
        ] {
            let x = numbers(&spans.map(|span| span.len), dtype, 2);
            agree(vec![Op::Write { into: 0, x: 1, spans: spans[..].into() }], &[into.clone(), x], 0., 0.);
        }
    }
}

#[test]
fn many_axes_are_padded() {
    let shape = [1, 2, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2];
    let padding = shape.iter().map(|_| PadAxis { low: 1, high: 0, interior: 0 }).collect();
    agree(vec![Op::Pad(0, padding, Scalar::Int(3))], &[numbers(&shape, DType::F32, 1)], 0., 0.);
}

#[test]
fn windows_are_folded() {
    for dtype in DTYPES.into_iter().filter(|&dtype| dtype != DType::Bool) {
        for (axis, len, size, step) in
            [(0, 11, 4, 2), (1, 9, 3, 1), (2, 12, 2, 5), (1, 7, 7, 3), (0, 5, 1, 1)]
        {
            let mut shape = vec![3, 4, 2];
            shape[axis] = (len - size) / step + 1;
            shape.push(size);
            let (rtol, atol) = if dtype.is_half() { (1e-2, 1e-2) } else { (1e-6, 1e-6) };
            let x = numbers(&shape, dtype, 1);
            agree(vec![Op::Fold { x: 0, axis, len, step }], &[x], rtol, atol);
        }
    }
}
