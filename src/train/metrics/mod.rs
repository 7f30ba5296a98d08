//! How good predictions are, batch by batch: the measures of
//! [torchmetrics](https://lightning.ai/docs/torchmetrics/stable/).
mod accuracy;
mod auroc;
mod confusion;
mod perplexity;
mod regression;

pub use accuracy::Accuracy;
pub use auroc::AUROC;
pub use confusion::{ClassAverage, ConfusionMatrix, F1Score, Precision, Recall};
pub use perplexity::Perplexity;
pub use regression::{MeanAbsoluteError, MeanSquaredError};

use crate::{Backend, Error, Result, Tensor, TensorData};

/// A measure of predictions, gathered batch by batch.
///
/// ```
/// use firesteel::{train::metrics::{Accuracy, Metric}, prelude::*};
/// let mut accuracy = Accuracy::new();
/// let scores = Tensor::new([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], &Cpu)?;
/// accuracy.update(&scores, &Tensor::new([1, 1, 1], &Cpu)?)?;
/// assert!((accuracy.compute()? - 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Metric: Send {
    /// Takes in a batch, in host memory.
    fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()>;

    /// The measure of all batches since the start; an error where there were none.
    fn compute(&self) -> Result<f64>;

    /// Starts again.
    fn reset(&mut self);

    /// Takes in a batch.
    fn update<B: Backend>(&mut self, predictions: &Tensor<B>, targets: &Tensor<B>) -> Result<()>
    where
        Self: Sized,
    {
        self.update_data(&predictions.to_data()?, &targets.to_data()?)
    }
}

/// Scores of classes at dim 1, seen as rows: for `(n, classes, ..)` one row for each place of `(n, ..)`.
struct Scores {
    classes: usize,
    /// How many places there are behind dim 1.
    inner: usize,
    values: Vec<f64>,
    targets: Vec<i64>,
}

impl Scores {
    /// The scores, and the class that is right at each place.
    fn new(metric: &'static str, predictions: &TensorData, targets: &TensorData) -> Result<Self> {
        let [n, classes, rest @ ..] = &predictions.shape()[..] else {
            let why = format!("scores are (n, classes, ..), not {}", predictions.shape());
            return Err(Error::shape(metric, why));
        };
        let places: Vec<usize> = std::iter::once(n).chain(rest).copied().collect();
        if targets.shape()[..] != places {
            let why = format!("targets of {} do not fit scores of {}", targets.shape(), predictions.shape());
            return Err(Error::shape(metric, why));
        }
        let targets = classes_of(metric, targets, *classes)?;
        let inner = rest.iter().product();
        Ok(Self { classes: *classes, inner, values: predictions.to_vec(), targets })
    }

    /// The score of a class at a place.
    fn score(&self, place: usize, class: usize) -> f64 {
        let (outer, inner) = (place / self.inner, place % self.inner);
        self.values[(outer * self.classes + class) * self.inner + inner]
    }

    /// The scores of all classes at each place, and the class that is right.
    fn rows(&self) -> impl Iterator<Item = (Vec<f64>, usize)> {
        self.targets.iter().enumerate().map(|(place, &target)| {
            ((0..self.classes).map(|class| self.score(place, class)).collect(), target as usize)
        })
    }
}

/// Numbers of classes, each below `classes`.
fn classes_of(metric: &'static str, data: &TensorData, classes: usize) -> Result<Vec<i64>> {
    if data.dtype().is_float() {
        return Err(Error::dtype(metric, format!("classes are whole numbers, not {}", data.dtype())));
    }
    let numbers = data.to_vec::<i64>();
    match numbers.iter().find(|&&class| !usize::try_from(class).is_ok_and(|class| class < classes)) {
        Some(class) => Err(Error::index(metric, format!("{class} is not one of {classes} classes"))),
        None => Ok(numbers),
    }
}

/// The class with the highest score: the first of several, and a NaN before all, as `argmax` finds it.
fn best(scores: &[f64]) -> usize {
    let higher = |best: usize, i: usize| match (scores[best].is_nan(), scores[i].is_nan()) {
        (true, _) => best,
        (false, true) => i,
        (false, false) if scores[i] > scores[best] => i,
        (false, false) => best,
    };
    (0..scores.len()).reduce(higher).unwrap_or(0)
}

/// A quotient of what was counted; an error where nothing was.
fn mean(metric: &'static str, sum: f64, count: usize) -> Result<f64> {
    if count == 0 {
        return Err(Error::value(metric, "there were no predictions to measure"));
    }
    Ok(sum / count as f64)
}
