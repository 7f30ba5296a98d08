//! Rates that go up and down.
use super::{PerGroup, Rate, Schedule};
use crate::{Error, Result, optim::options::check};

/// How the height of the cycles of [`CyclicLR`] changes.
#[derive(Clone, Copy, Debug, Default)]
pub enum CyclicMode {
    /// It stays.
    #[default]
    Triangular,
    /// It is half of that of the cycle before.
    Triangular2,
    /// It is `gamma` of that of the step before.
    ExpRange {
        /// The factor.
        gamma: f64,
    },
    /// A function of the number of the cycle, which begins with 1.
    OfCycle(fn(f64) -> f64),
    /// A function of the number of the step, which begins with 0.
    OfStep(fn(f64) -> f64),
}

/// From `base_lr` up to `max_lr` in `step_size_up` steps, and down again, over and over; the momentum goes the
/// other way (Smith, [Cyclical learning rates](https://arxiv.org/abs/1506.01186), 2017).
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html>
///
/// ```
/// use firesteel::{optim::{Rates, SGD, lr_scheduler::{CyclicLR, LrScheduler, Schedule}}, prelude::*};
/// let mut optimizer = SGD::<Autodiff<Cpu>>::new(0.1).momentum(0.9);
/// let schedule = CyclicLR { step_size_up: 2, ..CyclicLR::new(0.25, 0.75) };
/// let mut scheduler = schedule.start(&mut optimizer)?;
/// assert_eq!(optimizer.lr(), 0.25);
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(optimizer.lr(), 0.5);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CyclicLR {
    /// The lowest rate.
    pub base_lr: PerGroup,
    /// The highest rate.
    pub max_lr: PerGroup,
    /// How many steps up, from 1 on.
    pub step_size_up: usize,
    /// How many steps down; as many as up where it is nothing.
    pub step_size_down: Option<usize>,
    /// How the height of the cycles changes.
    pub mode: CyclicMode,
    /// Whether the momentum goes the other way; then the optimizer has to have one.
    pub cycle_momentum: bool,
    /// The lowest momentum.
    pub base_momentum: PerGroup,
    /// The highest momentum.
    pub max_momentum: PerGroup,
}

impl CyclicLR {
    /// Triangles of 2000 steps up and as many down, between these rates and momenta of 0.9 and 0.8.
    pub fn new(base_lr: impl Into<PerGroup>, max_lr: impl Into<PerGroup>) -> Self {
        Self {
            base_lr: base_lr.into(),
            max_lr: max_lr.into(),
            step_size_up: 2000,
            step_size_down: None,
            mode: CyclicMode::default(),
            cycle_momentum: true,
            base_momentum: 0.8.into(),
            max_momentum: 0.9.into(),
        }
    }

    /// How high a step stands, between 0 and 1.
    fn height(&self, step: usize) -> f64 {
        let (step, up) = (step as f64, self.step_size_up as f64);
        let total = up + self.step_size_down.unwrap_or(self.step_size_up) as f64;
        let cycle = (1. + step / total).floor();
        let (x, ratio) = (1. + step / total - cycle, up / total);
        let height = if x <= ratio { x / ratio } else { (x - 1.) / (ratio - 1.) };
        height
            * match self.mode {
                CyclicMode::Triangular => 1.,
                CyclicMode::Triangular2 => 0.5f64.powf(cycle - 1.),
                CyclicMode::ExpRange { gamma } => gamma.powf(step),
                CyclicMode::OfCycle(scale) => scale(cycle),
                CyclicMode::OfStep(scale) => scale(step),
            }
    }
}

impl Schedule for CyclicLR {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        check("CyclicLR", [("step_size_up", self.step_size_up as f64)], 1.0..)?;
        self.base_lr.check("CyclicLR", "base_lr", groups.len())?;
        self.max_lr.check("CyclicLR", "max_lr", groups.len())?;
        if self.cycle_momentum {
            check_momentum("CyclicLR", groups, &self.base_momentum, &self.max_momentum)?;
        }
        Ok(())
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        let height = self.height(step);
        let (low, high) = (self.base_lr.of(rate.group), self.max_lr.of(rate.group));
        rate.lr = low + (high - low) * height;
        if self.cycle_momentum {
            let (low, high) = (self.base_momentum.of(rate.group), self.max_momentum.of(rate.group));
            rate.momentum = Some(high - (high - low) * height);
        }
        Ok(())
    }
}

/// An error where a momentum is to be cycled that there is not.
pub(super) fn check_momentum(
    name: &'static str,
    groups: &[Rate],
    base: &PerGroup,
    max: &PerGroup,
) -> Result<()> {
    base.check(name, "base_momentum", groups.len())?;
    max.check(name, "max_momentum", groups.len())?;
    if groups.iter().any(|rate| rate.momentum.is_none()) {
        return Err(Error::value(
            name,
            "the optimizer has no momentum to cycle: set `cycle_momentum` to false",
        ));
    }
    Ok(())
}
