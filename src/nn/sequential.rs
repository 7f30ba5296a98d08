//! Layers one after another.
use super::{
    module::{Layer, Module, Visit, VisitModules, VisitMut, join},
    print::{Printer, printed},
};
use crate::{Backend, Result, Tensor};
use std::fmt;

/// Layers one after another, a tuple of up to sixteen; their names are their numbers, as in
/// [`torch.nn.Sequential`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html).
/// A `Sequential` is a layer too, so longer chains nest.
///
/// ```
/// use firesteel::{nn::{Layer, Linear, ReLU, Sequential}, prelude::*};
/// let cpu = Cpu::default();
/// let net = Sequential((Linear::new(4, 8, &cpu)?, ReLU, Linear::new(8, 2, &cpu)?));
/// assert_eq!(net.forward(&Tensor::zeros([5, 4], &cpu)?)?.shape(), &[5, 2]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Sequential<L>(pub L);

/// Layers of one type, as many as there are when the program runs.
///
/// ```
/// use firesteel::{nn::{Layer, Linear, Sequential}, prelude::*};
/// let net = Sequential((0..3).map(|_| Linear::new(4, 4, &Cpu)).collect::<Result<Vec<_>>>()?);
/// assert_eq!(net.forward(&Tensor::zeros([5, 4], &Cpu)?)?.shape(), &[5, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
impl<B: Backend, L: Module<B>> Module<B> for Sequential<Vec<L>> {
    type Over<C: Backend> = Sequential<Vec<L::Over<C>>>;

    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        self.0.visit(path, visit)
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        self.0.visit_mut(path, visit)
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Self::Over<C>> {
        self.0.to(device).map(Sequential)
    }
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        self.0.visit_modules(path, visit)?;
        visit(path, self)
    }
}

impl<L: fmt::Debug> fmt::Debug for Sequential<Vec<L>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.0.iter().map(|layer| printed(layer)).collect();
        Printer::new("Sequential").list(parts).finish(f)
    }
}

impl<B: Backend, L: Layer<B>> Layer<B> for Sequential<Vec<L>> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.0.iter().try_fold(x.clone(), |x, layer| layer.forward(&x))
    }
}

macro_rules! tuples {
    ($(($($layer:ident $n:tt),*))*) => {$(
        impl<BACKEND: Backend, $($layer: Module<BACKEND>),*> Module<BACKEND> for Sequential<($($layer,)*)> {
            type Over<OTHER: Backend> = Sequential<($($layer::Over<OTHER>,)*)>;

            fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, BACKEND>) -> Result<()> {
                $(self.0.$n.visit(&join(path, $n), visit)?;)*
                Ok(())
            }
            fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, BACKEND>) -> Result<()> {
                $(self.0.$n.visit_mut(&join(path, $n), visit)?;)*
                Ok(())
            }
            fn to<OTHER: Backend>(&self, device: &OTHER) -> Result<Self::Over<OTHER>> {
                Ok(Sequential(($(self.0.$n.to(device)?,)*)))
            }
            fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
                $(self.0.$n.visit_modules(&join(path, $n), visit)?;)*
                visit(path, self)
            }
        }

        impl<$($layer: fmt::Debug),*> fmt::Debug for Sequential<($($layer,)*)> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Printer::new("Sequential").list(vec![$(printed(&self.0.$n)),*]).finish(f)
            }
        }

        impl<BACKEND: Backend, $($layer: Layer<BACKEND>),*> Layer<BACKEND> for Sequential<($($layer,)*)> {
            fn forward(&self, x: &Tensor<BACKEND>) -> Result<Tensor<BACKEND>> {
                let x = x.clone();
                $(let x = self.0.$n.forward(&x)?;)*
                Ok(x)
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15)
}
