//! Convolutions and their adjoints give what the processor gives.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{agree, numbers};
use firesteel_core::{Conv, DType, Op};

/// A convolution over so many dims, with the sizes of its input and weight.
struct Case {
    x: Vec<usize>,
    w: Vec<usize>,
    stride: usize,
    padding: usize,
    dilation: usize,
    groups: usize,
}

impl Case {
    fn new(x: &[usize], w: &[usize], [stride, padding, dilation, groups]: [usize; 4]) -> Self {
        Case { x: x.into(), w: w.into(), stride, padding, dilation, groups }
    }

    fn conv(&self) -> Conv {
        let all = |n: usize| self.x[2..].iter().map(|_| n).collect();
        let Case { stride, padding, dilation, groups, .. } = *self;
        Conv { stride: all(stride), padding: all(padding), dilation: all(dilation), groups }
    }

    /// The convolution and both its adjoints.
    fn check(&self, dtype: DType) {
        let conv = self.conv();
        let size = |axis: usize| conv.output("conv", axis, self.x[2 + axis], self.w[2 + axis]).unwrap();
        let mut y = vec![self.x[0], self.w[0]];
        y.extend((0..self.x.len() - 2).map(size));
        let (x, w, g) = (numbers(&self.x, dtype, 1), numbers(&self.w, dtype, 2), numbers(&y, dtype, 3));
        let code = vec![
            Op::Conv(conv.clone().into(), 0, 1),
            Op::ConvInputGrad { conv: conv.clone().into(), g: 2, w: 1, size: self.x[2..].into() },
            Op::ConvWeightGrad { conv: conv.into(), g: 2, x: 0, size: self.w[2..].into() },
        ];
        let (rtol, atol) = match dtype {
            DType::F64 => (1e-12, 1e-11),
            DType::F16 => (4e-3, 5e-2),
            DType::BF16 => (2e-2, 0.2),
            _ => (1e-5, 1e-3),
        };
        agree(code, &[x, w, g], rtol, atol);
    }
}

#[test]
fn over_one_to_three_dims() {
    for case in [
        Case::new(&[2, 3, 20], &[4, 3, 5], [1, 2, 1, 1]),
        Case::new(&[2, 4, 21], &[6, 2, 3], [2, 1, 2, 2]),
        Case::new(&[2, 3, 9, 8], &[5, 3, 3, 2], [1, 0, 1, 1]),
        Case::new(&[3, 8, 12, 11], &[12, 4, 3, 3], [2, 1, 1, 2]),
        Case::new(&[2, 16, 8, 8], &[24, 16, 1, 1], [1, 0, 1, 1]),
        Case::new(&[1, 2, 5, 6, 7], &[6, 2, 2, 3, 2], [1, 1, 1, 1]),
        Case::new(&[2, 4, 7, 7, 5], &[4, 2, 3, 3, 3], [3, 2, 2, 2]),
    ] {
        case.check(DType::F32);
    }
}

#[test]
fn of_every_dtype() {
    for dtype in [DType::F64, DType::F16, DType::BF16, DType::I64, DType::I8, DType::U32] {
        Case::new(&[2, 6, 9, 7], &[8, 3, 3, 2], [2, 1, 1, 2]).check(dtype);
        Case::new(&[2, 6, 9, 7], &[6, 1, 3, 3], [1, 1, 1, 6]).check(dtype);
    }
}

#[test]
fn of_single_channels_and_large_images() {
    Case::new(&[2, 1, 28, 28], &[8, 1, 5, 5], [1, 2, 1, 1]).check(DType::F32);
    Case::new(&[1, 32, 17, 17], &[64, 1, 3, 3], [1, 1, 1, 32]).check(DType::F32);
    Case::new(&[2, 3, 64, 64], &[70, 3, 3, 3], [2, 1, 1, 1]).check(DType::F32);
}

#[test]
fn of_nothing() {
    Case::new(&[0, 2, 5, 5], &[3, 2, 3, 3], [1, 0, 1, 1]).check(DType::F32);
    Case::new(&[2, 0, 5, 5], &[3, 0, 3, 3], [1, 0, 1, 1]).check(DType::F32);
    Case::new(&[2, 2, 5, 5], &[0, 2, 3, 3], [1, 0, 1, 1]).check(DType::F32);
}
