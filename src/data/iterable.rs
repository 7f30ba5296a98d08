//! Examples that come one after another, without numbers.
use super::Rng;
use crate::{Error, Result};

/// Examples in the one order in which they come: lines of a file too large for memory, what a network sends.
/// <https://docs.pytorch.org/docs/stable/data.html#iterable-style-datasets>
///
/// ```
/// use firesteel::{data::{IterableDataset, StreamLoader}, prelude::*};
///
/// /// Counts down.
/// struct Countdown(i64);
///
/// impl IterableDataset for Countdown {
///     type Item = i64;
///     fn stream(&self, _epoch: u64) -> Result<impl Iterator<Item = Result<i64>> + Send + 'static> {
///         Ok((0..self.0).rev().map(Ok))
///     }
/// }
///
/// let loader = StreamLoader::new(Countdown(5), 2)?.num_workers(2);
/// let batches: Vec<Vec<i64>> = loader.iter(0, &Cpu)?.map(|b| b?.to_vec()).collect::<Result<_>>()?;
/// assert_eq!(batches, [vec![4, 3], vec![2, 1], vec![0]]);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait IterableDataset: Send + Sync + 'static {
    /// One example.
    type Item: Send + 'static;

    /// The examples of an epoch, from the first on.
    fn stream(&self, epoch: u64) -> Result<impl Iterator<Item = Result<Self::Item>> + Send + 'static>;
}

/// Examples in another order: each comes from a buffer of those that come next. The larger the buffer, the
/// better they are mixed.
///
/// ```
/// use firesteel::data::Shuffled;
/// let mut mixed: Vec<i32> = Shuffled::new(0..10, 4, 7)?.collect();
/// assert!(mixed[0] < 4);
/// mixed.sort();
/// assert_eq!(mixed, (0..10).collect::<Vec<_>>());
/// # Ok::<(), firesteel::Error>(())
/// ```
pub struct Shuffled<I: Iterator> {
    examples: I,
    buffer: Vec<I::Item>,
    size: usize,
    rng: Rng,
}

impl<I: Iterator> Shuffled<I> {
    /// Examples by way of a buffer of `size` of them.
    #[track_caller]
    pub fn new(examples: I, size: usize, seed: u64) -> Result<Self> {
        if size == 0 {
            return Err(Error::value("shuffled", "a buffer needs room for one example at least"));
        }
        Ok(Self { examples, buffer: vec![], size, rng: Rng::new(seed) })
    }
}

impl<I: Iterator> Iterator for Shuffled<I> {
    type Item = I::Item;
    fn next(&mut self) -> Option<I::Item> {
        while self.buffer.len() < self.size {
            match self.examples.next() {
                Some(example) => self.buffer.push(example),
                None => break,
            }
        }
        let chosen = self.rng.below(self.buffer.len());
        (!self.buffer.is_empty()).then(|| self.buffer.swap_remove(chosen))
    }
}
