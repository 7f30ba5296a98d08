//! Reductions give each element its part of the gradient.
use super::{graph::Rule, rules::one, view};
use firesteel_core::{Axes, Backend, Op, Reduce, Result, Scan, Shape, Tensor};

pub(super) fn reduce<B: Backend>(kind: Reduce, x: Tensor<B>, y: Tensor<B>, axes: Axes) -> Rule<B> {
    match kind {
        // d Σx = g for each
        Reduce::Sum => {
            let shape = x.shape().clone();
            one(move |g| g.broadcast_to(&shape))
        }
        // d Σx/n = g/n for each
        Reduce::Mean => {
            let (shape, n) = (x.shape().clone(), x.numel() / y.numel().max(1));
            one(move |g| (g / n as f64)?.broadcast_to(&shape))
        }
        // d Πx = g times the product of the others
        Reduce::Prod => one(move |g| g * others(&x, &axes)?),
        // to all that are the largest or smallest, in equal parts
        Reduce::Max | Reduce::Min => one(move |g| {
            let hit = x.eq(&y)?.to(x.dtype())?;
            let count = Tensor::one(Op::Reduce(Reduce::Sum, &hit, axes.clone()))?;
            hit * (g / count)?
        }),
    }
}

/// The product of all other elements along the axes, whether or not some are zero: what comes before times
/// what comes after.
fn others<B: Backend>(x: &Tensor<B>, axes: &Axes) -> Result<Tensor<B>> {
    let kept = (0..x.rank()).filter(|a| !axes.contains(a));
    let order: Axes = kept.clone().chain(axes.iter().copied()).collect();
    let moved = Tensor::one(Op::Permute(x, order.clone()))?;
    let mut rows: Shape = kept.map(|a| x.shape()[a]).collect();
    let last = rows.rank();
    rows.push(axes.iter().map(|&a| x.shape()[a]).product());
    let flat = moved.reshape(&rows)?;
    let after = view::flip(&before(&view::flip(&flat, last)?, last)?, last)?;
    let others = (before(&flat, last)? * after)?.reshape(moved.shape())?;
    let inverse = (0..order.len()).filter_map(|a| order.iter().position(|&b| a == b)).collect();
    Tensor::one(Op::Permute(&others, inverse))
}

/// The product of all elements before each along the axis.
fn before<B: Backend>(x: &Tensor<B>, axis: usize) -> Result<Tensor<B>> {
    Tensor::one(Op::Scan(Scan::Prod, &view::later(x, axis, 1)?, axis))
}
