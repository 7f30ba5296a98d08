//! Max pooling over windows at places that are partly random. Graham 2014, <https://arxiv.org/abs/1412.6071>
use super::pool::both;
use crate::{ArgReduce, Axes, Backend, DType, Error, Op, PerDim, Resize, Result, Shape, Tensor};

macro_rules! pools {
    ($($method:ident $indices:ident $dims:literal $shape:literal $result:literal;)*) => { impl<B: Backend> Tensor<B> {$(
        #[doc = concat!("The largest of each window of `kernel` elements over ", $dims, " dims, in as many windows as make")]
        /// these sizes or this part of the old ones. The distances of windows vary at random, by `samples` in `[0, 1)`,
        #[doc = concat!("`(batch, channels, ", $dims, ")`, or by numbers that are drawn.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool", $dims, "d.html>")]
        ///
        /// ```
        /// use firesteel::prelude::*;
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu)?;")]
        #[doc = concat!("assert_eq!(*x.", stringify!($method), "(2, 0.5, None)?.shape(), ", $result, ");")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $method(
            &self,
            kernel: impl Into<PerDim>,
            to: impl Into<Resize>,
            samples: Option<&Self>,
        ) -> Result<Self> {
            Ok(self.$indices(kernel, to, samples)?.0)
        }

        #[doc = concat!("[`", stringify!($method), "`](Self::", stringify!($method), ") with the places of the largest: I64 numbers of")]
        /// elements in the flattened spatial dims.
        ///
        /// ```
        /// use firesteel::prelude::*;
        #[doc = concat!("let x = Tensor::ones(", $shape, ", &Cpu)?;")]
        #[doc = concat!("let (y, places) = x.", stringify!($indices), "(2, 0.5, None)?;")]
        /// assert_eq!((places.shape(), places.dtype()), (y.shape(), DType::I64));
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[track_caller]
        pub fn $indices(
            &self,
            kernel: impl Into<PerDim>,
            to: impl Into<Resize>,
            samples: Option<&Self>,
        ) -> Result<(Self, Self)> {
            let (op, kernel, to) = (stringify!($method), kernel.into(), to.into());
            both(op, self, $dims, |x| fractional(op, x, &kernel, &to, samples))
        }
    )*}};
}

pools! {
    fractional_max_pool2d fractional_max_pool2d_with_indices 2 "[1, 2, 6, 8]" "[1, 2, 3, 4]";
    fractional_max_pool3d fractional_max_pool3d_with_indices 3 "[1, 2, 6, 8, 4]" "[1, 2, 3, 4, 2]";
}

fn fractional<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    kernel: &PerDim,
    to: &Resize,
    samples: Option<&Tensor<B>>,
) -> Result<(Tensor<B>, Tensor<B>)> {
    let (n, c, spatial) = (x.shape()[0], x.shape()[1], Shape::from(&x.shape()[2..]));
    let dims = spatial.rank();
    let (kernel, sizes) = (kernel.resolve(op, "kernel", dims)?, to.sizes(op, &spatial)?);
    // so that all windows can start at different places
    let fits = |i: usize| {
        let reach = sizes[i].checked_add(kernel[i]).and_then(|reach| reach.checked_sub(1));
        kernel[i] > 0 && reach.is_some_and(|reach| reach <= spatial[i])
    };
    if !(0..dims).all(fits) {
        let why = format!("{:?} windows of {:?} do not fit {spatial}", &sizes[..], &kernel[..]);
        return Err(Error::shape(op, why));
    }
    let samples = match samples {
        // PyTorch takes more than the batch has, and uses the first
        Some(samples) if matches!(samples.shape()[..], [m, k, d] if m >= n && (k, d) == (c, dims)) => {
            samples.detach().narrow(0, 0, n)?
        }
        Some(samples) => {
            let why = format!("the samples have to be [{n}, {c}, {dims}], not {}", samples.shape());
            return Err(Error::shape(op, why));
        }
        None => x.noise(&Shape::from([n, c, dims]))?,
    };
    let index = places(&samples, &spatial, &kernel, &sizes)?;
    let (windows, window) = (sizes.iter().product::<usize>(), kernel.iter().product::<usize>());
    let seen = x.reshape([n, c, spatial.numel()])?.gather(2, &index.reshape([n, c, windows * window])?)?;
    let (seen, index) = (seen.reshape([n, c, windows, window])?, index.reshape([n, c, windows, window])?);
    let best = Tensor::one(Op::ArgReduce(ArgReduce::Max, &seen, 3))?;
    let shape: Shape = [n, c].into_iter().chain(sizes).collect();
    Ok((seen.gather(3, &best)?.reshape(&shape)?, index.gather(3, &best)?.reshape(&shape)?))
}

/// For each window the flattened places of its elements: `(n, c, ..sizes, ..kernel)`.
fn places<B: Backend>(
    samples: &Tensor<B>,
    spatial: &Shape,
    kernel: &Axes,
    sizes: &Axes,
) -> Result<Tensor<B>> {
    let (dims, backend) = (spatial.rank(), samples.backend());
    let (n, c) = (samples.shape()[0], samples.shape()[1]);
    let mut flat = Tensor::zeros(vec![1; 2 + 2 * dims], (DType::I64, backend))?;
    for i in 0..dims {
        // PyTorch keeps the number of the last dim first over two dims, and those of three in order
        let sample = samples.narrow(2, if dims == 2 { 1 - i } else { i }, 1)?;
        let start = starts(&sample, spatial[i], kernel[i], sizes[i])?;
        let mut at = vec![1; 2 + 2 * dims];
        at[..2].copy_from_slice(&[n, c]);
        at[2 + i] = sizes[i];
        let mut inside = vec![1; 2 + 2 * dims];
        inside[2 + dims + i] = kernel[i];
        let place = start.reshape(at)?.lazy() + Tensor::arange(0..kernel[i], backend)?.reshape(inside)?;
        flat = (flat.lazy() * spatial[i] as i64 + place).eval()?;
    }
    Ok(flat)
}

/// Where windows start along a dim, `(n, c, count)`, with `u` the sample `(n, c, 1)`:
/// `⌊(i + u) α⌋ - ⌊u α⌋` with `α = (size - kernel) / (count - 1)`, and the last at the end.
fn starts<B: Backend>(u: &Tensor<B>, size: usize, kernel: usize, count: usize) -> Result<Tensor<B>> {
    let last = Tensor::full([u.shape()[0], u.shape()[1], 1], (size - kernel) as i64, u.backend())?;
    if count == 1 {
        return Ok(last);
    }
    // PyTorch computes in the dtype of the sample, and roundings decide
    let alpha = (size - kernel) as f64 / (count - 1) as f64;
    let i = Tensor::arange(0..count - 1, u.backend())?.to(u.dtype())?;
    let start = ((i.lazy() + u) * alpha).trunc() - (u.lazy() * alpha).trunc();
    Tensor::cat(&[&start.eval()?.to(DType::I64)?, &last], -1)
}
