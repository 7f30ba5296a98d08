//! The frame that optimizers share: which parameters change by which options, and what is remembered of each.
use super::{
    Batch, GroupRates, Options, Rates,
    batch::Member,
    parameters,
    state::{Saved, States, real_number},
};
use crate::{
    Differentiable, Error, Gradients, Result, Shape, Tensor,
    nn::{Module, StateDict},
    no_grad,
};
use std::{
    collections::HashMap,
    fmt::{self, Debug},
    sync::Arc,
};

/// How an optimizer changes parameters: its mathematics alone.
pub trait Rule: Options {
    /// An error where an option is out of its range.
    fn check(&self) -> Result<()>;

    /// What schedulers change: the learning rate, and the momentum where there is one.
    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (self.lr_mut(), None)
    }

    /// The names of the tensors that are remembered of a parameter of this shape.
    fn tensors(&self, shape: &Shape) -> Vec<&'static str>;

    /// The shape of what is remembered of a parameter of this shape.
    fn shape(&self, _key: &str, parameter: &Shape) -> Shape {
        parameter.clone()
    }

    /// The names of the numbers that are remembered of a parameter.
    fn numbers(&self) -> &'static [&'static str] {
        &[]
    }

    /// An error where the rule is not for parameters of this shape.
    fn takes(&self, _parameter: &Shape) -> Result<()> {
        Ok(())
    }

    /// Changes parameters by their gradients, and what is remembered of them.
    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()>;
}

/// What optimizers have in common. One optimizer serves one model.
///
/// ```
/// use firesteel::{nn::{Layer, Linear}, optim::{Optimizer, SGD}, prelude::*};
/// let device = Autodiff::new(Cpu);
/// let mut model = Linear::new(1, 1, &device)?;
/// let mut optimizer = SGD::new(0.1);
/// let (x, y) = (Tensor::new([[1.0], [2.0]], &device)?, Tensor::new([[3.0], [5.0]], &device)?);
/// for _ in 0..200 {
///     let loss = (model.forward(&x)? - &y)?.square()?.mean(..)?;
///     optimizer.step(&mut model, &loss.backward()?)?;
/// }
/// assert!((model.weight.item::<f32>()? - 2.0).abs() < 0.05);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Optimizer<D: Differentiable>: Rates {
    /// Changes every parameter of the model that has a gradient. An option out of its range is an error, and
    /// then nothing is changed.
    fn step(&mut self, model: &mut impl Module<D>, gradients: &Gradients<D::Inner>) -> Result<()>;

    /// Whether a step asks for the loss of changed parameters, as PyTorch's `step(closure)` is there for.
    const ASKS_AGAIN: bool = false;

    /// A step of any optimizer: by the gradients, or by what `loss` gives for the model as often as it
    /// [asks](Self::ASKS_AGAIN).
    fn step_again<M: Module<D>>(
        &mut self,
        model: &mut M,
        gradients: &Gradients<D::Inner>,
        _loss: impl FnMut(&M) -> Result<Tensor<D>>,
    ) -> Result<()> {
        self.step(model, gradients)
    }

    /// What is remembered between steps, by the names of the model's parameters, and the rates of each group:
    /// with it a resumed run continues exactly.
    fn state_dict(&self, model: &impl Module<D>) -> Result<StateDict>;

    /// Restores what [`state_dict`](Self::state_dict) gave. Anything missing, unexpected or of another shape
    /// is an error, which names it, and then nothing is changed.
    fn load_state_dict(&mut self, model: &impl Module<D>, state: &StateDict) -> Result<()>;
}

/// An optimizer: a rule for each group of parameters, and what is remembered of each parameter.
///
/// All parameters are in the main group, but for those that another [`group`](Self::group) chooses.
///
/// ```
/// use firesteel::{nn::{Layer, Linear}, optim::{AdamW, Optimizer}, prelude::*};
/// let device = Autodiff::new(Cpu);
/// let mut model = Linear::new(2, 2, &device)?;
/// // no weight decay on what is not a matrix
/// let mut optimizer = AdamW::new(1e-3).betas((0.9, 0.95)).group(|_, p| p.rank() < 2, |o| o.weight_decay = 0.);
/// let loss = model.forward(&Tensor::ones([1, 2], &device)?)?.sum(..)?;
/// optimizer.step(&mut model, &loss.backward()?)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
pub struct Descent<R, D: Differentiable> {
    main: Group<R, D>,
    others: Vec<Group<R, D>>,
    states: States<D>,
}

/// Whether a group takes the parameter of this name.
type Select<D> = Arc<dyn Fn(&str, &Tensor<D>) -> bool + Send + Sync>;

/// The group (the main one is 0) and the gradient of each parameter that changes, by its identity.
type Work<D> = HashMap<u64, (usize, Tensor<<D as Differentiable>::Inner>)>;

/// Parameters that change by the same options.
#[derive(Clone)]
struct Group<R, D: Differentiable> {
    takes: Select<D>,
    options: R,
    initial_lr: Option<f64>,
}

impl<R: Rule, D: Differentiable> Descent<R, D> {
    /// The optimizer with this learning rate, and else its defaults.
    pub fn new(lr: f64) -> Self {
        let mut options = R::default();
        *options.lr_mut() = lr;
        Self::with_options(options)
    }

    /// The optimizer with these options.
    pub fn with_options(options: R) -> Self {
        let main = Group { takes: Arc::new(|_, _| true), options, initial_lr: None };
        Self { main, others: vec![], states: States::default() }
    }

