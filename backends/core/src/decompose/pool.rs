//! Pooling: a padded tensor seen through windows.
use crate::{
    Arg, ArgReduce, Backend, DType, Divisor, Op, Outputs, PadAxis, Pool, Reduce, Result, RoundingMode,
    Scalar, Shape, Span, Tensor,
};
use smallvec::smallvec;

/// The largest of each window, and where in the flattened spatial axes it lies.
pub fn max_pool<B: Backend>(x: &Tensor<B>, pool: &Pool) -> Result<Outputs<Tensor<B>>> {
    let lowest = x.dtype().lowest();
    let seen = flat(&windows(x, pool, lowest)?, pool)?;
    let places = flat(&windows(&places(x, pool)?, pool, Scalar::Int(-1))?, pool)?;
    let last = seen.rank() - 1;
    let inside = places.ge(0)?.broadcast_to(seen.shape())?;
    let places = places.broadcast_to(seen.shape())?;
    let masked = inside.where_(&seen, lowest)?;
    let best = Tensor::one(Op::ArgReduce(ArgReduce::Max, &masked, last))?;
    // where all are lowest, what is padded stands first: the first element of the tensor is its equal
    let real = Tensor::one(Op::Cast(&inside, DType::U8))?;
    let first = Tensor::one(Op::ArgReduce(ArgReduce::Max, &real, last))?;
    let at = Tensor::one(Op::Gather { x: &inside, index: &best, axis: last })?.where_(&best, &first)?;
    let y = Tensor::one(Op::Gather { x: &masked, index: &at, axis: last })?.without(&smallvec![last])?;
    let indices = Tensor::one(Op::Gather { x: &places, index: &at, axis: last })?;
    Ok(smallvec![y, indices.without(&smallvec![last])?])
}

/// The mean of each window; of whole numbers, rounded towards zero.
pub fn avg_pool<B: Backend>(x: &Tensor<B>, pool: &Pool, divisor: Divisor) -> Result<Outputs<Tensor<B>>> {
    let sum = window_sums(x, pool)?;
    // ones where something counts, summed by the same windows; a window of nothing is zero
    let ones = || Tensor::make(x.backend(), Op::Full(Scalar::Int(1), spatial(x, pool), x.dtype()));
    let count = match divisor {
        Divisor::Fixed(n) => Arg::from(n),
        Divisor::Inside => window_sums(&ones()?, pool)?.maximum(1)?.into(),
        Divisor::Padded => {
            let unpadded = Pool { padding: pool.padding.iter().map(|_| 0).collect(), ..pool.clone() };
            window_sums(&padded(&ones()?, pool, Scalar::Int(1))?, &unpadded)?.maximum(1)?.into()
        }
    };
    let mean =
        if x.dtype().is_float() { sum.div(count)? } else { sum.div_rounded(count, RoundingMode::Trunc)? };
    Ok(smallvec![mean])
}

/// The sum of each window.
fn window_sums<B: Backend>(x: &Tensor<B>, pool: &Pool) -> Result<Tensor<B>> {
    let seen = flat(&windows(x, pool, Scalar::Int(0))?, pool)?;
    let last = smallvec![seen.rank() - 1];
    Tensor::one(Op::Reduce(Reduce::Sum, &seen, last.clone()))?.without(&last)
}

/// The shape of the operand, with leading axes of size one.
fn spatial<B: Backend>(x: &Tensor<B>, pool: &Pool) -> Shape {
    let lead = x.rank() - pool.kernel.len();
    x.shape().iter().enumerate().map(|(a, &n)| if a < lead { 1 } else { n }).collect()
}

/// The number of each element in the flattened spatial axes, with leading axes of size one.
fn places<B: Backend>(x: &Tensor<B>, pool: &Pool) -> Result<Tensor<B>> {
    let shape = spatial(x, pool);
    let (start, step, dtype) = (Scalar::Int(0), Scalar::Int(1), DType::I64);
    Tensor::make(x.backend(), Op::Arange { start, step, len: shape.numel(), dtype })?.reshape(&shape)
}

/// What never wins a maximum.
/// The padding itself, without what a window that hangs over the end needs.
fn padded<B: Backend>(x: &Tensor<B>, pool: &Pool, value: Scalar) -> Result<Tensor<B>> {
    let lead = x.rank() - pool.kernel.len();
    let none = std::iter::repeat_n(PadAxis::default(), lead);
    let padding =
        none.chain(pool.padding.iter().map(|&p| PadAxis { low: p, high: p, interior: 0 })).collect();
    Tensor::one(Op::Pad(x, padding, value))
}

/// `[.., output.., kernel..]`: what each window sees.
fn windows<B: Backend>(x: &Tensor<B>, pool: &Pool, value: Scalar) -> Result<Tensor<B>> {
    let (axes, lead) = (pool.kernel.len(), x.rank() - pool.kernel.len());
    let mut seen = padded(x, pool, value)?;
    for axis in 0..axes {
        let (kernel, stride, dilation) = (pool.kernel[axis], pool.stride[axis], pool.dilation[axis]);
        let (output, along) = (pool.output[axis], lead + axis);
        let reach = (kernel - 1) * dilation + 1;
        let wanted = (output.max(1) - 1) * stride + reach;
        let have = seen.shape()[along];
        if wanted > have {
            let mut padding: crate::Padding = smallvec![PadAxis::default(); seen.rank()];
            padding[along].high = wanted - have;
            seen = Tensor::one(Op::Pad(&seen, padding, value))?;
        }
        seen = seen.span(along, Span { start: 0, step: 1, len: wanted })?;
        seen = Tensor::one(Op::Windows { x: &seen, axis: along, size: reach, step: stride })?;
        let inner = seen.rank() - 1;
        seen = seen.span(inner, Span { start: 0, step: dilation as isize, len: kernel })?;
        seen = seen.span(along, Span { start: 0, step: 1, len: output })?;
    }
    Ok(seen)
}

/// The kernel's axes as one.
fn flat<B: Backend>(seen: &Tensor<B>, pool: &Pool) -> Result<Tensor<B>> {
    let kept = seen.rank() - pool.kernel.len();
    let mut shape: Shape = seen.shape()[..kept].iter().copied().collect();
    shape.push(pool.kernel.iter().product());
    seen.reshape(&shape)
}
