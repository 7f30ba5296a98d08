//! Pooling over the last dims of `(batch, channels, ..)` or `(channels, ..)`.
mod adaptive;
mod options;

pub use adaptive::AdaptiveSize;
pub(crate) use adaptive::adaptive_avg;
pub use options::{AvgPoolOptions, LpPoolOptions, MaxPoolOptions, MaxUnpoolOptions};

use super::conv::batched;
use crate::{
    Axes, Backend, DType, Divisor, Error, Fused, Op, PerDim, Pool, Result, Scalar, Scatter, Shape, Tensor,
    decompose,
};
use adaptive::adaptive_max;
use smallvec::smallvec;
use std::panic::Location;

/// One method for 1, 2 and 3 spatial dims each.
macro_rules! pools {
    ($($axes:literal $max:ident $indices:ident $avg:ident $lp:ident $unpool:ident $adaptive_avg:ident
       $adaptive_max:ident $adaptive_indices:ident $shape:literal $result:literal;)*) => { impl<B: Backend> Tensor<B> {$(
        #[doc = concat!("The largest of each window of `kernel` elements, over ", $axes, " dims; NaN where one is.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.", stringify!($max), ".html>")]
        ///
        /// ```
        /// use firesteel::{MaxPoolOptions, prelude::*};
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("let y = x.", stringify!($max), "(2, MaxPoolOptions::default())?;")]
        #[doc = concat!("assert_eq!(*y.shape(), ", $result, ");")]
        /// assert!(y.to_vec::<f32>()?.iter().all(|&y| y == 1.));
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $max(&self, kernel: impl Into<PerDim>, options: MaxPoolOptions) -> Result<Self> {
            let op = stringify!($max);
            let kernel = kernel.into();
            batched(op, self, $axes, |x| Ok(max_pool(op, x, &kernel, &options)?.0))
        }

        #[doc = concat!("[`", stringify!($max), "`](Self::", stringify!($max), ") with the places of the largest: I64 numbers")]
        /// of elements in the flattened spatial dims.
        ///
        /// ```
        /// use firesteel::{MaxPoolOptions, prelude::*};
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("let (y, places) = x.", stringify!($indices), "(2, MaxPoolOptions::default())?;")]
        /// assert_eq!((places.shape(), places.dtype()), (y.shape(), DType::I64));
        /// assert_eq!(places.to_vec::<i64>()?[0], 0);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $indices(&self, kernel: impl Into<PerDim>, options: MaxPoolOptions) -> Result<(Self, Self)> {
            let op = stringify!($max);
            let kernel = kernel.into();
            both(op, self, $axes, |x| max_pool(op, x, &kernel, &options))
        }

        #[doc = concat!("The mean of each window of `kernel` elements, over ", $axes, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.", stringify!($avg), ".html>")]
        ///
        /// ```
        /// use firesteel::{AvgPoolOptions, prelude::*};
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("let y = x.", stringify!($avg), "(2, AvgPoolOptions::default())?;")]
        #[doc = concat!("assert_eq!(*y.shape(), ", $result, ");")]
        /// assert!(y.to_vec::<f32>()?.iter().all(|&y| y == 1.));
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $avg(&self, kernel: impl Into<PerDim>, options: AvgPoolOptions) -> Result<Self> {
            let op = stringify!($avg);
            let kernel = kernel.into();
            batched(op, self, $axes, |x| avg_pool(op, x, &kernel, &options))
        }

        #[doc = concat!("`(Σ xᵖ)^(1/p)` of each window of `kernel` elements, over ", $axes, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.", stringify!($lp), ".html>")]
        ///
        /// ```
        /// use firesteel::{LpPoolOptions, prelude::*};
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("let y = x.", stringify!($lp), "(1.0, 2, LpPoolOptions::default())?;")]
        #[doc = concat!("assert_eq!(y.to_vec::<f32>()?[0], 2f32.powi(", $axes, "));")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $lp(&self, p: f64, kernel: impl Into<PerDim>, options: LpPoolOptions) -> Result<Self> {
            let op = stringify!($lp);
            let kernel = kernel.into();
            batched(op, self, $axes, |x| lp_pool(op, x, p, &kernel, &options))
        }

        #[doc = concat!("What [`", stringify!($indices), "`](Self::", stringify!($indices), ") made, back at its places; zeros elsewhere.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.", stringify!($unpool), ".html>")]
        ///
        /// ```
        /// use firesteel::{MaxPoolOptions, MaxUnpoolOptions, prelude::*};
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("let (y, places) = x.", stringify!($indices), "(2, MaxPoolOptions::default())?;")]
        #[doc = concat!("let back = y.", stringify!($unpool), "(&places, 2, MaxUnpoolOptions::default())?;")]
        /// assert_eq!((back.shape(), back.to_vec::<f32>()?[0]), (x.shape(), 1.));
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $unpool(&self, places: &Self, kernel: impl Into<PerDim>, options: MaxUnpoolOptions) -> Result<Self> {
            let op = stringify!($unpool);
            let kernel = kernel.into();
            batched(op, self, $axes, |x| {
                let places = if places.rank() < x.rank() { places.unsqueeze(0)? } else { places.clone() };
                max_unpool(op, x, &places, &kernel, &options)
            })
        }

        #[doc = concat!("The means of windows of nearly equal size, as many as `size` says, over ", $axes, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.", stringify!($adaptive_avg), ".html>")]
        ///
        /// ```
        /// use firesteel::prelude::*;
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("assert_eq!(x.", stringify!($adaptive_avg), "(3)?.shape()[2], 3);")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $adaptive_avg(&self, size: impl Into<AdaptiveSize>) -> Result<Self> {
            let op = stringify!($adaptive_avg);
            let size = size.into();
            batched(op, self, $axes, |x| adaptive_avg(x, &size.resolve(op, x)?))
        }

        #[doc = concat!("The largest of windows of nearly equal size, as many as `size` says, over ", $axes, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.", stringify!($adaptive_max), ".html>")]
        ///
        /// ```
        /// use firesteel::prelude::*;
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("assert_eq!(x.", stringify!($adaptive_max), "(3)?.shape()[2], 3);")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $adaptive_max(&self, size: impl Into<AdaptiveSize>) -> Result<Self> {
            let op = stringify!($adaptive_max);
            let size = size.into();
            batched(op, self, $axes, |x| Ok(adaptive_max(x, &size.resolve(op, x)?)?.0))
        }

        #[doc = concat!("[`", stringify!($adaptive_max), "`](Self::", stringify!($adaptive_max), ") with the places of the largest: I64")]
        /// numbers of elements in the flattened spatial dims.
        ///
        /// ```
        /// use firesteel::prelude::*;
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu::default())?;")]
        #[doc = concat!("let (y, places) = x.", stringify!($adaptive_indices), "(3)?;")]
        /// assert_eq!((places.shape(), places.dtype()), (y.shape(), DType::I64));
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $adaptive_indices(&self, size: impl Into<AdaptiveSize>) -> Result<(Self, Self)> {
            let op = stringify!($adaptive_max);
            let size = size.into();
            both(op, self, $axes, |x| adaptive_max(x, &size.resolve(op, x)?))
        }
    )*}};
}

