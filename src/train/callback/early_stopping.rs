//! An end when there is no more to be gained.
use super::{Callback, improves, monitored, saved};
use crate::{Result, io::pth::Value, optim::lr_scheduler::Direction, train::Run};

/// Ends a training when a number has not become better for some epochs.
/// <https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.EarlyStopping.html>
///
/// ```
/// use firesteel::train::{Callback, EarlyStopping, Run};
/// let mut stopping = EarlyStopping::new("val_loss").patience(2);
/// let mut run = Run::default();
/// for loss in [1.0, 0.5, 0.6, 0.5] {
///     assert!(run.stopped().is_none());
///     run.metrics.insert("val_loss".into(), loss);
///     stopping.on_epoch_end(&mut run)?;
/// }
/// assert!(run.stopped().is_some());
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: String,
    mode: Direction,
    patience: usize,
    min_delta: f64,
    check_finite: bool,
    best: Option<f64>,
    waited: usize,
}

impl EarlyStopping {
    /// Watches the number of this name, which is better when it is smaller, with a patience of 3.
    pub fn new(monitor: impl Into<String>) -> Self {
        let (monitor, mode) = (monitor.into(), Direction::Min);
        Self { monitor, mode, patience: 3, min_delta: 0., check_finite: true, best: None, waited: 0 }
    }

    /// Which way the number is better.
    pub fn mode(self, mode: Direction) -> Self {
        Self { mode, ..self }
    }

    /// How many epochs in a row may pass without the number becoming better.
    pub fn patience(self, patience: usize) -> Self {
        Self { patience, ..self }
    }

    /// By how much more than this the number has to become better: 0 unless it is set.
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }

    /// Whether a number that is not finite ends the training at once, as it does unless it is set.
    pub fn check_finite(self, check_finite: bool) -> Self {
        Self { check_finite, ..self }
    }
}

impl Callback for EarlyStopping {
    fn on_epoch_end(&mut self, run: &mut Run) -> Result<()> {
        let value = monitored("early_stopping", run, &self.monitor)?;
        if self.check_finite && !value.is_finite() {
            run.stop(format!("{} is {value}", self.monitor));
        } else if self.best.is_none_or(|best| improves(self.mode, value, best, self.min_delta)) {
            (self.best, self.waited) = (Some(value), 0);
        } else {
            self.waited += 1;
            if self.waited >= self.patience {
                run.stop(format!("{} has not become better for {} epochs", self.monitor, self.waited));
            }
        }
        Ok(())
    }

    fn state(&self) -> Value {
        let best = self.best.map_or(Value::None, Value::from);
        Value::dict([("best", best), ("waited", (self.waited as u64).into())])
    }

    fn load_state(&mut self, state: &Value) -> Result<()> {
        self.best = state.get("best").and_then(Value::as_f64);
        let waited = saved("early_stopping", state, "waited", Value::as_i64)?;
        self.waited = usize::try_from(waited).unwrap_or(0);
        Ok(())
    }
}
