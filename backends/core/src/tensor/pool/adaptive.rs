//! Pooling that makes a wanted size: windows of nearly equal size.
use crate::{ArgReduce, Axes, Backend, Divisor, Error, Fused, Op, Pool, Result, Shape, Tensor, keepdim};
use smallvec::{SmallVec, smallvec};

/// The sizes that adaptive pooling makes: one for all spatial dims or one for each, where `None` keeps a size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AdaptiveSize(SmallVec<[Option<usize>; 3]>);

impl From<usize> for AdaptiveSize {
    fn from(size: usize) -> Self {
        Self(smallvec![Some(size)])
    }
}
impl<const N: usize> From<[usize; N]> for AdaptiveSize {
    fn from(sizes: [usize; N]) -> Self {
        Self(sizes.into_iter().map(Some).collect())
    }
}
impl<const N: usize> From<[Option<usize>; N]> for AdaptiveSize {
    fn from(sizes: [Option<usize>; N]) -> Self {
        Self(sizes.into_iter().collect())
    }
}

impl AdaptiveSize {
    /// The sizes of the spatial dims of a batch.
    pub(super) fn resolve<B: Backend>(&self, op: &'static str, x: &Tensor<B>) -> Result<Axes> {
        let spatial = &x.shape()[2..];
        if let Some(0) = spatial.iter().copied().find(|&n| n == 0) {
            return Err(Error::shape(op, format!("there are no elements along the dims of {}", x.shape())));
        }
        if self.0.len() != 1 && self.0.len() != spatial.len() {
            let why = format!("the size {:?} has to be one number or {}", &self.0[..], spatial.len());
            return Err(Error::value(op, why));
        }
        let wanted = self.0.iter().cycle();
        Ok(spatial.iter().zip(wanted).map(|(&have, want)| want.unwrap_or(have)).collect())
    }
}

/// The windows of a whole number of elements that cut each dim evenly, where there are such.
fn even<B: Backend>(x: &Tensor<B>, sizes: &Axes) -> Option<Pool> {
    let spatial = &x.shape()[2..];
    let kernel = spatial
        .iter()
        .zip(sizes)
        .map(|(&have, &want)| (want > 0 && have.is_multiple_of(want)).then(|| have / want))
        .collect::<Option<Axes>>()?;
    let axes = sizes.len();
    Some(Pool {
        stride: kernel.clone(),
        kernel,
        padding: smallvec![0; axes],
        dilation: smallvec![1; axes],
        output: sizes.clone(),
    })
}

/// Where each of `wanted` windows lies in `size` elements: from `⌊i size / wanted⌋` to `⌈(i + 1) size / wanted⌉`.
fn spans(size: usize, wanted: usize) -> impl Iterator<Item = (usize, usize)> {
    let wide = size as u128;
    let at = move |i: usize| i as u128 * wide;
    (0..wanted).map(move |i| {
        let n = wanted as u128;
        ((at(i) / n) as usize, at(i + 1).div_ceil(n) as usize)
    })
}

/// `x` with an axis of windows, and after it one of what is in them: as many as the longest window holds.
/// A shorter one repeats its last element.
fn stretched<B: Backend>(x: &Tensor<B>, axis: usize, wanted: usize) -> Result<Tensor<B>> {
    let size = x.shape()[axis];
    x.claim(wanted)?;
    let longest = spans(size, wanted).map(|(start, end)| end - start).max().unwrap_or(1);
    let index = spans(size, wanted)
        .flat_map(|(start, end)| (0..longest).map(move |i| (start + i).min(end - 1) as i64))
        .collect();
    let seen = x.pick(axis, index)?;
    let mut shape = seen.shape().with(axis, wanted);
    shape.insert(axis + 1, longest);
    seen.reshape(&shape)
}

pub(crate) fn adaptive_avg<B: Backend>(x: &Tensor<B>, sizes: &Axes) -> Result<Tensor<B>> {
    let x = x.to_float()?;
    if let Some(pool) = even(&x, sizes) {
        return Tensor::one(Op::Fused(Fused::AvgPool(pool.into(), Divisor::Inside), smallvec![&x]));
    }
    let mut y = x;
    for (i, &wanted) in sizes.iter().enumerate() {
        let axis = i + 2;
        let size = y.shape()[axis];
        if size == wanted {
            continue;
        }
        let seen = stretched(&y, axis, wanted)?;
        let counts = spans(size, wanted).map(|(start, end)| (end - start) as f64).collect();
        let counts =
            Tensor::constant(&y, counts)?.reshape(Shape::from([wanted]).aligned(seen.rank() - axis))?;
        // what is repeated does not count
        let places = Tensor::arange(0..seen.shape()[axis + 1], y.backend())?;
        let places = places.reshape(Shape::from([1, places.numel()]).aligned(seen.rank() - axis))?;
        let inside = places.lt(&counts)?;
        y = (inside.where_(&seen, 0.0)?.sum(keepdim(axis + 1))? / counts)?.without(&smallvec![axis + 1])?;
    }
    Ok(y)
}

pub(super) fn adaptive_max<B: Backend>(x: &Tensor<B>, sizes: &Axes) -> Result<(Tensor<B>, Tensor<B>)> {
    if let Some(pool) = even(x, sizes) {
        return Tensor::two(Op::Fused(Fused::MaxPool(pool.into()), smallvec![x]));
    }
    let count = x.shape()[2..].iter().product();
    let lead = [1, 1].into_iter().chain(x.shape()[2..].iter().copied()).collect::<Shape>();
    let places = Tensor::arange(0..count, x.backend())?.reshape(&lead)?;
    let (seen, places) = (all_stretched(x, sizes)?, all_stretched(&places, sizes)?);
    let axis = seen.rank() - 1;
    // what is repeated stands behind the element itself, which wins as the first of equals
    let at = Tensor::one(Op::ArgReduce(ArgReduce::Max, &seen, axis))?;
    let places = places.broadcast_to(seen.shape())?;
    let y = Tensor::one(Op::Gather { x: &seen, index: &at, axis })?;
    let places = Tensor::one(Op::Gather { x: &places, index: &at, axis })?;
    Ok((y.without(&smallvec![axis])?, places.without(&smallvec![axis])?))
}

/// `(n, c, ..windows, elements of a window)`.
fn all_stretched<B: Backend>(x: &Tensor<B>, sizes: &Axes) -> Result<Tensor<B>> {
    let mut seen = x.clone();
    for (i, &wanted) in sizes.iter().enumerate() {
        // each dim before has become two
        seen = stretched(&seen, 2 + 2 * i, wanted)?;
    }
    let axes = sizes.len();
    let order: Axes =
        [0, 1].into_iter().chain((0..axes).map(|i| 2 + 2 * i)).chain((0..axes).map(|i| 3 + 2 * i)).collect();
    let inside: usize = (0..axes).map(|i| seen.shape()[3 + 2 * i]).product();
    let shape: Shape =
        seen.shape()[..2].iter().copied().chain(sizes.iter().copied()).chain([inside]).collect();
    Tensor::one(Op::Permute(&seen, order))?.reshape(&shape)
}
