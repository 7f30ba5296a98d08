//! Schedules of schedules.
use super::{Rate, Schedule};
use crate::{Error, Result};

/// Several schedules at once, each changing what the one before gave.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html>
///
/// ```
/// use firesteel::{optim::{Rates, SGD, lr_scheduler::*}, prelude::*};
/// let mut optimizer = SGD::<Autodiff<Cpu>>::new(1.0);
/// let warmup = ConstantLR { factor: 0.5, total_iters: 2 };
/// let mut scheduler = ChainedScheduler::new().and(warmup).and(ExponentialLR { gamma: 0.5 }).start(&mut optimizer)?;
/// assert_eq!(optimizer.lr(), 0.5);
/// scheduler.step(&mut optimizer)?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(optimizer.lr(), 0.25);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ChainedScheduler(Vec<Box<dyn Schedule>>);

impl ChainedScheduler {
    /// No schedule yet, which changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// One schedule more.
    pub fn and(mut self, schedule: impl Schedule + 'static) -> Self {
        self.0.push(Box::new(schedule));
        self
    }
}

impl Schedule for ChainedScheduler {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        self.0.iter().try_for_each(|schedule| schedule.check(groups))
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        self.0.iter().try_for_each(|schedule| schedule.apply(step, rate))
    }
}

/// Several schedules one after another.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html>
///
/// ```
/// use firesteel::{optim::{AdamW, Rates, lr_scheduler::*}, prelude::*};
/// let mut optimizer = AdamW::<Autodiff<Cpu>>::new(1.0);
/// let warmup = LinearLR { start_factor: 0.25, end_factor: 1.0, total_iters: 3 };
/// let mut scheduler = SequentialLR::new(warmup).then(3, CosineAnnealingLR::new(10)).start(&mut optimizer)?;
/// let mut rates = vec![optimizer.lr()];
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     rates.push(optimizer.lr());
/// }
/// assert_eq!(rates, [0.25, 0.5, 0.75, 1.0]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Debug)]
pub struct SequentialLR {
    first: Box<dyn Schedule>,
    others: Vec<(usize, Box<dyn Schedule>)>,
}

impl SequentialLR {
    /// The schedule that begins.
    pub fn new(first: impl Schedule + 'static) -> Self {
        Self { first: Box::new(first), others: vec![] }
    }

    /// The schedule that takes over in step `milestone`, later than the one before it.
    pub fn then(mut self, milestone: usize, schedule: impl Schedule + 'static) -> Self {
        self.others.push((milestone, Box::new(schedule)));
        self
    }
}

impl Schedule for SequentialLR {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        let milestones: Vec<usize> = self.others.iter().map(|(milestone, _)| *milestone).collect();
        if milestones.first() == Some(&0) || milestones.windows(2).any(|pair| pair[0] >= pair[1]) {
            let why = format!("milestones {milestones:?} have to rise, from 1 on");
            return Err(Error::value("SequentialLR", why));
        }
        self.first.check(groups)?;
        self.others.iter().try_for_each(|(_, schedule)| schedule.check(groups))
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        match self.others.iter().rfind(|(milestone, _)| *milestone <= step) {
            None => self.first.apply(step, rate),
            Some((milestone, schedule)) if *milestone == step => schedule.take_over(rate),
            Some((milestone, schedule)) => schedule.apply(step - milestone, rate),
        }
    }
}
