//! In which order examples are read.
use super::Rng;
use crate::{Error, Result};
use std::{fmt::Debug, sync::Arc};

/// The order of an epoch: of examples, or of batches of them.
/// <https://docs.pytorch.org/docs/stable/data.html#data-loading-order-and-sampler>
pub trait Sampler<I = usize>: Debug + Send + Sync + 'static {
    /// How many an epoch has.
    fn len(&self) -> usize;

    /// What is read in an epoch, in order.
    fn order(&self, epoch: u64) -> Vec<I>;

    /// Whether an epoch has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Every example, in order.
#[derive(Clone, Copy, Debug)]
pub struct SequentialSampler {
    len: usize,
}

impl SequentialSampler {
    /// Every one of `len` examples.
    pub fn new(len: usize) -> Self {
        Self { len }
    }
}

impl Sampler for SequentialSampler {
    fn len(&self) -> usize {
        self.len
    }
    fn order(&self, _: u64) -> Vec<usize> {
        (0..self.len).collect()
    }
}

/// Every example, in an order that the seed and the epoch determine; or examples at random.
///
/// ```
/// use firesteel::data::{RandomSampler, Sampler};
/// let sampler = RandomSampler::new(5, 7);
/// let mut order = sampler.order(0);
/// assert_eq!(order, sampler.order(0));
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// assert_eq!(sampler.replacement(100)?.order(0).len(), 100);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RandomSampler {
    len: usize,
    seed: u64,
    replacement: Option<usize>,
}

impl RandomSampler {
    /// Every one of `len` examples.
    pub fn new(len: usize, seed: u64) -> Self {
        Self { len, seed, replacement: None }
    }

    /// This many examples in an epoch, each drawn from all, so that some come twice.
    #[track_caller]
    pub fn replacement(self, num_samples: usize) -> Result<Self> {
        if self.len == 0 && num_samples > 0 {
            return Err(Error::value("random_sampler", "there are no examples to draw from"));
        }
        Ok(Self { replacement: Some(num_samples), ..self })
    }
}

impl Sampler for RandomSampler {
    fn len(&self) -> usize {
        self.replacement.unwrap_or(self.len)
    }
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut rng = Rng::at(self.seed, &[epoch]);
        match self.replacement {
            Some(num_samples) => (0..num_samples).map(|_| rng.below(self.len)).collect(),
            None => {
                let mut order: Vec<usize> = (0..self.len).collect();
                rng.shuffle(&mut order);
                order
            }
        }
    }
}

/// Some examples, in an order that the seed and the epoch determine.
#[derive(Clone, Debug)]
pub struct SubsetRandomSampler {
    indices: Vec<usize>,
    seed: u64,
}

impl SubsetRandomSampler {
    /// The examples with these numbers.
    pub fn new(indices: Vec<usize>, seed: u64) -> Self {
        Self { indices, seed }
    }
}

impl Sampler for SubsetRandomSampler {
    fn len(&self) -> usize {
        self.indices.len()
    }
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order = self.indices.clone();
        Rng::at(self.seed, &[epoch]).shuffle(&mut order);
        order
    }
}

/// Examples at random, some more often than others: in proportion to their weights.
///
/// ```
/// use firesteel::data::{Sampler, WeightedRandomSampler};
/// let sampler = WeightedRandomSampler::new(vec![0.0, 1.0, 3.0], 400, 7)?;
/// let order = sampler.order(0);
/// let often = order.iter().filter(|&&i| i == 2).count();
/// assert!(!order.contains(&0) && (250..350).contains(&often));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WeightedRandomSampler {
    weights: Vec<f64>,
    num_samples: usize,
    seed: u64,
    replacement: bool,
}

impl WeightedRandomSampler {
    /// `num_samples` of as many examples as there are weights, which are finite and not negative. An example
    /// may come several times.
    #[track_caller]
    pub fn new(weights: Vec<f64>, num_samples: usize, seed: u64) -> Result<Self> {
        if let Some((i, weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.)) {
            let why = format!("weight {i} is {weight}, and has to be finite and not negative");
            return Err(Error::value("weighted_random_sampler", why));
        }
        let total: f64 = weights.iter().sum();
        if num_samples > 0 && !(total.is_finite() && total > 0.) {
            let why = format!("the weights add up to {total}, and have to add up to something positive");
            return Err(Error::value("weighted_random_sampler", why));
        }
        Ok(Self { weights, num_samples, seed, replacement: true })
    }

    /// Each example once at most.
    #[track_caller]
    pub fn without_replacement(self) -> Result<Self> {
        let possible = self.weights.iter().filter(|w| **w > 0.).count();
        if self.num_samples > possible {
            let why = format!("{} examples cannot be drawn from {possible} once each", self.num_samples);
            return Err(Error::value("weighted_random_sampler", why));
        }
        Ok(Self { replacement: false, ..self })
    }

    /// By the inverse of the cumulative weights.
    fn independent(&self, rng: &mut Rng) -> Vec<usize> {
        let mut total = 0.;
        let cumulative = self.weights.iter().map(|w| {
            total += w;
            total
        });
        let cumulative: Vec<f64> = cumulative.collect();
        // rounding may carry a draw to the very end, where the last example that has a weight is meant
        let last = self.weights.iter().rposition(|w| *w > 0.).unwrap_or(0);
        let mut draw = || {
            let at = rng.uniform() * total;
            cumulative.partition_point(|sum| *sum <= at).min(last)
        };
        (0..self.num_samples).map(|_| draw()).collect()
    }

