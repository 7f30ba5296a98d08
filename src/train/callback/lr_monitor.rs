//! Learning rates among the numbers that are logged.
use super::Callback;
use crate::{Result, train::Run};

/// Hands the learning rate to the loggers: `lr`, or `lr_0`, `lr_1`, .. where there are several groups.
/// <https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LearningRateMonitor.html>
#[derive(Clone, Debug)]
pub struct LearningRateMonitor {
    every_n_steps: usize,
}

impl LearningRateMonitor {
    /// Every how many steps.
    pub fn new(every_n_steps: usize) -> Self {
        Self { every_n_steps: every_n_steps.max(1) }
    }
}

impl Callback for LearningRateMonitor {
    fn on_train_step_end(&mut self, run: &mut Run) -> Result<()> {
        if run.step.is_multiple_of(self.every_n_steps) {
            match run.lrs[..] {
                [lr] => run.log("lr", lr),
                _ => {
                    run.lrs.clone().into_iter().enumerate().for_each(|(i, lr)| run.log(format!("lr_{i}"), lr))
                }
            }
        }
        Ok(())
    }
}
