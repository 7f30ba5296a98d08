//! What tensors on a differentiating backend can do.
use crate::{Backend, Differentiable, Error, Gradients, Result, Tensor, ValueOf};

impl<B: Backend> Tensor<B> {
    /// A leaf that is learned: gradients are computed for it. Only real numbers have gradients. A history that
    /// the tensor has is cut off.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.requires_grad_.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
    /// let y = (&x * &x)?.sum(..)?;
    /// assert_eq!(y.backward()?.get(&x)?.to_vec::<f32>()?, [2., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn requires_grad(self) -> Result<Self> {
        if !self.dtype().is_float() {
            return Err(Error::dtype("requires_grad", format!("{} has no gradient", self.dtype())));
        }
        let value = self.backend.parameter(self.value);
        Ok(Self { value, ..self })
    }

    /// Whether gradients flow to this tensor.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let x = Tensor::new([1.0, 2.0], &device)?;
    /// assert!(!x.is_tracked() && x.clone().requires_grad()?.exp()?.is_tracked());
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn is_tracked(&self) -> bool {
        B::requires_grad(&self.value)
    }

    /// The same numbers without their history: a constant.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let x = Tensor::new(3.0, &device)?.requires_grad()?;
    /// let y = (&x * x.detach())?;
    /// assert_eq!(y.backward()?.get(&x)?.item::<f32>()?, 3.0);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn detach(&self) -> Self {
        Self { backend: self.backend.clone(), value: self.backend.detach(self.value.clone()) }
    }
}

impl<D: Differentiable> Tensor<D> {
    /// The gradients of this number by every leaf that it was computed from. The graph stays, and may be gone
    /// through again.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
    /// let gradients = x.exp()?.log()?.sum(..)?.backward()?;
    /// assert_eq!(gradients.get(&x)?.shape(), x.shape());
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn backward(&self) -> Result<Gradients<D::Inner>> {
        if self.numel() != 1 {
            let why =
                format!("only a single number has a gradient without a cotangent, not {}", self.shape());
            return Err(Error::shape("backward", format!("{why}: use `backward_with`")));
        }
        self.backward_with(&self.lower().ones_like()?)
    }

    /// The gradients of `Σ self · cotangent` by every leaf. The cotangent looks like this tensor.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
    /// let y = (&x * &x)?;
    /// let cotangent = Tensor::new([1.0, 10.0], &Cpu::default())?;
    /// assert_eq!(y.backward_with(&cotangent)?.get(&x)?.to_vec::<f32>()?, [2., 40.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn backward_with(&self, cotangent: &Tensor<D::Inner>) -> Result<Gradients<D::Inner>> {
        backward_all(&[(self, cotangent)], &[])
    }

    /// The tensor beneath the differentiation, without its history here; [`lift`](Self::lift) goes the other way.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
    /// let plain: Tensor<Cpu> = x.lower();
    /// assert_eq!(plain.to_vec::<f32>()?, [1., 2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn lower(&self) -> Tensor<D::Inner> {
        Tensor::from_value(self.backend.beneath().clone(), D::lower(&self.value).clone())
    }

    /// A tensor from beneath the differentiation, as a constant.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let device = Autodiff::new(Cpu::default());
    /// let plain = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert!(!Tensor::lift(&device, plain).is_tracked());
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn lift(backend: &D, inner: Tensor<D::Inner>) -> Self {
        Self::from_value(backend.clone(), D::lift(inner.into_value()))
    }
}

/// The gradients of `Σ root · cotangent` over all roots, by every leaf and by every tensor that is
/// `wanted` besides.
///
/// ```
/// use firesteel::{backward_all, prelude::*};
/// let device = Autodiff::new(Cpu::default());
/// let x = Tensor::new(2.0, &device)?.requires_grad()?;
/// let h = (&x * 3.0)?;
/// let y = (&h * &h)?;
/// let gradients = backward_all(&[(&y, &y.lower().ones_like()?)], &[&h])?;
/// assert_eq!(gradients.get(&h)?.item::<f32>()?, 12.0);
/// assert_eq!(gradients.get(&x)?.item::<f32>()?, 36.0);
/// # Ok::<(), firesteel::Error>(())
/// ```
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
