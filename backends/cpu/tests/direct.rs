//! Convolutions on long lines, against the same in F64, which goes by products of matrices.
use firesteel_core::{Conv, DType, Distribution, Op, Shape, Stream, Tensor};
use firesteel_cpu::{Cpu, num_threads, set_num_threads};

type Result<T = ()> = firesteel_core::Result<T>;

fn normal(shape: &[usize], seed: u64) -> Result<Tensor<Cpu>> {
    let stream = Stream { seed, offset: 0 };
    Tensor::make(&Cpu, Op::Random(Distribution::Normal, stream, Shape::from(shape), DType::F32))
}

fn to(x: &Tensor<Cpu>, dtype: DType) -> Result<Tensor<Cpu>> {
    Tensor::one(Op::Cast(x, dtype))
}

/// What is convolved: images, groups, channels and filters of a group.
type Case = ([usize; 4], Vec<usize>, Vec<usize>, Conv);

/// Some convolutions along one and two axes: odd sizes, strides, padding and dilation, few filters and many.
fn cases() -> Vec<Case> {
    let mut cases = vec![];
    let conv = |step: &[usize], padding: &[usize], apart: &[usize], groups| Conv {
        stride: step.into(),
        padding: padding.into(),
        dilation: apart.into(),
        groups,
    };
    for (step, padding, apart) in [
        ([1, 1], [1, 1], [1, 1]),
        ([2, 2], [1, 0], [1, 1]),
        ([2, 3], [2, 4], [2, 1]),
        ([1, 1], [0, 3], [3, 2]),
    ] {
        for [groups, channels, filters] in [[1, 3, 17], [5, 1, 1], [2, 2, 7], [1, 1, 32], [3, 4, 9]] {
            for kernel in [[3, 3], [2, 5], [1, 1]] {
                let conv = conv(&step, &padding, &apart, groups);
                cases.push(([2, groups, channels, filters], vec![19, 23], kernel.to_vec(), conv));
            }
        }
    }
    // small images of many channels, whose lines would fill no vectors
    for (step, padding) in [([1, 1], [1, 1]), ([2, 2], [1, 1]), ([3, 2], [0, 2])] {
        for [images, groups, channels, filters] in [[2, 1, 70, 100], [1, 2, 40, 33], [3, 1, 130, 16]] {
            for (size, kernel) in [([7, 7], [3, 3]), ([9, 13], [4, 3]), ([8, 10], [1, 1]), ([3, 2], [3, 2])] {
                let conv = conv(&step, &padding, &[1, 1], groups);
                cases.push(([images, groups, channels, filters], size.to_vec(), kernel.to_vec(), conv));
            }
        }
    }
    for step in [1, 2, 3] {
        cases.push(([2, 1, 5, 12], vec![101], vec![4], conv(&[step], &[3], &[2], 1)));
    }
    cases
}

/// A convolution and its two adjoints.
fn three(x: &Tensor<Cpu>, w: &Tensor<Cpu>, g: &Tensor<Cpu>, conv: &Conv) -> Result<[Tensor<Cpu>; 3]> {
    let (size, kernel) = (x.shape()[2..].into(), w.shape()[2..].into());
    let conv = || Box::new(conv.clone());
    Ok([
        Tensor::one(Op::Conv(conv(), x, w))?,
        Tensor::one(Op::ConvInputGrad { conv: conv(), g, w, size })?,
        Tensor::one(Op::ConvWeightGrad { conv: conv(), g, x, size: kernel })?,
    ])
}

/// Input, weight, and the gradient of the result.
fn operands(([images, groups, channels, filters], size, kernel, conv): &Case) -> Result<[Tensor<Cpu>; 3]> {
    let x = normal(&[&[*images, groups * channels], &size[..]].concat(), 1)?;
    let w = normal(&[&[groups * filters, *channels], &kernel[..]].concat(), 2)?;
    let y: Tensor<Cpu> = Tensor::one(Op::Conv(Box::new(conv.clone()), &x, &w))?;
    let g = normal(&y.shape()[..], 3)?;
    Ok([x, w, g])
}

#[test]
fn lines_give_what_products_give() -> Result {
    for case in cases() {
        let [x, w, g] = operands(&case)?;
        let got = three(&x, &w, &g, &case.3)?;
        let want = three(&to(&x, DType::F64)?, &to(&w, DType::F64)?, &to(&g, DType::F64)?, &case.3)?;
        for (i, (y, want)) in got.iter().zip(&want).enumerate() {
            let (y, want) = (to(y, DType::F64)?.to_vec::<f64>()?, want.to_vec::<f64>()?);
            let size = (want.iter().map(|y| y * y).sum::<f64>() / want.len() as f64).sqrt();
            let error = y.iter().zip(&want).map(|(y, want)| (y - want).abs()).fold(0.0, f64::max);
            assert!(error <= 1e-5 * size, "{case:?}: {error:e} of {size} in number {i}");
        }
    }
    Ok(())
}

#[test]
fn the_number_of_threads_changes_nothing() -> Result {
    let before = num_threads();
    for case in cases() {
        let [x, w, g] = operands(&case)?;
        let mut seen: Option<Vec<Vec<f32>>> = None;
        for threads in [1, 2, 3] {
            set_num_threads(threads)?;
            let got = three(&x, &w, &g, &case.3)?.iter().map(Tensor::to_vec).collect::<Result<Vec<_>>>()?;
            let first = seen.get_or_insert_with(|| got.clone());
            assert!(*first == got, "{case:?} on {threads} threads");
        }
    }
    set_num_threads(before)
}

#[test]
fn what_is_not_finite_stays_where_it_is_seen() -> Result {
    let conv = Conv {
        stride: [2, 2][..].into(),
        padding: [1, 1][..].into(),
        dilation: [1, 1][..].into(),
        groups: 1,
    };
    let case = ([1, 1, 2, 3], vec![15, 17], vec![3, 3], conv);
    let [x, w, g] = operands(&case)?;
    let mut numbers: Vec<f32> = x.to_vec()?;
    numbers[40] = f32::INFINITY;
    let x = Tensor::new(numbers, &Cpu)?.reshape([1, 2, 15, 17])?;
    let got = three(&x, &w, &g, &case.3)?;
    let want = three(&to(&x, DType::F64)?, &to(&w, DType::F64)?, &to(&g, DType::F64)?, &case.3)?;
    for (y, want) in got.iter().zip(&want) {
        let (y, want) = (to(y, DType::F64)?.to_vec::<f64>()?, want.to_vec::<f64>()?);
        assert!(y.iter().zip(&want).all(|(y, want)| y.is_finite() == want.is_finite()));
    }
    Ok(())
}