    /// By arrival: the example with weight `w` comes after an exponential time of rate `w`. Efraimidis and
    /// Spirakis, [Weighted random sampling](https://doi.org/10.1016/j.ipl.2005.11.003), 2006.
    fn by_arrival(&self, rng: &mut Rng) -> Vec<usize> {
        let arrival = |w: &f64| -(1. - rng.uniform()).ln() / w;
        let mut arrivals: Vec<(f64, usize)> = self.weights.iter().map(arrival).zip(0..).collect();
        arrivals.retain(|&(_, i)| self.weights[i] > 0.);
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        arrivals.into_iter().take(self.num_samples).map(|(_, i)| i).collect()
    }
}

impl Sampler for WeightedRandomSampler {
    fn len(&self) -> usize {
        self.num_samples
    }
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut rng = Rng::at(self.seed, &[epoch]);
        if self.replacement { self.independent(&mut rng) } else { self.by_arrival(&mut rng) }
    }
}

/// The share of one of several processes that train together: every `num_replicas`-th example, from `rank`
/// on. All shares are of one length: the first examples come again at the end, or with
/// [`drop_last`](Self::drop_last) the last ones are left out.
/// <https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler>
///
/// ```
/// use firesteel::data::{DistributedSampler, Sampler};
/// let share = |rank| DistributedSampler::new(5, 2, rank);
/// assert_eq!(share(0)?.order(0), [0, 2, 4]);
/// assert_eq!(share(1)?.order(0), [1, 3, 0]);
/// assert_eq!(share(1)?.drop_last().order(0), [1, 3]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DistributedSampler {
    len: usize,
    num_replicas: usize,
    rank: usize,
    shuffle: Option<u64>,
    drop_last: bool,
}

impl DistributedSampler {
    /// The share of process `rank` of `num_replicas`, in order.
    #[track_caller]
    pub fn new(len: usize, num_replicas: usize, rank: usize) -> Result<Self> {
        if rank >= num_replicas {
            let why = format!("there is no process {rank} among {num_replicas}");
            return Err(Error::value("distributed_sampler", why));
        }
        Ok(Self { len, num_replicas, rank, shuffle: None, drop_last: false })
    }

    /// In an order that the seed and the epoch determine; every process has to give the same seed.
    pub fn shuffle(self, seed: u64) -> Self {
        Self { shuffle: Some(seed), ..self }
    }

    /// Leaves out the last examples where the shares do not come out even.
    pub fn drop_last(self) -> Self {
        Self { drop_last: true, ..self }
    }
}

impl Sampler for DistributedSampler {
    fn len(&self) -> usize {
        if self.drop_last { self.len / self.num_replicas } else { self.len.div_ceil(self.num_replicas) }
    }
    fn order(&self, epoch: u64) -> Vec<usize> {
        let all = match self.shuffle {
            Some(seed) => RandomSampler::new(self.len, seed).order(epoch),
            None => (0..self.len).collect(),
        };
        all.iter().cycle().skip(self.rank).step_by(self.num_replicas).take(self.len()).copied().collect()
    }
}

/// Batches of the examples of another sampler.
///
/// ```
/// use firesteel::data::{BatchSampler, Sampler, SequentialSampler};
/// let batches = BatchSampler::new(SequentialSampler::new(5), 2)?;
/// assert_eq!(batches.order(0), [vec![0, 1], vec![2, 3], vec![4]]);
/// assert_eq!(batches.drop_last().len(), 2);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchSampler<S> {
    sampler: S,
    batch_size: usize,
    drop_last: bool,
}

impl<S: Sampler> BatchSampler<S> {
    /// Batches of `batch_size` examples; the last one may be smaller.
    #[track_caller]
    pub fn new(sampler: S, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::value("batch_sampler", "a batch needs at least one example"));
        }
        Ok(Self::of(sampler, batch_size, false))
    }

    /// Batches of `batch_size` examples, which is not zero.
    pub(super) fn of(sampler: S, batch_size: usize, drop_last: bool) -> Self {
        Self { sampler, batch_size, drop_last }
    }

    /// Leaves out a last batch that is smaller than the others.
    pub fn drop_last(self) -> Self {
        Self { drop_last: true, ..self }
    }
}

impl<S: Sampler> Sampler<Vec<usize>> for BatchSampler<S> {
    fn len(&self) -> usize {
        let examples = self.sampler.len();
        if self.drop_last { examples / self.batch_size } else { examples.div_ceil(self.batch_size) }
    }
    fn order(&self, epoch: u64) -> Vec<Vec<usize>> {
        let order = self.sampler.order(epoch);
        order.chunks(self.batch_size).take(self.len()).map(<[usize]>::to_vec).collect()
    }
}

/// Samplers behind a pointer.
macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<I: 'static> Sampler<I> for $pointer<dyn Sampler<I>> {
            fn len(&self) -> usize {
                (**self).len()
            }
            fn order(&self, epoch: u64) -> Vec<I> {
                (**self).order(epoch)
            }
        }
    )*};
}

pointers! { Arc Box }
