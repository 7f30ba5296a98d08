//! Activations. Those that learn or draw are at the end.
use super::{Layer, Mode, Module, Param, stateless::stateless};
use crate::{Backend, Error, Gelu, Result, RreluOptions, Tensor};
use std::marker::PhantomData;

/// Declares activations: what they say of themselves, their settings with PyTorch's defaults, and what they
/// make of `x`.
macro_rules! activations {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* })?
        |$x:ident $(, $layer:ident)?| $forward:expr;
    )*) => {$(
        activations! { @struct
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
            ///
            /// ```
            #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
            #[doc = concat!("let layer = ", stringify!($name), "::default();")]
            /// let y = layer.forward(&Tensor::new([[-1.0, 2.0]], &Cpu)?)?;
            /// assert_eq!(y.rank(), 2);
            /// # Ok::<(), firesteel::Error>(())
            /// ```
            $name $({ $($(#[$field_doc])* $field: $type = $default,)* })?
        }

        stateless! { $name |_layer, $x| { $(let $layer = _layer;)? $forward } }
    )*};
    (@struct $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
    };
    (@struct
        $(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

activations! {
    /// What comes in.
    Identity |x| Ok(x.clone());
    /// `max(x, 0)`.
    ReLU |x| x.relu();
    /// `min(max(x, 0), 6)`.
    ReLU6 |x| x.relu6();
    /// `x`, and `negative_slope · x` below 0.
    LeakyReLU {
        /// The slope below 0.
        negative_slope: f64 = 0.01,
    } |x, layer| x.leaky_relu(layer.negative_slope);
    /// `x`, and `alpha (eˣ - 1)` below 0.
    ELU {
        /// What it falls to, negated.
        alpha: f64 = 1.,
    } |x, layer| x.elu(layer.alpha);
    /// `x`, and `alpha (e^(x / alpha) - 1)` below 0.
    CELU {
        /// What it falls to, negated.
        alpha: f64 = 1.,
    } |x, layer| x.celu(layer.alpha);
    /// The [`ELU`] that keeps mean 0 and variance 1.
    SELU |x| x.selu();
    /// `x Φ(x)`, with the normal distribution's `Φ`.
    GELU {
        /// Exactly, or by way of `tanh`.
        approximate: Gelu = Gelu::Exact,
    } |x, layer| x.gelu(layer.approximate);
    /// `x / (1 + e⁻ˣ)`.
    SiLU |x| x.silu();
    /// `x tanh(ln (1 + eˣ))`.
    Mish |x| x.mish();
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid |x| x.sigmoid();
    /// `ln (1 / (1 + e⁻ˣ))`.
    LogSigmoid |x| x.logsigmoid();
    /// `tanh x`.
    Tanh |x| x.tanh();
    /// `x - tanh x`.
    Tanhshrink |x| x.tanhshrink();
    /// `x / (1 + |x|)`.
    Softsign |x| x.softsign();
    /// `ln (1 + e^(beta x)) / beta`, and `x` where `beta x` is above the threshold.
    Softplus {
        /// How sharp the bend is.
        beta: f64 = 1.,
        /// From where on it is a line.
        threshold: f64 = 20.,
    } |x, layer| x.softplus(layer.beta, layer.threshold);
    /// `x - lambd` above `lambd`, `x + lambd` below `-lambd`, and 0 between.
    Softshrink {
        /// Half the width of what becomes 0: 0 or more.
        lambd: f64 = 0.5,
    } |x, layer| x.softshrink(layer.lambd);
    /// `x` outside `[-lambd, lambd]`, and 0 inside.
    Hardshrink {
        /// Half the width of what becomes 0.
        lambd: f64 = 0.5,
    } |x, layer| x.hardshrink(layer.lambd);
    /// `min(max(x, min_val), max_val)`.
    Hardtanh {
        /// The least value.
        min_val: f64 = -1.,
        /// The greatest value.
        max_val: f64 = 1.,
    } |x, layer| x.hardtanh(layer.min_val, layer.max_val);
    /// `min(max(x / 6 + 1/2, 0), 1)`.
    Hardsigmoid |x| x.hardsigmoid();
    /// `x min(max(x / 6 + 1/2, 0), 1)`.
    Hardswish |x| x.hardswish();
    /// `x` above the threshold, and `value` elsewhere. PyTorch has no defaults for the two; ours are zeros.
    Threshold {
        /// What `x` has to be above.
        threshold: f64 = 0.,
        /// What stands for the rest.
        value: f64 = 0.,
    } |x, layer| x.threshold(layer.threshold, layer.value);
    /// `a σ(b)`, with the halves `a` and `b` of a dim.
    GLU {
        /// The dim, of even size; negative numbers count from the end.
        dim: isize = -1,
    } |x, layer| x.glu(layer.dim);
    /// `eˣ / Σ eˣ` along a dim. PyTorch guesses the dim that is not given; ours is the last.
    Softmax {
        /// The dim; negative numbers count from the end.
        dim: isize = -1,
    } |x, layer| x.softmax(layer.dim);
    /// `ln (eˣ / Σ eˣ)` along a dim. PyTorch guesses the dim that is not given; ours is the last.
    LogSoftmax {
        /// The dim; negative numbers count from the end.
        dim: isize = -1,
    } |x, layer| x.log_softmax(layer.dim);
    /// `e⁻ˣ / Σ e⁻ˣ` along a dim. PyTorch guesses the dim that is not given; ours is the last.
    Softmin {
        /// The dim; negative numbers count from the end.
        dim: isize = -1,
    } |x, layer| x.softmin(layer.dim);
}

/// [`Softmax`] over the channels of `(n, c, h, w)` or `(c, h, w)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html>
///
/// ```
/// use firesteel::{nn::{Layer, Softmax2d}, prelude::*};
/// let y = Softmax2d.forward(&Tensor::zeros([2, 1, 3], &Cpu)?)?;
/// assert_eq!(y.to_vec::<f32>()?, [0.5; 6]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax2d;

stateless! { Softmax2d |_layer, x| match x.rank() {
    3 | 4 => x.softmax(-3),
    _ => Err(Error::shape("Softmax2d", format!("takes (n, c, h, w) or (c, h, w), not {}", x.shape()))),
} }

/// `x`, and below 0 a learned multiple of it. <https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html>
///
/// ```
/// use firesteel::{nn::{Layer, PReLU}, prelude::*};
/// let y = PReLU::new(1, &Cpu)?.forward(&Tensor::new([-1.0, 2.0], &Cpu)?)?;
/// assert_eq!(y.to_vec::<f32>()?, [-0.25, 2.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct PReLU<B: Backend> {
    /// The slopes below 0: `(num_parameters)`
    pub weight: Param<B>,
}

impl<B: Backend> PReLU<B> {
    /// One slope for all, or one for each channel (dim 1). They begin as 0.25.
    pub fn new(num_parameters: usize, device: &B) -> Result<Self> {
        Ok(Self { weight: Param::new(Tensor::full(num_parameters, 0.25, device)?)? })
    }
}

impl<B: Backend> Layer<B> for PReLU<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.prelu(&self.weight)
    }
}

/// `x`, and below 0 a multiple of it: in training even at random between `lower` and `upper`, in evaluation their
/// mean. <https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html>
///
/// ```
/// use firesteel::{nn::{Layer, Module, RReLU}, prelude::*};
/// let layer = RReLU { lower: 0.25, upper: 0.75, ..Default::default() };
/// layer.eval();
/// assert_eq!(layer.forward(&Tensor::new([-1.0, 2.0], &Cpu)?)?.to_vec::<f32>()?, [-0.5, 2.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct RReLU<B: Backend> {
    /// The least slope.
    pub lower: f64,
    /// The greatest slope.
    pub upper: f64,
    /// Whether slopes are drawn.
    pub training: Mode,
    /// Of its input.
    pub backend: PhantomData<B>,
}

impl<B: Backend> Default for RReLU<B> {
    fn default() -> Self {
        Self { lower: 1. / 8., upper: 1. / 3., training: Mode::default(), backend: PhantomData }
    }
}

impl<B: Backend> Layer<B> for RReLU<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let (lower, upper, training) = (self.lower, self.upper, self.training.training());
        x.rrelu(RreluOptions { lower, upper, training })
    }
}
