//! Convolutions that are large enough for Winograd's way, against the same in F64, which goes by products of
//! matrices.
use firesteel_core::{Conv, DType, Distribution, Op, Shape, Stream, Tensor};
use firesteel_cpu::Cpu;

type Result<T = ()> = firesteel_core::Result<T>;

fn normal(shape: &[usize], seed: u64) -> Result<Tensor<Cpu>> {
    let stream = Stream { seed, offset: 0 };
    Tensor::make(&Cpu, Op::Random(Distribution::Normal, stream, Shape::from(shape), DType::F32))
}

fn to(x: &Tensor<Cpu>, dtype: DType) -> Result<Tensor<Cpu>> {
    Tensor::one(Op::Cast(x, dtype))
}

/// A convolution by filters of 3x3 and its two adjoints.
fn three(x: &Tensor<Cpu>, w: &Tensor<Cpu>, g: &Tensor<Cpu>, conv: &Conv) -> Result<[Tensor<Cpu>; 3]> {
    let (size, kernel) = (x.shape()[2..].into(), w.shape()[2..].into());
    let conv = || Box::new(conv.clone());
    Ok([
        Tensor::one(Op::Conv(conv(), x, w))?,
        Tensor::one(Op::ConvInputGrad { conv: conv(), g, w, size })?,
        Tensor::one(Op::ConvWeightGrad { conv: conv(), g, x, size: kernel })?,
    ])
}

/// In F32, and what these should be.
fn both(x: &Tensor<Cpu>, w: &Tensor<Cpu>, padding: [usize; 2], groups: usize) -> Result<Vec<[Vec<f64>; 2]>> {
    let one = [1, 1].as_slice();
    let conv = Box::new(Conv {
        stride: one.into(),
        padding: padding.as_slice().into(),
        dilation: one.into(),
        groups,
    });
    let output = [0, 1].map(|axis| x.shape()[axis + 2] + 2 * padding[axis] - 2);
    let g = normal(&[x.shape()[0], w.shape()[0], output[0], output[1]], 3)?;
    let got = three(x, w, &g, &conv)?;
    let want = three(&to(x, DType::F64)?, &to(w, DType::F64)?, &to(&g, DType::F64)?, &conv)?;
    got.iter().zip(&want).map(|(y, want)| Ok([to(y, DType::F64)?.to_vec()?, want.to_vec()?])).collect()
}

#[test]
fn convolutions_are_as_exact_as_sums_in_f32() -> Result {
    for (x, w, padding, groups) in [
        ([1, 16, 28, 28], [16, 16, 3, 3], [1, 1], 1),
        ([3, 40, 21, 30], [25, 40, 3, 3], [0, 1], 1),
        ([2, 32, 24, 24], [32, 16, 3, 3], [2, 2], 2),
        ([9, 150, 9, 13], [130, 150, 3, 3], [1, 2], 1),
        ([2, 70, 7, 7], [100, 70, 3, 3], [1, 1], 1),
        ([3, 90, 9, 11], [50, 45, 3, 3], [0, 2], 2),
        ([1, 64, 12, 12], [33, 64, 3, 3], [1, 1], 1),
    ] {
        for (i, [y, want]) in both(&normal(&x, 1)?, &normal(&w, 2)?, padding, groups)?.iter().enumerate() {
            let size = (want.iter().map(|y| y * y).sum::<f64>() / want.len() as f64).sqrt();
            let error = y.iter().zip(want).map(|(y, want)| (y - want).abs()).fold(0.0, f64::max) / size;
            assert!(error < 2e-5, "{x:?} by {w:?}: {error:e} in number {i}");
        }
    }
    Ok(())
}

#[test]
fn what_is_not_finite_spreads_no_further_than_its_windows() -> Result {
    let mut numbers = normal(&[2, 16, 28, 28], 1)?.to_vec::<f32>()?;
    (numbers[100], numbers[20_000]) = (f32::INFINITY, f32::NAN);
    let x = Tensor::new(numbers, &Cpu)?.reshape([2, 16, 28, 28])?;
    for [y, want] in both(&x, &normal(&[16, 16, 3, 3], 2)?, [1, 1], 1)? {
        let finite = |y: &[f64]| y.iter().map(|y| y.is_finite()).collect::<Vec<_>>();
        assert_eq!(finite(&y), finite(&want));
    }
    Ok(())
}
