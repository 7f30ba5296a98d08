//! Checkpoints of the best epochs, and of the latest.
use super::{Callback, improves, monitored, saved};
use crate::{Error, Result, io::pth::Value, optim::lr_scheduler::Direction, train::Run};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Saves the training after each epoch as an [`io::Checkpoint`](crate::io::Checkpoint): the best ones by a number that
/// is watched, and the latest as `last.pth`. Each is there whole or not at all.
/// <https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelCheckpoint.html>
///
/// ```
/// use firesteel::{optim::lr_scheduler::Direction, train::ModelCheckpoint};
/// let best = ModelCheckpoint::new("checkpoints").monitor("val_accuracy", Direction::Max).save_top_k(3);
/// assert!(best.last_path().ends_with("last.pth"));
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    folder: PathBuf,
    monitor: Option<(String, Direction)>,
    save_top_k: usize,
    save_last: bool,
    every_n_train_steps: Option<usize>,
    /// The best first.
    best: Vec<(f64, PathBuf)>,
}

impl ModelCheckpoint {
    /// Saves the latest in this folder, which is made where it is not there.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        Self {
            folder,
            monitor: None,
            save_top_k: 1,
            save_last: true,
            every_n_train_steps: None,
            best: vec![],
        }
    }

    /// Saves the best as well, by the number of this name.
    pub fn monitor(self, name: impl Into<String>, mode: Direction) -> Self {
        Self { monitor: Some((name.into(), mode)), ..self }
    }

    /// How many of the best are kept: 1 unless it is set.
    pub fn save_top_k(self, save_top_k: usize) -> Self {
        Self { save_top_k, ..self }
    }

    /// Whether the latest is saved after each epoch, as it is unless it is set.
    pub fn save_last(self, save_last: bool) -> Self {
        Self { save_last, ..self }
    }

    /// Saves the latest every so many steps besides.
    pub fn every_n_train_steps(self, steps: usize) -> Self {
        Self { every_n_train_steps: Some(steps), ..self }
    }

    /// The best epochs' numbers and files, the best first.
    pub fn best(&self) -> &[(f64, PathBuf)] {
        &self.best
    }

    /// The file of the latest.
    pub fn last_path(&self) -> PathBuf {
        self.folder.join("last.pth")
    }

    /// Saves this epoch where it is among the best, and removes the one that is not any more.
    fn save_best(&mut self, run: &mut Run) -> Result<()> {
        let Some((name, mode)) = &self.monitor else { return Ok(()) };
        let value = monitored("model_checkpoint", run, name)?;
        let rank = self.best.iter().take_while(|(best, _)| !improves(*mode, value, *best, 0.)).count();
        if rank >= self.save_top_k || value.is_nan() {
            return Ok(());
        }
        // names are for people; what would lead out of the folder has no place in one
        let safe: String = name.chars().map(|c| if "/\\:".contains(c) { '_' } else { c }).collect();
        let path = self.folder.join(format!("epoch={}-{safe}={value:.4}.pth", run.epoch));
        run.save(&path);
        self.best.insert(rank, (value, path.clone()));
        for (_, worse) in self.best.drain(self.save_top_k.min(self.best.len())..) {
            match fs::remove_file(&worse) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound && worse != path => {
                    let why = format!("cannot remove {}: {e}", worse.display());
                    return Err(Error::io("model_checkpoint", why).because(e));
                }
                _ => (),
            }
        }
        Ok(())
    }
}

impl Callback for ModelCheckpoint {
    fn on_fit_start(&mut self, _: &mut Run) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(|e| {
            let why = format!("cannot make the folder {}: {e}", self.folder.display());
            Error::io("model_checkpoint", why).because(e)
        })
    }

    fn on_train_step_end(&mut self, run: &mut Run) -> Result<()> {
        if self.every_n_train_steps.is_some_and(|n| n > 0 && run.step.is_multiple_of(n)) {
            run.save(self.last_path());
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, run: &mut Run) -> Result<()> {
        self.save_best(run)?;
        if self.save_last {
            run.save(self.last_path());
        }
        Ok(())
    }

    fn state(&self) -> Value {
        let best = self.best.iter().map(|(value, path)| {
            Value::dict([("value", (*value).into()), ("path", path.display().to_string().into())])
        });
        Value::dict([("best", best.collect())])
    }

    fn load_state(&mut self, state: &Value) -> Result<()> {
        let who = "model_checkpoint";
        let file = |entry: &Value| {
            let path = saved(who, entry, "path", Value::as_str)?;
            Ok((saved(who, entry, "value", Value::as_f64)?, PathBuf::from(path)))
        };
        self.best = saved(who, state, "best", Value::items)?.iter().map(file).collect::<Result<_>>()?;
        Ok(())
    }
}
