//! Averages of a model's weights over its training.
use super::{
    options::check,
    state::{Saved, whole_number},
};
use crate::{
    Backend, Expr, Result, Tensor,
    nn::{Buffer, LeafMut, Module, Param, State, StateDict},
    no_grad,
};

/// How [`AveragedModel`] weighs the models that it sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Average {
    /// `a ← decay · a + (1 - decay) w`: an exponential moving average.
    Exponential {
        /// How much of the average is kept, in `[0, 1]`.
        decay: f64,
    },
    /// All alike: stochastic weight averaging (Izmailov and others,
    /// [Averaging weights](https://arxiv.org/abs/1803.05407), 2018).
    Equal,
}

/// A model whose weights are an average of another's in the course of its training. Its parameters are frozen; its
/// buffers are those of the model, or averaged as well.
/// <https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema>
///
/// ```
/// use firesteel::{nn::Param, optim::AveragedModel, prelude::*};
/// let mut model = Param::new(Tensor::new(1.0, &Autodiff::new(Cpu))?)?;
/// let mut ema = AveragedModel::ema(&model, 0.75)?;
/// for weight in [2.0, 4.0] {
///     model.set(&Tensor::new(weight, model.backend())?)?;
///     ema.update(&model)?;
/// }
/// // the first is copied: 0.75 · 2 + 0.25 · 4
/// assert_eq!(ema.module().item::<f32>()?, 2.5);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AveragedModel<M> {
    module: M,
    average: Average,
    use_buffers: bool,
    averaged: usize,
}

impl<M: Clone> AveragedModel<M> {
    /// A copy of the model, of which the averages are to be made.
    pub fn new<B: Backend>(model: &M, average: Average) -> Result<Self>
    where
        M: Module<B>,
    {
        if let Average::Exponential { decay } = average {
            check("AveragedModel", [("decay", decay)], 0.0..=1.0)?;
        }
        let mut module = model.clone();
        module.freeze(|_| true)?;
        Ok(Self { module, average, use_buffers: false, averaged: 0 })
    }

    /// An exponential moving average.
    pub fn ema<B: Backend>(model: &M, decay: f64) -> Result<Self>
    where
        M: Module<B>,
    {
        Self::new(model, Average::Exponential { decay })
    }

    /// The plain average, for stochastic weight averaging.
    pub fn swa<B: Backend>(model: &M) -> Result<Self>
    where
        M: Module<B>,
    {
        Self::new(model, Average::Equal)
    }

    /// Averages the buffers too, where they are otherwise copied.
    pub fn use_buffers(self, use_buffers: bool) -> Self {
        Self { use_buffers, ..self }
    }

    /// The model with the averages, for evaluation.
    pub fn module(&self) -> &M {
        &self.module
    }

    /// The model with the averages, to be changed: for [`update_bn`](super::update_bn).
    pub fn module_mut(&mut self) -> &mut M {
        &mut self.module
    }

    /// How many models were averaged.
    pub fn num_averaged(&self) -> usize {
        self.averaged
    }

    /// Takes the model as it is now into the averages. The first is copied.
    pub fn update<B: Backend>(&mut self, model: &M) -> Result<()>
    where
        M: Module<B>,
    {
        let weight = match self.average {
            _ if self.averaged == 0 => 1.,
            Average::Exponential { decay } => 1. - decay,
            Average::Equal => 1. / (self.averaged as f64 + 1.),
        };
        let buffer_weight = if self.use_buffers { weight } else { 1. };
        let mut params = model.parameters().into_iter();
        let mut buffers = model.named_buffers().into_iter().map(|(_, buffer)| buffer);
        no_grad(|| {
            self.module.visit_mut("", &mut |_, leaf| match leaf {
                LeafMut::Param(param) => params
                    .next()
                    .map_or(Ok(()), |new: &Param<B>| mix(param.tensor_mut(), &new.detach(), weight)),
                LeafMut::Buffer(buffer) => buffers.next().map_or(Ok(()), |new: &Buffer<B>| {
                    let mut value = buffer.get();
                    mix(&mut value, &new.get(), buffer_weight)?;
                    buffer.set(&value);
                    Ok(())
                }),
                LeafMut::Mode(_) => Ok(()),
            })
        })?;
        self.averaged += 1;
        Ok(())
    }

    /// The averages, by the model's names after `module.`, and how many models they are of.
    pub fn state_dict<B: Backend>(&self) -> Result<StateDict>
    where
        M: Module<B>,
    {
        let module = self.module.state_dict()?.into_iter();
        let mut saved: StateDict = module.map(|(name, data)| (format!("module.{name}"), data)).collect();
        saved.insert("n_averaged".into(), whole_number(self.averaged as i64)?);
        Ok(saved)
    }

    /// Restores what [`state_dict`](Self::state_dict) gave. Anything missing, unexpected or of another shape is an
    /// error, which names it, and then nothing is changed.
    pub fn load_state_dict<B: Backend>(&mut self, state: &StateDict) -> Result<()>
    where
        M: Module<B>,
    {
        let averaged = Saved::new(state).whole_number("n_averaged")? as usize;
        let others = state.iter().filter(|(name, _)| *name != "n_averaged");
        let inner = |name: &str| name.strip_prefix("module.").unwrap_or(name).to_owned();
        self.module.load_state_dict(&others.map(|(name, data)| (inner(name), data.clone())).collect())?;
        self.averaged = averaged;
        Ok(())
    }
}

/// `a ← a + weight (new - a)`, in `a`'s dtype.
fn mix<B: Backend>(a: &mut Tensor<B>, new: &Tensor<B>, weight: f64) -> Result<()> {
    if weight == 1. {
        *a = new.clone();
        return Ok(());
    }
    if a.dtype().is_float() {
        return Expr::update([a], |[a]| [a.clone() + (new.lazy() - a) * weight]);
    }
    *a = (a.lazy() * (1. - weight) + new.lazy() * weight).eval()?.to(a.dtype())?;
    Ok(())
}
