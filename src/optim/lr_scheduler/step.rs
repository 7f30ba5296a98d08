//! Rates that fall now and then.
use super::{Rate, Schedule};
use crate::{Result, optim::options::check};

/// Every `step_size` steps, `lr ← γ lr`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct StepLR {
    /// How many steps the rate stays, from 1 on.
    pub step_size: usize,
    /// The factor `γ`.
    pub gamma: f64,
}

impl StepLR {
    /// A tenth after every `step_size` steps.
    pub fn new(step_size: usize) -> Self {
        Self { step_size, gamma: 0.1 }
    }
}

impl Schedule for StepLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("StepLR", [("step_size", self.step_size as f64)], 1.0..)?;
        check("StepLR", [("gamma", self.gamma)], f64::MIN..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        if step > 0 && step.is_multiple_of(self.step_size) {
            rate.lr *= self.gamma;
        }
        Ok(())
    }
}

/// At each milestone, `lr ← γ lr`; as many times as it is named.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStepLR {
    /// The steps at which the rate changes, in any order.
    pub milestones: Vec<usize>,
    /// The factor `γ`.
    pub gamma: f64,
}

impl MultiStepLR {
    /// A tenth at each milestone.
    pub fn new(milestones: impl Into<Vec<usize>>) -> Self {
        Self { milestones: milestones.into(), gamma: 0.1 }
    }
}

impl Schedule for MultiStepLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("MultiStepLR", [("gamma", self.gamma)], f64::MIN..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        for _ in self.milestones.iter().filter(|milestone| **milestone == step) {
            rate.lr *= self.gamma;
        }
        Ok(())
    }
}
