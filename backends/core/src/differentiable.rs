//! What a backend adds that can go back: gradients, found by the tensors that they belong to.
use crate::{Backend, Error, Expr, Outputs, Result, Tensor, ValueOf};
use std::collections::{HashMap, hash_map::Entry};

/// Where a value stands in a graph: the number of the operation that made it, and which of its results.
pub type Place = (u64, usize);

/// From the gradients of an operation's results to those of its operands, where there are any.
pub type Pullback<B> = Box<dyn Fn(&[Option<Tensor<B>>]) -> Result<Vec<Option<Tensor<B>>>> + Send + Sync>;

/// A backend that remembers how to differentiate, or wraps one that does.
pub trait Differentiable: Backend {
    /// What gradients are computed with, and so what they live on.
    type Inner: Backend;

    /// The backend beneath the differentiation.
    fn beneath(&self) -> &Self::Inner;

    /// A value from beneath, as a constant.
    fn lift(v: ValueOf<Self::Inner>) -> Self::Value;

    /// The value beneath.
    fn lower(v: &Self::Value) -> &ValueOf<Self::Inner>;

    /// Where the value stands in its graph, or nothing where it is a constant.
    fn place(v: &Self::Value) -> Option<Place>;

    /// The gradients of all leaves, and of what is `wanted` besides, from roots with their cotangents.
    fn backward(
        &self,
        roots: &[(&Self::Value, ValueOf<Self::Inner>)],
        wanted: &[&Self::Value],
    ) -> Result<Gradients<Self::Inner>>;

    /// Gives values computed beneath a way back of the caller's own.
    fn record(
        &self,
        name: &'static str,
        parents: &[&Self::Value],
        values: Outputs<ValueOf<Self::Inner>>,
        pullback: Pullback<Self::Inner>,
    ) -> Result<Outputs<Self::Value>>;
}

/// What `backward` found.
#[derive(Clone, Debug)]
pub struct Gradients<B: Backend>(HashMap<Place, Tensor<B>>);

impl<B: Backend> Gradients<B> {
    /// Gradients by the places that they belong to.
    pub fn new(by_place: HashMap<Place, Tensor<B>>) -> Self {
        Self(by_place)
    }

    /// The gradient of a parameter, or of a tensor that was asked for; nothing where the result does
    /// not depend on it.
    pub fn find<D: Differentiable<Inner = B>>(&self, x: &Tensor<D>) -> Option<&Tensor<B>> {
        D::place(x.value()).and_then(|place| self.0.get(&place))
    }

    /// As [`find`](Self::find), where a missing gradient is an error.
    #[track_caller]
    pub fn get<D: Differentiable<Inner = B>>(&self, x: &Tensor<D>) -> Result<&Tensor<B>> {
        self.find(x).ok_or_else(|| Error::gradient("gradient", "the result does not depend on this tensor"))
    }

    /// Takes the gradient out, so that its memory can be used again.
    pub fn take<D: Differentiable<Inner = B>>(&mut self, x: &Tensor<D>) -> Option<Tensor<B>> {
        D::place(x.value()).and_then(|place| self.0.remove(&place))
    }

    /// Puts a gradient in the place of `x`, as clipping does.
    pub fn set<D: Differentiable<Inner = B>>(&mut self, x: &Tensor<D>, gradient: Tensor<B>) {
        if let Some(place) = D::place(x.value()) {
            self.0.insert(place, gradient);
        }
    }

    /// Adds other gradients of the same model, as training in several small batches for each step does.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let w = Tensor::new(2.0, &Autodiff::new(Cpu))?.requires_grad()?;
    /// let mut gradients = (&w * 3.0)?.backward()?;
    /// gradients.accumulate((&w * 5.0)?.backward()?)?;
    /// assert_eq!(gradients.get(&w)?.item::<f32>()?, 8.0);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn accumulate(&mut self, others: Self) -> Result<()> {
        for (place, other) in others.0 {
            match self.0.entry(place) {
                Entry::Vacant(empty) => {
                    empty.insert(other);
                }
                Entry::Occupied(mut sum) => Expr::update([sum.get_mut()], |[sum]| [sum + other])?,
            }
        }
        Ok(())
    }

    /// Every gradient, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Tensor<B>> {
        self.0.values()
    }

    /// Every gradient, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Tensor<B>> {
        self.0.values_mut()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
