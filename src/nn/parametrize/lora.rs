//! Weights that stay, and learn a little beside.
use super::{Parametrization, Parametrized};
use crate::nn::{Module, Param, init};
use crate::{Backend, Error, Result, Tensor};

/// `w = original + α/r B A`, where the original stays as it is and the product has a rank of at most `r`. Hu et al.,
/// [LoRA](https://arxiv.org/abs/2106.09685), 2021.
#[derive(Clone, Module)]
#[allow(non_snake_case)] // their names everywhere
pub struct Lora<B: Backend> {
    /// `(r, columns)`
    pub lora_A: Param<B>,
    /// `(rows, r)`
    pub lora_B: Param<B>,
    /// `α/r`
    pub scaling: f64,
}

/// The model with [`Lora`] for the parameters whose paths `chosen` names; it learns nothing else.
/// [`remove_parametrizations`](Parametrized::remove_parametrizations) gives the model with what it has learned.
///
/// ```
/// use firesteel::{nn::{Linear, ReLU, Sequential, parametrize::lora}, optim::{Adam, Optimizer}, prelude::*};
/// let device = Autodiff::new(Cpu);
/// let trained = Sequential((Linear::new(8, 16, &device)?, ReLU, Linear::new(16, 2, &device)?));
/// let mut model = lora(trained.clone(), |name| name.ends_with("weight"), 4, 8.0)?;
///
/// let x = Tensor::randn([5, 8], &device)?;
/// assert_eq!(model.forward(&x)?.to_vec::<f32>()?, trained.forward(&x)?.to_vec::<f32>()?);
/// for (name, param) in model.named_parameters() {
///     assert_eq!(param.is_trainable(), name.contains("lora_"), "{name}");
/// }
/// let loss = model.forward(&x)?.square()?.mean(..)?;
/// Adam::new(0.01).step(&mut model, &loss.backward()?)?;
/// let merged = model.remove_parametrizations()?;
/// assert!(merged.forward(&x)?.allclose(&model.forward(&x)?, Default::default())?);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn lora<B: Backend, M: Module<B>>(
    model: M,
    chosen: impl Fn(&str) -> bool,
    rank: usize,
    alpha: f64,
) -> Result<Parametrized<B, M, Lora<B>>> {
    let mut adapted = Parametrized::new(model, |path, weight| {
        if chosen(path) { Lora::new(weight, rank, alpha).map(Some) } else { Ok(None) }
    })?;
    adapted.freeze(|path| !(path.ends_with(".lora_A") || path.ends_with(".lora_B")))?;
    Ok(adapted)
}

impl<B: Backend> Lora<B> {
    /// For a weight of two dims or more, whose first are its rows. `A` is random and `B` zero, so that nothing changes
    /// at first.
    #[track_caller]
    pub fn new(weight: &Tensor<B>, rank: usize, alpha: f64) -> Result<Self> {
        let &[rows, ..] = &weight.shape()[..] else {
            return Err(Error::shape("lora", "a number has no rows and columns"));
        };
        if weight.rank() < 2 || rank == 0 {
            let why = format!("a rank of {rank} does not fit a weight of shape {}", weight.shape());
            return Err(Error::shape("lora", why));
        }
        let options = (weight.dtype(), weight.backend());
        let columns = weight.numel() / rows.max(1);
        let mut a = Param::new(Tensor::empty([rank, columns], options)?)?;
        init::kaiming_uniform(
            &mut a,
            init::KaimingOptions {
                nonlinearity: init::Nonlinearity::LeakyReLU(5f64.sqrt()),
                ..Default::default()
            },
        )?;
        let b = Param::new(Tensor::zeros([rows, rank], options)?)?;
        Ok(Self { lora_A: a, lora_B: b, scaling: alpha / rank as f64 })
    }
}

impl<B: Backend> Parametrization<B> for Lora<B> {
    fn forward(&self, originals: &[Param<B>]) -> Result<Tensor<B>> {
        let change = self.lora_B.matmul(&self.lora_A)?.reshape(originals[0].shape())?;
        &*originals[0] + &(change * self.scaling)?
    }
}
