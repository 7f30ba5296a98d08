//! Rates that fall when nothing gets better.
use super::{LrScheduler, PerGroup, Rates};
use crate::{
    Error, Result,
    nn::StateDict,
    optim::{
        options::check,
        state::{Saved, real_number, whole_number},
    },
};

/// Which values of a metric are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smaller ones, as of a loss.
    #[default]
    Min,
    /// Larger ones, as of an accuracy.
    Max,
}

/// By how much a metric has to be better to count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// By this part of the best.
    Relative(f64),
    /// By this much.
    Absolute(f64),
}

/// After more than `patience` steps without a better metric, `lr ← factor · lr`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html>
///
/// ```
/// use firesteel::{optim::{Rates, SGD, lr_scheduler::{LrScheduler, ReduceLROnPlateau}}, prelude::*};
/// let mut optimizer = SGD::<Autodiff<Cpu>>::new(0.5);
/// let schedule = ReduceLROnPlateau { factor: 0.5, patience: 1, ..Default::default() };
/// let mut scheduler = schedule.start(&mut optimizer)?;
/// for loss in [3.0, 2.0, 2.0, 2.0] {
///     scheduler.step_with(&mut optimizer, loss)?;
/// }
/// assert_eq!(optimizer.lr(), 0.25);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReduceLROnPlateau {
    /// Which metrics are better.
    pub mode: Direction,
    /// The factor, in `[0, 1)`.
    pub factor: f64,
    /// How many steps without a better metric are borne.
    pub patience: usize,
    /// By how much a metric has to be better.
    pub threshold: Threshold,
    /// How many steps after a reduction do not count.
    pub cooldown: usize,
    /// The least rate.
    pub min_lr: PerGroup,
    /// The least change that is made.
    pub eps: f64,
}

impl Default for ReduceLROnPlateau {
    /// A tenth after more than ten steps in which a metric did not fall by a 10,000th.
    fn default() -> Self {
        Self {
            mode: Direction::Min,
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            min_lr: 0.0.into(),
            eps: 1e-8,
        }
    }
}

impl ReduceLROnPlateau {
    /// Starts to look at the metrics.
    pub fn start(self, optimizer: &mut dyn Rates) -> Result<PlateauScheduler> {
        check("ReduceLROnPlateau", [("factor", self.factor)], 0.0..1.0)?;
        self.min_lr.check("ReduceLROnPlateau", "min_lr", optimizer.lrs().len())?;
        let best = match self.mode {
            Direction::Min => f64::INFINITY,
            Direction::Max => f64::NEG_INFINITY,
        };
        Ok(PlateauScheduler { options: self, best, bad_epochs: 0, cooldown: 0, last_epoch: 0 })
    }

    fn is_better(&self, metric: f64, best: f64) -> bool {
        match (self.mode, self.threshold) {
            (Direction::Min, Threshold::Relative(part)) => metric < best * (1. - part),
            (Direction::Min, Threshold::Absolute(much)) => metric < best - much,
            (Direction::Max, Threshold::Relative(part)) => metric > best * (1. + part),
            (Direction::Max, Threshold::Absolute(much)) => metric > best + much,
        }
    }
}

/// [`ReduceLROnPlateau`] that has started; [`step_with`](LrScheduler::step_with) tells it the metric.
#[derive(Clone, Debug)]
pub struct PlateauScheduler {
    options: ReduceLROnPlateau,
    best: f64,
    bad_epochs: usize,
    cooldown: usize,
    last_epoch: usize,
}

impl LrScheduler for PlateauScheduler {
    fn step(&mut self, _: &mut dyn Rates) -> Result<()> {
        Err(Error::value("ReduceLROnPlateau", "needs a metric: use `step_with`"))
    }

    fn step_with(&mut self, optimizer: &mut dyn Rates, metric: f64) -> Result<()> {
        self.last_epoch += 1;
        if self.options.is_better(metric, self.best) {
            self.best = metric;
            self.bad_epochs = 0;
        } else {
            self.bad_epochs += 1;
        }
        if self.cooldown > 0 {
            self.cooldown -= 1;
            self.bad_epochs = 0;
        }
        if self.bad_epochs > self.options.patience {
            for (i, group) in optimizer.rates_mut().into_iter().enumerate() {
                let lr = (*group.lr * self.options.factor).max(self.options.min_lr.of(i));
                if *group.lr - lr > self.options.eps {
                    *group.lr = lr;
                }
            }
            self.cooldown = self.options.cooldown;
            self.bad_epochs = 0;
        }
        Ok(())
    }

    fn last_epoch(&self) -> usize {
        self.last_epoch
    }

    fn state_dict(&self) -> Result<StateDict> {
        let whole = |x: usize| whole_number(x as i64);
        Ok([
            ("best".to_owned(), real_number(self.best)?),
            ("num_bad_epochs".to_owned(), whole(self.bad_epochs)?),
            ("cooldown_counter".to_owned(), whole(self.cooldown)?),
            ("last_epoch".to_owned(), whole(self.last_epoch)?),
        ]
        .into())
    }

    fn load_state_dict(&mut self, state: &StateDict) -> Result<()> {
        let mut saved = Saved::new(state);
        let best = saved.number("best")?;
        let mut whole = |name| saved.whole_number(name).map(|x| x as usize);
        let (bad_epochs, cooldown) = (whole("num_bad_epochs")?, whole("cooldown_counter")?);
        let last_epoch = whole("last_epoch")?;
        saved.finish()?;
        *self = Self { options: self.options.clone(), best, bad_epochs, cooldown, last_epoch };
        Ok(())
    }
}
