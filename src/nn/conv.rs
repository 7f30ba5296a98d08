//! Convolutions.
use super::{Layer, Module, Param, init};
use crate::{Axes, Backend, ConvOptions, ConvPadding, Error, PadMode, PerDim, Result, Shape, Tensor};

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
        #[derive(Clone, Module)]
        #[module(extra_repr)]
        pub struct $name<B: Backend> {
            /// `(out_channels, in_channels / groups, kernel..)`
            pub weight: Param<B>,
            /// `(out_channels)`
            pub bias: Option<Param<B>>,
            /// How the window moves.
            pub options: ConvOptions,
            /// What the padding is made of; zeros by default.
            pub padding_mode: PadMode,
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
                let shape = weight_shape([out_channels, in_channels], &kernel, options.groups)?;
                let (weight, bias) = parameters(shape, out_channels, device)?;
                Ok(Self { weight, bias: Some(bias), options, padding_mode: PadMode::default() })
            }

            /// The same convolution without its bias.
            pub fn without_bias(self) -> Self {
                Self { bias: None, ..self }
            }

            fn extra_repr(&self) -> String {
                settings(self.weight.shape(), self.bias.is_some(), &self.options)
            }

            /// The same convolution with padding made of something else.
            pub fn padding_mode(self, padding_mode: PadMode) -> Self {
                Self { padding_mode, ..self }
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                let (weight, bias) = (&self.weight, self.bias.as_deref());
                if self.padding_mode == PadMode::default() {
                    return x.$method(weight, bias, self.options.clone());
                }
                let sides = sides(stringify!($method), &self.options, &weight.shape()[2..])?;
                let options = ConvOptions { padding: ConvPadding::Valid, ..self.options.clone() };
                x.pad(&sides, self.padding_mode)?.$method(weight, bias, options)
            }
        }
    )*};
}

convolutions! {
    Conv1d conv1d 1 "(n, in_channels, length)" "(n, out_channels, length)";
    Conv2d conv2d 2 "(n, in_channels, h, w)" "(n, out_channels, h, w)";
    Conv3d conv3d 3 "(n, in_channels, d, h, w)" "(n, out_channels, d, h, w)";
}

/// `(first, second / groups, kernel..)`, where the groups divide both numbers of channels.
pub(super) fn weight_shape([first, second]: [usize; 2], kernel: &[usize], groups: usize) -> Result<Shape> {
    if groups == 0 || !first.is_multiple_of(groups) || !second.is_multiple_of(groups) {
        let why = format!("{first} and {second} channels do not fall into {groups} groups");
        return Err(Error::value("conv", why));
    }
    Ok([first, second / groups].into_iter().chain(kernel.iter().copied()).collect())
}

/// What `Debug` prints: the channels, the kernel and the stride, and what else is not as it is by default.
fn settings(weight: &Shape, has_bias: bool, options: &ConvOptions) -> String {
    let ConvOptions { stride, padding, dilation, groups } = options;
    let [outputs, inputs, kernel @ ..] = &weight[..] else {
        return String::new();
    };
    let each = |n: &PerDim| n.resolve("conv", "a setting", kernel.len()).unwrap_or_default().to_vec();
    let mut text = format!("{}, {outputs}, kernel_size={kernel:?}", inputs * groups);
    text += &format!(", stride={:?}", each(stride));
    match padding {
        ConvPadding::Zeros(zeros) if each(zeros).iter().any(|&n| n > 0) => {
            text += &format!(", padding={:?}", each(zeros));
        }
        ConvPadding::Same => text += ", padding=same",
        ConvPadding::Zeros(_) | ConvPadding::Valid => (),
    }
    if each(dilation).iter().any(|&n| n != 1) {
        text += &format!(", dilation={:?}", each(dilation));
    }
    if *groups != 1 {
        text += &format!(", groups={groups}");
    }
    if !has_bias {
        text += ", bias=false";
    }
    text
}

/// A weight of this shape and a bias, even in `±1/√n` with the number `n` of elements behind the weight's first dim.
pub(super) fn parameters<B: Backend>(
    weight: Shape,
    out_channels: usize,
    device: &B,
) -> Result<(Param<B>, Param<B>)> {
    let fan_in = weight[1..].iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    let fan_in = fan_in.ok_or_else(|| Error::value("conv", "a kernel of this size is too large"))?;
    let weight = Param::new(init::fan_in_uniform(weight, fan_in, device)?)?;
    Ok((weight, Param::new(init::fan_in_uniform(out_channels, fan_in, device)?)?))
}

/// How much is padded before and after each dim, from the last to the first, as [`Tensor::pad`] takes it.
fn sides(op: &'static str, options: &ConvOptions, kernel: &[usize]) -> Result<Vec<isize>> {
    let dims = kernel.len();
    let pairs: Vec<(usize, usize)> = match &options.padding {
        ConvPadding::Valid => vec![(0, 0); dims],
        ConvPadding::Zeros(each) => each.resolve(op, "padding", dims)?.into_iter().map(|n| (n, n)).collect(),
        ConvPadding::Same => {
            let dilation: Axes = options.dilation.resolve(op, "dilation", dims)?;
            let total = kernel.iter().zip(dilation).map(|(k, d)| k.saturating_sub(1).saturating_mul(d));
            // what is odd goes to the end
            total.map(|n| (n / 2, n - n / 2)).collect()
        }
    };
    let length = |n: usize| isize::try_from(n).unwrap_or(isize::MAX);
    Ok(pairs.into_iter().rev().flat_map(|(low, high)| [length(low), length(high)]).collect())
}
