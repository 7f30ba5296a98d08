//! Convolutions and pooling.
use super::{Gave, Task};
use crate::pytorch::args::Args;
use crate::pytorch::table::conv::{
    adaptive, avg_options, conv_options, fraction, max_options, stride, transposed_options,
};
use crate::pytorch::table::each_dim;
use firesteel::nn::*;
use firesteel::{Backend, LpPoolOptions, Result};

/// What moves over its input.
pub fn window<B: Backend>(t: &Task<B>) -> Result<Option<Gave<B>>> {
    let (s, device) = (&t.s, t.device);
    macro_rules! conv {
        ($layer:ident $options:ident) => {{
            let (channels, kernel) =
                ([s.size("in_channels")?, s.size("out_channels")?], each_dim(s, "kernel_size", 1)?);
            let layer = $layer::with_options(channels[0], channels[1], kernel, $options(s)?, device)?;
            t.layer(if s.bool_or("bias", true)? { layer } else { layer.without_bias() })
        }};
    }
    /// The largest of a window, and where it stood when that is asked for.
    macro_rules! max_pool {
        ($layer:expr) => {{
            let (layer, places) = ($layer, s.bool_or("return_indices", false)?);
            t.run(layer, |layer| {
                let (y, at) = layer.forward_with_indices(&t.input()?)?;
                let one = layer.forward(&t.input()?)?;
                Ok(if places { vec![y, at] } else { vec![one] })
            })
        }};
    }
    macro_rules! max {
        ($layer:ident) => {
            max_pool!($layer::with_options(each_dim(s, "kernel_size", 1)?, max_options(s)?))
        };
    }
    /// A layer that learns its channels from the input.
    macro_rules! lazy {
        ($layer:ident $options:ident) => {{
            let layer =
                $layer::new(s.size("out_channels")?, each_dim(s, "kernel_size", 1)?).options($options(s)?);
            layer.materialize(&t.input()?)?;
            t.layer(layer)
        }};
    }
    macro_rules! fractional {
        ($layer:ident) => {{
            let mut layer = $layer::new(each_dim(s, "kernel_size", 1)?, fraction(s)?);
            layer._random_samples = s.opt_tensor("_random_samples")?.map(Buffer::new);
            max_pool!(layer)
        }};
    }
    macro_rules! avg {
        ($layer:ident) => {
            t.layer($layer::with_options(each_dim(s, "kernel_size", 1)?, avg_options(s)?))
        };
    }
    macro_rules! lp {
        ($layer:ident) => {{
            let layer = $layer::new(s.float("norm_type")?, each_dim(s, "kernel_size", 1)?);
            t.layer(layer.options(lp_options(s)?))
        }};
    }
    match t.name {
        "AdaptiveAvgPool1d" => t.layer(AdaptiveAvgPool1d::new(adaptive::<1, _>(s, "output_size")?)),
        "AdaptiveAvgPool2d" => t.layer(AdaptiveAvgPool2d::new(adaptive::<2, _>(s, "output_size")?)),
        "AdaptiveAvgPool3d" => t.layer(AdaptiveAvgPool3d::new(adaptive::<3, _>(s, "output_size")?)),
        "AdaptiveMaxPool1d" => max_pool!(AdaptiveMaxPool1d::new(adaptive::<1, _>(s, "output_size")?)),
        "AdaptiveMaxPool2d" => max_pool!(AdaptiveMaxPool2d::new(adaptive::<2, _>(s, "output_size")?)),
        "AdaptiveMaxPool3d" => max_pool!(AdaptiveMaxPool3d::new(adaptive::<3, _>(s, "output_size")?)),
        "AvgPool1d" => avg!(AvgPool1d),
        "AvgPool2d" => avg!(AvgPool2d),
        "AvgPool3d" => avg!(AvgPool3d),
        "Conv1d" => conv!(Conv1d conv_options),
        "Conv2d" => conv!(Conv2d conv_options),
        "Conv3d" => conv!(Conv3d conv_options),
        "ConvTranspose1d" => conv!(ConvTranspose1d transposed_options),
        "ConvTranspose2d" => conv!(ConvTranspose2d transposed_options),
        "ConvTranspose3d" => conv!(ConvTranspose3d transposed_options),
        "FractionalMaxPool2d" => fractional!(FractionalMaxPool2d),
        "FractionalMaxPool3d" => fractional!(FractionalMaxPool3d),
        "LPPool1d" => lp!(LPPool1d),
        "LPPool2d" => lp!(LPPool2d),
        "LPPool3d" => lp!(LPPool3d),
        "LazyConv1d" => lazy!(LazyConv1d conv_options),
        "LazyConv2d" => lazy!(LazyConv2d conv_options),
        "LazyConv3d" => lazy!(LazyConv3d conv_options),
        "LazyConvTranspose1d" => lazy!(LazyConvTranspose1d transposed_options),
        "LazyConvTranspose2d" => lazy!(LazyConvTranspose2d transposed_options),
        "LazyConvTranspose3d" => lazy!(LazyConvTranspose3d transposed_options),
        "MaxPool1d" => max!(MaxPool1d),
        "MaxPool2d" => max!(MaxPool2d),
        "MaxPool3d" => max!(MaxPool3d),
        _ => Ok(None),
    }
}

fn lp_options<T: Clone>(s: &Args<T>) -> Result<LpPoolOptions> {
    Ok(LpPoolOptions { stride: stride(s, "stride".into())?, ceil_mode: s.bool_or("ceil_mode", false)? })
}
