//! Length and direction of weights, apart.
use super::{Parametrization, Parametrized, named};
use crate::nn::{Module, Param};
use crate::{Backend, Dims, Result, Tensor, keepdim};
use std::marker::PhantomData;

/// `w = g v / ‖v‖`: the length `g` of each row apart from its direction `v`. Salimans and Kingma, [Weight
/// normalization](https://arxiv.org/abs/1602.07868), 2016.
#[derive(Clone, Module)]
pub struct WeightNorm<B: Backend> {
    /// The dim along which each slice has its own length; without one, all together have one.
    pub dim: Option<isize>,
    backend: PhantomData<B>,
}

/// The module with the parameter of this path as [`WeightNorm`]: `original0` is the length, `original1` the direction.
/// PyTorch's default is `dim` 0.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html>
///
/// ```
/// use firesteel::{nn::{Layer, Linear, Module, parametrize::weight_norm}, prelude::*};
/// let linear = Linear::new(20, 40, &Cpu)?;
/// let normed = weight_norm(linear.clone(), "weight", 0)?;
/// let shapes: Vec<_> = normed.named_parameters().into_iter().map(|(name, p)| (name, p.shape().to_vec())).collect();
/// assert_eq!(shapes[1], ("parametrizations.weight.original0".to_owned(), vec![40, 1]));
/// assert_eq!(shapes[2], ("parametrizations.weight.original1".to_owned(), vec![40, 20]));
/// let x = Tensor::randn([3, 20], &Cpu)?;
/// assert!(normed.forward(&x)?.allclose(&linear.forward(&x)?, Default::default())?);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn weight_norm<B: Backend, M: Module<B>>(
    module: M,
    name: &str,
    dim: impl Into<Option<isize>>,
) -> Result<Parametrized<B, M, WeightNorm<B>>> {
    let dim = dim.into();
    named(module, name, |_| Ok(WeightNorm { dim, backend: PhantomData }))
}

impl<B: Backend> WeightNorm<B> {
    /// The length of each slice.
    fn length(&self, v: &Tensor<B>) -> Result<Tensor<B>> {
        let others = match self.dim {
            None => Dims::from(..),
            Some(dim) => {
                let axis = v.shape().axis("weight_norm", dim)?;
                Dims::from((0..v.rank()).filter(|&other| other != axis).collect::<Vec<_>>())
            }
        };
        if self.dim.is_none() { v.norm(2.0, others) } else { v.norm(2.0, keepdim(others)) }
    }
}

impl<B: Backend> Parametrization<B> for WeightNorm<B> {
    fn forward(&self, originals: &[Param<B>]) -> Result<Tensor<B>> {
        let [g, v] = [&originals[0], &originals[1]];
        &**v * &(&**g / self.length(v)?)?
    }

    fn right_inverse(&self, parameter: &Param<B>) -> Result<Vec<Param<B>>> {
        Ok(vec![Param::new(self.length(parameter)?)?, parameter.clone()])
    }
}
