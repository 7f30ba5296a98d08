//! Batch norms over the batches of several processes.
use super::BatchNorm2d;
use crate::nn::{Layer, Module, Visit, VisitModules, VisitMut};
use crate::{Backend, Error, Result, Tensor, keepdim};
use std::{fmt, sync::Arc};

/// Processes (or threads) that train one model together, each on its part of a batch.
pub trait ProcessGroup<B: Backend>: fmt::Debug + Send + Sync + 'static {
    /// How many they are.
    fn world_size(&self) -> usize;

    /// The sum of the tensors that all of them pass, which have one shape. Its gradient is the sum of their gradients,
    /// as [`with_gradient`](crate::with_gradient) makes it.
    fn all_reduce(&self, x: &Tensor<B>) -> Result<Tensor<B>>;
}

/// A batch norm of `(n, c, ..)` whose statistics are those of the batches of all processes together.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html>
///
/// ```
/// use firesteel::{nn::{BatchNorm1d, Layer, SyncBatchNorm}, prelude::*};
/// // alone, it is a batch norm
/// let (sync, batch) = (SyncBatchNorm::new(4, &Cpu)?, BatchNorm1d::new(4, &Cpu)?);
/// let x = Tensor::randn([8, 4], &Cpu)?;
/// assert_eq!(sync.forward(&x)?.to_vec::<f32>()?, batch.forward(&x)?.to_vec::<f32>()?);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
pub struct SyncBatchNorm<B: Backend> {
    norm: BatchNorm2d<B>,
    group: Option<Arc<dyn ProcessGroup<B>>>,
}

impl<B: Backend> SyncBatchNorm<B> {
    /// For `num_features` channels, with `eps` 1e-5 and `momentum` 0.1; alone, until it has a [`group`](Self::group).
    pub fn new(num_features: usize, device: &B) -> Result<Self> {
        BatchNorm2d::new(num_features, device).map(Self::from)
    }

    /// The norm as one of those of the group's processes. Where it is moved to another device it is alone again.
    pub fn group(self, group: Arc<dyn ProcessGroup<B>>) -> Self {
        Self { group: Some(group), ..self }
    }

    /// The statistics and the learned factors and terms.
    pub fn norm(&self) -> &BatchNorm2d<B> {
        &self.norm
    }

    /// By the mean and variance of all processes' batches: first the sums, then those of the squared distances.
    fn normalise(&self, x: &Tensor<B>, group: &dyn ProcessGroup<B>) -> Result<Tensor<B>> {
        let norm = &self.norm;
        let channels = x.size(1)?;
        let others = keepdim((0..x.rank()).filter(|&axis| axis != 1).collect::<Vec<_>>());
        let column: Vec<_> = (0..x.rank()).map(|axis| if axis == 1 { channels } else { 1 }).collect();

        let own = Tensor::full([1], (x.numel() / channels.max(1)) as f64, (x.dtype(), x.backend()))?;
        let sums = x.sum(others.clone())?.reshape([channels])?;
        let sums = group.all_reduce(&Tensor::cat(&[&sums, &own], 0)?)?;
        let count = sums.narrow(0, channels, 1)?.detach();
        if count.item::<f64>()? < 2. {
            let why = "training needs more than one element for each channel among all processes";
            return Err(Error::value("SyncBatchNorm", why));
        }
        let mean = (sums.narrow(0, 0, channels)? / &count)?;
        let distance = (x - &mean.reshape(&column[..])?)?;
        let squares = group.all_reduce(&distance.square()?.sum(others)?.reshape([channels])?)?;

        let scale = ((&squares / &count)? + norm.eps)?.rsqrt()?;
        let scale = norm.weight.as_ref().map_or(Ok(scale.clone()), |weight| &scale * &**weight)?;
        let y = (distance * scale.reshape(&column[..])?)?;
        if norm.running_mean.is_some() {
            norm.track(&mean, &(squares / &(count - 1)?)?)?;
        }
        norm.bias.as_ref().map_or(Ok(y.clone()), |bias| y + bias.reshape(&column[..])?)
    }
}

impl<B: Backend> From<BatchNorm2d<B>> for SyncBatchNorm<B> {
    fn from(norm: BatchNorm2d<B>) -> Self {
        Self { norm, group: None }
    }
}

impl<B: Backend> Layer<B> for SyncBatchNorm<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        if x.rank() < 2 {
            return Err(Error::shape("SyncBatchNorm", format!("takes (n, c, ..), not {}", x.shape())));
        }
        let by_batch = self.norm.training.training() || self.norm.running_mean.is_none();
        match &self.group {
            Some(group) if group.world_size() > 1 && by_batch => self.normalise(x, &**group),
            _ => self.norm.normalise(x),
        }
    }
}

impl<B: Backend> fmt::Debug for SyncBatchNorm<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{:?}", self.norm).replacen("BatchNorm2d", "SyncBatchNorm", 1))
    }
}

/// Its leaves are those of the batch norm.
impl<B: Backend> Module<B> for SyncBatchNorm<B> {
    type Over<C: Backend> = SyncBatchNorm<C>;
    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        self.norm.visit(path, visit)
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        self.norm.visit_mut(path, visit)
    }
    fn to<C: Backend>(&self, device: &C) -> Result<SyncBatchNorm<C>> {
        self.norm.to(device).map(SyncBatchNorm::from)
    }
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        self.norm.visit_modules(path, visit)?;
        visit(path, self)
    }
}
