//! Rates for the averaging of weights.
use super::{Anneal, PerGroup, Rate, Schedule};
use crate::Result;

/// To a rate at which the weights are averaged, in `anneal_epochs` steps, and then no more change.
/// <https://docs.pytorch.org/docs/stable/optim.html#swa-learning-rate-schedules>
///
/// ```
/// use firesteel::{optim::{Rates, SGD, lr_scheduler::{Anneal, LrScheduler, SWALR, Schedule}}, prelude::*};
/// let mut optimizer = SGD::<Autodiff<Cpu>>::new(1.0);
/// let schedule = SWALR { anneal_epochs: 2, anneal_strategy: Anneal::Linear, ..SWALR::new(0.5) };
/// let mut scheduler = schedule.start(&mut optimizer)?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(optimizer.lr(), 0.75);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SWALR {
    /// The last rate.
    pub swa_lr: PerGroup,
    /// How many steps it takes to get there.
    pub anneal_epochs: usize,
    /// The way there.
    pub anneal_strategy: Anneal,
}

impl SWALR {
    /// In ten steps, as half a cosine.
    pub fn new(swa_lr: impl Into<PerGroup>) -> Self {
        Self { swa_lr: swa_lr.into(), anneal_epochs: 10, anneal_strategy: Anneal::Cos }
    }
}

impl Schedule for SWALR {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        self.swa_lr.check("SWALR", "swa_lr", groups.len())
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        let last = self.swa_lr.of(rate.group);
        // which part of the way is behind
        let part = |step: usize| match self.anneal_epochs {
            0 => 1.,
            epochs => self.anneal_strategy.between(0., 1., step.min(epochs) as f64 / epochs as f64),
        };
        let (before, now) = (part(step.saturating_sub(1)), part(step));
        // the rate that it began with, as far as it can be told from the rate before
        let first = if before == 1. { last } else { (rate.lr - before * last) / (1. - before) };
        rate.lr = last * now + first * (1. - now);
        Ok(())
    }
}
