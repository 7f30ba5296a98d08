//! How parameters begin.
use crate::{Backend, Distribution, Op, Result, Shape, Tensor};

/// Even in `±1/√fan_in`: how PyTorch begins linear layers and convolutions (`kaiming_uniform_` with
/// `a = √5`). Drawn from the device's generator; F32. A fan of zero gives zeros.
pub fn fan_in_uniform<B: Backend>(shape: impl Into<Shape>, fan_in: usize, device: &B) -> Result<Tensor<B>> {
    let shape = shape.into();
    let bound = if fan_in == 0 { 0. } else { (fan_in as f64).sqrt().recip() };
    let stream = device.generator().reserve(shape.numel());
    let even = Tensor::make(device, Op::Random(Distribution::Uniform, stream, shape, crate::DType::F32))?;
    (even.lazy() * (2. * bound) - bound).eval()
}

/// Even in `±√(6 / (inputs + outputs))`: Glorot's and Bengio's way (`xavier_uniform_`) to begin a matrix
/// `(outputs, inputs)`.
pub(super) fn xavier_even<B: Backend>([outputs, inputs]: [usize; 2], device: &B) -> Result<Tensor<B>> {
    let bound = (6. / (inputs + outputs).max(1) as f64).sqrt();
    ((Tensor::rand([outputs, inputs], device)?.lazy() * 2. - 1.) * bound).eval()
}
