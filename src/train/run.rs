//! Where a training stands, as callbacks see it.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where a training stands, and what callbacks may ask for.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How many epochs are finished.
    pub epoch: usize,
    /// How many steps the optimizer has taken.
    pub step: usize,
    /// How many batches of this epoch are done.
    pub batch: usize,
    /// How many batches an epoch has, where that is known.
    pub num_batches: Option<usize>,
    /// How many epochs there are to be.
    pub max_epochs: usize,
    /// The latest of each number that was reported: `train_loss`, `val_accuracy`.
    pub metrics: BTreeMap<String, f64>,
    /// The learning rate of each group of parameters.
    pub lrs: Vec<f64>,
    pub(super) stopped: Option<String>,
    pub(super) saves: Vec<PathBuf>,
    pub(super) logged: Vec<(String, f64)>,
}

impl Run {
    /// Ends the training after this step or epoch.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stopped = Some(reason.into());
    }

    /// Why the training was ended before its time, where it was.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Saves a checkpoint once all callbacks have had their turn, so that it holds the state of each.
    pub fn save(&mut self, path: impl AsRef<Path>) {
        self.saves.push(path.as_ref().to_owned());
    }

    /// Hands a number to the loggers, at this step.
    pub fn log(&mut self, name: impl Into<String>, value: f64) {
        self.logged.push((name.into(), value));
    }
}
