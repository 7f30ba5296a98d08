//! What a module is: something with parameters, found by the names of its fields.
use super::{
    Buffer, Mode, Param,
    print::{Printer, printed},
};
use crate::{Backend, DType, Result, Tensor};
use std::{
    any::Any,
    fmt::{self, Debug, Display},
    marker::PhantomData,
};

/// A leaf of a module, to be read.
pub enum Leaf<'a, B: Backend> {
    /// What is learned.
    Param(&'a Param<B>),
    /// What is kept but not learned.
    Buffer(&'a Buffer<B>),
    /// Whether the module is in training.
    Mode(&'a Mode),
}

/// A leaf of a module, to be changed.
pub enum LeafMut<'a, B: Backend> {
    /// What is learned.
    Param(&'a mut Param<B>),
    /// What is kept but not learned.
    Buffer(&'a mut Buffer<B>),
    /// Whether the module is in training.
    Mode(&'a mut Mode),
}

/// Reads leaves by their paths.
pub type Visit<'v, 'a, B> = &'v mut dyn FnMut(&str, Leaf<'a, B>) -> Result<()>;
/// Changes leaves by their paths.
pub type VisitMut<'v, 'a, B> = &'v mut dyn FnMut(&str, LeafMut<'a, B>) -> Result<()>;

/// Changes modules by their paths.
pub type VisitModules<'v> = &'v mut dyn FnMut(&str, &mut dyn Any) -> Result<()>;

/// Something with parameters; `#[derive(Module)]` implements it for a struct with named fields, whose names
/// are those of PyTorch's `state_dict`. It implements `Debug` as well, which prints a module as PyTorch does; where
/// the struct has the attribute `#[module(extra_repr)]`, a method `extra_repr(&self) -> String` writes its settings.
///
/// ```
/// use firesteel::{nn::{Linear, Module}, prelude::*};
///
/// #[derive(Module)]
/// struct Net<B: Backend> {
///     fc1: Linear<B>,
///     fc2: Linear<B>,
/// }
///
/// let cpu = Cpu::default();
/// let net = Net { fc1: Linear::new(4, 8, &cpu)?, fc2: Linear::new(8, 2, &cpu)? };
/// let names: Vec<String> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
/// assert_eq!(net.num_parameters(), 4 * 8 + 8 + 8 * 2 + 2);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Module<B: Backend>: Debug + Sized + 'static {
    /// The same module on another backend.
    type Over<C: Backend>: Module<C>;

    /// Calls `visit` with the path and the contents of each leaf, in the order of the fields.
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()>;

    /// Calls `visit` with the path of each leaf, to change it, in the order of the fields.
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()>;

    /// The same module on another device or backend, leaf by leaf.
    fn to<C: Backend>(&self, device: &C) -> Result<Self::Over<C>>;

    /// Calls `visit` with the path of each module inside of this one, and then with this one itself, to change it.
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        visit(path, self)
    }

    /// How it is printed as a part of another module; nothing where it is no module, as a parameter.
    fn printed(&self) -> Option<String> {
        Some(printed(self))
    }

    /// Changes every module of type `T` in this one, and this one itself where it is of that type.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.apply>
    ///
    /// ```
    /// use firesteel::{nn::{Linear, Module, ReLU, Sequential, init}, prelude::*};
    /// let mut net = Sequential((Linear::new(4, 8, &Cpu)?, ReLU, Linear::new(8, 2, &Cpu)?));
    /// net.apply::<Linear<Cpu>>(|layer| init::constant(&mut layer.weight, 0.5))?;
    /// assert_eq!(net.0.2.weight.sum(..)?.item::<f32>()?, 8.0);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    fn apply<T: 'static>(&mut self, mut change: impl FnMut(&mut T) -> Result<()>) -> Result<()> {
        self.visit_modules("", &mut |_, module| module.downcast_mut().map_or(Ok(()), &mut change))
    }

    /// Every parameter with its path.
    fn named_parameters(&self) -> Vec<(String, &Param<B>)> {
        let mut all = vec![];
        self.read(|path, leaf| {
            if let Leaf::Param(param) = leaf {
                all.push((path.to_owned(), param));
            }
        });
        all
    }

    /// Every parameter.
    fn parameters(&self) -> Vec<&Param<B>> {
        self.named_parameters().into_iter().map(|(_, param)| param).collect()
    }

    /// Every parameter, to be changed.
    fn parameters_mut(&mut self) -> Vec<&mut Param<B>> {
        let mut all = vec![];
        let done = self.visit_mut("", &mut |_, leaf| {
            if let LeafMut::Param(param) = leaf {
                all.push(param);
            }
            Ok(())
        });
        debug_assert!(done.is_ok(), "a visit fails only where the visitor does");
        all
    }

    /// Every buffer with its path.
    fn named_buffers(&self) -> Vec<(String, &Buffer<B>)> {
        let mut all = vec![];
        self.read(|path, leaf| {
            if let Leaf::Buffer(buffer) = leaf {
                all.push((path.to_owned(), buffer));
            }
        });
        all
    }

    /// How many numbers are learned; what is shared counts once.
    fn num_parameters(&self) -> usize {
        let mut seen = std::collections::HashSet::new();
        self.parameters().iter().filter(|p| seen.insert(p.id())).map(|p| p.numel()).sum()
    }

    /// Puts every part in training (dropout drops, batch norms learn), as it is when made.
    fn train(&self) {
        self.read(|_, leaf| {
            if let Leaf::Mode(mode) = leaf {
                mode.set(true);
            }
        });
    }

    /// Puts every part in evaluation.
    fn eval(&self) {
        self.read(|_, leaf| {
            if let Leaf::Mode(mode) = leaf {
                mode.set(false);
            }
        });
    }

    /// Keeps the parameters whose path `frozen` chooses from being learned, and lets the others.
    ///
    /// ```
    /// use firesteel::{nn::{Linear, Module}, prelude::*};
    /// let mut layer = Linear::new(2, 3, &Autodiff::new(Cpu))?;
    /// layer.freeze(|path| path == "bias")?;
    /// assert!(layer.weight.is_tracked() && !layer.bias.as_ref().is_some_and(|b| b.is_tracked()));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    fn freeze(&mut self, frozen: impl Fn(&str) -> bool) -> Result<()> {
        self.visit_mut("", &mut |path, leaf| match leaf {
            LeafMut::Param(param) => param.set_trainable(!frozen(path)),
            LeafMut::Buffer(_) | LeafMut::Mode(_) => Ok(()),
        })
    }

    /// Changes the dtype of all parameters and buffers of real numbers, as `model.half()` and `model.to(torch.float64)`
    /// do. Make optimizers after it.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to>
    ///
    /// ```
    /// use firesteel::{nn::{Linear, Module}, prelude::*};
    /// let mut layer = Linear::new(2, 3, &Cpu)?;
    /// layer.to_dtype(DType::BF16)?;
    /// let y = layer.forward(&Tensor::ones([1, 2], (DType::BF16, &Cpu))?)?;
    /// assert_eq!(y.dtype(), DType::BF16);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    fn to_dtype(&mut self, dtype: DType) -> Result<()> {
        self.visit_mut("", &mut |_, leaf| match leaf {
            LeafMut::Param(param) => param.to_dtype(dtype),
            LeafMut::Buffer(buffer) => {
                let value = buffer.get();
                if value.dtype().is_float() {
                    buffer.set(&value.to(dtype)?);
                }
                Ok(())
            }
            LeafMut::Mode(_) => Ok(()),
        })
    }

    /// Calls `read` with each leaf. What only reads cannot fail.
    #[doc(hidden)]
    fn read<'a>(&'a self, mut read: impl FnMut(&str, Leaf<'a, B>)) {
        let done = self.visit("", &mut |path, leaf| {
            read(path, leaf);
            Ok(())
        });
        debug_assert!(done.is_ok(), "a visit fails only where the visitor does");
    }
}

