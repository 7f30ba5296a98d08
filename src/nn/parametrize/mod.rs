//! Parameters that are functions of others: norms and directions, low ranks, or whatever else.
//! <https://docs.pytorch.org/tutorials/intermediate/parametrizations.html>
mod lora;
mod orthogonal;
mod spectral_norm;
mod weight_norm;

pub use lora::{Lora, lora};
pub use orthogonal::{Orthogonal, OrthogonalMap, OrthogonalOptions, orthogonal};
pub use spectral_norm::{SpectralNorm, SpectralNormOptions, spectral_norm};
pub use weight_norm::{WeightNorm, weight_norm};

use super::{Layer, Leaf, LeafMut, Module, Param, Printer, Visit, VisitModules, VisitMut, join};
use crate::{Backend, Error, Result, Tensor};
use std::fmt;

/// A function that gives a parameter. It is a module: what it learns and keeps besides is a part of the model.
///
/// ```
/// use firesteel::{nn::{Linear, Module, Param, parametrize::{Parametrization, Parametrized}}, prelude::*};
/// use std::marker::PhantomData;
///
/// /// The upper half of a matrix, mirrored.
/// #[derive(Clone, Module)]
/// struct Symmetric<B: Backend> {
///     backend: PhantomData<B>,
/// }
///
/// impl<B: Backend> Parametrization<B> for Symmetric<B> {
///     fn forward(&self, originals: &[Param<B>]) -> Result<Tensor<B>> {
///         originals[0].triu(0)? + originals[0].triu(1)?.t()?
///     }
/// }
///
/// let layer = Parametrized::new(Linear::new(3, 3, &Cpu)?, |name, _| {
///     Ok((name == "weight").then_some(Symmetric { backend: PhantomData }))
/// })?;
/// let weight = layer.module()?.weight;
/// assert!(weight.equal(&weight.t()?)?);
/// assert_eq!(layer.named_parameters()[1].0, "parametrizations.weight.original");
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Parametrization<B: Backend>: Module<B> {
    /// The parameter, of what it is a function of.
    fn forward(&self, originals: &[Param<B>]) -> Result<Tensor<B>>;

    /// What a parameter is a function of at first; in most cases of a tensor like itself.
    fn right_inverse(&self, parameter: &Param<B>) -> Result<Vec<Param<B>>> {
        Ok(vec![parameter.clone()])
    }
}

/// A module some of whose parameters are functions of others.
///
/// The others have PyTorch's names: a `weight` becomes `parametrizations.weight.original`, or `original0` and so on,
/// and what belongs to the function stands below `parametrizations.weight.0`.
#[derive(Clone)]
pub struct Parametrized<B: Backend, M, P> {
    /// The module; what is computed has no numbers in it, but its shape.
    module: M,
    computed: Vec<Computed<B, P>>,
}

/// A parameter that is computed.
#[derive(Clone)]
struct Computed<B: Backend, P> {
    path: String,
    originals: Vec<Param<B>>,
    parametrization: P,
}

impl<B: Backend, M: Module<B>, P: Parametrization<B>> Parametrized<B, M, P> {
    /// The module with functions in place of the parameters for which `choose` gives one, by their paths and values.
    #[track_caller]
    pub fn new(mut module: M, mut choose: impl FnMut(&str, &Param<B>) -> Result<Option<P>>) -> Result<Self> {
        let mut computed = vec![];
        module.visit_mut("", &mut |path, leaf| {
            let LeafMut::Param(param) = leaf else {
                return Ok(());
            };
            if let Some(parametrization) = choose(path, param)? {
                let originals = parametrization.right_inverse(param)?;
                computed.push(Computed { path: path.to_owned(), originals, parametrization });
                // what is computed takes no memory here
                *param = Param::new(param.new_zeros(())?.expand(param.shape())?)?;
            }
            Ok(())
        })?;
        if computed.is_empty() {
            return Err(Error::value("parametrize", "no parameter was chosen to be computed"));
        }
        Ok(Self { module, computed })
    }

    /// The module with its parameters as they are now; gradients go through them to what they are made of.
    #[track_caller]
    pub fn module(&self) -> Result<M>
    where
        M: Clone,
    {
        let mut module = self.module.clone();
        self.write(&mut module, |param, value| {
            *param.tensor_mut() = value;
            Ok(())
        })?;
        Ok(module)
    }

    /// The module with its parameters as they are now, which are learned by themselves from then on.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html>
    #[track_caller]
    pub fn remove_parametrizations(&self) -> Result<M>
    where
        M: Clone,
    {
        let mut module = self.module.clone();
        self.write(&mut module, |param, value| {
            *param = Param::new(value)?;
            Ok(())
        })?;
        Ok(module)
    }

    /// What is computed, by its path, with the function and what it is a function of.
    pub fn parametrizations(&self) -> impl Iterator<Item = (&str, &P, &[Param<B>])> {
        self.computed.iter().map(|part| (&part.path[..], &part.parametrization, &part.originals[..]))
    }

