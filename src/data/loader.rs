//! Batches of a dataset, made on other threads ahead of time.
use super::{Batch, Dataset, Sample};
use crate::{Backend, Error, Result, Stream};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

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
pub struct DataLoader<D> {
    dataset: Arc<D>,
    batch_size: usize,
    shuffle: Option<u64>,
    drop_last: bool,
    num_workers: usize,
    prefetch: usize,
}

impl<D: Dataset> DataLoader<D> {
    /// Batches of `batch_size` examples in order, made on the thread that asks. The last one may be smaller.
    #[track_caller]
    pub fn new(dataset: D, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::value("data_loader", "a batch needs at least one example"));
        }
        let dataset = Arc::new(dataset);
        Ok(Self { dataset, batch_size, shuffle: None, drop_last: false, num_workers: 0, prefetch: 2 })
    }

    /// In an order that the seed and the epoch determine.
    pub fn shuffle(self, seed: u64) -> Self {
        Self { shuffle: Some(seed), ..self }
    }

    /// Leaves out a last batch that is smaller than the others.
    pub fn drop_last(self) -> Self {
        Self { drop_last: true, ..self }
    }

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

    /// How many batches an epoch has.
    pub fn len(&self) -> usize {
        let examples = self.dataset.len();
        if self.drop_last { examples / self.batch_size } else { examples.div_ceil(self.batch_size) }
    }

    /// Whether an epoch has no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the examples in the order of an epoch: Fisher and Yates' shuffle, drawn by Philox.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.dataset.len()).collect();
        if let Some(seed) = self.shuffle {
            // every epoch has 2^40 blocks of the sequence for itself
            let stream = Stream { seed, offset: epoch << 40 };
            for last in (1..order.len()).rev() {
                let [lo, hi, ..] = stream.block(last as u64);
                let word = u128::from(hi) << 32 | u128::from(lo);
                // the high half of a product is even in [0, last] but for 2^-64
                order.swap(last, ((word * (last as u128 + 1)) >> 64) as usize);
            }
        }
        order
    }
}

impl<D: Dataset<Item: Sample>> DataLoader<D> {
    /// The batches of an epoch on a device. Workers stop when the iterator is dropped.
    pub fn iter<B: Backend>(&self, epoch: u64, device: &B) -> Batches<D, B> {
        let order = self.order(epoch);
        let size = self.batch_size;
        let batches = self.len();
        let plan = Arc::new(Plan {
            dataset: self.dataset.clone(),
            batches: order.chunks(size).take(batches).map(<[usize]>::to_vec).collect(),
            ahead: self.num_workers * self.prefetch,
            state: Mutex::new(Progress { next: 0, wanted: 0, stopped: false, ready: HashMap::new() }),
            changed: Condvar::new(),
        });
        let workers = (0..self.num_workers.min(batches)).map(|_| Plan::worker(plan.clone())).collect();
        Batches { plan, workers, device: device.clone() }
    }
}

type Ready<D> = Result<<<D as Dataset>::Item as Sample>::Batch>;

/// What workers and the iterator share.
struct Plan<D: Dataset<Item: Sample>> {
    dataset: Arc<D>,
    /// The examples of each batch.
    batches: Vec<Vec<usize>>,
    /// How many batches may be made before they are asked for.
    ahead: usize,
    state: Mutex<Progress<D>>,
    changed: Condvar,
}

struct Progress<D: Dataset<Item: Sample>> {
    /// The next batch to be made.
    next: usize,
    /// The next batch to be asked for.
    wanted: usize,
    stopped: bool,
    ready: HashMap<usize, Ready<D>>,
}

impl<D: Dataset<Item: Sample>> Plan<D> {
    fn state(&self) -> MutexGuard<'_, Progress<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a batch. A dataset that panics is an error for who asks for the batch.
    fn make(&self, batch: usize) -> Ready<D> {
        let read = || self.batches[batch].iter().map(|&i| self.dataset.item(i)).collect::<Result<Vec<_>>>();
        catch_unwind(AssertUnwindSafe(|| D::Item::collate(read()?))).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(Error::value("data_loader", format!("the dataset panicked in batch {batch}: {said}")))
        })
    }

    fn worker(plan: Arc<Self>) -> JoinHandle<()> {
        thread::spawn(move || {
            while let Some(batch) = plan.claim() {
                let made = plan.make(batch);
                plan.state().ready.insert(batch, made);
                plan.changed.notify_all();
            }
        })
    }

    /// The number of a batch to be made, once it may be; nothing when there are no more.
    fn claim(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.stopped || state.next == self.batches.len() {
                return None;
            }
            if state.next < state.wanted + self.ahead {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The batches of an epoch, in order.
pub struct Batches<D: Dataset<Item: Sample>, B: Backend> {
    plan: Arc<Plan<D>>,
    workers: Vec<JoinHandle<()>>,
    device: B,
}

impl<D: Dataset<Item: Sample>, B: Backend> Iterator for Batches<D, B> {
    type Item = Result<<<D::Item as Sample>::Batch as Batch>::On<B>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut state = self.plan.state();
        let batch = state.wanted;
        if batch == self.plan.batches.len() {
            return None;
        }
        state.wanted += 1;
        let made = if self.workers.is_empty() {
            drop(state);
            self.plan.make(batch)
        } else {
            self.plan.changed.notify_all();
            loop {
                if let Some(made) = state.ready.remove(&batch) {
                    break made;
                }
                state = self.plan.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        Some(made.and_then(|batch| batch.to(&self.device)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.plan.batches.len() - self.plan.state().wanted;
        (left, Some(left))
    }
}

impl<D: Dataset<Item: Sample>, B: Backend> ExactSizeIterator for Batches<D, B> {}

impl<D: Dataset<Item: Sample>, B: Backend> Drop for Batches<D, B> {
    fn drop(&mut self) {
        self.plan.state().stopped = true;
        self.plan.changed.notify_all();
        for worker in self.workers.drain(..) {
            // its panics were caught and handed over as errors
            let _ = worker.join();
        }
    }
}