/// A module with one tensor in and one out, as [`Sequential`](super::Sequential) chains them.
pub trait Layer<B: Backend>: Module<B> {
    /// What the layer makes of `x`.
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>>;
}

/// `path.field`, without a dot where there is nothing before it.
pub fn join(path: &str, field: impl Display) -> String {
    if path.is_empty() { field.to_string() } else { format!("{path}.{field}") }
}

/// A list of modules: their names are their numbers, as in `torch.nn.ModuleList`.
impl<B: Backend, M: Module<B>> Module<B> for Vec<M> {
    type Over<C: Backend> = Vec<M::Over<C>>;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        self.iter().enumerate().try_for_each(|(i, m)| m.visit(&join(path, i), visit))
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        self.iter_mut().enumerate().try_for_each(|(i, m)| m.visit_mut(&join(path, i), visit))
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Self::Over<C>> {
        self.iter().map(|m| m.to(device)).collect()
    }
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        self.iter_mut().enumerate().try_for_each(|(i, m)| m.visit_modules(&join(path, i), visit))
    }
    fn printed(&self) -> Option<String> {
        let parts = self.iter().map(M::printed).collect::<Option<Vec<_>>>()?;
        Some(format!("{}", fmt::from_fn(|f| Printer::new("ModuleList").list(parts.clone()).finish(f))))
    }
}

/// A module that may be missing.
impl<B: Backend, M: Module<B>> Module<B> for Option<M> {
    type Over<C: Backend> = Option<M::Over<C>>;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        self.iter().try_for_each(|m| m.visit(path, visit))
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        self.iter_mut().try_for_each(|m| m.visit_mut(path, visit))
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Self::Over<C>> {
        self.as_ref().map(|m| m.to(device)).transpose()
    }
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        self.iter_mut().try_for_each(|m| m.visit_modules(path, visit))
    }
    fn printed(&self) -> Option<String> {
        self.as_ref().and_then(M::printed)
    }
}

/// The backend of a module that has no parameters of its own.
impl<B: Backend> Module<B> for PhantomData<B> {
    type Over<C: Backend> = PhantomData<C>;
    fn visit<'a>(&'a self, _: &str, _: Visit<'_, 'a, B>) -> Result<()> {
        Ok(())
    }
    fn visit_mut<'a>(&'a mut self, _: &str, _: VisitMut<'_, 'a, B>) -> Result<()> {
        Ok(())
    }
    fn to<C: Backend>(&self, _: &C) -> Result<PhantomData<C>> {
        Ok(PhantomData)
    }
    fn visit_modules(&mut self, _: &str, _: VisitModules<'_>) -> Result<()> {
        Ok(())
    }
    fn printed(&self) -> Option<String> {
        None
    }
}
