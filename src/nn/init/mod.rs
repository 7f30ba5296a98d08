//! How parameters begin: [`torch.nn.init`](https://docs.pytorch.org/docs/stable/nn.init.html).
//!
//! Each function gives a parameter a new value in its own shape and dtype, drawn from its device's generator.
//!
//! ```
//! use firesteel::{nn::{Linear, init}, prelude::*};
//! let mut layer = Linear::new(3, 2, &Cpu)?;
//! init::kaiming_normal(&mut layer.weight, Default::default())?;
//! if let Some(bias) = &mut layer.bias {
//!     init::zeros(bias)?;
//! }
//! # Ok::<(), firesteel::Error>(())
//! ```
mod orthogonal;

pub use orthogonal::orthogonal;

use super::Param;
use crate::{Backend, Data, Error, Result, Shape, Tensor, TensorData};

/// Even in `±1/√fan_in`: how PyTorch begins linear layers and convolutions (`kaiming_uniform_` with
/// `a = √5`). F32. A fan of zero gives zeros.
pub fn fan_in_uniform<B: Backend>(shape: impl Into<Shape>, fan_in: usize, device: &B) -> Result<Tensor<B>> {
    let bound = if fan_in == 0 { 0. } else { (fan_in as f64).sqrt().recip() };
    even(Tensor::rand(shape, device)?, -bound, bound)
}

/// Even in `±√(6 / (inputs + outputs))`: Glorot's and Bengio's way (`xavier_uniform_`) to begin a matrix
/// `(outputs, inputs)`.
pub(super) fn xavier_even<B: Backend>([outputs, inputs]: [usize; 2], device: &B) -> Result<Tensor<B>> {
    let bound = (6. / (inputs + outputs).max(1) as f64).sqrt();
    even(Tensor::rand([outputs, inputs], device)?, -bound, bound)
}

/// Numbers even in `[0, 1)` made even in `[low, high)`.
fn even<B: Backend>(x: Tensor<B>, low: f64, high: f64) -> Result<Tensor<B>> {
    (x.lazy() * (high - low) + low).eval()
}

/// Even in `[low, high)`.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_>
#[track_caller]
pub fn uniform<B: Backend>(param: &mut Param<B>, low: f64, high: f64) -> Result<()> {
    range("uniform", low, high)?;
    let value = even(param.rand_like()?, low, high)?;
    param.set(&value)
}

/// Normal with this mean and standard deviation, from 0 on.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_>
#[track_caller]
pub fn normal<B: Backend>(param: &mut Param<B>, mean: f64, std: f64) -> Result<()> {
    deviation("normal", std)?;
    let value = (param.randn_like()?.lazy() * std + mean).eval()?;
    param.set(&value)
}

/// Normal with this mean and standard deviation, but always between `low` and `high`.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_>
///
/// ```
/// use firesteel::{nn::{Param, init}, prelude::*};
/// let mut p = Param::new(Tensor::zeros(1000, &Cpu)?)?;
/// init::trunc_normal(&mut p, 0.0, 1.0, -0.5, 2.0)?;
/// assert!(p.to_vec::<f32>()?.iter().all(|x| (-0.5..=2.0).contains(x)));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn trunc_normal<B: Backend>(
    param: &mut Param<B>,
    mean: f64,
    std: f64,
    low: f64,
    high: f64,
) -> Result<()> {
    deviation("trunc_normal", std)?;
    range("trunc_normal", low, high)?;
    // the inverse of the distribution function, Φ(z) = (1 + erf(z/√2)) / 2, of what is even between the ends
    let erf = |x: f64| libm::erf((x - mean) / (std * 2f64.sqrt()));
    let value = match std {
        0. => param.full_like(mean.clamp(low, high))?,
        _ => {
            let even = even(param.rand_like()?, erf(low), erf(high))?;
            (even.lazy().erfinv() * (std * 2f64.sqrt()) + mean).maximum(low).minimum(high).eval()?
        }
    };
    param.set(&value)
}

/// One number everywhere.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.constant_>
#[track_caller]
pub fn constant<B: Backend>(param: &mut Param<B>, value: f64) -> Result<()> {
    let value = param.full_like(value)?;
    param.set(&value)
}

