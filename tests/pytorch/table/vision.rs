//! Padding, resizing and what else is done to pictures.
use super::each_dim;
use crate::pytorch::args::Args;
use firesteel::{
    Error, GridMode, GridPadding, GridSampleOptions, InterpolateMode, InterpolateOptions, PadMode,
    PatchOptions, PerDim, Resize, Result, Scalar,
};

table! {
    /// More around.
    pad(a) {
        "constant_pad_nd" => a.tensor(0)?.constant_pad_nd(a.ints(1)?, a.scalar_or(2, 0.into())?)?,
        "nn.functional.pad" => a.tensor(0)?.pad(&pads(a)?, pad_mode(a)?)?,
    }
}

table! {
    /// Other sizes.
    vision(a) in "nn.functional." {
        each channel_shuffle: (a.size(1)?);
        each grid_sample: (&a.tensor(1)?, grid_options(a)?);
        each interpolate: (resize(a)?, interpolate_options(a)?);
        each pixel_shuffle: (a.size("upscale_factor")?);
        each pixel_unshuffle: (a.size("downscale_factor")?);
        each upsample_bilinear upsample_nearest: (resize(a)?);
        "unfold" => a.tensor(0)?.im2col(each_dim(a, 1, 1)?, patch_options(a)?)?,
    }
}

fn grid_options<T: Clone>(a: &Args<T>) -> Result<GridSampleOptions> {
    let odd = |name: &str| Error::value("grid_sample", format!("there is no {name:?}"));
    let mode = match a.str("mode")? {
        "bilinear" => GridMode::Bilinear,
        "nearest" => GridMode::Nearest,
        "bicubic" => GridMode::Bicubic,
        other => return Err(odd(other)),
    };
    let padding = match a.str("padding_mode")? {
        "zeros" => GridPadding::Zeros,
        "border" => GridPadding::Border,
        "reflection" => GridPadding::Reflection,
        other => return Err(odd(other)),
    };
    Ok(GridSampleOptions { mode, padding, align_corners: a.bool_or("align_corners", false)? })
}

fn pads<T: Clone>(a: &Args<T>) -> Result<Vec<isize>> {
    Ok(a.ints(1)?.into_iter().map(|pad| pad as isize).collect())
}

fn pad_mode<T: Clone>(a: &Args<T>) -> Result<PadMode> {
    Ok(match a.opt_str(2)? {
        None | Some("constant") => PadMode::Constant(a.scalar_or(3, Scalar::Int(0))?),
        Some("reflect") => PadMode::Reflect,
        Some("replicate") => PadMode::Replicate,
        Some("circular") => PadMode::Circular,
        Some(other) => return Err(Error::value("pad", format!("there is no mode {other:?}"))),
    })
}

fn patch_options<T: Clone>(a: &Args<T>) -> Result<PatchOptions> {
    Ok(PatchOptions { dilation: each_dim(a, 2, 1)?, padding: each_dim(a, 3, 0)?, stride: each_dim(a, 4, 1)? })
}

fn resize<T: Clone>(a: &Args<T>) -> Result<Resize> {
    Ok(match (a.opt_sizes((1, "size"))?, a.opt_floats((2, "scale_factor"))?) {
        (Some(sizes), _) => Resize::Size(PerDim::from(&sizes[..])),
        (None, Some(factors)) => Resize::Scale(factors.into_iter().collect()),
        (None, None) => return Err(Error::value("interpolate", "there is no size")),
    })
}

fn interpolate_options<T: Clone>(a: &Args<T>) -> Result<InterpolateOptions> {
    let mode = match a.str("mode")? {
        "nearest" => InterpolateMode::Nearest,
        "nearest-exact" => InterpolateMode::NearestExact,
        "linear" => InterpolateMode::Linear,
        "bilinear" => InterpolateMode::Bilinear,
        "bicubic" => InterpolateMode::Bicubic,
        "trilinear" => InterpolateMode::Trilinear,
        "area" => InterpolateMode::Area,
        other => return Err(Error::value("interpolate", format!("there is no mode {other:?}"))),
    };
    Ok(InterpolateOptions {
        mode,
        align_corners: a.bool_or("align_corners", false)?,
        recompute_scale_factor: a.bool_or("recompute_scale_factor", false)?,
        ..Default::default()
    })
}
