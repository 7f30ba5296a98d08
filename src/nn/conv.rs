//! Convolutions.
use super::{Layer, Module, Param, init};
use crate::{Backend, ConvOptions, Error, PerDim, Result, Shape, Tensor};

macro_rules! convolutions {
    ($($name:ident $method:ident $dims:literal $input:literal $output:literal;)*) => {$(
        #[doc = concat!("A convolution over ", $dims, " dims: `", $input, " -> ", $output, "`, or without `n`.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{ConvOptions, nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let options = ConvOptions { padding: 1.into(), ..Default::default() };")]
        #[doc = concat!("let layer = ", stringify!($name), "::with_options(4, 8, 3, options, &Cpu)?;")]
        #[doc = concat!("let x = Tensor::zeros([2, 4].into_iter().chain([6; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        /// assert_eq!(layer.forward(&x)?.shape()[..3], [2, 8, 6]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, Module)]
        pub struct $name<B: Backend> {
            /// `(out_channels, in_channels / groups, kernel..)`
            pub weight: Param<B>,
            /// `(out_channels)`
            pub bias: Option<Param<B>>,
            /// How the window moves.
            pub options: ConvOptions,
        }

        impl<B: Backend> $name<B> {
            /// A convolution with a bias, a stride of 1 and no padding. Weight and bias are even in
            /// `±1/√(in_channels · kernel..)`.
            pub fn new(
                in_channels: usize,
                out_channels: usize,
                kernel_size: impl Into<PerDim>,
                device: &B,
            ) -> Result<Self> {
                Self::with_options(in_channels, out_channels, kernel_size, ConvOptions::default(), device)
            }

            /// A convolution with a bias and these options. The groups have to divide both numbers of channels.
            pub fn with_options(
                in_channels: usize,
                out_channels: usize,
                kernel_size: impl Into<PerDim>,
                options: ConvOptions,
                device: &B,
            ) -> Result<Self> {
                let kernel = kernel_size.into().resolve(stringify!($method), "kernel_size", $dims)?;
                let (weight, fan_in) = weight_shape(in_channels, out_channels, &kernel, options.groups)?;
                let weight = Param::new(init::fan_in_uniform(weight, fan_in, device)?)?;
                let bias = Param::new(init::fan_in_uniform(out_channels, fan_in, device)?)?;
                Ok(Self { weight, bias: Some(bias), options })
            }

            /// The same convolution without its bias.
            pub fn without_bias(self) -> Self {
                Self { bias: None, ..self }
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                x.$method(&self.weight, self.bias.as_deref(), self.options.clone())
            }
        }
    )*};
}

convolutions! {
    Conv1d conv1d 1 "(n, in_channels, length)" "(n, out_channels, length)";
    Conv2d conv2d 2 "(n, in_channels, h, w)" "(n, out_channels, h, w)";
    Conv3d conv3d 3 "(n, in_channels, d, h, w)" "(n, out_channels, d, h, w)";
}

/// The shape of a weight, and how many inputs each output has.
fn weight_shape(inputs: usize, outputs: usize, kernel: &[usize], groups: usize) -> Result<(Shape, usize)> {
    if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
        let why = format!("{inputs} and {outputs} channels do not fall into {groups} groups");
        return Err(Error::value("conv", why));
    }
    let shape: Shape = [outputs, inputs / groups].into_iter().chain(kernel.iter().copied()).collect();
    let fan_in = shape[1..].iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    Ok((shape, fan_in.ok_or_else(|| Error::value("conv", "a kernel of this size is too large"))?))
}
