//! Fourier transforms of rows, against their decompositions and their definition.
mod common;

use common::{FLOATS, Result, check, normal};
use firesteel_core::{DType, ErrorKind, FftWay, Fused, Meta, Op, Scalar, Shape, Tensor, infer};
use firesteel_cpu::Cpu;
use std::f64::consts::TAU;

const SIZES: [usize; 15] = [1, 2, 3, 4, 5, 6, 7, 64, 97, 100, 257, 400, 1021, 2042, 4096];
const WAYS: [FftWay; 2] = [FftWay::Forward, FftWay::Inverse];

/// The three transforms of rows that have `n` numbers, each with the shape of what it takes; results are about one.
fn transforms(rows: usize, n: usize, way: FftWay) -> [(Fused, Vec<usize>); 3] {
    let scale = (n as f64).sqrt().recip();
    [
        (Fused::Fft { way, scale }, vec![rows, n, 2]),
        (Fused::Rfft { way, scale }, vec![rows, n]),
        (Fused::Irfft { way, n, scale }, vec![rows, n / 2 + 1, 2]),
    ]
}

fn one(fused: &Fused, x: &Tensor<Cpu>) -> Result<Tensor<Cpu>> {
    Tensor::one(Op::Fused(fused.clone(), [x].into_iter().collect()))
}

