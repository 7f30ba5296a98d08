//! Reading and writing where an index says: each is the other's way back.
use super::{
    graph::{Each, Rule},
    rules::{one, same, zeros},
};
use firesteel_core::{Backend, Op, Result, Scatter, Tensor};
use smallvec::smallvec;

/// Where an index points: at elements, or at whole slices.
#[derive(Clone)]
pub(super) struct Place<B: Backend> {
    index: Tensor<B>,
    axis: usize,
    slices: bool,
}

impl<B: Backend> Place<B> {
    /// Of `Gather` and `Scatter`.
    pub fn each(index: Tensor<B>, axis: usize) -> Self {
        Self { index, axis, slices: false }
    }

    /// Of `IndexSelect` and `IndexPut`.
    pub fn slices(index: Tensor<B>, axis: usize) -> Self {
        Self { index, axis, slices: true }
    }

    fn read(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let (index, axis) = (&self.index, self.axis);
        Tensor::one(if self.slices {
            Op::IndexSelect { x, index, axis }
        } else {
            Op::Gather { x, index, axis }
        })
    }

    pub fn write(&self, kind: Scatter, into: &Tensor<B>, x: &Tensor<B>) -> Result<Tensor<B>> {
        let (index, axis) = (&self.index, self.axis);
        Tensor::one(if self.slices {
            Op::IndexPut { kind, into, index, x, axis }
        } else {
            Op::Scatter { kind, into, index, x, axis }
        })
    }
}

/// What was read from one place several times gets the sum.
pub(super) fn read<B: Backend>(place: Place<B>, x: &Tensor<B>) -> Rule<B> {
    let meta = x.meta().clone();
    one(move |g| place.write(Scatter::Add, &zeros(g, &meta)?, g))
}

/// The gradients of `into` and of `x`, as those of
/// [`scatter_reduce`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html).
pub(super) fn write<B: Backend>(
    kind: Scatter,
    place: Place<B>,
    into: Tensor<B>,
    x: Tensor<B>,
    y: Tensor<B>,
) -> Rule<B> {
    let at = place.clone();
    match kind {
        // to `into` where nothing was written, to `x` from where it was
        Scatter::Set => {
            let meta = x.meta().clone();
            three(move |g| at.write(Scatter::Set, g, &zeros(g, &meta)?), move |g| place.read(g))
        }
        Scatter::Add => three(same, move |g| place.read(g)),
        // the product of all others: y without the factor, which is taken as 1 where it is 0
        Scatter::Mul => {
            let (factor, written) = (into.clone(), x.clone());
            three(
                move |g| {
                    let factor = filled(&factor, &factor.eq(0)?)?;
                    (g * at.write(Scatter::Mul, &factor, &written)?)? / factor
                },
                move |g| product_of_others(g, &place, &into, &x, &y),
            )
        }
        // to all that are the result, in equal parts
        Scatter::Max | Scatter::Min => {
            let (there, written, result) = (into.clone(), x.clone(), y.clone());
            three(
                move |g| {
                    let (hit, _, count) = winners(&at, &there, &written, &result)?;
                    hit * (g / count)?
                },
                move |g| {
                    let (_, hit, count) = winners(&place, &into, &x, &y)?;
                    hit * place.read(&(g / count)?)?
                },
            )
        }
    }
}

/// The formulas of `into` and `x`; the index between them has none.
fn three<B: Backend>(
    into: impl Fn(&Tensor<B>) -> Result<Tensor<B>> + Send + Sync + 'static,
    x: impl Fn(&Tensor<B>) -> Result<Tensor<B>> + Send + Sync + 'static,
) -> Rule<B> {
    Rule::Each(smallvec![Some(Box::new(into) as Each<B>), None, Some(Box::new(x) as Each<B>)])
}

/// `x` with ones where `holes` is true.
fn filled<B: Backend>(x: &Tensor<B>, holes: &Tensor<B>) -> Result<Tensor<B>> {
    holes.where_(1, x)
}

/// `g y / x` where `x` is not zero; where it is the only zero of its place, `g` times what the place would
/// be with 1 instead; where it is one of several, zero, as the rest of the product is.
fn product_of_others<B: Backend>(
    g: &Tensor<B>,
    place: &Place<B>,
    into: &Tensor<B>,
    x: &Tensor<B>,
    y: &Tensor<B>,
) -> Result<Tensor<B>> {
    let zero = x.eq(0)?;
    let zeros_there = place.write(Scatter::Add, &into.zeros_like()?, &zero.to(x.dtype())?)?;
    let alone = zero.bitwise_and(&place.read(&zeros_there)?.eq(1)?)?;
    let without = place.write(Scatter::Mul, into, &filled(x, &alone)?)?;
    let divided = (place.read(&(g * y)?)? / filled(x, &zero)?)?;
    alone.where_(place.read(&(g * without)?)?, divided)
}

/// As numbers: whether `into` is the result, whether `x` is, and how many of both share each place.
fn winners<B: Backend>(
    place: &Place<B>,
    into: &Tensor<B>,
    x: &Tensor<B>,
    y: &Tensor<B>,
) -> Result<(Tensor<B>, Tensor<B>, Tensor<B>)> {
    let there = into.eq(y)?.to(y.dtype())?;
    let written = x.eq(&place.read(y)?)?.to(y.dtype())?;
    let count = place.write(Scatter::Add, &there, &written)?;
    Ok((there, written, count))
}
