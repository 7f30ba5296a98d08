//! How well scores rank what is positive above what is not.
use super::{Metric, Scores, classes_of};
use crate::{Error, Result, TensorData};

/// The area under the curve of true positives over false positives: how likely something positive scores higher
/// than something negative, where a tie counts a half. It is exact, and keeps all scores. Predictions are scores
/// `(n)` of class 1 beside targets `(n)` of 0 and 1, or `(n, classes, ..)`, and then it is the mean over the
/// classes that are there, each against all others.
/// <https://lightning.ai/docs/torchmetrics/stable/classification/auroc.html>
///
/// ```
/// use firesteel::{train::metrics::{AUROC, Metric}, prelude::*};
/// let mut auroc = AUROC::new();
/// auroc.update(&Tensor::new([0.1, 0.4, 0.35, 0.8], &Cpu)?, &Tensor::new([0, 0, 1, 1], &Cpu)?)?;
/// assert_eq!(auroc.compute()?, 0.75);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AUROC {
    /// The scores of each class; of class 1 alone where there is one list.
    scores: Vec<Vec<f64>>,
    targets: Vec<i64>,
}

impl AUROC {
    /// Without scores yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for AUROC {
    fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()> {
        let (columns, targets) = if predictions.shape() == targets.shape() {
            (vec![predictions.to_vec()], classes_of("auroc", targets, 2)?)
        } else {
            let scores = Scores::new("auroc", predictions, targets)?;
            let places = 0..scores.targets.len();
            let column = |class| places.clone().map(|place| scores.score(place, class)).collect();
            ((0..scores.classes).map(column).collect(), scores.targets)
        };
        if columns.iter().flatten().any(|score: &f64| score.is_nan()) {
            return Err(Error::value("auroc", "a score that is NaN has no rank"));
        }
        if self.scores.is_empty() {
            self.scores = vec![vec![]; columns.len()];
        }
        if self.scores.len() != columns.len() {
            let why =
                format!("scores of {} classes do not go with those of {}", columns.len(), self.scores.len());
            return Err(Error::shape("auroc", why));
        }
        self.scores.iter_mut().zip(columns).for_each(|(all, column)| all.extend(column));
        self.targets.extend(targets);
        Ok(())
    }

    fn compute(&self) -> Result<f64> {
        let areas: Vec<f64> = match &self.scores[..] {
            [positive] => area(positive, &self.targets, 1).into_iter().collect(),
            classes => (0..).zip(classes).filter_map(|(class, s)| area(s, &self.targets, class)).collect(),
        };
        if areas.is_empty() {
            return Err(Error::value("auroc", "there have to be positive and negative examples"));
        }
        Ok(areas.iter().sum::<f64>() / areas.len() as f64)
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}

/// By the ranks of the positives (Mann and Whitney's U): `(Σ rank - p (p + 1) / 2) / (p n)`. Nothing where all
/// examples are of one kind.
fn area(scores: &[f64], targets: &[i64], positive: i64) -> Option<f64> {
    let mut order: Vec<(f64, bool)> = scores.iter().zip(targets).map(|(&s, &t)| (s, t == positive)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank_sum, mut before) = (0., 0);
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = before as f64 + (tied.len() + 1) as f64 / 2.;
        rank_sum += mean_rank * tied.iter().filter(|(_, positive)| *positive).count() as f64;
        before += tied.len();
    }
    let positives = order.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = order.len() as f64 - positives;
    let pairs = positives * negatives;
    (pairs > 0.).then(|| (rank_sum - positives * (positives + 1.) / 2.) / pairs)
}