pools! {
    1 max_pool1d max_pool1d_with_indices avg_pool1d lp_pool1d max_unpool1d adaptive_avg_pool1d
      adaptive_max_pool1d adaptive_max_pool1d_with_indices "[1, 2, 6]" "[1, 2, 3]";
    2 max_pool2d max_pool2d_with_indices avg_pool2d lp_pool2d max_unpool2d adaptive_avg_pool2d
      adaptive_max_pool2d adaptive_max_pool2d_with_indices "[1, 2, 6, 4]" "[1, 2, 3, 2]";
    3 max_pool3d max_pool3d_with_indices avg_pool3d lp_pool3d max_unpool3d adaptive_avg_pool3d
      adaptive_max_pool3d adaptive_max_pool3d_with_indices "[1, 2, 6, 4, 2]" "[1, 2, 3, 2, 1]";
}

/// [`batched`] for two results.
#[track_caller]
pub(crate) fn both<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    axes: usize,
    f: impl FnOnce(&Tensor<B>) -> Result<(Tensor<B>, Tensor<B>)>,
) -> Result<(Tensor<B>, Tensor<B>)> {
    let here = Location::caller();
    let mut second = None;
    let first = batched(op, x, axes, |x| {
        let (y, places) = f(x)?;
        second = Some(places);
        Ok(y)
    })?;
    let second = second.ok_or_else(|| Error::internal(op, "gave one result instead of two"))?;
    Ok((first.clone(), second.reshape(first.shape()).map_err(|e| e.at(here))?))
}

/// The windows over the last dims of `x`, and how many of them there are.
fn windows<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    kernel: &PerDim,
    [stride, padding, dilation]: [&PerDim; 3],
    ceil_mode: bool,
) -> Result<Pool> {
    let axes = x.rank() - 2;
    let mut pool = Pool {
        kernel: kernel.resolve(op, "kernel", axes)?,
        stride: stride.resolve(op, "stride", axes)?,
        padding: padding.resolve(op, "padding", axes)?,
        dilation: dilation.resolve(op, "dilation", axes)?,
        output: Axes::new(),
    };
    for axis in 0..axes {
        let (size, kernel, padding) = (x.shape()[axis + 2], pool.kernel[axis], pool.padding[axis]);
        let (stride, dilation) = (pool.stride[axis], pool.dilation[axis]);
        if kernel == 0 || stride == 0 || dilation == 0 {
            return Err(Error::value(op, "kernel, stride and dilation have to be at least 1"));
        }
        let padded = padding.checked_mul(2).and_then(|p| p.checked_add(size));
        let reach = (kernel - 1).checked_mul(dilation).and_then(|r| r.checked_add(1));
        let (Some(padded), Some(reach)) = (padded, reach) else {
            return Err(Error::value(
                op,
                format!("a window of {kernel} with padding {padding} is too large"),
            ));
        };
        // ⌊(size + 2p - reach) / s⌋ + 1, or ⌈..⌉; a window starts inside the tensor or its left padding
        let hang = if ceil_mode { stride - 1 } else { 0 };
        let Some(room) = padded.saturating_add(hang).checked_sub(reach) else {
            let why =
                format!("a window of {kernel} does not fit a dim of size {size} with padding {padding}");
            return Err(Error::shape(op, why));
        };
        let last = room / stride;
        let outside = ceil_mode && last * stride >= size + padding;
        pool.output.push(if outside { last } else { last + 1 });
        // what a window reaches beyond the padded dim it never sees
        pool.kernel[axis] = kernel.min(padded / dilation + 2);
    }
    Ok(pool)
}

