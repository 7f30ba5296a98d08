//! Rates that follow a factor.
use super::{Rate, Schedule};
use crate::{Result, optim::options::check};

/// `factor · lr` for the first `total_iters` steps.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct ConstantLR {
    /// The factor, in `(0, 1]`.
    pub factor: f64,
    /// How many steps it holds.
    pub total_iters: usize,
}

impl Default for ConstantLR {
    /// A third, for five steps.
    fn default() -> Self {
        Self { factor: 1. / 3., total_iters: 5 }
    }
}

impl Schedule for ConstantLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("ConstantLR", [("factor", self.factor)], f64::MIN_POSITIVE..=1.0)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        if step == 0 {
            rate.lr *= self.factor;
        } else if step == self.total_iters {
            rate.lr *= 1. / self.factor;
        }
        Ok(())
    }
}

/// A factor that goes straight from `start_factor` to `end_factor` in `total_iters` steps, and stays.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct LinearLR {
    /// The first factor, in `(0, 1]`.
    pub start_factor: f64,
    /// The last factor, in `[0, 1]`.
    pub end_factor: f64,
    /// How many steps it takes, from 1 on.
    pub total_iters: usize,
}

impl Default for LinearLR {
    /// From a third to all, in five steps.
    fn default() -> Self {
        Self { start_factor: 1. / 3., end_factor: 1., total_iters: 5 }
    }
}

impl Schedule for LinearLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("LinearLR", [("start_factor", self.start_factor)], f64::MIN_POSITIVE..=1.0)?;
        check("LinearLR", [("end_factor", self.end_factor)], 0.0..=1.0)?;
        check("LinearLR", [("total_iters", self.total_iters as f64)], 1.0..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        let (slope, total) = (self.end_factor - self.start_factor, self.total_iters as f64);
        if step == 0 {
            rate.lr *= self.start_factor;
        } else if step <= self.total_iters {
            // from one factor to the next: (start + t slope / total) / (start + (t - 1) slope / total)
            rate.lr *= 1. + slope / (total * self.start_factor + (step - 1) as f64 * slope);
        }
        Ok(())
    }
}

/// In each step, `lr ← γ lr`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct ExponentialLR {
    /// The factor `γ`.
    pub gamma: f64,
}

impl Schedule for ExponentialLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("ExponentialLR", [("gamma", self.gamma)], f64::MIN..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        if step > 0 {
            rate.lr *= self.gamma;
        }
        Ok(())
    }
}

/// A factor `(1 - t / total_iters)^power`, which is zero from step `total_iters` on.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html>
#[derive(Clone, Debug, PartialEq)]
pub struct PolynomialLR {
    /// How many steps it takes to fall to zero, from 1 on.
    pub total_iters: usize,
    /// The power: 1 is a straight line.
    pub power: f64,
}

impl Default for PolynomialLR {
    /// A straight line, in five steps.
    fn default() -> Self {
        Self { total_iters: 5, power: 1. }
    }
}

impl Schedule for PolynomialLR {
    fn check(&self, _: &[Rate]) -> Result<()> {
        check("PolynomialLR", [("total_iters", self.total_iters as f64)], 1.0..)?;
        check("PolynomialLR", [("power", self.power)], f64::MIN..)
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        let left = |step: usize| 1. - step as f64 / self.total_iters as f64;
        if (1..=self.total_iters).contains(&step) {
            rate.lr *= (left(step) / left(step - 1)).powf(self.power);
        }
        Ok(())
    }
}
