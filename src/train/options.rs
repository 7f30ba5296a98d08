//! How a trainer trains.

/// How gradients are kept from growing too large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Scales them so that their norm is no more than this.
    Norm(f64),
    /// Keeps each number within this from zero.
    Value(f64),
}

/// When a scheduler changes the learning rates.
#[derive(Clone, Debug, PartialEq)]
pub enum Interval {
    /// After each step of the optimizer.
    Step,
    /// After each epoch.
    Epoch,
    /// After each epoch, by the number of this name, such as `val_loss`.
    Monitor(String),
}

/// How a [`Trainer`](super::Trainer) trains.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainerOptions {
    /// How often to go through the training set.
    pub max_epochs: usize,
    /// After how many steps of the optimizer to stop, whatever the epoch.
    pub max_steps: Option<usize>,
    /// Of how many batches the gradients are averaged for each step.
    pub accumulate_grad_batches: usize,
    /// How gradients are kept from growing too large.
    pub gradient_clip: Option<Clip>,
    /// Every how many steps numbers go to the loggers.
    pub log_every_n_steps: usize,
    /// Every how many epochs the model is validated.
    pub check_val_every_n_epoch: usize,
    /// How many batches of an epoch are used, for a quick try.
    pub limit_batches: Option<usize>,
}

impl Default for TrainerOptions {
    fn default() -> Self {
        Self {
            max_epochs: 1,
            max_steps: None,
            accumulate_grad_batches: 1,
            gradient_clip: None,
            log_every_n_steps: 50,
            check_val_every_n_epoch: 1,
            limit_batches: None,
        }
    }
}
