//! Rates that go up once, and down to almost nothing.
use super::{PerGroup, Rate, Schedule, cyclic::check_momentum};
use crate::{Error, Result, optim::options::check};
use std::f64::consts::PI;

/// The way from one rate to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anneal {
    /// As half a cosine.
    #[default]
    Cos,
    /// Straight.
    Linear,
}

impl Anneal {
    /// What lies between two numbers, at `part` of the way.
    pub(super) fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Anneal::Cos => end + (start - end) / 2. * ((PI * part).cos() + 1.),
            Anneal::Linear => (end - start) * part + start,
        }
    }
}

/// From `max_lr / div_factor` up to `max_lr`, then down to `1 / final_div_factor` of where it began; the
/// momentum goes the other way (Smith and Topin, [Super-convergence](https://arxiv.org/abs/1708.07120), 2018).
/// A step after `total_steps` is an error.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html>
///
/// ```
/// use firesteel::{optim::{Adam, Rates, lr_scheduler::{LrScheduler, OneCycleLR, Schedule}}, prelude::*};
/// let mut optimizer = Adam::<Autodiff<Cpu>>::new(0.1);
/// let mut scheduler = OneCycleLR::new(0.5, 10).start(&mut optimizer)?;
/// assert!((optimizer.lr() - 0.02).abs() < 1e-9);
/// scheduler.step(&mut optimizer)?;
/// scheduler.step(&mut optimizer)?;
/// assert!((optimizer.lr() - 0.5).abs() < 1e-9);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OneCycleLR {
    /// The highest rate.
    pub max_lr: PerGroup,
    /// The steps of the cycle, from 1 on.
    pub total_steps: usize,
    /// Which part of the steps goes up, in `[0, 1]`.
    pub pct_start: f64,
    /// The way from one rate to the next.
    pub anneal_strategy: Anneal,
    /// Whether the momentum goes the other way; then the optimizer has to have one.
    pub cycle_momentum: bool,
    /// The lowest momentum.
    pub base_momentum: PerGroup,
    /// The highest momentum.
    pub max_momentum: PerGroup,
    /// How many times the highest rate is of the first.
    pub div_factor: f64,
    /// How many times the first rate is of the last.
    pub final_div_factor: f64,
    /// Down as long as up, before the rate goes to almost nothing.
    pub three_phase: bool,
}

impl OneCycleLR {
    /// Up in three tenths of the steps from a 25th of the rate, and down to a 10,000th of that, as cosines.
    pub fn new(max_lr: impl Into<PerGroup>, total_steps: usize) -> Self {
        Self {
            max_lr: max_lr.into(),
            total_steps,
            pct_start: 0.3,
            anneal_strategy: Anneal::default(),
            cycle_momentum: true,
            base_momentum: 0.85.into(),
            max_momentum: 0.95.into(),
            div_factor: 25.,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }

    /// Where the step lies: between which points of the way, and which part of the way between them. The points
    /// are 0, the first rate and the highest momentum; 1, the highest rate and the lowest momentum; 2, the last
    /// rate and the highest momentum.
    fn place(&self, step: usize) -> (usize, usize, f64) {
        let (total, step) = (self.total_steps as f64, step as f64);
        let (first, last) = (self.pct_start * total - 1., total - 1.);
        let phases: &[_] = match self.three_phase {
            true => &[(first, 0, 1), (2. * self.pct_start * total - 2., 1, 0), (last, 0, 2)],
            false => &[(first, 0, 1), (last, 1, 2)],
        };
        let mut start = 0.;
        for &(end, from, to) in phases {
            if step <= end {
                // a phase without length is at its end
                let part = if end > start { (step - start) / (end - start) } else { 1. };
                return (from, to, part);
            }
            start = end;
        }
        // one step more than the last, which PyTorch allows as well
        let (_, from, to) = phases[phases.len() - 1];
        let begin = phases[phases.len() - 2].0;
        (from, to, (step - begin) / (last - begin))
    }
}

impl Schedule for OneCycleLR {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        check("OneCycleLR", [("total_steps", self.total_steps as f64)], 1.0..)?;
        check("OneCycleLR", [("pct_start", self.pct_start)], 0.0..=1.0)?;
        let factors = [("div_factor", self.div_factor), ("final_div_factor", self.final_div_factor)];
        check("OneCycleLR", factors, f64::MIN_POSITIVE..)?;
        self.max_lr.check("OneCycleLR", "max_lr", groups.len())?;
        if self.cycle_momentum {
            check_momentum("OneCycleLR", groups, &self.base_momentum, &self.max_momentum)?;
        }
        Ok(())
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        if step > self.total_steps {
            let why = format!("step {step} comes after the last of {}", self.total_steps);
            return Err(Error::value("OneCycleLR", why));
        }
        let (from, to, part) = self.place(step);
        let max_lr = self.max_lr.of(rate.group);
        let first_lr = max_lr / self.div_factor;
        let lrs = [first_lr, max_lr, first_lr / self.final_div_factor];
        rate.lr = self.anneal_strategy.between(lrs[from], lrs[to], part);
        rate.initial_lr = first_lr;
        if self.cycle_momentum {
            let (low, high) = (self.base_momentum.of(rate.group), self.max_momentum.of(rate.group));
            let momenta = [high, low, high];
            rate.momentum = Some(self.anneal_strategy.between(momenta[from], momenta[to], part));
        }
        Ok(())
    }
}
