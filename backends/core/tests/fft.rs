//! Fourier transforms against their definition, of sizes that are small, composite, and prime.
use firesteel::{FftNorm, FftOptions, FftnOptions, GradCheck, gradcheck, gradgradcheck, prelude::*};
use std::f64::consts::TAU;

fn signal(n: usize) -> Vec<f64> {
    (0..2 * n).map(|i| (0.7 * (i * i + 1) as f64).sin()).collect()
}

/// `Σⱼ xⱼ e^(-2πi jk/n)`.
fn definition(x: &[f64]) -> Vec<f64> {
    let n = x.len() / 2;
    let term = |j: usize, k: usize| {
        let (s, c) = (-TAU * (j * k % n) as f64 / n as f64).sin_cos();
        [x[2 * j] * c - x[2 * j + 1] * s, x[2 * j] * s + x[2 * j + 1] * c]
    };
    let sum = |k: usize| (0..n).map(|j| term(j, k)).fold([0.; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
    (0..n).flat_map(sum).collect()
}

#[test]
fn transforms_are_what_they_are_defined_as() -> Result<()> {
    let sizes = (1..20).chain([64, 65, 97, 128, 134, 257, 263, 360, 526, 1009, 1024, 1440]);
    for n in sizes {
        let numbers = signal(n);
        let x = Tensor::from_vec::<f64>(numbers.clone(), [n, 2], &Cpu)?;
        let y = x.fft(FftOptions::default())?;
        let wanted = definition(&numbers);
        for (i, (a, b)) in y.to_vec::<f64>()?.iter().zip(&wanted).enumerate() {
            assert!((a - b).abs() < 1e-9, "size {n}, number {i}: {a} is not {b}");
        }
        for norm in [FftNorm::Backward, FftNorm::Forward, FftNorm::Ortho] {
            let options = FftOptions { norm, ..Default::default() };
            assert!(x.fft(options)?.ifft(options)?.allclose(&x, Default::default())?, "size {n}");
            let real = x.select(-1, 0)?;
            let back = FftOptions { n: Some(n), ..options };
            assert!(real.rfft(options)?.irfft(back)?.allclose(&real, Default::default())?, "size {n}");
            assert!(real.ihfft(options)?.hfft(back)?.allclose(&real, Default::default())?, "size {n}");
        }
    }
    Ok(())
}

#[test]
fn transforms_are_differentiated() -> Result<()> {
    for n in [5, 66, 260] {
        let x = Tensor::from_vec::<f64>(signal(n)[..n].to_vec(), n, &Cpu)?;
        let power = |x: &[Tensor<Autodiff<Cpu>>]| x[0].rfft(FftOptions::default())?.square()?.sum(..);
        gradcheck(power, &[x], GradCheck::default())?;
    }
    let x = Tensor::from_vec::<f64>(signal(6), [3, 2, 2], &Cpu)?;
    gradgradcheck(|x| x[0].fftn(FftnOptions::default())?.square(), &[x], GradCheck::default())
}

#[test]
fn what_has_no_transform_is_an_error() -> Result<()> {
    let x = Tensor::ones([3, 4], &Cpu)?;
    assert!(x.fft(FftOptions::default()).is_err(), "four numbers are no complex one");
    assert!(x.rfft(FftOptions { n: Some(0), ..Default::default() }).is_err());
    assert!(x.rfft(FftOptions { dim: 2, ..Default::default() }).is_err());
    assert!(x.rfft(FftOptions { n: Some(usize::MAX), ..Default::default() }).is_err());
    assert!(x.rfftn(FftnOptions { dims: Some(vec![0, 0]), ..Default::default() }).is_err());
    assert!(x.rfftn(FftnOptions { s: Some(vec![2]), dims: Some(vec![0, 1]), ..Default::default() }).is_err());
    assert!(Tensor::ones([0], &Cpu)?.rfft(FftOptions::default()).is_err());
    assert!(Tensor::ones([1, 2], &Cpu)?.irfft(FftOptions::default()).is_err(), "no number of them is known");
    Ok(())
}
