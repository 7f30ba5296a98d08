//! Pooling.
use super::{
    graph::Rule,
    index::Place,
    rules::{one, zeros},
    view,
};
use firesteel_core::{
    Axes, Backend, Conv, Divisor, Fused, Meta, Op, PadAxis, Pool, Result, Scalar, Scatter, Shape, Span,
    Tensor,
};
use smallvec::smallvec;

/// To the element that won, once for each window that it won.
pub(super) fn max_pool<B: Backend>(x: &Tensor<B>, index: Tensor<B>, axes: usize) -> Rule<B> {
    let shape = x.shape().clone();
    let flat = Meta::new(flattened(&shape, axes), x.dtype());
    one(move |g| {
        let rows = flattened(g.shape(), axes);
        let place = Place::each(index.reshape(&rows)?, rows.rank() - 1);
        place.write(Scatter::Add, &zeros(g, &flat)?, &g.reshape(&rows)?)?.reshape(&shape)
    })
}

/// The last `axes` axes as one.
fn flattened(shape: &Shape, axes: usize) -> Shape {
    let (lead, spatial) = shape.split_at(shape.rank() - axes);
    lead.iter().copied().chain([spatial.iter().product()]).collect()
}

/// Each element of a window gets its part: `g` divided by what the mean was divided by, and spread by the
/// adjoint of a convolution with ones.
pub(super) fn avg_pool<B: Backend>(x: &Tensor<B>, pool: Pool, divisor: Divisor) -> Rule<B> {
    let shape = x.shape().clone();
    one(move |g| {
        let shares = (g / divisors(g, &shape, &pool, divisor)?)?;
        spread(&shares, &shape, &pool)
    })
}

/// What each window's sum was divided by, with leading axes of size one: a sum over ones where they count.
fn divisors<B: Backend>(g: &Tensor<B>, shape: &Shape, pool: &Pool, divisor: Divisor) -> Result<Tensor<B>> {
    let lead = shape.rank() - pool.kernel.len();
    let padding = &pool.padding;
    let (by, pool) = match divisor {
        Divisor::Fixed(n) => return g.full_like(n),
        Divisor::Inside => (0, pool.clone()),
        Divisor::Padded => (2, Pool { padding: pool.padding.iter().map(|_| 0).collect(), ..pool.clone() }),
    };
    let counting = |(axis, &size): (usize, &usize)| match axis.checked_sub(lead) {
        Some(spatial) => size + by * padding[spatial],
        None => 1,
    };
    let ones =
        Tensor::ones(shape.iter().enumerate().map(counting).collect::<Shape>(), (g.dtype(), g.backend()))?;
    Tensor::one(Op::Fused(Fused::AvgPool(pool.into(), Divisor::Fixed(1)), smallvec![&ones]))
}

/// The adjoint of summing windows.
fn spread<B: Backend>(g: &Tensor<B>, shape: &Shape, pool: &Pool) -> Result<Tensor<B>> {
    let axes = pool.kernel.len();
    let (lead, spatial) = shape.split_at(shape.rank() - axes);
    let (rows, ones) = (lead.iter().product(), [1, 1]);
    let tail = |head: [usize; 2], sizes: &[usize]| head.iter().chain(sizes).copied().collect::<Shape>();
    let conv = Conv {
        stride: pool.stride.clone(),
        padding: pool.padding.iter().map(|_| 0).collect(),
        dilation: pool.dilation.clone(),
        groups: 1,
    };
    // what the windows reach, from the start of the padding
    let reach: Axes = (0..axes)
        .map(|a| (pool.output[a].max(1) - 1) * pool.stride[a] + (pool.kernel[a] - 1) * pool.dilation[a] + 1)
        .collect();
    let w = Tensor::ones(tail(ones, &pool.kernel), (g.dtype(), g.backend()))?;
    let g = g.reshape(tail([rows, 1], &pool.output))?;
    let mut dx = Tensor::one(Op::ConvInputGrad { conv: conv.into(), g: &g, w: &w, size: reach.clone() })?;
    for axis in 0..axes {
        let (size, padding) = (spatial[axis], pool.padding[axis]);
        let missing = (size + padding).saturating_sub(reach[axis]);
        if missing > 0 {
            let high = |a| if a == axis + 2 { missing } else { 0 };
            let padding = (0..axes + 2).map(|a| PadAxis { high: high(a), ..PadAxis::default() }).collect();
            dx = Tensor::one(Op::Pad(&dx, padding, Scalar::Int(0)))?;
        }
        dx = view::span(&dx, axis + 2, Span { start: padding, step: 1, len: size })?;
    }
    dx.reshape(shape)
}
