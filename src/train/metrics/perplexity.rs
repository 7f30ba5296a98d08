//! How surprised a language model is.
use super::{Metric, mean};
use crate::{Error, Result, TensorData};

/// `exp` of the mean of `-ln p` over all tokens, where `p` is the probability of the right one. Predictions are
/// logits `(.., vocabulary)` beside targets `(..)`.
/// <https://lightning.ai/docs/torchmetrics/stable/text/perplexity.html>
///
/// ```
/// use firesteel::{train::metrics::{Metric, Perplexity}, prelude::*};
/// let mut perplexity = Perplexity::new();
/// let logits = Tensor::zeros([1, 3, 50], &Cpu)?;
/// perplexity.update(&logits, &Tensor::new([[4, 5, 6]], &Cpu)?)?;
/// assert!((perplexity.compute()? - 50.0).abs() < 1e-9);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Perplexity {
    ignore_index: Option<i64>,
    /// Of `-ln p`.
    total: f64,
    count: usize,
}

impl Perplexity {
    /// Of all tokens.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out the places where the target is this, such as padding.
    pub fn ignore_index(self, index: i64) -> Self {
        Self { ignore_index: Some(index), ..self }
    }
}

impl Metric for Perplexity {
    fn update_data(&mut self, predictions: &TensorData, targets: &TensorData) -> Result<()> {
        let Some((&vocabulary, places)) = predictions.shape().split_last() else {
            return Err(Error::shape("perplexity", "logits are (.., vocabulary), and have a dim at least"));
        };
        if targets.shape()[..] != *places || targets.dtype().is_float() {
            let why = format!("targets of {} do not fit logits of {}", targets.meta(), predictions.shape());
            return Err(Error::shape("perplexity", why));
        }
        let logits: Vec<f64> = predictions.to_vec();
        for (place, target) in targets.to_vec::<i64>().into_iter().enumerate() {
            if Some(target) == self.ignore_index {
                continue;
            }
            let row = &logits[place * vocabulary..][..vocabulary];
            let Some(right) = usize::try_from(target).ok().and_then(|target| row.get(target)) else {
                return Err(Error::index(
                    "perplexity",
                    format!("{target} is not one of {vocabulary} tokens"),
                ));
            };
            // -ln softmax, with the largest logit taken out so that nothing overflows
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            self.total += row.iter().map(|x| (x - most).exp()).sum::<f64>().ln() + most - right;
            self.count += 1;
        }
        Ok(())
    }

    fn compute(&self) -> Result<f64> {
        mean("perplexity", self.total, self.count).map(f64::exp)
    }

    fn reset(&mut self) {
        *self = Self { ignore_index: self.ignore_index, ..Self::new() };
    }
}
