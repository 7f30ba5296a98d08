//! Fourier transforms. They are linear, and each way is the transpose of itself read as complex numbers: the gradient goes
//! back the other way.
use super::{graph::Rule, rules::one};
use firesteel_core::{Backend, Data, FftWay, Fused, Op, Result, Tensor, TensorData};
use smallvec::smallvec;

/// `dx = scale · Σₖ gₖ e^(±2πi jk/n)`.
pub(super) fn fft<B: Backend>(way: FftWay, scale: f64) -> Rule<B> {
    one(move |g| through(Fused::Fft { way: way.back(), scale }, g))
}

/// The real part of the same sum over the numbers that there are. [`Fused::Irfft`] counts twice what has a conjugate.
pub(super) fn rfft<B: Backend>(n: usize, way: FftWay, scale: f64) -> Rule<B> {
    one(move |g| through(Fused::Irfft { way: way.back(), n, scale }, &(g * weights(g, n, 0.5)?)?))
}

/// What has a conjugate counts twice.
pub(super) fn irfft<B: Backend>(n: usize, way: FftWay, scale: f64) -> Rule<B> {
    one(move |g| {
        let dx = through(Fused::Rfft { way: way.back(), scale }, g)?;
        &dx * weights(g, n, 2.)?
    })
}

fn through<B: Backend>(fused: Fused, g: &Tensor<B>) -> Result<Tensor<B>> {
    Tensor::one(Op::Fused(fused, smallvec![g]))
}

/// A number for each of the first `n/2 + 1` frequencies of `n`: `middle` where another is its conjugate, else one.
fn weights<B: Backend>(g: &Tensor<B>, n: usize, middle: f64) -> Result<Tensor<B>> {
    let alone = |k: usize| k == 0 || 2 * k == n;
    let weights = (0..=n / 2).map(|k| if alone(k) { 1. } else { middle }).collect();
    let data = TensorData::new([n / 2 + 1, 1], Data::F64(weights))?.cast(g.dtype());
    Tensor::from_data(data, g.backend())
}
