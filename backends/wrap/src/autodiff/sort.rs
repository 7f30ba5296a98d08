//! Sorting moves elements; their gradients move back.
use super::{
    graph::Rule,
    index::Place,
    rules::{one, zeros},
};
use firesteel_core::{Backend, Scatter, Tensor};

/// Of `y = x[index]` along the axis, with each index at most once: all of a sort, or its first ones.
pub(super) fn ordered<B: Backend>(x: &Tensor<B>, index: Tensor<B>, axis: usize) -> Rule<B> {
    let (meta, place) = (x.meta().clone(), Place::each(index, axis));
    one(move |g| place.write(Scatter::Add, &zeros(g, &meta)?, g))
}
