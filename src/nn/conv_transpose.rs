//! Transposed convolutions.
use super::conv::{parameters, weight_shape};
use super::{Layer, Module, Param};
use crate::{Backend, ConvTransposeOptions, Error, PerDim, Result, Tensor};

macro_rules! convolutions {
    ($($name:ident $method:ident $dims:literal $input:literal $output:literal;)*) => {$(
        #[doc = concat!("The gradient of a convolution by its input, as a layer, over ", $dims, " dims:")]
        #[doc = concat!("`", $input, " -> ", $output, "`, or without `n`.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{ConvTransposeOptions, nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let options = ConvTransposeOptions { stride: 2.into(), ..Default::default() };")]
        #[doc = concat!("let layer = ", stringify!($name), "::with_options(4, 8, 2, options, &Cpu)?;")]
        #[doc = concat!("let x = Tensor::zeros([2, 4].into_iter().chain([6; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        /// assert_eq!(layer.forward(&x)?.shape()[..3], [2, 8, 12]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Module)]
        pub struct $name<B: Backend> {
            /// `(in_channels, out_channels / groups, kernel..)`
            pub weight: Param<B>,
            /// `(out_channels)`
            pub bias: Option<Param<B>>,
            /// How the window moves.
            pub options: ConvTransposeOptions,
        }

        impl<B: Backend> $name<B> {
            /// A transposed convolution with a bias, a stride of 1 and no padding. Weight and bias are even in
            /// `±1/√(out_channels · kernel..)`.
            pub fn new(
                in_channels: usize,
                out_channels: usize,
                kernel_size: impl Into<PerDim>,
                device: &B,
            ) -> Result<Self> {
                Self::with_options(in_channels, out_channels, kernel_size, ConvTransposeOptions::default(), device)
            }

            /// A transposed convolution with a bias and these options. The groups have to divide both numbers of
            /// channels.
            pub fn with_options(
                in_channels: usize,
                out_channels: usize,
                kernel_size: impl Into<PerDim>,
                options: ConvTransposeOptions,
                device: &B,
            ) -> Result<Self> {
                let kernel = kernel_size.into().resolve(stringify!($method), "kernel_size", $dims)?;
                let shape = weight_shape([in_channels, out_channels], &kernel, options.groups)?;
                let (weight, bias) = parameters(shape, out_channels, device)?;
                Ok(Self { weight, bias: Some(bias), options })
            }

            /// The same layer without its bias.
            pub fn without_bias(self) -> Self {
                Self { bias: None, ..self }
            }

            /// A result of these spatial sizes, as PyTorch's `output_size` asks for: with a stride, convolutions of
            /// several sizes give the same.
            pub fn forward_to(&self, x: &Tensor<B>, output_size: impl Into<PerDim>) -> Result<Tensor<B>> {
                let kernel = &self.weight.shape()[2..];
                let more = more(stringify!($method), x, &self.options, kernel, &output_size.into())?;
                let options = ConvTransposeOptions { output_padding: more, ..self.options.clone() };
                x.$method(&self.weight, self.bias.as_deref(), options)
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
    ConvTranspose1d conv_transpose1d 1 "(n, in_channels, length)" "(n, out_channels, length)";
    ConvTranspose2d conv_transpose2d 2 "(n, in_channels, h, w)" "(n, out_channels, h, w)";
    ConvTranspose3d conv_transpose3d 3 "(n, in_channels, d, h, w)" "(n, out_channels, d, h, w)";
}

/// The output padding that gives these sizes.
fn more<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    options: &ConvTransposeOptions,
    kernel: &[usize],
    wanted: &PerDim,
) -> Result<PerDim> {
    let dims = kernel.len();
    let (stride, padding) =
        (options.stride.resolve(op, "stride", dims)?, options.padding.resolve(op, "padding", dims)?);
    let dilation = options.dilation.resolve(op, "dilation", dims)?;
    let wanted = wanted.resolve(op, "output_size", dims)?;
    let Some(first) = x.rank().checked_sub(dims) else {
        return Err(Error::shape(op, format!("needs {dims} spatial dims, not {}", x.shape())));
    };
    let more = (0..dims).map(|i| {
        // what (n - 1) s - 2p + d (k - 1) + 1 lacks
        let reach = kernel[i].saturating_sub(1).saturating_mul(dilation[i]);
        let least =
            x.shape()[first + i].saturating_sub(1).saturating_mul(stride[i]).saturating_add(reach + 1);
        let least = least.saturating_sub(padding[i].saturating_mul(2));
        let more = wanted[i].checked_sub(least).filter(|more| *more < stride[i]);
        more.ok_or_else(|| {
            let most = least + stride[i].saturating_sub(1);
            Error::value(
                op,
                format!("dim {i} of the result can have {least} to {most} elements, not {}", wanted[i]),
            )
        })
    });
    Ok(PerDim::from(&more.collect::<Result<Vec<_>>>()?[..]))
}
