//! What tensors on a differentiating backend can do.
use crate::{Backend, Differentiable, Error, Gradients, Result, Tensor, ValueOf};

impl<B: Backend> Tensor<B> {
    /// A leaf that is learned: gradients are computed for it. Only real numbers have gradients.
    #[track_caller]
    pub fn requires_grad(self) -> Result<Self> {
        if !self.dtype().is_float() {
            return Err(Error::dtype("requires_grad", format!("{} has no gradient", self.dtype())));
        }
        let value = self.backend.parameter(self.value);
        Ok(Self { value, ..self })
    }

    /// Whether gradients flow to this tensor.
    pub fn is_tracked(&self) -> bool {
        B::requires_grad(&self.value)
    }

    /// The same numbers without their history.
    pub fn detach(&self) -> Self {
        Self { backend: self.backend.clone(), value: self.backend.detach(self.value.clone()) }
    }
}

impl<D: Differentiable> Tensor<D> {
    /// The gradients of this number by every leaf that it was computed from.
    #[track_caller]
    pub fn backward(&self) -> Result<Gradients<D::Inner>> {
        if self.numel() != 1 {
            let why =
                format!("only a single number has a gradient without a cotangent, not {}", self.shape());
            return Err(Error::shape("backward", format!("{why}: use `backward_with`")));
        }
        self.backward_with(&self.inner().ones_like()?)
    }

    /// The gradients of `Σ self · cotangent` by every leaf.
    #[track_caller]
    pub fn backward_with(&self, cotangent: &Tensor<D::Inner>) -> Result<Gradients<D::Inner>> {
        backward_all(&[(self, cotangent)], &[])
    }

    /// The number beneath the differentiation.
    pub fn inner(&self) -> Tensor<D::Inner> {
        Tensor::from_value(self.backend.beneath().clone(), D::lower(&self.value).clone())
    }

    /// A tensor from beneath the differentiation, as a constant.
    pub fn lift(backend: &D, inner: Tensor<D::Inner>) -> Self {
        Self::from_value(backend.clone(), D::lift(inner.into_value()))
    }
}

/// The gradients of `Σ root · cotangent` over all roots, by every leaf and by every tensor that is
/// `wanted` besides.
#[track_caller]
pub fn backward_all<D: Differentiable>(
    roots: &[(&Tensor<D>, &Tensor<D::Inner>)],
    wanted: &[&Tensor<D>],
) -> Result<Gradients<D::Inner>> {
    let Some((first, _)) = roots.first() else {
        return Err(Error::value("backward", "needs at least one root"));
    };
    for (root, cotangent) in roots {
        if root.meta() != cotangent.meta() {
            let why = format!("a cotangent {} does not fit {}", cotangent.meta(), root.meta());
            return Err(Error::shape("backward", why));
        }
    }
    let roots: Vec<(_, ValueOf<D::Inner>)> =
        roots.iter().map(|(root, cotangent)| (root.value(), cotangent.value().clone())).collect();
    let wanted: Vec<_> = wanted.iter().map(|t| t.value()).collect();
    first.backend.backward(&roots, &wanted)
}
