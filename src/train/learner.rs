//! What a model has to say of its training, and what it reports meanwhile.
use super::metrics::Metric;
use crate::{Backend, Differentiable, Error, Result, Tensor, io::pth::Value, nn::Module};
use std::collections::BTreeMap;

/// A model that a [`Trainer`](super::Trainer) can train: what Lightning calls a `LightningModule`.
///
/// ```
/// use firesteel::{nn::{CrossEntropyLoss, Layer, Linear, Module}, prelude::*};
/// use firesteel::train::{Learner, Log, metrics::Accuracy};
///
/// /// Tells ten digits apart, of 64 numbers each.
/// #[derive(Module)]
/// struct Digits<B: Backend> {
///     layer: Linear<B>,
/// }
///
/// impl<D: Differentiable> Learner<D> for Digits<D> {
///     type Batch = (Tensor<D>, Tensor<D>);
///
///     fn training_step(&self, (x, y): &Self::Batch, _log: &mut Log) -> Result<Tensor<D>> {
///         CrossEntropyLoss::default().forward(&self.layer.forward(x)?, y)
///     }
///
///     fn validation_step(&self, (x, y): &Self::Batch, log: &mut Log) -> Result<()> {
///         let scores = self.layer.forward(x)?;
///         log.mean("loss", &CrossEntropyLoss::default().forward(&scores, y)?, y.numel());
///         log.metric("accuracy", Accuracy::new, &scores, y)
///     }
/// }
/// # let digits = Digits { layer: Linear::new(64, 10, &Autodiff::new(Cpu))? };
/// # let batch = (Tensor::zeros([2, 64], &Autodiff::new(Cpu))?, Tensor::new([1, 2], &Autodiff::new(Cpu))?);
/// # let mut log = Log::default();
/// # digits.validation_step(&batch, &mut log)?;
/// # assert_eq!(log.results()?.len(), 2);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Learner<D: Differentiable>: Module<D> {
    /// What a loader gives: a batch on the device.
    type Batch;

    /// The loss of a batch, of one element.
    fn training_step(&self, batch: &Self::Batch, log: &mut Log) -> Result<Tensor<D>>;

    /// Reports how good the model is on a batch of the validation set.
    fn validation_step(&self, _batch: &Self::Batch, _log: &mut Log) -> Result<()> {
        Err(Error::unsupported("validate", "the learner has no `validation_step`"))
    }

    /// Reports how good the model is on a batch of the test set: as on the validation set, unless it says
    /// otherwise.
    fn test_step(&self, batch: &Self::Batch, log: &mut Log) -> Result<()> {
        self.validation_step(batch, log)
    }

    /// What the model makes of a batch.
    fn predict_step(&self, _batch: &Self::Batch) -> Result<Tensor<D>> {
        Err(Error::unsupported("predict", "the learner has no `predict_step`"))
    }
}

/// A number of a batch: its name, how many examples it counts for, and how it is read.
type Pending = (String, f64, Box<dyn FnOnce() -> Result<f64> + Send>);

/// What is reported of the batches of an epoch.
#[derive(Default)]
pub struct Log {
    /// Not read from the device yet, so that nothing waits for it.
    pending: Vec<Pending>,
    /// Sums and weights.
    means: BTreeMap<String, (f64, f64)>,
    metrics: BTreeMap<String, Box<dyn Metric>>,
}

/// How many numbers may wait on the device.
const PENDING: usize = 64;

impl Log {
    /// Reports a number of a batch, which is averaged over the epoch. A batch counts by its number of examples.
    pub fn mean<B: Backend>(&mut self, name: &str, value: &Tensor<B>, examples: usize) {
        let value = value.detach();
        self.pending.push((name.to_owned(), examples as f64, Box::new(move || value.item())));
    }

    /// Takes a batch into a metric, which `make` makes in the first one.
    ///
    /// ```
    /// use firesteel::{train::{Log, metrics::MeanAbsoluteError}, prelude::*};
    /// let mut log = Log::default();
    /// let (x, y) = (Tensor::new([1.0, 2.0], &Cpu)?, Tensor::new([1.0, 5.0], &Cpu)?);
    /// log.metric("mae", MeanAbsoluteError::new, &x, &y)?;
    /// assert_eq!(log.results()?["mae"], 1.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn metric<M: Metric + 'static, B: Backend>(
        &mut self,
        name: &str,
        make: impl FnOnce() -> M,
        predictions: &Tensor<B>,
        targets: &Tensor<B>,
    ) -> Result<()> {
        let metric = self.metrics.entry(name.to_owned()).or_insert_with(|| Box::new(make()));
        metric.update_data(&predictions.to_data()?, &targets.to_data()?)
    }

    /// Reads what waits on the device, once there is enough of it.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.pending.len() < PENDING { Ok(()) } else { self.read() }
    }

    fn read(&mut self) -> Result<()> {
        for (name, weight, value) in self.pending.drain(..) {
            let (sum, weights) = self.means.entry(name).or_default();
            *sum += weight * value()?;
            *weights += weight;
        }
        Ok(())
    }

    /// What the means are made of so far, for a checkpoint. Metrics are not in it.
    pub(super) fn sums(&mut self) -> Result<Value> {
        self.read()?;
        let sums = self.means.iter().map(|(name, (sum, weights))| {
            (name.as_str(), Value::List(vec![(*sum).into(), (*weights).into()]))
        });
        Ok(Value::dict(sums))
    }

    /// Goes on from what [`sums`](Self::sums) gave.
    pub(super) fn from_sums(sums: &Value) -> Result<Self> {
        let mut log = Self::default();
        let Value::Dict(sums) = sums else { return Ok(log) };
        for (name, sum) in sums {
            let numbers = sum.items().map(|pair| pair.iter().filter_map(Value::as_f64).collect::<Vec<_>>());
            match (name.as_str(), numbers.as_deref()) {
                (Some(name), Some([sum, weights])) => log.means.insert(name.to_owned(), (*sum, *weights)),
                _ => {
                    return Err(Error::format(
                        "resume",
                        format!("the checkpoint has {sum} as the mean of {name}"),
                    ));
                }
            };
        }
        Ok(log)
    }

    /// Every mean and metric by its name.
    pub fn results(&mut self) -> Result<BTreeMap<String, f64>> {
        self.read()?;
        let means = self.means.iter().map(|(name, (sum, weights))| Ok((name.clone(), sum / weights)));
        let metrics = self.metrics.iter().map(|(name, metric)| Ok((name.clone(), metric.compute()?)));
        means.chain(metrics).collect()
    }
}
