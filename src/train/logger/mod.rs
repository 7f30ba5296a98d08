//! Where the numbers of a training go.
#[cfg(feature = "plot")]
mod canvas;
mod csv;
#[cfg(feature = "plot")]
mod plot;
mod table;
mod tensorboard;

pub use csv::CsvLogger;
#[cfg(feature = "plot")]
pub use plot::PlotLogger;
pub use table::TableLogger;
pub use tensorboard::TensorBoardLogger;

use super::Run;
use crate::Result;

/// Takes the numbers of a training.
pub trait Logger: Send {
    /// Takes numbers that belong together.
    fn log(&mut self, record: &Record) -> Result<()>;

    /// Writes what is left, at the end of a training.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Numbers that belong together: those of a step, or of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// How many epochs are finished.
    pub epoch: usize,
    /// How many steps the optimizer has taken.
    pub step: usize,
    /// Whether they are of an epoch, rather than of a step.
    pub of_epoch: bool,
    /// Names and numbers.
    pub values: Vec<(String, f64)>,
}

impl Record {
    /// Numbers of a step.
    pub(super) fn step(run: &Run, values: Vec<(String, f64)>) -> Self {
        Self { epoch: run.epoch, step: run.step, of_epoch: false, values }
    }

    /// Numbers of an epoch: those of steps are left out.
    pub(super) fn epoch(run: &Run, values: Vec<(String, f64)>) -> Self {
        let values = values.into_iter().filter(|(name, _)| !name.ends_with("_step")).collect();
        Self { epoch: run.epoch, step: run.step, of_epoch: true, values }
    }
}
