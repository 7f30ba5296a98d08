//! Which class is taken for which, and what follows from it.
use super::{Metric, Scores, best, classes_of};
use crate::{Error, Result, TensorData};

/// How often each class was taken for each: rows are the right classes, columns the predicted ones.
/// <https://lightning.ai/docs/torchmetrics/stable/classification/confusion_matrix.html>
///
/// ```
/// use firesteel::{train::metrics::ConfusionMatrix, prelude::*};
/// let mut matrix = ConfusionMatrix::new(2)?;
/// matrix.update(&Tensor::new([0, 1, 1, 1], &Cpu)?, &Tensor::new([0, 0, 1, 1], &Cpu)?)?;
/// assert_eq!(matrix.counts(), [vec![1, 1], vec![0, 2]]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// An empty matrix of this many classes.
    #[track_caller]
    pub fn new(num_classes: usize) -> Result<Self> {
        if num_classes < 2 {
            let why = format!("{num_classes} classes cannot be confused: there are two at least");
            return Err(Error::value("confusion_matrix", why));
        }
        Ok(Self { counts: vec![vec![0; num_classes]; num_classes] })
    }

    /// Counts a batch: scores `(n, classes, ..)`, or classes that look like the targets.
    #[track_caller]
    pub fn update<B: crate::Backend>(
        &mut self,
        predictions: &crate::Tensor<B>,
        targets: &crate::Tensor<B>,
    ) -> Result<()> {
        self.update_data(&predictions.to_data()?, &targets.to_data()?)
    }

    /// Counts a batch in host memory.
    pub fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()> {
        let classes = self.counts.len();
        if predictions.shape() == targets.shape() {
            let predicted = classes_of("confusion_matrix", predictions, classes)?;
            let targets = classes_of("confusion_matrix", targets, classes)?;
            for (predicted, target) in predicted.into_iter().zip(targets) {
                self.counts[target as usize][predicted as usize] += 1;
            }
            return Ok(());
        }
        let scores = Scores::new("confusion_matrix", predictions, targets)?;
        if scores.classes != classes {
            let why = format!("there are scores of {} classes, and the matrix has {classes}", scores.classes);
            return Err(Error::shape("confusion_matrix", why));
        }
        for (row, target) in scores.rows() {
            self.counts[target][best(&row)] += 1;
        }
        Ok(())
    }

    /// The counts, a row for each right class.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Counts from the start.
    pub fn reset(&mut self) {
        self.counts.iter_mut().for_each(|row| row.fill(0));
    }

    /// What was counted of one class.
    fn class(&self, class: usize) -> Counts {
        let right = self.counts[class][class];
        let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
        let present: u64 = self.counts[class].iter().sum();
        Counts { right, missed: present - right, wrong: predicted - right }
    }
}

/// What was counted of one class, or of several together.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// True positives.
    right: u64,
    /// False negatives.
    missed: u64,
    /// False positives.
    wrong: u64,
}

impl Counts {
    fn add(self, other: Self) -> Self {
        let Self { right, missed, wrong } = other;
        Self { right: self.right + right, missed: self.missed + missed, wrong: self.wrong + wrong }
    }
}

/// How a measure of each class becomes one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassAverage {
    /// The mean over the classes that are there or were predicted.
    #[default]
    Macro,
    /// Of all predictions together.
    Micro,
    /// The mean, each class as often as it is there.
    Weighted,
    /// Of class 1 of two, the positive one.
    Binary,
}

/// `top / bottom`, and 0 where both are.
fn ratio(top: u64, bottom: u64) -> f64 {
    if bottom == 0 { 0. } else { top as f64 / bottom as f64 }
}

/// Measures that follow from the counts of each class.
macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident $op:literal |$c:ident| $measure:expr;)*) => {$(
        $(#[$doc])*
        /// Predictions are scores `(n, classes, ..)`, or classes that look like the targets.
        #[doc = concat!("\n<https://lightning.ai/docs/torchmetrics/stable/classification/", $op, ".html>")]
        #[derive(Clone, Debug)]
        pub struct $name {
            matrix: ConfusionMatrix,
            average: ClassAverage,
        }

        impl $name {
            /// The measure of this many classes.
            #[track_caller]
            pub fn new(num_classes: usize, average: ClassAverage) -> Result<Self> {
                if average == ClassAverage::Binary && num_classes != 2 {
                    let why = format!("{num_classes} classes are not two, of which one is positive");
                    return Err(Error::value($op, why));
                }
                Ok(Self { matrix: ConfusionMatrix::new(num_classes)?, average })
            }

            /// The measure of each class.
            pub fn per_class(&self) -> Vec<f64> {
                let measure = |$c: Counts| $measure;
                (0..self.matrix.counts.len()).map(|class| measure(self.matrix.class(class))).collect()
            }
        }

        impl Metric for $name {
            fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()> {
                self.matrix.update_data(predictions, targets).map_err(|e| e.within($op))
            }

            fn compute(&self) -> Result<f64> {
                let measure = |$c: Counts| $measure;
                averaged($op, &self.matrix, self.average, measure)
            }

            fn reset(&mut self) {
                self.matrix.reset();
            }
        }
    )*};
}

measures! {
    /// The part of what was predicted as a class that is of that class.
    Precision "precision" |c| ratio(c.right, c.right + c.wrong);
    /// The part of what is of a class that was predicted as that class.
    Recall "recall" |c| ratio(c.right, c.right + c.missed);
    /// The harmonic mean of [`Precision`] and [`Recall`].
    F1Score "f1_score" |c| ratio(2 * c.right, 2 * c.right + c.wrong + c.missed);
}

fn averaged(
    metric: &'static str,
    matrix: &ConfusionMatrix,
    average: ClassAverage,
    measure: impl Fn(Counts) -> f64,
) -> Result<f64> {
    let classes: Vec<Counts> = (0..matrix.counts.len()).map(|class| matrix.class(class)).collect();
    let weight = |c: &Counts| match average {
        ClassAverage::Weighted => c.right + c.missed,
        ClassAverage::Macro => u64::from(c.right + c.missed + c.wrong > 0),
        ClassAverage::Micro | ClassAverage::Binary => 1,
    };
    if classes.iter().all(|c| c.right + c.missed == 0) {
        return Err(Error::value(metric, "there were no predictions to measure"));
    }
    Ok(match average {
        ClassAverage::Micro => measure(classes.iter().copied().fold(Counts::default(), Counts::add)),
        ClassAverage::Binary => measure(classes[1]),
        ClassAverage::Macro | ClassAverage::Weighted => {
            let total: u64 = classes.iter().map(weight).sum();
            classes.iter().map(|c| weight(c) as f64 * measure(*c)).sum::<f64>() / total as f64
        }
    })
}
