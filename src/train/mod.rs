//! Training in the manner of Lightning: a model says what its loss is, and the rest is done.
mod callback;
mod learner;
mod logger;
pub mod metrics;
mod options;
mod run;
mod saved;
mod trainer;

pub use callback::{Callback, EarlyStopping, LearningRateMonitor, ModelCheckpoint, ProgressBar};
pub use learner::{Learner, Log};
#[cfg(feature = "plot")]
pub use logger::PlotLogger;
pub use logger::{CsvLogger, Logger, Record, TableLogger, TensorBoardLogger};
pub use options::{Clip, Interval, TrainerOptions};
pub use run::Run;
pub use trainer::Trainer;
