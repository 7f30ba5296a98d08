//! What happens in the course of a training, besides the training.
mod early_stopping;
mod lr_monitor;
mod model_checkpoint;
mod progress_bar;

pub use early_stopping::EarlyStopping;
pub use lr_monitor::LearningRateMonitor;
pub use model_checkpoint::ModelCheckpoint;
pub use progress_bar::ProgressBar;

use super::Run;
use crate::{Error, Result, io::pth::Value, optim::lr_scheduler::Direction};

/// Called back in the course of a training. Every method has a default, which does nothing.
///
/// ```
/// use firesteel::{train::{Callback, Run}, Result};
///
/// /// Stops once the loss is small enough.
/// struct Enough(f64);
///
/// impl Callback for Enough {
///     fn on_epoch_end(&mut self, run: &mut Run) -> Result<()> {
///         if run.metrics.get("train_loss").is_some_and(|loss| *loss < self.0) {
///             run.stop("the loss is small enough");
///         }
///         Ok(())
///     }
/// }
/// # let mut run = Run::default();
/// # run.metrics.insert("train_loss".into(), 0.1);
/// # Enough(0.5).on_epoch_end(&mut run)?;
/// # assert!(run.stopped().is_some());
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Callback: Send {
    /// Before the first epoch.
    fn on_fit_start(&mut self, _run: &mut Run) -> Result<()> {
        Ok(())
    }
    /// Before the batches of an epoch.
    fn on_train_epoch_start(&mut self, _run: &mut Run) -> Result<()> {
        Ok(())
    }
    /// After each step of the optimizer.
    fn on_train_step_end(&mut self, _run: &mut Run) -> Result<()> {
        Ok(())
    }
    /// After each epoch, with its validation.
    fn on_epoch_end(&mut self, _run: &mut Run) -> Result<()> {
        Ok(())
    }
    /// After the last epoch.
    fn on_fit_end(&mut self, _run: &mut Run) -> Result<()> {
        Ok(())
    }
    /// What is remembered between calls, for a checkpoint.
    fn state(&self) -> Value {
        Value::None
    }
    /// Restores what [`state`](Self::state) gave.
    fn load_state(&mut self, _state: &Value) -> Result<()> {
        Ok(())
    }
}

/// Whether a number is better than another by more than `delta`. A NaN is never better.
fn improves(mode: Direction, value: f64, best: f64, delta: f64) -> bool {
    match mode {
        Direction::Min => value < best - delta,
        Direction::Max => value > best + delta,
    }
}

/// A number that was reported under this name; an error that says which there are, where there is none.
pub(super) fn monitored(who: &'static str, run: &Run, name: &str) -> Result<f64> {
    run.metrics.get(name).copied().ok_or_else(|| {
        let names: Vec<_> = run.metrics.keys().map(String::as_str).collect();
        Error::value(who, format!("{name:?} was not reported, but {}", names.join(", ")))
    })
}

/// A part of a saved state, read as what it should be.
fn saved<'a, T>(
    who: &'static str,
    state: &'a Value,
    key: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<T> {
    let value = state.get(key).unwrap_or(&Value::None);
    read(value).ok_or_else(|| Error::format(who, format!("the checkpoint has {value} as {key:?}")))
}
