//! A convolution and its two adjoints are each linear in both operands, so each one's gradients are the
//! other two. With `y = C(x, w)`, `⟨g, C(x, w)⟩ = ⟨X(g, w), x⟩ = ⟨W(g, x), w⟩`.
use super::{graph::Rule, rules::two};
use firesteel_core::{Axes, Backend, Conv, Op, Tensor};

/// `y = C(x, w)`: `dx = X(g, w)` and `dw = W(g, x)`.
pub(super) fn conv<B: Backend>(conv: Box<Conv>, x: Tensor<B>, w: Tensor<B>) -> Rule<B> {
    let (other, input, kernel) = (conv.clone(), spatial(&x), spatial(&w));
    two(
        move |g| Tensor::one(Op::ConvInputGrad { conv: conv.clone(), g, w: &w, size: input.clone() }),
        move |g| Tensor::one(Op::ConvWeightGrad { conv: other.clone(), g, x: &x, size: kernel.clone() }),
    )
}

/// `y = X(u, w)`, whose gradient `g` looks like `x`: `du = C(g, w)` and `dw = W(u, g)`.
pub(super) fn input_grad<B: Backend>(conv: Box<Conv>, u: Tensor<B>, w: Tensor<B>) -> Rule<B> {
    let (other, kernel) = (conv.clone(), spatial(&w));
    two(
        move |g| Tensor::one(Op::Conv(conv.clone(), g, &w)),
        move |g| Tensor::one(Op::ConvWeightGrad { conv: other.clone(), g: &u, x: g, size: kernel.clone() }),
    )
}

/// `y = W(u, x)`, whose gradient `g` looks like `w`: `du = C(x, g)` and `dx = X(u, g)`.
pub(super) fn weight_grad<B: Backend>(conv: Box<Conv>, u: Tensor<B>, x: Tensor<B>) -> Rule<B> {
    let (other, input) = (conv.clone(), spatial(&x));
    two(
        move |g| Tensor::one(Op::Conv(conv.clone(), &x, g)),
        move |g| Tensor::one(Op::ConvInputGrad { conv: other.clone(), g: &u, w: g, size: input.clone() }),
    )
}

/// All sizes but those of batch and channels.
fn spatial<B: Backend>(x: &Tensor<B>) -> Axes {
    x.shape()[2..].iter().copied().collect()
}
