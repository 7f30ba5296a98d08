//! Batches of a dataset, made on other threads ahead of time.
use super::{
    Batch, BatchSampler, Collate, Dataset, DefaultCollate, IterableDataset, RandomSampler, Rng, Sampler,
    SequentialSampler, Shuffled,
    ahead::{Ahead, Task},
};
use crate::{Backend, Error, Result};
use std::sync::Arc;

/// What makes batches, epoch by epoch: what a training loop takes.
pub trait Loader<B: Backend> {
    /// A batch on the device.
    type Batch;

    /// The batches of an epoch on a device.
    fn batches(&self, epoch: u64, device: &B) -> Result<impl Iterator<Item = Result<Self::Batch>>>;

    /// How many batches an epoch has, where that is known.
    fn num_batches(&self) -> Option<usize>;
}

/// Makes batches of a dataset, shuffled anew in each epoch, on worker threads. The batches depend on the seed
/// alone, whatever the number of workers. <https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader>
///
/// ```
/// use firesteel::{data::DataLoader, prelude::*};
/// let examples: Vec<(f32, i64)> = (0..10).map(|i| (i as f32, i % 2)).collect();
/// let loader = DataLoader::new(examples, 4)?.shuffle(7).num_workers(2);
/// assert_eq!(loader.len(), 3);
/// for batch in loader.iter(0, &Cpu) {
///     let (x, y) = batch?;
///     assert_eq!(x.shape(), y.shape());
/// }
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DataLoader<D, C = DefaultCollate> {
    dataset: Arc<D>,
    collate: Arc<C>,
    order: Order,
    /// Determines how examples are changed at random.
    seed: u64,
    num_workers: usize,
    prefetch: usize,
}

/// Which examples make up the batches.
#[derive(Clone, Debug)]
enum Order {
    Examples { sampler: Arc<dyn Sampler>, batch_size: usize, drop_last: bool },
    Batches(Arc<dyn Sampler<Vec<usize>>>),
}

/// How many threads make batches, and how many ahead.
macro_rules! workers {
    () => {
        /// Makes batches on this many threads, ahead of who asks for them.
        pub fn num_workers(self, num_workers: usize) -> Self {
            Self { num_workers, ..self }
        }

        /// How many batches each worker makes ahead: 2 unless it is set, and at least 1.
        pub fn prefetch(self, prefetch: usize) -> Self {
            Self { prefetch: prefetch.max(1), ..self }
        }

        /// The dataset.
        pub fn dataset(&self) -> &D {
            &self.dataset
        }
    };
}

impl<D: Dataset> DataLoader<D> {
    /// Batches of `batch_size` examples in order, made on the thread that asks. The last one may be smaller.
    #[track_caller]
    pub fn new(dataset: D, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            return Err(no_examples());
        }
        let sampler = Arc::new(SequentialSampler::new(dataset.len()));
        let order = Order::Examples { sampler, batch_size, drop_last: false };
        let (dataset, collate) = (Arc::new(dataset), Arc::new(DefaultCollate));
        Ok(Self { dataset, collate, order, seed: 0, num_workers: 0, prefetch: 2 })
    }

    /// Batches of the examples that a sampler of batches chooses.
    ///
    /// ```
    /// use firesteel::{data::{BatchSampler, DataLoader, SequentialSampler}, prelude::*};
    /// let sampler = BatchSampler::new(SequentialSampler::new(4), 3)?;
    /// let loader = DataLoader::with_batch_sampler(vec![1.0f32, 2.0, 3.0, 4.0], sampler);
    /// let sizes: Vec<usize> = loader.iter(0, &Cpu).map(|b| Ok(b?.numel())).collect::<Result<_>>()?;
    /// assert_eq!(sizes, [3, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn with_batch_sampler(dataset: D, sampler: impl Sampler<Vec<usize>>) -> Self {
        let (dataset, collate, order) =
            (Arc::new(dataset), Arc::new(DefaultCollate), Order::Batches(Arc::new(sampler)));
        Self { dataset, collate, order, seed: 0, num_workers: 0, prefetch: 2 }
    }
}

impl<D: Dataset, C> DataLoader<D, C> {
    /// In an order that the seed and the epoch determine; random changes of examples go by the seed as well.
    /// A sampler of batches has its own order, and keeps it.
    pub fn shuffle(self, seed: u64) -> Self {
        let sampler = RandomSampler::new(self.dataset.len(), seed);
        self.seed(seed).sampler(sampler)
    }