/// Ones.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.ones_>
#[track_caller]
pub fn ones<B: Backend>(param: &mut Param<B>) -> Result<()> {
    constant(param, 1.)
}

/// Zeros.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.zeros_>
#[track_caller]
pub fn zeros<B: Backend>(param: &mut Param<B>) -> Result<()> {
    constant(param, 0.)
}

/// The identity, of a matrix.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_>
///
/// ```
/// use firesteel::{nn::{Param, init}, prelude::*};
/// let mut p = Param::new(Tensor::zeros([2, 3], &Cpu)?)?;
/// init::eye(&mut p)?;
/// assert_eq!(p.to_vec::<f32>()?, [1., 0., 0., 0., 1., 0.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn eye<B: Backend>(param: &mut Param<B>) -> Result<()> {
    let value = Tensor::eye(param.shape(), (param.dtype(), param.backend()))?;
    param.set(&value)
}

/// A convolution's weight `(out, in / groups, kernel..)` that lets as many channels of each group through as it
/// can.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_>
///
/// ```
/// use firesteel::{nn::{Param, init}, prelude::*};
/// let mut p = Param::new(Tensor::zeros([2, 2, 3], &Cpu)?)?;
/// init::dirac(&mut p, 1)?;
/// assert_eq!(p.to_vec::<f32>()?, [0., 1., 0., 0., 0., 0., 0., 0., 0., 0., 1., 0.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn dirac<B: Backend>(param: &mut Param<B>, groups: usize) -> Result<()> {
    let shape = param.shape().clone();
    if !(3..=5).contains(&shape.rank()) {
        return Err(Error::shape(
            "dirac",
            format!("{shape} is not the weight of a convolution of 1 to 3 dims"),
        ));
    }
    if groups == 0 || !shape[0].is_multiple_of(groups) {
        return Err(Error::value("dirac", format!("{} channels do not fall into {groups} groups", shape[0])));
    }
    let mut ones = vec![0f32; shape.numel()];
    let kernel: usize = shape[2..].iter().product();
    let middle = shape[2..].iter().fold(0, |place, size| place * size + size / 2);
    let each = shape[0] / groups;
    for channel in 0..shape[0] {
        let input = channel % each;
        if input < shape[1] && kernel > 0 {
            ones[(channel * shape[1] + input) * kernel + middle] = 1.;
        }
    }
    let data = TensorData::new(shape, Data::F32(ones))?.cast(param.dtype());
    let value = Tensor::from_data(data, param.backend())?;
    param.set(&value)
}

/// A matrix of normal numbers, of which a part of each column is zero.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_>
///
/// ```
/// use firesteel::{nn::{Param, init}, prelude::*};
/// let mut p = Param::new(Tensor::zeros([4, 5], &Cpu)?)?;
/// init::sparse(&mut p, 0.5, 0.01)?;
/// assert_eq!(p.eq(0)?.sum(0)?.to_vec::<i64>()?, [2; 5]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn sparse<B: Backend>(param: &mut Param<B>, sparsity: f64, std: f64) -> Result<()> {
    deviation("sparse", std)?;
    if param.rank() != 2 {
        return Err(Error::shape("sparse", format!("{} is not the shape of a matrix", param.shape())));
    }
    if !(0. ..=1.).contains(&sparsity) {
        return Err(Error::value("sparse", format!("a part lies in [0, 1], and {sparsity} does not")));
    }
    let zeros = (sparsity * param.shape()[0] as f64).ceil();
    // the rank of each element in a random order of its column
    let keys = Tensor::rand(param.shape(), param.backend())?;
    let ranks = keys.argsort(0, Default::default())?.argsort(0, Default::default())?;
    let value = ranks.lt(zeros)?.where_(0, (param.randn_like()? * std)?)?;
    param.set(&value)
}

/// A function after a layer, by which its weights are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// None, or a convolution.
    Linear,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `tanh x`.
    Tanh,
    /// `max(x, 0)`.
    ReLU,
    /// `max(x, 0) + a min(x, 0)`, with this slope `a`.
    LeakyReLU(f64),
    /// The self-normalising unit.
    SELU,
}