    fn write(
        &self,
        module: &mut M,
        mut write: impl FnMut(&mut Param<B>, Tensor<B>) -> Result<()>,
    ) -> Result<()> {
        module.visit_mut("", &mut |path, leaf| match (self.at(path), leaf) {
            (Some(part), LeafMut::Param(param)) => {
                write(param, part.parametrization.forward(&part.originals)?)
            }
            _ => Ok(()),
        })
    }
}

impl<B: Backend, M, P> Parametrized<B, M, P> {
    fn at(&self, path: &str) -> Option<&Computed<B, P>> {
        self.computed.iter().find(|part| part.path == path)
    }
}

impl<B: Backend, P> Computed<B, P> {
    /// `path.parametrizations.weight`, for a path that ends in `weight`.
    fn place(&self, path: &str) -> String {
        let (owner, name) = self.path.rsplit_once('.').unwrap_or(("", &self.path));
        let owner = if owner.is_empty() { path.to_owned() } else { join(path, owner) };
        join(&join(&owner, "parametrizations"), name)
    }

    /// The name of an original: with a number where it is not alone.
    fn name(&self, place: &str, i: usize) -> String {
        if self.originals.len() == 1 { join(place, "original") } else { join(place, format!("original{i}")) }
    }
}

impl<B: Backend, M: Layer<B> + Clone, P: Parametrization<B>> Layer<B> for Parametrized<B, M, P> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.module()?.forward(x)
    }
}

impl<B: Backend, M: Module<B>, P: Module<B>> Module<B> for Parametrized<B, M, P> {
    type Over<C: Backend> = Parametrized<C, M::Over<C>, P::Over<C>>;

    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        // what is computed is no parameter of its own
        let skipped: Vec<_> = self.computed.iter().map(|part| join(path, &part.path)).collect();
        self.module.visit(path, &mut |at, leaf| match leaf {
            Leaf::Param(_) if skipped.iter().any(|skipped| skipped == at) => Ok(()),
            leaf => visit(at, leaf),
        })?;
        self.computed.iter().try_for_each(|part| {
            let place = part.place(path);
            for (i, original) in part.originals.iter().enumerate() {
                visit(&part.name(&place, i), Leaf::Param(original))?;
            }
            part.parametrization.visit(&join(&place, 0), visit)
        })
    }

    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        let skipped: Vec<_> = self.computed.iter().map(|part| join(path, &part.path)).collect();
        self.module.visit_mut(path, &mut |at, leaf| match leaf {
            LeafMut::Param(_) if skipped.iter().any(|skipped| skipped == at) => Ok(()),
            leaf => visit(at, leaf),
        })?;
        self.computed.iter_mut().try_for_each(|part| {
            let place = part.place(path);
            let names: Vec<_> = (0..part.originals.len()).map(|i| part.name(&place, i)).collect();
            for (original, name) in part.originals.iter_mut().zip(names) {
                visit(&name, LeafMut::Param(original))?;
            }
            part.parametrization.visit_mut(&join(&place, 0), visit)
        })
    }

    fn to<C: Backend>(&self, device: &C) -> Result<Self::Over<C>> {
        let computed = self.computed.iter().map(|part| {
            let (path, originals) = (part.path.clone(), part.originals.to(device)?);
            Ok(Computed { path, originals, parametrization: part.parametrization.to(device)? })
        });
        Ok(Parametrized { computed: computed.collect::<Result<_>>()?, module: self.module.to(device)? })
    }

    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        self.module.visit_modules(path, visit)?;
        self.computed.iter_mut().try_for_each(|part| {
            let place = join(&part.place(path), 0);
            part.parametrization.visit_modules(&place, visit)
        })?;
        visit(path, self)
    }
}

impl<B: Backend, M: Module<B>, P: Module<B>> fmt::Debug for Parametrized<B, M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self
            .computed
            .iter()
            .filter_map(|part| Some((part.path.clone(), part.parametrization.printed()?)));
        Printer::new("Parametrized").part("module", &self.module).named(parts).finish(f)
    }
}

/// The module with one parameter, of this path, computed by the function that `make` gives for its value.
#[track_caller]
fn named<B: Backend, M: Module<B>, P: Parametrization<B>>(
    module: M,
    name: &str,
    make: impl Fn(&Param<B>) -> Result<P>,
) -> Result<Parametrized<B, M, P>> {
    if !module.named_parameters().iter().any(|(path, _)| path == name) {
        let names: Vec<_> = module.named_parameters().into_iter().map(|(path, _)| path).collect();
        let why = format!("there is no parameter {name:?} among {}", names.join(", "));
        return Err(Error::value("parametrize", why));
    }
    Parametrized::new(module, |path, param| if path == name { make(param).map(Some) } else { Ok(None) })
}