    /// The seed of random changes of examples, where they are not shuffled: 0 unless it is set.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The examples that a sampler chooses, in its order. A sampler of batches is not replaced by it.
    pub fn sampler(self, sampler: impl Sampler) -> Self {
        let order = match self.order {
            Order::Examples { batch_size, drop_last, .. } => {
                Order::Examples { sampler: Arc::new(sampler), batch_size, drop_last }
            }
            own @ Order::Batches(_) => own,
        };
        Self { order, ..self }
    }

    /// Leaves out a last batch that is smaller than the others. A sampler of batches decides that itself.
    pub fn drop_last(self) -> Self {
        let order = match self.order {
            Order::Examples { sampler, batch_size, .. } => {
                Order::Examples { sampler, batch_size, drop_last: true }
            }
            own @ Order::Batches(_) => own,
        };
        Self { order, ..self }
    }

    /// Makes a batch of examples by this function in place of [`Sample::collate`](super::Sample::collate).
    ///
    /// ```
    /// use firesteel::{Data, TensorData, data::DataLoader, prelude::*};
    /// let words = vec!["a", "of", "the"];
    /// let lengths = |words: Vec<&str>| {
    ///     TensorData::new(words.len(), Data::I64(words.iter().map(|w| w.len() as i64).collect()))
    /// };
    /// for batch in DataLoader::new(words, 3)?.collate_fn(lengths).iter(0, &Cpu) {
    ///     assert_eq!(batch?.to_vec::<i64>()?, [1, 2, 3]);
    /// }
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn collate_fn<T, F>(self, collate: F) -> DataLoader<D, F>
    where
        T: Batch,
        F: Fn(Vec<D::Item>) -> Result<T> + Send + Sync + 'static,
    {
        let Self { dataset, order, seed, num_workers, prefetch, .. } = self;
        DataLoader { dataset, collate: Arc::new(collate), order, seed, num_workers, prefetch }
    }

    workers! {}

    /// How many batches an epoch has.
    pub fn len(&self) -> usize {
        self.batches().len()
    }

    /// Whether an epoch has no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn batches(&self) -> Arc<dyn Sampler<Vec<usize>>> {
        match &self.order {
            Order::Examples { sampler, batch_size, drop_last } => {
                Arc::new(BatchSampler::of(sampler.clone(), *batch_size, *drop_last))
            }
            Order::Batches(sampler) => sampler.clone(),
        }
    }
}

impl<D: Dataset, C: Collate<D::Item>> DataLoader<D, C> {
    /// The batches of an epoch on a device. Workers stop when the iterator is dropped.
    pub fn iter<B: Backend>(&self, epoch: u64, device: &B) -> Batches<C::Batch, B> {
        let (dataset, collate, seed) = (self.dataset.clone(), self.collate.clone(), self.seed);
        let batches = self.batches().order(epoch);
        let left = Some(batches.len());
        let tasks = batches.into_iter().map(move |batch| -> Task<C::Batch> {
            let (dataset, collate) = (dataset.clone(), collate.clone());
            Box::new(move || {
                let item = |i: usize| dataset.item_with(i, &mut Rng::at(seed, &[epoch, i as u64]));
                collate.collate(batch.into_iter().map(item).collect::<Result<_>>()?)
            })
        });
        let made = Ahead::new(tasks, self.num_workers, self.prefetch);
        Batches { made, left, device: device.clone() }
    }
}

impl<D: Dataset, C: Collate<D::Item>, B: Backend> Loader<B> for DataLoader<D, C> {
    type Batch = <C::Batch as Batch>::On<B>;
    fn batches(&self, epoch: u64, device: &B) -> Result<impl Iterator<Item = Result<Self::Batch>>> {
        Ok(self.iter(epoch, device))
    }
    fn num_batches(&self) -> Option<usize> {
        Some(self.len())
    }
}

/// Makes batches of examples that come one after another. They are read in turn and made into batches on
/// worker threads, so that the batches are the same whatever the number of workers.
#[derive(Clone, Debug)]
pub struct StreamLoader<D, C = DefaultCollate> {
    dataset: Arc<D>,
    collate: Arc<C>,
    batch_size: usize,
    drop_last: bool,
    /// How many examples are mixed, and the seed by which they are.
    shuffle: Option<(usize, u64)>,
    num_workers: usize,
    prefetch: usize,
}

