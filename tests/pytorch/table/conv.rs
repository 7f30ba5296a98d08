//! Convolutions, pooling, and what slides a window besides.
use super::{Outputs, each_dim};
use crate::pytorch::args::{Args, Key};
use crate::pytorch::cases::Value;
use firesteel::{
    AdaptiveSize, AvgPoolOptions, Backend, ConvOptions, ConvPadding, ConvTransposeOptions, MaxPoolOptions,
    MaxUnpoolOptions, PerDim, Resize, Result, Tensor,
};

table! {
    /// Convolutions and linear maps.
    conv(a) in "nn.functional." {
        each bilinear: (&a.tensor(1)?, &a.tensor(2)?, a.opt_tensor(3)?.as_ref());
        each conv1d conv2d conv3d: (&a.tensor(1)?, a.opt_tensor(2)?.as_ref(), conv_options(a)?);
        each conv_transpose1d conv_transpose2d conv_transpose3d:
            (&a.tensor(1)?, a.opt_tensor(2)?.as_ref(), transposed_options(a)?);
        each linear: (&a.tensor(1)?, a.opt_tensor(2)?.as_ref());
    }
}

table! {
    /// Windows.
    pool(a) in "nn.functional." {
        each avg_pool1d avg_pool2d avg_pool3d: (each_dim(a, (1, "kernel_size"), 1)?, avg_options(a)?);
        each adaptive_avg_pool1d: (adaptive::<1, _>(a, 1)?);
        each adaptive_avg_pool2d: (adaptive::<2, _>(a, 1)?);
        each adaptive_avg_pool3d: (adaptive::<3, _>(a, 1)?);
        each max_unpool1d max_unpool2d max_unpool3d:
            (&a.tensor(1)?, each_dim(a, "kernel_size", 1)?, unpool_options(a)?);
        "adaptive_max_pool1d" => {
            picked(a.bool(2)?, a.tensor(0)?.adaptive_max_pool1d_with_indices(adaptive::<1, _>(a, 1)?)?)
        },
        "adaptive_max_pool2d" => {
            picked(a.bool(2)?, a.tensor(0)?.adaptive_max_pool2d_with_indices(adaptive::<2, _>(a, 1)?)?)
        },
        "adaptive_max_pool3d" => {
            picked(a.bool(2)?, a.tensor(0)?.adaptive_max_pool3d_with_indices(adaptive::<3, _>(a, 1)?)?)
        },
        "fractional_max_pool2d" => {
            picked(a.bool("return_indices")?, a.tensor(0)?.fractional_max_pool2d_with_indices(each_dim(a, 1, 1)?, fraction(a)?, None)?)
        },
        "fractional_max_pool3d" => {
            picked(a.bool("return_indices")?, a.tensor(0)?.fractional_max_pool3d_with_indices(each_dim(a, 1, 1)?, fraction(a)?, None)?)
        },
        "max_pool1d" => {
            let kernel = each_dim(a, "kernel_size", 1)?;
            picked(a.bool("return_indices")?, a.tensor(0)?.max_pool1d_with_indices(kernel, max_options(a)?)?)
        },
        "max_pool2d" => {
            let kernel = each_dim(a, "kernel_size", 1)?;
            picked(a.bool("return_indices")?, a.tensor(0)?.max_pool2d_with_indices(kernel, max_options(a)?)?)
        },
        "max_pool3d" => {
            let kernel = each_dim(a, "kernel_size", 1)?;
            picked(a.bool("return_indices")?, a.tensor(0)?.max_pool3d_with_indices(kernel, max_options(a)?)?)
        },
    }
}

/// The largest, and their places where they are wanted.
fn picked<B: Backend>(places: bool, both: (Tensor<B>, Tensor<B>)) -> Outputs<B> {
    if places { both.into() } else { both.0.into() }
}

pub fn conv_options<T: Clone>(a: &Args<T>) -> Result<ConvOptions> {
    let padding = match a.value("padding") {
        Some((_, Value::Str(name))) if name == "same" => ConvPadding::Same,
        Some((_, Value::Str(name))) if name == "valid" => ConvPadding::Valid,
        _ => each_dim(a, "padding", 0)?.into(),
    };
    Ok(ConvOptions {
        stride: each_dim(a, "stride", 1)?,
        padding,
        dilation: each_dim(a, "dilation", 1)?,
        groups: a.size_or("groups", 1)?,
    })
}

pub fn transposed_options<T: Clone>(a: &Args<T>) -> Result<ConvTransposeOptions> {
    Ok(ConvTransposeOptions {
        stride: each_dim(a, "stride", 1)?,
        padding: each_dim(a, "padding", 0)?,
        output_padding: each_dim(a, "output_padding", 0)?,
        groups: a.size_or("groups", 1)?,
        dilation: each_dim(a, "dilation", 1)?,
    })
}

pub fn max_options<T: Clone>(a: &Args<T>) -> Result<MaxPoolOptions> {
    Ok(MaxPoolOptions {
        stride: stride(a, "stride".into())?,
        padding: each_dim(a, "padding", 0)?,
        dilation: each_dim(a, "dilation", 1)?,
        ceil_mode: a.bool_or("ceil_mode", false)?,
    })
}

pub fn avg_options<T: Clone>(a: &Args<T>) -> Result<AvgPoolOptions> {
    Ok(AvgPoolOptions {
        stride: stride(a, (2, "stride").into())?,
        padding: each_dim(a, (3, "padding"), 0)?,
        ceil_mode: a.bool_or((4, "ceil_mode"), false)?,
        count_include_pad: a.bool_or((5, "count_include_pad"), true)?,
        divisor_override: a.opt_int((6, "divisor_override"))?,
    })
}

fn unpool_options<T: Clone>(a: &Args<T>) -> Result<MaxUnpoolOptions> {
    Ok(MaxUnpoolOptions {
        stride: stride(a, "stride".into())?,
        padding: each_dim(a, "padding", 0)?,
        output_size: a.opt_sizes("output_size")?.map(|sizes| PerDim::from(&sizes[2..])),
    })
}

/// What fractional pooling makes: sizes, or a part of the old ones.
pub fn fraction<T: Clone>(a: &Args<T>) -> Result<Resize> {
    Ok(match (a.opt_sizes("output_size")?, a.opt_floats("output_ratio")?) {
        (Some(sizes), _) => Resize::Size(PerDim::from(&sizes[..])),
        (None, ratios) => Resize::Scale(ratios.unwrap_or_default().into_iter().collect()),
    })
}

/// The kernel's own size where there is none.
pub fn stride<T: Clone>(a: &Args<T>, key: Key) -> Result<Option<PerDim>> {
    let given = a.opt_sizes(key)?.filter(|sizes| !sizes.is_empty());
    Ok(given.map(|sizes| PerDim::from(&sizes[..])))
}

/// `N` sizes, of which None stays as it is; or one for all.
pub fn adaptive<const N: usize, T: Clone>(a: &Args<T>, key: impl Into<Key>) -> Result<AdaptiveSize> {
    let sizes: Vec<_> =
        a.gaps(key)?.into_iter().map(|size| size.and_then(|n| usize::try_from(n).ok())).collect();
    Ok(match sizes[..] {
        [one] => [one; N].into(),
        _ => std::array::from_fn::<_, N, _>(|i| sizes.get(i).copied().flatten()).into(),
    })
}
