//! Layers that learn how many features come in from their first input.
use super::{
    BatchNorm1d, BatchNorm2d, BatchNorm3d, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d,
    ConvTranspose3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, Layer, Linear, Mode, Module, Printer,
    Visit, VisitModules, VisitMut, join,
};
use crate::{Backend, ConvOptions, ConvTransposeOptions, Error, PerDim, Result, Tensor};
use std::{fmt, sync::OnceLock};

/// Declares lazy layers: what they keep until the first input, and how they become what they are.
macro_rules! lazies {
    ($(
        $name:ident $layer:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }
        ($($new:ident: $new_type:ty),*) ($example:literal, $input:expr) |$lazy:ident, $x:ident| $make:expr;
    )*) => {$(
        #[doc = concat!("[`", stringify!($layer), "`], which learns how many features come in from its first input.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// It has no parameters before that: run it once before its state is loaded or an optimizer is made.
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, Module, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let layer = ", stringify!($name), "::new(", $example, ");")]
        /// assert_eq!(layer.parameters().len(), 0);
        #[doc = concat!("layer.forward(&Tensor::ones(", $input, ", &Cpu)?)?;")]
        /// assert!(layer.layer().is_some());
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone)]
        pub struct $name<B: Backend> {
            $($(#[$field_doc])* pub $field: $type,)*
            layer: OnceLock<$layer<B>>,
            training: Mode,
        }

        impl<B: Backend> $name<B> {
            /// A layer that waits for its first input.
            pub fn new($($new: impl Into<$new_type>),*) -> Self {
                $(let $new = $new.into();)*
                Self { $($field: $default,)* layer: OnceLock::new(), training: Mode::default() }
            }

            /// The layer, made to fit this input if there is none yet.
            pub fn materialize(&self, $x: &Tensor<B>) -> Result<&$layer<B>> {
                if let Some(layer) = self.layer.get() {
                    return Ok(layer);
                }
                let $lazy = self;
                let made: Result<$layer<B>> = $make;
                let layer = made?;
                if !self.training.training() {
                    layer.eval();
                }
                Ok(self.layer.get_or_init(|| layer))
            }

            /// The layer, once there was an input.
            pub fn layer(&self) -> Option<&$layer<B>> {
                self.layer.get()
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                self.materialize(x)?.forward(x)
            }
        }

        /// As the layer, once there is one.
        impl<B: Backend> fmt::Debug for $name<B> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.layer.get() {
                    Some(layer) => layer.fmt(f),
                    None => Printer::new(stringify!($name))$(.setting(stringify!($field), &self.$field))*.finish(f),
                }
            }
        }

        impl<B: Backend> Module<B> for $name<B> {
            type Over<C: Backend> = $name<C>;
            fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
                match self.layer.get() {
                    Some(layer) => layer.visit(path, visit),
                    None => self.training.visit(&join(path, "training"), visit),
                }
            }
            fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
                match self.layer.get_mut() {
                    Some(layer) => layer.visit_mut(path, visit),
                    None => self.training.visit_mut(&join(path, "training"), visit),
                }
            }
            fn to<C: Backend>(&self, device: &C) -> Result<$name<C>> {
                let layer = match self.layer.get() {
                    Some(layer) => OnceLock::from(layer.to(device)?),
                    None => OnceLock::new(),
                };
                Ok($name { $($field: self.$field.clone(),)* layer, training: self.training.clone() })
            }
            fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
                if let Some(layer) = self.layer.get_mut() {
                    layer.visit_modules(path, visit)?;
                }
                visit(path, self)
            }
        }
    )*};
}

lazies! {
    LazyLinear Linear {
        /// Features that go out.
        out_features: usize = out_features,
        /// Whether there is a bias.
        bias: bool = true,
    } (out_features: usize) ("5usize", "[2, 3]") |lazy, x| match lazy.bias {
        true => Linear::new(x.size(-1)?, lazy.out_features, x.backend()),
        false => Linear::without_bias(x.size(-1)?, lazy.out_features, x.backend()),
    };
}

impl<B: Backend> LazyLinear<B> {
    /// The same layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }
}

