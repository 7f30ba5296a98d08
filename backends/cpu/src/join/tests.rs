use crate::testing::{at, first, indices, moved, numbers, small, value, views};
use firesteel_core::{DType, Op, PadAxis, Padding, Scalar, Span, Spans};
use smallvec::smallvec;

#[test]
fn tensors_one_after_another() {
    for &dtype in DType::ALL {
        for (x, axis) in views(dtype).iter().flat_map(|x| (0..3).map(move |axis| (x, axis))) {
            let (shape, xs) = (&x.meta.shape, numbers(x));
            let part = shape.with(axis, 2);
            let other = small(dtype, part.numel());
            let nothing = value(dtype, shape.with(axis, 0), &[]);
            let out = shape.with(axis, 2 * shape[axis] + 2);
            let y = value(dtype, &part, &other);
            let read = |to: Vec<usize>| match to[axis] {
                i if i < shape[axis] => xs[at(shape, &to)],
                i if i < shape[axis] + 2 => other[at(&part, &moved(&to, axis, i - shape[axis]))],
                i => xs[at(shape, &moved(&to, axis, i - shape[axis] - 2))],
            };
            let wanted: Vec<f64> = indices(&out).into_iter().map(read).collect();
            assert_eq!(first(Op::Concat(smallvec![x, &nothing, &y, x], axis)), wanted, "{x:?} along {axis}");
        }
    }
}

#[test]
fn padding_before_after_and_between() {
    for &dtype in DType::ALL {
        for x in views(dtype) {
            let (shape, xs) = (&x.meta.shape, numbers(&x));
            let pad = |low, high, interior| PadAxis { low, high, interior };
            let padding: Padding = smallvec![pad(1, 0, 2), pad(0, 0, 0), pad(2, 1, 1)];
            let padded = |(&size, pad): (&usize, &PadAxis)| {
                size + pad.low + pad.high + size.saturating_sub(1) * pad.interior
            };
            let out: Vec<usize> = shape.iter().zip(&padding).map(padded).collect();
            let mut wanted = vec![1.0; out.iter().product()];
            for index in indices(shape) {
                let to = index.iter().zip(&padding).map(|(i, pad)| pad.low + i * (pad.interior + 1));
                wanted[at(&out, &to.collect::<Vec<_>>())] = xs[at(shape, &index)];
            }
            assert_eq!(first(Op::Pad(&x, padding, Scalar::Int(1))), wanted, "{x:?}");
        }
    }
}

#[test]
fn one_element_has_no_neighbours_to_pad_between() {
    let x = value(DType::F32, [1], &[5.0]);
    for interior in [isize::MAX as usize, usize::MAX] {
        let padding = smallvec![PadAxis { low: 1, high: 1, interior }];
        assert_eq!(first(Op::Pad(&x, padding, Scalar::Int(0))), [0.0, 5.0, 0.0]);
    }
}

#[test]
fn a_slice_is_written_where_it_would_be_read() {
    for &dtype in DType::ALL {
        let into = value(dtype, [3, 4, 5], &small(dtype, 60));
        let span = |start, step, len| Span { start, step, len };
        let spans: Spans = smallvec![span(2, -1, 3), span(1, 2, 2), span(0, 1, 4)];
        let new = small(dtype, 24);
        let x = value(dtype, [4, 3, 2], &new);
        let x = x.view(x.layout.permute(&[1, 2, 0]));
        let (xs, mut wanted) = (numbers(&x), numbers(&into));
        for index in indices(&[3, 2, 4]) {
            let to = index.iter().zip(&spans).map(|(&i, s)| s.start.wrapping_add_signed(i as isize * s.step));
            wanted[at(&[3, 4, 5], &to.collect::<Vec<_>>())] = xs[at(&[3, 2, 4], &index)];
        }
        assert_eq!(first(Op::Write { into: &into, x: &x, spans }), wanted);
    }
    let scalar = value(DType::F32, [], &[3.0]);
    assert_eq!(
        first(Op::Write { into: &scalar, x: &value(DType::F32, [], &[4.0]), spans: smallvec![] }),
        [4.0]
    );
}

#[test]
fn overlapping_windows_add_up() {
    for &dtype in DType::ALL.iter().filter(|&&d| d != DType::Bool) {
        for (axis, size, step, len) in
            [(0, 2, 1, 5), (1, 3, 2, 8), (1, 1, 3, 4), (0, 4, 4, 8), (1, 2, 3, 9), (0, 0, 1, 2)]
        {
            let count = (len - size) / step + 1;
            let shape = if axis == 0 { [count, 3, size] } else { [2, count, size] };
            let out = if axis == 0 { [len, 3] } else { [2, len] };
            let x = value(dtype, shape, &small(dtype, shape.iter().product()));
            let mut wanted = vec![0.0; out.iter().product()];
            for index in indices(&shape) {
                let to = moved(&index[..2], axis, index[axis] * step + index[2]);
                wanted[at(&out, &to)] += numbers(&x)[at(&shape, &index)];
            }
            assert_eq!(first(Op::Fold { x: &x, axis, len, step }), wanted, "{size} by {step} in {len}");
        }
    }
}
