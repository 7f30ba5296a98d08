//! Learning rates that change in the course of a training.
//!
//! A [`Schedule`] says how rates go from one step to the next; [`Schedule::start`] sets an optimizer to its
//! first rates and gives a [`Scheduler`], whose [`step`](LrScheduler::step) sets it to the next.
//!
//! ```
//! use firesteel::{optim::{Rates, SGD, lr_scheduler::{LrScheduler, Schedule, StepLR}}, prelude::*};
//! let mut optimizer = SGD::<Autodiff<Cpu>>::new(0.1);
//! let mut scheduler = StepLR { gamma: 0.5, ..StepLR::new(2) }.start(&mut optimizer)?;
//! let mut rates = vec![];
//! for _epoch in 0..4 {
//!     rates.push(optimizer.lr());
//!     scheduler.step(&mut optimizer)?;
//! }
//! assert_eq!(rates, [0.1, 0.1, 0.05, 0.05]);
//! # Ok::<(), firesteel::Error>(())
//! ```
mod compose;
mod cosine;
mod cyclic;
mod factor;
mod lambda;
mod one_cycle;
mod per_group;
mod plateau;
mod step;
mod swa;

pub use compose::{ChainedScheduler, SequentialLR};
pub use cosine::{CosineAnnealingLR, CosineAnnealingWarmRestarts};
pub use cyclic::{CyclicLR, CyclicMode};
pub use factor::{ConstantLR, ExponentialLR, LinearLR, PolynomialLR};
pub use lambda::{LambdaLR, MultiplicativeLR};
pub use one_cycle::{Anneal, OneCycleLR};
pub use per_group::PerGroup;
pub use plateau::{Direction, PlateauScheduler, ReduceLROnPlateau, Threshold};
pub use step::{MultiStepLR, StepLR};
pub use swa::SWALR;

use super::{
    GroupRates, Rates,
    state::{Saved, whole_number},
};
use crate::{Result, nn::StateDict};
use std::fmt::Debug;

/// The rates of one group of parameters between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Which group it is.
    pub group: usize,
    /// The learning rate.
    pub lr: f64,
    /// The learning rate before any scheduler changed it.
    pub initial_lr: f64,
    /// The momentum, or Adam's `β₁`; nothing where the optimizer has none.
    pub momentum: Option<f64>,
}

impl Rate {
    fn of(group: usize, rates: &GroupRates<'_>) -> Self {
        let (lr, momentum) = (*rates.lr, rates.momentum.as_deref().copied());
        Self { group, lr, initial_lr: rates.initial_lr.unwrap_or(lr), momentum }
    }

    fn write(self, rates: GroupRates<'_>) {
        *rates.lr = self.lr;
        *rates.initial_lr = Some(self.initial_lr);
        if let (Some(to), Some(momentum)) = (rates.momentum, self.momentum) {
            *to = momentum;
        }
    }
}

/// How learning rates go from one step to the next. What a step does depends on its number and on the rates
/// before it alone, so schedules can be joined.
pub trait Schedule: Debug + Send + Sync {
    /// An error where an option is out of its range, or does not fit the groups.
    fn check(&self, groups: &[Rate]) -> Result<()>;

    /// Changes a group's rates to those of this step, from those of the step before. Step 0 is the start.
    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()>;

    /// Starts in the middle of a training, after another schedule: from the initial rate.
    fn take_over(&self, rate: &mut Rate) -> Result<()> {
        rate.lr = rate.initial_lr;
        self.apply(0, rate)
    }

    /// Sets the optimizer to the first rates.
    fn start(self, optimizer: &mut dyn Rates) -> Result<Scheduler<Self>>
    where
        Self: Sized,
    {
        let groups = optimizer.rates_mut();
        self.check(&groups.iter().enumerate().map(|(i, group)| Rate::of(i, group)).collect::<Vec<_>>())?;
        let scheduler = Scheduler { schedule: self, last_epoch: 0 };
        scheduler.set(optimizer)?;
        Ok(scheduler)
    }
}

/// What changes an optimizer's learning rates after each epoch, or after each batch.
pub trait LrScheduler: Debug + Send {
    /// Sets the optimizer to the rates of the next step.
    fn step(&mut self, optimizer: &mut dyn Rates) -> Result<()>;

    /// [`step`](Self::step) for those that look at what has been reached, such as the loss.
    fn step_with(&mut self, optimizer: &mut dyn Rates, _metric: f64) -> Result<()> {
        self.step(optimizer)
    }

    /// How many steps there were.
    fn last_epoch(&self) -> usize;

    /// What is remembered between steps. The rates themselves are the optimizer's, and saved with it.
    fn state_dict(&self) -> Result<StateDict>;

    /// Restores what [`state_dict`](Self::state_dict) gave.
    fn load_state_dict(&mut self, state: &StateDict) -> Result<()>;
}

/// A schedule that has started.
#[derive(Clone, Debug)]
pub struct Scheduler<S> {
    schedule: S,
    last_epoch: usize,
}

impl<S: Schedule> Scheduler<S> {
    /// Sets the rates of the current step; where that is an error, nothing changes.
    fn set(&self, optimizer: &mut dyn Rates) -> Result<()> {
        let groups = optimizer.rates_mut();
        let next = groups.iter().enumerate().map(|(i, group)| {
            let mut rate = Rate::of(i, group);
            self.schedule.apply(self.last_epoch, &mut rate).map(|()| rate)
        });
        let next = next.collect::<Result<Vec<_>>>()?;
        groups.into_iter().zip(next).for_each(|(group, rate)| rate.write(group));
        Ok(())
    }
}

impl<S: Schedule> LrScheduler for Scheduler<S> {
    fn step(&mut self, optimizer: &mut dyn Rates) -> Result<()> {
        self.last_epoch += 1;
        self.set(optimizer)
    }

    fn last_epoch(&self) -> usize {
        self.last_epoch
    }

    fn state_dict(&self) -> Result<StateDict> {
        Ok([("last_epoch".to_owned(), whole_number(self.last_epoch as i64)?)].into())
    }

    fn load_state_dict(&mut self, state: &StateDict) -> Result<()> {
        let mut saved = Saved::new(state);
        let last_epoch = saved.whole_number("last_epoch")?;
        saved.finish()?;
        self.last_epoch = last_epoch as usize;
        Ok(())
    }
}