macro_rules! lazy_convolutions {
    ($($name:ident $layer:ident $options:ident $dims:literal $input:literal;)*) => {
        lazies! {$(
            $name $layer {
                /// Channels that go out.
                out_channels: usize = out_channels,
                /// The size of the window.
                kernel_size: PerDim = kernel_size,
                /// How the window moves.
                options: $options = $options::default(),
                /// Whether there is a bias.
                bias: bool = true,
            } (out_channels: usize, kernel_size: PerDim) ("5usize, 2", $input) |lazy, x| {
                let (kernel, options) = (lazy.kernel_size.clone(), lazy.options.clone());
                let channels = channels(stringify!($name), x, $dims)?;
                let layer = $layer::with_options(channels, lazy.out_channels, kernel, options, x.backend());
                layer.map(|layer| if lazy.bias { layer } else { layer.without_bias() })
            };
        )*}

        $(impl<B: Backend> $name<B> {
            /// The same layer with a window that moves as the options say.
            pub fn options(self, options: $options) -> Self {
                Self { options, ..self }
            }

            /// The same layer without a bias.
            pub fn without_bias(self) -> Self {
                Self { bias: false, ..self }
            }
        })*
    };
}

lazy_convolutions! {
    LazyConv1d Conv1d ConvOptions 1 "[2, 3, 4]";
    LazyConv2d Conv2d ConvOptions 2 "[2, 3, 4, 4]";
    LazyConv3d Conv3d ConvOptions 3 "[2, 3, 4, 4, 4]";
    LazyConvTranspose1d ConvTranspose1d ConvTransposeOptions 1 "[2, 3, 4]";
    LazyConvTranspose2d ConvTranspose2d ConvTransposeOptions 2 "[2, 3, 4, 4]";
    LazyConvTranspose3d ConvTranspose3d ConvTransposeOptions 3 "[2, 3, 4, 4, 4]";
}

macro_rules! lazy_norms {
    ($($name:ident $layer:ident $family:ident $affine:literal $track:literal $dims:literal $input:literal;)*) => {
        lazies! {$(
            $name $layer {
                /// Added to the variance.
                eps: f64 = 1e-5,
                /// How much a batch counts in the running statistics; none is their plain average.
                momentum: Option<f64> = Some(0.1),
                /// Whether there are learned factors and terms.
                affine: bool = $affine,
                /// Whether there are running statistics.
                track_running_stats: bool = $track,
            } () ("", $input) |lazy, x| $family!($layer lazy x $dims);
        )*}

        $(impl<B: Backend> Default for $name<B> {
            fn default() -> Self {
                Self::new()
            }
        })*
    };
}

macro_rules! batch {
    ($layer:ident $lazy:ident $x:ident $dims:literal) => {{
        let norm = $layer::new($x.size(1)?, $x.backend())?.eps($lazy.eps).momentum($lazy.momentum);
        let norm = if $lazy.affine { norm } else { norm.without_affine() };
        Ok(if $lazy.track_running_stats { norm } else { norm.without_running_stats() })
    }};
}

macro_rules! instance {
    ($layer:ident $lazy:ident $x:ident $dims:literal) => {{
        let device = $x.backend();
        let norm = $layer::new(channels(stringify!($layer), $x, $dims)?, device)?;
        let norm = norm.eps($lazy.eps).momentum($lazy.momentum);
        let norm = if $lazy.affine { norm.affine(device)? } else { norm };
        if $lazy.track_running_stats { norm.track_running_stats(device) } else { Ok(norm) }
    }};
}

lazy_norms! {
    LazyBatchNorm1d BatchNorm1d batch true true 1 "[2, 3, 4]";
    LazyBatchNorm2d BatchNorm2d batch true true 2 "[2, 3, 4, 4]";
    LazyBatchNorm3d BatchNorm3d batch true true 3 "[2, 3, 4, 4, 4]";
    LazyInstanceNorm1d InstanceNorm1d instance false false 1 "[2, 3, 4]";
    LazyInstanceNorm2d InstanceNorm2d instance false false 2 "[2, 3, 4, 4]";
    LazyInstanceNorm3d InstanceNorm3d instance false false 3 "[2, 3, 4, 4, 4]";
}

/// The channels of `(n, channels, ..)` or `(channels, ..)` over so many spatial dims.
fn channels<B: Backend>(name: &'static str, x: &Tensor<B>, dims: usize) -> Result<usize> {
    let before = x.rank().checked_sub(dims).filter(|before| (1..=2).contains(before));
    let why = || format!("takes (n, channels, ..) or (channels, ..) over {dims} dims, not {}", x.shape());
    before.map(|before| x.shape()[before - 1]).ok_or_else(|| Error::shape(name, why()))
}