fn max_pool<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    kernel: &PerDim,
    options: &MaxPoolOptions,
) -> Result<(Tensor<B>, Tensor<B>)> {
    let MaxPoolOptions { stride, padding, dilation, ceil_mode } = options;
    let steps = [stride.as_ref().unwrap_or(kernel), padding, dilation];
    let pool = windows(op, x, kernel, steps, *ceil_mode)?;
    Tensor::two(Op::Fused(Fused::MaxPool(pool.into()), smallvec![x])).map_err(|e| e.within(op))
}

fn avg_pool<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    kernel: &PerDim,
    options: &AvgPoolOptions,
) -> Result<Tensor<B>> {
    let AvgPoolOptions { stride, padding, ceil_mode, count_include_pad, divisor_override } = options;
    let steps = [stride.as_ref().unwrap_or(kernel), padding, &1.into()];
    let pool = windows(op, x, kernel, steps, *ceil_mode)?;
    let divisor = match divisor_override {
        Some(0) => return Err(Error::value(op, "divisor_override must not be 0")),
        Some(n) => Divisor::Fixed(*n),
        None if *count_include_pad => Divisor::Padded,
        None => Divisor::Inside,
    };
    if x.dtype().is_float() {
        return Tensor::one(Op::Fused(Fused::AvgPool(pool.into(), divisor), smallvec![x]))
            .map_err(|e| e.within(op));
    }
    let mean = decompose::avg_pool(&x.to(DType::I64)?, &pool, divisor).map_err(|e| e.within(op))?;
    mean.into_iter().next().ok_or_else(|| Error::internal(op, "gave no result"))?.to(x.dtype())
}

fn lp_pool<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    p: f64,
    kernel: &PerDim,
    options: &LpPoolOptions,
) -> Result<Tensor<B>> {
    if p == 0. || p.is_nan() {
        return Err(Error::value(op, format!("p must not be {p}")));
    }
    let elements = kernel.resolve(op, "kernel", x.rank() - 2)?.iter().product::<usize>();
    let LpPoolOptions { stride, ceil_mode } = options.clone();
    let options = AvgPoolOptions { stride, ceil_mode, ..Default::default() };
    let mean = avg_pool(op, &x.to_float()?.pow(p)?, kernel, &options)?;
    // an odd power may sum below zero, of which there is no root
    (mean.lazy().relu() * elements as f64).pow(1. / p).eval_as(op)
}

fn max_unpool<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    places: &Tensor<B>,
    kernel: &PerDim,
    options: &MaxUnpoolOptions,
) -> Result<Tensor<B>> {
    let axes = x.rank() - 2;
    if places.shape() != x.shape() {
        return Err(Error::shape(op, format!("the places {} have to be {}", places.shape(), x.shape())));
    }
    let kernel_sizes = kernel.resolve(op, "kernel", axes)?;
    let stride = options.stride.as_ref().unwrap_or(kernel).resolve(op, "stride", axes)?;
    let padding = options.padding.resolve(op, "padding", axes)?;
    let sizes = match &options.output_size {
        Some(sizes) => sizes.resolve(op, "output_size", axes)?,
        // (n - 1) s - 2p + k
        None => (0..axes)
            .map(|a| {
                let grown = x.shape()[a + 2].saturating_sub(1).checked_mul(stride[a])?;
                grown.checked_add(kernel_sizes[a])?.checked_sub(padding[a].checked_mul(2)?)
            })
            .collect::<Option<Axes>>()
            .ok_or_else(|| Error::value(op, "the padding leaves nothing of the result"))?,
    };
    let (n, c) = (x.shape()[0], x.shape()[1]);
    let shape: Shape = [n, c].into_iter().chain(sizes.iter().copied()).collect();
    let (from, to) = (x.shape()[2..].iter().product::<usize>(), Shape::from(sizes).numel());
    let into = Tensor::make(x.backend(), Op::Full(Scalar::Int(0), [n, c, to].into(), x.dtype()))?;
    let (x, index) = (x.reshape([n, c, from])?, places.reshape([n, c, from])?);
    Tensor::one(Op::Scatter { kind: Scatter::Set, into: &into, index: &index, x: &x, axis: 2 })
        .map_err(|e| e.within(op))?
        .reshape(&shape)
}