/// By how much weights have to be larger because of the function after them.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain>
///
/// ```
/// use firesteel::nn::init::{Nonlinearity, calculate_gain};
/// assert_eq!(calculate_gain(Nonlinearity::Tanh), 5.0 / 3.0);
/// ```
pub fn calculate_gain(nonlinearity: Nonlinearity) -> f64 {
    match nonlinearity {
        Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.,
        Nonlinearity::Tanh => 5. / 3.,
        Nonlinearity::ReLU => 2f64.sqrt(),
        Nonlinearity::LeakyReLU(slope) => (2. / (1. + slope * slope)).sqrt(),
        Nonlinearity::SELU => 0.75,
    }
}

/// Even in `±gain √(6 / (fan_in + fan_out))` (Glorot and Bengio,
/// [Understanding the difficulty](https://proceedings.mlr.press/v9/glorot10a.html), 2010). The gain is 1 unless
/// [`calculate_gain`] says otherwise.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_>
#[track_caller]
pub fn xavier_uniform<B: Backend>(param: &mut Param<B>, gain: f64) -> Result<()> {
    let (inputs, outputs) = fans("xavier_uniform", param)?;
    let bound = gain * (6. / (inputs + outputs)).sqrt();
    uniform(param, -bound.abs(), bound.abs())
}

/// Normal with standard deviation `gain √(2 / (fan_in + fan_out))`.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_normal_>
#[track_caller]
pub fn xavier_normal<B: Backend>(param: &mut Param<B>, gain: f64) -> Result<()> {
    let (inputs, outputs) = fans("xavier_normal", param)?;
    normal(param, 0., gain.abs() * (2. / (inputs + outputs)).sqrt())
}

/// Of which numbers the size is to stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanMode {
    /// Of those that go forward.
    #[default]
    In,
    /// Of the gradients that go back.
    Out,
}

/// The options of [`kaiming_uniform`] and [`kaiming_normal`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KaimingOptions {
    /// Of which numbers the size is to stay.
    pub mode: FanMode,
    /// The function after the layer.
    pub nonlinearity: Nonlinearity,
}

impl Default for KaimingOptions {
    /// Forward, with `max(x, 0)`.
    fn default() -> Self {
        Self { mode: FanMode::In, nonlinearity: Nonlinearity::LeakyReLU(0.) }
    }
}

/// Even in `±gain √(3 / fan)` (He and others, [Delving deep into
/// rectifiers](https://arxiv.org/abs/1502.01852), 2015).
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_>
#[track_caller]
pub fn kaiming_uniform<B: Backend>(param: &mut Param<B>, options: KaimingOptions) -> Result<()> {
    let bound = 3f64.sqrt() * kaiming("kaiming_uniform", param, options)?;
    uniform(param, -bound, bound)
}

/// Normal with standard deviation `gain / √fan`.
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_>
#[track_caller]
pub fn kaiming_normal<B: Backend>(param: &mut Param<B>, options: KaimingOptions) -> Result<()> {
    let std = kaiming("kaiming_normal", param, options)?;
    normal(param, 0., std)
}

fn kaiming<B: Backend>(name: &'static str, param: &Param<B>, options: KaimingOptions) -> Result<f64> {
    let (inputs, outputs) = fans(name, param)?;
    let fan = match options.mode {
        FanMode::In => inputs,
        FanMode::Out => outputs,
    };
    Ok(calculate_gain(options.nonlinearity) / fan.sqrt())
}

/// How many inputs each output of a weight `(out, in, kernel..)` has, and how many outputs each input; 1 at least.
fn fans<B: Backend>(name: &'static str, param: &Param<B>) -> Result<(f64, f64)> {
    let shape = param.shape();
    if shape.rank() < 2 {
        return Err(Error::shape(
            name,
            format!("{shape} has no inputs and outputs: a weight has two dims or more"),
        ));
    }
    let kernel: f64 = shape[2..].iter().map(|&size| size as f64).product();
    Ok(((shape[1] as f64 * kernel).max(1.), (shape[0] as f64 * kernel).max(1.)))
}

fn deviation(name: &'static str, std: f64) -> Result<()> {
    if std >= 0. {
        return Ok(());
    }
    Err(Error::value(name, format!("a standard deviation is 0 or more, and {std} is not")))
}

fn range(name: &'static str, low: f64, high: f64) -> Result<()> {
    if low <= high && (high - low).is_finite() {
        return Ok(());
    }
    Err(Error::value(name, format!("there are no numbers to draw from {low} to {high}")))
}
