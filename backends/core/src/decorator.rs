//! A backend around another that leaves its values as they are.
use crate::{
    Backend, Device, Differentiable, Generator, Gradients, MemoryStats, Meta, Metas, Op, Outputs, Place,
    Pullback, Result, TensorData, Update, ValueOf,
};
use std::{fmt, future::Future};

/// A decorator: [`around`](Decorator::around) is all it has to say, and it is a backend by that.
///
/// Outside of a differentiating backend it does not see the backward pass; inside of one it does.
pub trait Decorator: Clone + fmt::Debug + Send + Sync + 'static {
    /// What it wraps.
    type Inner: Backend;

    /// What it wraps.
    fn inner(&self) -> &Self::Inner;

    /// What it does in place of an operation: in general something, `self.inner().eval(op, out)`, and
    /// something.
    fn around(&self, op: Op<&ValueOf<Self::Inner>>, out: &Metas) -> Result<Outputs<ValueOf<Self::Inner>>>;

    /// What it does in place of operations in place.
    fn around_update(&self, updates: Vec<Update<'_, ValueOf<Self::Inner>>>) -> Result<()> {
        self.inner().update(updates)
    }
}

impl<D: Decorator> Backend for D {
    type Value = ValueOf<D::Inner>;

    fn device(&self) -> Device {
        self.inner().device()
    }
    fn meta(v: &Self::Value) -> &Meta {
        D::Inner::meta(v)
    }
    fn upload(&self, data: TensorData) -> Result<Self::Value> {
        self.inner().upload(data)
    }
    fn download(&self, v: &Self::Value) -> impl Future<Output = Result<TensorData>> + Send {
        self.inner().download(v)
    }
    fn eval(&self, op: Op<&Self::Value>, out: &Metas) -> Result<Outputs<Self::Value>> {
        self.around(op, out)
    }
    fn memory(&self) -> MemoryStats {
        self.inner().memory()
    }
    fn empty_cache(&self) {
        self.inner().empty_cache();
    }
    fn synchronize(&self) -> Result<()> {
        self.inner().synchronize()
    }
    fn generator(&self) -> &Generator {
        self.inner().generator()
    }
    fn fuses(&self, op: &Op<&Meta>) -> bool {
        self.inner().fuses(op)
    }
    fn parameter(&self, v: Self::Value) -> Self::Value {
        self.inner().parameter(v)
    }
    fn detach(&self, v: Self::Value) -> Self::Value {
        self.inner().detach(v)
    }
    fn requires_grad(v: &Self::Value) -> bool {
        D::Inner::requires_grad(v)
    }
    fn update(&self, updates: Vec<Update<'_, Self::Value>>) -> Result<()> {
        self.around_update(updates)
    }
}

impl<D: Decorator<Inner: Differentiable>> Differentiable for D {
    type Inner = <D::Inner as Differentiable>::Inner;

    fn beneath(&self) -> &Self::Inner {
        self.inner().beneath()
    }
    fn lift(v: ValueOf<Self::Inner>) -> Self::Value {
        <D::Inner as Differentiable>::lift(v)
    }
    fn lower(v: &Self::Value) -> &ValueOf<Self::Inner> {
        <D::Inner as Differentiable>::lower(v)
    }
    fn place(v: &Self::Value) -> Option<Place> {
        <D::Inner as Differentiable>::place(v)
    }
    fn backward(
        &self,
        roots: &[(&Self::Value, ValueOf<Self::Inner>)],
        wanted: &[&Self::Value],
    ) -> Result<Gradients<Self::Inner>> {
        self.inner().backward(roots, wanted)
    }
    fn record(
        &self,
        name: &'static str,
        parents: &[&Self::Value],
        values: Outputs<ValueOf<Self::Inner>>,
        pullback: Pullback<Self::Inner>,
    ) -> Result<Outputs<Self::Value>> {
        self.inner().record(name, parents, values, pullback)
    }
}