    /// Gives the parameters that `select` chooses, by name or by what they are, options of their own: those
    /// of the main group as they are now, with the changes that `change` makes. Where several groups choose
    /// one parameter, the first has it.
    pub fn group(
        mut self,
        select: impl Fn(&str, &Tensor<D>) -> bool + Send + Sync + 'static,
        change: impl FnOnce(&mut R),
    ) -> Self {
        let mut options = self.main.options.clone();
        change(&mut options);
        self.others.push(Group { takes: Arc::new(select), options, initial_lr: None });
        self
    }

    /// Leaves parameters alone that neither `select` nor another group chooses: for another optimizer.
    pub fn only(mut self, select: impl Fn(&str, &Tensor<D>) -> bool + Send + Sync + 'static) -> Self {
        self.main.takes = Arc::new(select);
        self
    }

    /// The options of each group, the main one first.
    pub fn options(&self) -> impl Iterator<Item = &R> {
        self.groups().map(|group| &group.options)
    }

    /// The optimizer with changed options of its main group.
    pub(super) fn with(mut self, change: impl FnOnce(&mut R)) -> Self {
        change(&mut self.main.options);
        self
    }

    fn groups(&self) -> impl Iterator<Item = &Group<R, D>> {
        [&self.main].into_iter().chain(&self.others)
    }

    fn groups_mut(&mut self) -> impl Iterator<Item = &mut Group<R, D>> {
        [&mut self.main].into_iter().chain(&mut self.others)
    }

    /// The number of the group that has a parameter, and its options, where any has it. The main group has what no other has.
    fn rule(&self, name: &str, parameter: &Tensor<D>) -> Option<(usize, &R)> {
        let mut groups = self.others.iter().zip(1..).chain([(&self.main, 0)]);
        let found = groups.find(|(group, _)| (group.takes)(name, parameter));
        found.map(|(group, number)| (number, &group.options))
    }

    /// Which parameters change.
    fn work(&self, model: &impl Module<D>, gradients: &Gradients<D::Inner>) -> Result<Work<D>> {
        self.options().try_for_each(R::check)?;
        let found = no_grad(|| parameters::gradients(R::NAME, model, gradients))?;
        let parameters: HashMap<u64, &Tensor<D>> = parameters::distinct(model).into_iter().collect();
        let mut work = HashMap::new();
        for found in found {
            let rule = parameters.get(&found.id).and_then(|parameter| self.rule(&found.path, parameter));
            if let Some((group, rule)) = rule {
                let shape = found.gradient.shape();
                rule.takes(shape).map_err(|e| {
                    Error::shape(R::NAME, format!("{} of shape {shape}: {}", found.path, e.message()))
                })?;
                work.insert(found.id, (group, found.gradient));
            }
        }
        Ok(work)
    }
}

impl<R: Rule, D: Differentiable> Rates for Descent<R, D> {
    fn lrs(&self) -> Vec<f64> {
        self.options().map(R::lr).collect()
    }

    fn rates_mut(&mut self) -> Vec<GroupRates<'_>> {
        self.groups_mut().map(Group::rates).collect()
    }
}

impl<R: Rule, D: Differentiable> Optimizer<D> for Descent<R, D> {
    fn step(&mut self, model: &mut impl Module<D>, gradients: &Gradients<D::Inner>) -> Result<()> {
        let mut work = self.work(model, gradients)?;
        let Self { main, others, states } = self;
        let change = |parameters: Vec<(u64, &mut Tensor<D>)>| {
            let mut states = states.of_each(work.keys().copied());
            let mut batches: Vec<Vec<Batch<'_, D>>> = (0..=others.len()).map(|_| vec![]).collect();
            for (id, parameter) in parameters {
                if let (Some((group, gradient)), Some(state)) = (work.remove(&id), states.remove(&id)) {
                    state.advance();
                    let gradient = Tensor::lift(parameter.backend(), gradient);
                    let member = Member { parameter, gradient, state };
                    let left = batches[group].iter_mut().try_fold(member, |member, batch| batch.take(member));
                    batches[group].extend(left.map(Batch::new));
                }
            }
            let groups = [&*main].into_iter().chain(&*others).zip(&mut batches);
            for (group, batches) in groups {
                batches.iter_mut().try_for_each(|batch| group.options.update(batch))?;
            }
            Ok(())
        };
        no_grad(|| parameters::change(model, change))
    }

    fn state_dict(&self, model: &impl Module<D>) -> Result<StateDict> {
        let mut saved = self.states.save(model)?;
        for (i, group) in self.groups().enumerate() {
            for (key, number) in group.clone().rates().named() {
                saved.insert(format!("param_groups.{i}.{key}"), real_number(number)?);
            }
        }
        Ok(saved)
    }

    fn load_state_dict(&mut self, model: &impl Module<D>, state: &StateDict) -> Result<()> {
        let mut saved = Saved::new(state);
        let mut loaded = self.clone();
        for (i, group) in loaded.groups_mut().enumerate() {
            group.rates().load(&mut saved, &format!("param_groups.{i}"))?;
        }
        loaded.states = States::load(model, &mut saved, |name, parameter| {
            self.rule(name, parameter).map(|(_, rule)| rule)
        })?;
        saved.finish()?;
        *self = loaded;
        Ok(())
    }
}

impl<R: Rule, D: Differentiable> Group<R, D> {
    fn rates(&mut self) -> GroupRates<'_> {
        let (lr, momentum) = self.options.rates();
        GroupRates { lr, initial_lr: &mut self.initial_lr, momentum }
    }
}

impl<R: Rule, D: Differentiable> Debug for Descent<R, D> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(self.options()).finish()
    }
}
