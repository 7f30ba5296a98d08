//! How often the right class is found.
use super::{Metric, Scores, best, mean};
use crate::{Error, Result, TensorData};

/// The part of the predictions that are right. Predictions are scores `(n, classes, ..)` beside targets
/// `(n, ..)`, or classes that look like the targets.
/// <https://lightning.ai/docs/torchmetrics/stable/classification/accuracy.html>
///
/// ```
/// use firesteel::{train::metrics::{Accuracy, Metric}, prelude::*};
/// let mut among_two = Accuracy::top_k(2)?;
/// let scores = Tensor::new([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3]], &Cpu)?;
/// among_two.update(&scores, &Tensor::new([1, 1], &Cpu)?)?;
/// assert_eq!(among_two.compute()?, 0.5);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Accuracy {
    k: usize,
    right: usize,
    all: usize,
}

impl Accuracy {
    /// Right is what has the highest score.
    #[allow(clippy::new_without_default)] // a metric is named by what it counts
    pub fn new() -> Self {
        Self { k: 1, right: 0, all: 0 }
    }

    /// Right is what is among the `k` highest scores, of which the first come first where they are equal.
    #[track_caller]
    pub fn top_k(k: usize) -> Result<Self> {
        if k == 0 {
            return Err(Error::value("accuracy", "at least one class has to count"));
        }
        Ok(Self { k, ..Self::new() })
    }

    fn is_right(&self, scores: &[f64], target: usize) -> bool {
        if self.k == 1 {
            return best(scores) == target;
        }
        let own = scores[target];
        let better = scores.iter().enumerate().filter(|&(i, &s)| s > own || s == own && i < target);
        !own.is_nan() && better.count() < self.k
    }
}

impl Metric for Accuracy {
    fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()> {
        if predictions.shape() == targets.shape() {
            if predictions.dtype().is_float() || self.k > 1 {
                let why = format!("scores are (n, classes, ..), not {}", predictions.meta());
                return Err(Error::shape("accuracy", why));
            }
            let (predictions, targets) = (predictions.to_vec::<i64>(), targets.to_vec::<i64>());
            self.right += predictions.iter().zip(&targets).filter(|(p, t)| p == t).count();
            self.all += targets.len();
            return Ok(());
        }
        let scores = Scores::new("accuracy", predictions, targets)?;
        self.right += scores.rows().filter(|(row, target)| self.is_right(row, *target)).count();
        self.all += scores.targets.len();
        Ok(())
    }

    fn compute(&self) -> Result<f64> {
        mean("accuracy", self.right as f64, self.all)
    }

    fn reset(&mut self) {
        *self = Self { k: self.k, ..Self::new() };
    }
}
