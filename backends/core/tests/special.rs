//! Special functions against integrals and identities, and their derivatives against differences.
use firesteel::{GradCheck, gradcheck, gradgradcheck, prelude::*};
use std::f64::consts::PI;

fn tensor(numbers: impl IntoIterator<Item = f64>) -> Result<Tensor<Cpu>> {
    let numbers: Vec<f64> = numbers.into_iter().collect();
    let len = numbers.len();
    Tensor::from_vec(numbers, len, &Cpu)
}

#[track_caller]
fn close(found: Tensor<Cpu>, wanted: impl IntoIterator<Item = f64>, tolerance: f64) -> Result<()> {
    for (i, (a, b)) in found.to_vec::<f64>()?.into_iter().zip(wanted).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * b.abs() || (a.is_nan() && b.is_nan()),
            "number {i}: {a} is not {b}"
        );
    }
    Ok(())
}

/// In both precisions: near and far, below and above where one series gives way to another.
const POINTS: [f64; 15] = [-30., -20.5, -9.5, -8.5, -3., -1., -0.1, 0., 0.2, 1., 3.9, 4.1, 8.9, 19.9, 25.];

#[test]
fn bessel_functions_are_means_around_a_circle() -> Result<()> {
    // I_n(x) = 1/2π ∫ e^(x cos t) cos nt dt, of which sums converge at once
    let mean = |x: f64, n: f64| {
        let at = |k: i32| 2. * PI * f64::from(k) / 256.;
        (0..256).map(|k| (x * at(k).cos()).exp() * (n * at(k)).cos()).sum::<f64>() / 256.
    };
    let x = tensor(POINTS)?;
    let each = |n: f64| POINTS.map(|x| mean(x, n));
    let scaled = |n: f64| POINTS.map(|x| mean(x, n) * (-x.abs()).exp());
    for (x, tolerance) in [(x.clone(), 1e-12), (x.to(DType::F32)?, 2e-6)] {
        let double = |y: Tensor<Cpu>| y.to(DType::F64);
        close(double(x.i0()?)?, each(0.), tolerance)?;
        close(double(x.i0e()?)?, scaled(0.), tolerance)?;
        close(double(x.i1()?)?, each(1.).map(|y| if y.abs() < 1e-15 { 0. } else { y }), tolerance)?;
        close(double(x.i1e()?)?, scaled(1.).map(|y| if y.abs() < 1e-15 { 0. } else { y }), tolerance)?;
    }
    Ok(())
}

#[test]
fn the_normal_distribution_in_its_tails() -> Result<()> {
    let p = [1e-300, 1e-30, 1e-7, 0.01, 0.3, 0.5, 0.7, 0.99];
    close(tensor(p)?.ndtri()?.ndtr()?, p, 1e-11)?;
    close(tensor([0., 1., -0.1, 1.1])?.ndtri()?.clamp(-9, 9)?, [-9., 9., f64::NAN, f64::NAN], 0.)?;
    let x = tensor([-30., -5., -1.1, -0.9, 0., 2.])?;
    close(x.log_ndtr()?.exp()?, x.ndtr()?.to_vec::<f64>()?, 1e-12)?;
    assert!(tensor([-1e10])?.log_ndtr()?.item::<f64>()? == -5e19);
    // erfcx(x) = 2/√π ∫ e^(-t² - 2xt) dt
    let integral = |x: f64| {
        let step = 1e-4;
        let at = |k: i32| f64::from(k) * step;
        let sum: f64 = (1..100_000).map(|k| (-at(k) * (at(k) + 2. * x)).exp()).sum();
        // Euler and Maclaurin's correction by the slope at the end
        2. / PI.sqrt() * (step * (0.5 + sum) - step * step / 12. * 2. * x)
    };
    let x = [0.3, 1., 3.9, 4.1, 12., 60.];
    close(tensor(x)?.erfcx()?, x.map(integral), 1e-8)?;
    close(tensor([-5.])?.erfcx()?, [2. * 25f64.exp() - integral(5.)], 1e-12)
}

#[test]
fn the_incomplete_gamma_function() -> Result<()> {
    let x = [0., 0.1, 0.9, 3., 20., 500.];
    close(tensor([1.; 6])?.igamma(&tensor(x)?)?, x.map(|x| -(-x).exp_m1()), 1e-13)?;
    close(tensor([0.5; 6])?.igamma(&tensor(x)?)?, tensor(x.map(f64::sqrt))?.erf()?.to_vec::<f64>()?, 1e-12)?;
    // P(a, x) - P(a + 1, x) = xᵃ e⁻ˣ / Γ(a + 1), from one formula to the other as well
    for a in [0.3f64, 7., 60., 900., 1199.5, 3000.] {
        let x: Vec<f64> = (-4..=4).map(|k| a + f64::from(k) * a.sqrt()).filter(|x| *x > 0.).collect();
        let n = x.len();
        let (x, below) = (tensor(x)?, tensor(vec![a; n])?);
        let above = (&below + 1.)?;
        let gap = below.igamma(&x)?.sub(above.igamma(&x)?)?;
        let power = (below.lazy() * x.lazy().log() - &x - above.lazy().lgamma()).exp().eval()?;
        let off = gap.sub(power)?.abs()?.max()?.item::<f64>()?;
        assert!(off < 2e-7, "at a = {a} it is {off} off");
        let one = below.igamma(&x)?.add(below.igammac(&x)?)?;
        close(one, vec![1.; n], 1e-12)?;
    }
    let edges = tensor([0., 0., f64::INFINITY, -1., 1., 1.])?;
    let x = tensor([1., 0., 1., 1., -1., f64::INFINITY])?;
    close(edges.igamma(&x)?, [1., f64::NAN, 0., f64::NAN, f64::NAN, 1.], 0.)
}

#[test]
fn derivatives_agree_with_differences() -> Result<()> {
    let options = GradCheck::default();
    let (x, p) = (tensor([-6.3, -2.1, -0.4, 0.7, 2.2, 5.1])?, tensor([0.02, 0.3, 0.6, 0.97])?);
    macro_rules! holds {
        ($($f:expr, $xs:expr;)*) => {$({
            let xs = $xs;
            gradcheck($f, &xs, options)?;
            gradgradcheck($f, &xs, options)?;
        })*};
    }
    holds! {
        |x| x[0].i0e(), [x.clone()];
        |x| x[0].i0(), [x.clone()];
        |x| x[0].i1(), [x.clone()];
        |x| x[0].i1e(), [x.clone()];
        |x| x[0].log_ndtr(), [x.clone()];
        |x| x[0].ndtr(), [x.clone()];
        |x| x[0].clamp_min(-2)?.erfcx(), [x.clone()];
        |x| x[0].ndtri(), [p.clone()];
        |x| x[0].entr(), [p.clone()];
        |x| x[0].xlog1py(&x[1]), [p.clone(), p.clone()];
        |x| x[0].polygamma(2), [p.clone()];
        |x| x[0].add(3)?.mvlgamma(3), [p.clone()];
        |x| x[0].logcumsumexp(0), [x.clone()];
        // equals have no corner between them
        |x| x[0].logcumsumexp(0), [tensor([2., 2., 2.])?];
        |x| x[0].logaddexp2(&x[1]), [p.clone(), p.clone()];
        |x| Tensor::full_like(&x[0], 2.5)?.igamma(&x[0]), [p.clone()];
    }
    Ok(())
}
