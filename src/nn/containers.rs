//! Modules in lists and by name.
use super::{
    Module, Param, Visit, VisitMut, join,
    module::VisitModules,
    print::{Printer, printed},
};
use crate::{Backend, Result};
use std::fmt;

/// A list of modules, whose names are their numbers.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html>
pub type ModuleList<M> = Vec<M>;

/// A list of parameters, whose names are their numbers.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html>
pub type ParameterList<B> = Vec<Param<B>>;

/// Parameters by name. <https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html>
pub type ParameterDict<B> = ModuleDict<Param<B>>;

/// Modules by name, in the order in which they came.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html>
///
/// ```
/// use firesteel::{nn::{Layer, Linear, Module, ModuleDict}, prelude::*};
/// let heads: ModuleDict<_> = [("age", Linear::new(8, 1, &Cpu)?), ("kind", Linear::new(8, 5, &Cpu)?)].into_iter().collect();
/// let names: Vec<String> = heads.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["age.weight", "age.bias", "kind.weight", "kind.bias"]);
/// let kind = heads.get("kind").map(|head| head.forward(&Tensor::zeros([2, 8], &Cpu)?)).transpose()?;
/// assert_eq!(kind.map(|y| y.shape().clone()), Some([2, 5].into()));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
pub struct ModuleDict<M>(Vec<(String, M)>);

impl<M> Default for ModuleDict<M> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<M> ModuleDict<M> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The module of this name.
    pub fn get(&self, name: &str) -> Option<&M> {
        self.iter().find(|(key, _)| *key == name).map(|(_, module)| module)
    }

    /// The module of this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut M> {
        self.0.iter_mut().find(|(key, _)| key == name).map(|(_, module)| module)
    }

    /// Adds a module, in the place of that of the same name, which it gives back.
    pub fn insert(&mut self, name: impl Into<String>, module: M) -> Option<M> {
        let name = name.into();
        if let Some(old) = self.get_mut(&name) {
            return Some(std::mem::replace(old, module));
        }
        self.0.push((name, module));
        None
    }

    /// Takes the module of this name out.
    pub fn remove(&mut self, name: &str) -> Option<M> {
        let place = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(place).1)
    }

    /// The names and modules, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &M)> {
        self.0.iter().map(|(name, module)| (&name[..], module))
    }
}

impl<N: Into<String>, M> FromIterator<(N, M)> for ModuleDict<M> {
    fn from_iter<I: IntoIterator<Item = (N, M)>>(modules: I) -> Self {
        let mut dict = Self::default();
        for (name, module) in modules {
            dict.insert(name, module);
        }
        dict
    }
}

impl<B: Backend, M: Module<B>> Module<B> for ModuleDict<M> {
    type Over<C: Backend> = ModuleDict<M::Over<C>>;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        self.0.iter().try_for_each(|(name, module)| module.visit(&join(path, name), visit))
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        self.0.iter_mut().try_for_each(|(name, module)| module.visit_mut(&join(path, name), visit))
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Self::Over<C>> {
        self.0.iter().map(|(name, module)| Ok((name.clone(), module.to(device)?))).collect()
    }
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        self.0.iter_mut().try_for_each(|(name, module)| module.visit_modules(&join(path, name), visit))?;
        visit(path, self)
    }
}

impl<M: fmt::Debug> fmt::Debug for ModuleDict<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.iter().map(|(name, module)| (name.to_owned(), printed(module)));
        Printer::new("ModuleDict").named(parts).finish(f)
    }
}