impl<D: IterableDataset> StreamLoader<D> {
    /// Batches of `batch_size` examples in order, made on the thread that asks. The last one may be smaller.
    #[track_caller]
    pub fn new(dataset: D, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            return Err(no_examples());
        }
        let (dataset, collate) = (Arc::new(dataset), Arc::new(DefaultCollate));
        Ok(Self {
            dataset,
            collate,
            batch_size,
            drop_last: false,
            shuffle: None,
            num_workers: 0,
            prefetch: 2,
        })
    }
}

impl<D: IterableDataset, C> StreamLoader<D, C> {
    /// Mixes the examples by way of a buffer of this many, in an order that the seed and the epoch determine.
    #[track_caller]
    pub fn shuffle(self, buffer: usize, seed: u64) -> Result<Self> {
        if buffer == 0 {
            return Err(Error::value("data_loader", "a buffer needs room for one example at least"));
        }
        Ok(Self { shuffle: Some((buffer, seed)), ..self })
    }

    /// Leaves out a last batch that is smaller than the others.
    pub fn drop_last(self) -> Self {
        Self { drop_last: true, ..self }
    }

    /// Makes a batch of examples by this function, on the workers.
    pub fn collate_fn<T, F>(self, collate: F) -> StreamLoader<D, F>
    where
        T: Batch,
        F: Fn(Vec<D::Item>) -> Result<T> + Send + Sync + 'static,
    {
        let Self { dataset, batch_size, drop_last, shuffle, num_workers, prefetch, .. } = self;
        StreamLoader {
            dataset,
            collate: Arc::new(collate),
            batch_size,
            drop_last,
            shuffle,
            num_workers,
            prefetch,
        }
    }

    workers! {}
}

impl<D: IterableDataset, C: Collate<D::Item>> StreamLoader<D, C> {
    /// The batches of an epoch on a device. Workers stop when the iterator is dropped.
    #[track_caller]
    pub fn iter<B: Backend>(&self, epoch: u64, device: &B) -> Result<Batches<C::Batch, B>> {
        let mut examples: Box<dyn Iterator<Item = Result<D::Item>> + Send> =
            Box::new(self.dataset.stream(epoch)?);
        if let Some((size, seed)) = self.shuffle {
            examples = Box::new(Shuffled::new(examples, size, Rng::at(seed, &[epoch]).bits())?);
        }
        let (batch_size, drop_last, collate) = (self.batch_size, self.drop_last, self.collate.clone());
        let tasks = std::iter::from_fn(move || -> Option<Task<C::Batch>> {
            let batch: Vec<Result<D::Item>> = examples.by_ref().take(batch_size).collect();
            if batch.is_empty() || drop_last && batch.len() < batch_size {
                return None;
            }
            let collate = collate.clone();
            Some(Box::new(move || collate.collate(batch.into_iter().collect::<Result<_>>()?)))
        });
        let made = Ahead::new(tasks, self.num_workers, self.prefetch);
        Ok(Batches { made, left: None, device: device.clone() })
    }
}

impl<D: IterableDataset, C: Collate<D::Item>, B: Backend> Loader<B> for StreamLoader<D, C> {
    type Batch = <C::Batch as Batch>::On<B>;
    fn batches(&self, epoch: u64, device: &B) -> Result<impl Iterator<Item = Result<Self::Batch>>> {
        self.iter(epoch, device)
    }
    fn num_batches(&self) -> Option<usize> {
        None
    }
}

/// The batches of an epoch, in order, each moved to the device when it is asked for.
pub struct Batches<T, B> {
    made: Ahead<T>,
    left: Option<usize>,
    device: B,
}

impl<T: Batch, B: Backend> Iterator for Batches<T, B> {
    type Item = Result<T::On<B>>;

    fn next(&mut self) -> Option<Self::Item> {
        let made = self.made.next()?;
        self.left = self.left.map(|left| left.saturating_sub(1));
        Some(made.and_then(|batch| batch.to(&self.device)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.unwrap_or(0), self.left)
    }
}

#[track_caller]
fn no_examples() -> Error {
    Error::value("data_loader", "a batch needs at least one example")
}
