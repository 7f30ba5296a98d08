//! What schedulers change in an optimizer.
use super::state::Saved;
use crate::Result;

/// The numbers of one group of parameters that schedulers change.
#[derive(Debug)]
pub struct GroupRates<'a> {
    /// The learning rate.
    pub lr: &'a mut f64,
    /// The learning rate that a scheduler found when it started, and counts from.
    pub initial_lr: &'a mut Option<f64>,
    /// The momentum, or Adam's `β₁`; nothing where the optimizer has none.
    pub momentum: Option<&'a mut f64>,
}

impl GroupRates<'_> {
    /// The numbers by their names, to be saved.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let momentum = self.momentum.as_deref().copied();
        let all = [("lr", Some(*self.lr)), ("initial_lr", *self.initial_lr), ("momentum", momentum)];
        all.into_iter().filter_map(|(name, number)| Some((name, number?)))
    }

    /// Restores what `named` gave and was saved under `path`.
    pub(super) fn load(self, saved: &mut Saved<'_>, path: &str) -> Result<()> {
        *self.lr = saved.number(&format!("{path}.lr"))?;
        let initial_lr = format!("{path}.initial_lr");
        *self.initial_lr = if saved.has(&initial_lr) { Some(saved.number(&initial_lr)?) } else { None };
        if let Some(momentum) = self.momentum {
            *momentum = saved.number(&format!("{path}.momentum"))?;
        }
        Ok(())
    }
}

/// The learning rates of an optimizer, whatever it optimizes.
///
/// ```
/// use firesteel::{optim::{Rates, SGD}, prelude::*};
/// let mut optimizer = SGD::<Autodiff<Cpu>>::new(0.1).group(|name, _| name == "bias", |o| o.lr = 0.2);
/// assert_eq!(optimizer.lrs(), [0.1, 0.2]);
/// optimizer.set_lr(0.01);
/// assert_eq!(optimizer.lrs(), [0.01, 0.01]);
/// ```
pub trait Rates {
    /// The learning rate of each group, the main one first.
    fn lrs(&self) -> Vec<f64>;

    /// The numbers of each group, the main one first, to be changed.
    fn rates_mut(&mut self) -> Vec<GroupRates<'_>>;

    /// The learning rate of the main group.
    fn lr(&self) -> f64 {
        self.lrs().first().copied().unwrap_or_default()
    }

    /// Sets the learning rate of every group.
    fn set_lr(&mut self, lr: f64) {
        self.rates_mut().into_iter().for_each(|group| *group.lr = lr);
    }
}