#[test]
fn kernels_are_what_their_parts_are() -> Result {
    for dtype in FLOATS {
        for n in SIZES {
            for way in WAYS {
                for (fused, shape) in transforms(3, n, way) {
                    check(&fused, &[normal(&shape, dtype, 1)?])?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn many_rows_and_none() -> Result {
    for (rows, n) in [(0, 6), (0, 7), (0, 1), (300, 400), (500, 33), (40, 1021), (10_000, 2)] {
        for (fused, shape) in transforms(rows, n, FftWay::Forward) {
            check(&fused, &[normal(&shape, DType::F32, 1)?])?;
        }
    }
    // the same number everywhere lies nowhere
    let same = Tensor::make(&Cpu, Op::Full(Scalar::Float(0.5), Shape::from([3, 6]), DType::F32))?;
    check(&transforms(3, 6, FftWay::Forward)[1].0, &[same])
}

/// `scale Σⱼ xⱼ e^(∓2πi jk/n)` of one row of complex numbers.
fn definition(x: &[[f64; 2]], way: FftWay, scale: f64) -> Vec<[f64; 2]> {
    let n = x.len();
    let sign = if way == FftWay::Forward { -TAU } else { TAU };
    let waves: Vec<_> = (0..n).map(|k| (sign * k as f64 / n as f64).sin_cos()).collect();
    let term = |j: usize, k: usize| {
        let ((s, c), [re, im]) = (waves[j * k % n], x[j]);
        [re * c - im * s, re * s + im * c]
    };
    let sum = |k: usize| (0..n).map(|j| term(j, k)).fold([0.; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
    (0..n).map(sum).map(|[re, im]| [re * scale, im * scale]).collect()
}

#[track_caller]
fn near(got: &Tensor<Cpu>, wanted: &[f64], what: &str) -> Result {
    let (got, close) = (got.to_data()?, if got.dtype() == DType::F64 { 1e-12 } else { 1e-5 });
    let got = got.to_vec::<f64>();
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (at, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() < close * (1. + wanted.abs()), "{what}: {got}, not {wanted} at {at}");
    }
    Ok(())
}

#[test]
fn transforms_are_what_they_are_defined_as() -> Result {
    for dtype in [DType::F64, DType::F32] {
        for (n, way) in SIZES.into_iter().flat_map(|n| WAYS.map(|way| (n, way))) {
            let [(fft, whole), (rfft, real), (irfft, half)] = transforms(1, n, way);
            let scale = (n as f64).sqrt().recip();
            let numbers = |x: &Tensor<Cpu>| Ok::<_, firesteel_core::Error>(x.to_data()?.to_vec::<f64>());
            let pairs = |x: &[f64]| x.as_chunks::<2>().0.to_vec();
            let x = normal(&whole, dtype, 1)?;
            let wanted = definition(&pairs(&numbers(&x)?), way, scale);
            near(&one(&fft, &x)?, wanted.as_flattened(), &format!("{fft:?} of {n}"))?;

            let x = normal(&real, dtype, 2)?;
            let row: Vec<_> = numbers(&x)?.into_iter().map(|re| [re, 0.]).collect();
            let wanted = definition(&row, way, scale);
            near(&one(&rfft, &x)?, wanted[..n / 2 + 1].as_flattened(), &format!("{rfft:?} of {n}"))?;

            let x = normal(&half, dtype, 3)?;
            let mut row = pairs(&numbers(&x)?);
            row.extend((n / 2 + 1..n).map(|k| row[n - k]).map(|[re, im]| [re, -im]).collect::<Vec<_>>());
            let wanted: Vec<_> = definition(&row, way, scale).into_iter().map(|[re, _]| re).collect();
            near(&one(&irfft, &x)?, &wanted, &format!("{irfft:?} of {n}"))?;
        }
    }
    Ok(())
}

#[test]
fn sizes_beyond_what_is_kept() -> Result {
    for n in [1 << 22, (1 << 21) + 2] {
        let x = normal(&[1, n], DType::F32, 1)?;
        let [_, (rfft, _), (irfft, _)] = transforms(1, n, FftWay::Forward);
        let y = one(&rfft, &x)?;
        let back = match irfft {
            Fused::Irfft { n, scale, .. } => one(&Fused::Irfft { way: FftWay::Inverse, n, scale }, &y)?,
            _ => y.clone(),
        };
        near(&back, &x.to_data()?.to_vec::<f64>(), &format!("{n} there and back"))?;
    }
    // more sizes than are kept together
    for n in (1 << 20)..(1 << 20) + 4 {
        let x = normal(&[1, n, 2], DType::F32, 1)?;
        let scale = (n as f64).sqrt().recip();
        let y = one(&Fused::Fft { way: FftWay::Forward, scale }, &x)?;
        let back = one(&Fused::Fft { way: FftWay::Inverse, scale }, &y)?;
        near(&back, &x.to_data()?.to_vec::<f64>(), &format!("{n} there and back"))?;
    }
    Ok(())
}

#[test]
fn what_is_too_large_is_an_error() -> Result {
    let huge = 1 << 50;
    let same =
        |shape: &[usize]| Tensor::make(&Cpu, Op::Full(Scalar::Float(0.5), Shape::from(shape), DType::F32));
    for (fused, shape) in transforms(1, huge, FftWay::Forward) {
        let error = one(&fused, &same(&shape)?).err().map(|e| e.kind());
        assert_eq!(error, Some(ErrorKind::Memory), "{fused:?}");
    }
    for (fused, shape) in transforms(0, huge, FftWay::Forward) {
        assert_eq!(one(&fused, &same(&shape)?)?.numel(), 0, "{fused:?}");
    }
    Ok(())
}

#[test]
fn transforms_refuse_what_does_not_fit() {
    let way = FftWay::Forward;
    let meta = |shape: &[usize]| Meta::new(Shape::from(shape), DType::F32);
    let refused = |fused: Fused, xs: &[&Meta], why: &str| {
        let error = infer(Op::Fused(fused, xs.iter().copied().collect()));
        let error = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains(why), "{error:?} does not say {why:?}");
    };
    let fft = || Fused::Fft { way, scale: 1. };
    let rfft = || Fused::Rfft { way, scale: 1. };
    let irfft = |n| Fused::Irfft { way, n, scale: 1. };
    for shape in [&[3, 2][..], &[3, 4, 1], &[3, 0, 2], &[1, 3, 4, 2]] {
        refused(fft(), &[&meta(shape)], "takes (rows, n, 2) with n above 0");
    }
    for shape in [&[3][..], &[3, 0], &[1, 3, 4]] {
        refused(rfft(), &[&meta(shape)], "takes (rows, n) with n above 0");
    }
    for n in [0, 3, 6, usize::MAX] {
        refused(irfft(n), &[&meta(&[3, 3, 2])], if n == 6 { "not [3, 3, 2]" } else { "takes (rows," });
    }
    refused(irfft(4), &[&meta(&[3, 3])], "takes (rows, 3, 2)");
    refused(fft(), &[&Meta::new([1, 2, 2], DType::I32)], "needs real numbers");
    refused(fft(), &[&meta(&[1, 2, 2]), &meta(&[1])], "takes 1 operands, not 2");
    refused(rfft(), &[], "takes 1 operands, not 0");
}
