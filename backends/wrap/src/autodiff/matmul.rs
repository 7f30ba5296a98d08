//! Products of matrices.
use super::{
    graph::{Each, Rule},
    rules::{product, two},
};
use firesteel_core::{Backend, Shape, Tensor};
use smallvec::smallvec;

/// `dA = G Bᵀ` and `dB = Aᵀ G`.
pub(super) fn matmul<B: Backend>(a: Tensor<B>, b: Tensor<B>) -> Rule<B> {
    two(move |g| product(g, &b.transpose(-2, -1)?), move |g| product(&a.transpose(-2, -1)?, g))
}

/// `Y = X Wᵀ + b`: `dX = G W`, `dW = Gᵀ X` and `db = Σ G` over rows, which are all leading axes.
pub(super) fn linear<B: Backend>(x: Tensor<B>, w: Tensor<B>) -> Rule<B> {
    let (n, k) = (w.shape()[0], w.shape()[1]);
    let lead = &x.shape()[..x.rank() - 1];
    let rows = lead.iter().product::<usize>();
    let shape: Shape = lead.iter().copied().chain([k]).collect();
    Rule::Each(smallvec![
        Some(Box::new(move |g: &Tensor<B>| product(&g.reshape([rows, n])?, &w)?.reshape(&shape)) as Each<B>),
        Some(Box::new(move |g: &Tensor<B>| {
            product(&g.reshape([rows, n])?.transpose(0, 1)?, &x.reshape([rows, k])?)
        }) as Each<B>),
        Some(Box::new(move |g: &Tensor<B>| g.sum_to_size([n])) as Each<B>),
    ])
}
