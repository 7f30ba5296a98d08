//! Rates that fall as half a cosine.
use super::{Rate, Schedule};
use crate::{Result, optim::options::check};
use std::f64::consts::PI;

/// From the initial rate to `eta_min` in `t_max` steps and back again, as a cosine:
/// `eta_min + (initial - eta_min) (1 + cos(π t / t_max)) / 2` (Loshchilov and Hutter,
/// [SGDR](https://arxiv.org/abs/1608.03983), 2017).
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct CosineAnnealingLR {
    /// How many steps it takes to the least rate, from 1 on.
    pub t_max: usize,
    /// The least rate.
    pub eta_min: f64,
}

impl CosineAnnealingLR {
    /// To zero in `t_max` steps.
    pub fn new(t_max: usize) -> Self {
        Self { t_max, eta_min: 0. }
    }
}

impl Schedule for CosineAnnealingLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("CosineAnnealingLR", [("t_max", self.t_max as f64)], 1.0..)?;
        check("CosineAnnealingLR", [("eta_min", self.eta_min)], 0.0..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        let (t_max, eta_min) = (self.t_max, self.eta_min);
        let height = |step: usize| 1. + (PI * step as f64 / t_max as f64).cos();
        let Some(last) = step.checked_sub(1) else {
            return Ok(());
        };
        rate.lr = if last / t_max % 2 == 1 && last.is_multiple_of(t_max) {
            // up from the lowest point, where there is nothing to multiply
            rate.lr + (rate.initial_lr - eta_min) * (1. - (PI / t_max as f64).cos()) / 2.
        } else {
            height(step) / height(last) * (rate.lr - eta_min) + eta_min
        };
        Ok(())
    }
}

/// [`CosineAnnealingLR`] that starts anew at its lowest point: after `t_0` steps, then after `t_mult · t_0`, and so
/// on.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html>
#[derive(Clone, Debug, PartialEq)]
pub struct CosineAnnealingWarmRestarts {
    /// The steps to the first restart, from 1 on.
    pub t_0: usize,
    /// How many times longer each round is than the one before, from 1 on.
    pub t_mult: usize,
    /// The least rate.
    pub eta_min: f64,
}

impl CosineAnnealingWarmRestarts {
    /// To zero every `t_0` steps.
    pub fn new(t_0: usize) -> Self {
        Self { t_0, t_mult: 1, eta_min: 0. }
    }

    /// How far a step is in its round, and how long that is.
    fn round(&self, step: usize) -> (usize, usize) {
        if self.t_mult == 1 {
            return (step % self.t_0, self.t_0);
        }
        let (mut step, mut length) = (step, self.t_0);
        while step >= length {
            step -= length;
            length = length.saturating_mul(self.t_mult);
        }
        (step, length)
    }
}

impl Schedule for CosineAnnealingWarmRestarts {
    fn check(&self, _: &[Rate]) -> Result<()> {
        let counts = [("t_0", self.t_0 as f64), ("t_mult", self.t_mult as f64)];
        check("CosineAnnealingWarmRestarts", counts, 1.0..)?;
        check("CosineAnnealingWarmRestarts", [("eta_min", self.eta_min)], 0.0..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        let (at, length) = self.round(step);
        let height = 1. + (PI * at as f64 / length as f64).cos();
        rate.lr = self.eta_min + (rate.initial_lr - self.eta_min) * height / 2.;
        Ok(())
    }
}
