//! The leaves of modules: what is learned, what is kept, and whether one is learning.
use super::module::{Leaf, LeafMut, Module, Visit, VisitModules, VisitMut};
use crate::{Backend, DType, Error, Result, Tensor};
use std::{
    fmt,
    ops::Deref,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::{PoisonError, RwLock},
};

/// What is learned. Its number stays when its value changes, so that optimizers keep state for it, and is
/// shared by its clones, so that tied weights are one parameter.
#[derive(Clone)]
pub struct Param<B: Backend> {
    id: u64,
    tensor: Tensor<B>,
    trainable: bool,
}

impl<B: Backend> Param<B> {
    /// A parameter with this value, detached from how it was computed. Only real numbers can be learned.
    #[track_caller]
    pub fn new(value: Tensor<B>) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let tensor = value.detach().requires_grad()?;
        Ok(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), tensor, trainable: true })
    }

    /// The identity, which outlives the value.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether it is learned, rather than frozen.
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }

    /// Freezes it, or lets it be learned again.
    pub fn set_trainable(&mut self, trainable: bool) -> Result<()> {
        let value = self.tensor.detach();
        self.tensor = if trainable { value.requires_grad()? } else { value };
        self.trainable = trainable;
        Ok(())
    }

    /// Replaces the value by another of the same shape, in this parameter's dtype.
    #[track_caller]
    pub fn set(&mut self, value: &Tensor<B>) -> Result<()> {
        if value.shape() != self.shape() {
            let why = format!("a parameter of shape {} cannot become {}", self.shape(), value.shape());
            return Err(Error::shape("param", why));
        }
        let value = value.detach().to(self.dtype())?;
        self.tensor = if self.trainable { value.requires_grad()? } else { value };
        Ok(())
    }

    /// Changes the dtype, to another of real numbers.
    #[track_caller]
    pub fn to_dtype(&mut self, dtype: DType) -> Result<()> {
        if !dtype.is_float() {
            return Err(Error::dtype("param", format!("only real numbers can be learned, not {dtype}")));
        }
        let value = self.tensor.detach().to(dtype)?;
        self.tensor = if self.trainable { value.requires_grad()? } else { value };
        Ok(())
    }

    /// The tensor itself, for optimizers, which change it in place under `no_grad`.
    pub fn tensor_mut(&mut self) -> &mut Tensor<B> {
        &mut self.tensor
    }
}

impl<B: Backend> Deref for Param<B> {
    type Target = Tensor<B>;
    fn deref(&self) -> &Tensor<B> {
        &self.tensor
    }
}

impl<B: Backend> fmt::Debug for Param<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Param({})", self.meta())
    }
}

impl<B: Backend> Module<B> for Param<B> {
    type Over<C: Backend> = Param<C>;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        visit(path, Leaf::Param(self))
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        visit(path, LeafMut::Param(self))
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Param<C>> {
        let value = self.tensor.to(device)?;
        let tensor = if self.trainable { value.requires_grad()? } else { value };
        Ok(Param { id: self.id, tensor, trainable: self.trainable })
    }
    fn visit_modules(&mut self, _: &str, _: VisitModules<'_>) -> Result<()> {
        Ok(())
    }
    fn printed(&self) -> Option<String> {
        None
    }
}

/// What is kept but not learned. `forward(&self)` may replace it, as a running mean needs.
pub struct Buffer<B: Backend>(RwLock<Tensor<B>>);

impl<B: Backend> Buffer<B> {
    /// A buffer with this value.
    pub fn new(value: Tensor<B>) -> Self {
        Self(RwLock::new(value.detach()))
    }

    /// The value as it is now.
    pub fn get(&self) -> Tensor<B> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the value, without the history of the new one.
    pub fn set(&self, value: &Tensor<B>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = value.detach();
    }
}

impl<B: Backend> Clone for Buffer<B> {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

impl<B: Backend> fmt::Debug for Buffer<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Buffer({})", self.get().meta())
    }
}

impl<B: Backend> Module<B> for Buffer<B> {
    type Over<C: Backend> = Buffer<C>;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        visit(path, Leaf::Buffer(self))
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        visit(path, LeafMut::Buffer(self))
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Buffer<C>> {
        Ok(Buffer::new(self.get().to(device)?))
    }
    fn visit_modules(&mut self, _: &str, _: VisitModules<'_>) -> Result<()> {
        Ok(())
    }
    fn printed(&self) -> Option<String> {
        None
    }
}

/// Training, or evaluation. A module whose `forward` differs has one as a field.
#[derive(Debug)]
pub struct Mode(AtomicBool);

impl Mode {
    /// Whether the module is in training.
    pub fn training(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes to training, or to evaluation.
    pub fn set(&self, training: bool) {
        self.0.store(training, Ordering::Relaxed);
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Clone for Mode {
    fn clone(&self) -> Self {
        Self(AtomicBool::new(self.training()))
    }
}

impl<B: Backend> Module<B> for Mode {
    type Over<C: Backend> = Mode;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        visit(path, Leaf::Mode(self))
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        visit(path, LeafMut::Mode(self))
    }
    fn to<C: Backend>(&self, _: &C) -> Result<Mode> {
        Ok(self.clone())
    }
    fn visit_modules(&mut self, _: &str, _: VisitModules<'_>) -> Result<()> {
        Ok(())
    }
    fn printed(&self) -> Option<String> {
        None
    }
}
