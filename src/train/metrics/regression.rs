//! How far numbers are from those that they should be.
use super::{Metric, mean};
use crate::{Error, Result, TensorData};

/// Means over all numbers of how far they are off.
macro_rules! means {
    ($($(#[$doc:meta])* $name:ident $op:literal |$d:ident| $error:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            total: f64,
            count: usize,
        }

        impl $name {
            /// Without numbers yet.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl Metric for $name {
            fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()> {
                let error = |$d: f64| $error;
                for d in differences($op, predictions, targets)? {
                    self.total += error(d);
                    self.count += 1;
                }
                Ok(())
            }

            fn compute(&self) -> Result<f64> {
                mean($op, self.total, self.count)
            }

            fn reset(&mut self) {
                *self = Self::new();
            }
        }
    )*};
}

means! {
    /// The mean of `|prediction - target|`, of one shape.
    /// <https://lightning.ai/docs/torchmetrics/stable/regression/mean_absolute_error.html>
    MeanAbsoluteError "mean_absolute_error" |d| d.abs();
    /// The mean of `(prediction - target)²`, of one shape.
    /// <https://lightning.ai/docs/torchmetrics/stable/regression/mean_squared_error.html>
    MeanSquaredError "mean_squared_error" |d| d * d;
}

fn differences(
    metric: &'static str,
    predictions: &TensorData,
    targets: &TensorData,
) -> Result<impl Iterator<Item = f64>> {
    if predictions.shape() != targets.shape() {
        let why = format!("predictions of {} and targets of {} differ", predictions.shape(), targets.shape());
        return Err(Error::shape(metric, why));
    }
    let (predictions, targets) = (predictions.to_vec::<f64>(), targets.to_vec::<f64>());
    Ok(predictions.into_iter().zip(targets).map(|(p, t)| p - t))
}
