//! Random numbers of data: orders, splits and augmentations.
use crate::{Stream, recipe};

/// A sequence of random numbers, by Philox: the same for one seed on every machine.
///
/// ```
/// use firesteel::data::Rng;
/// let (mut a, mut b) = (Rng::new(7), Rng::new(7));
/// assert_eq!(a.uniform(), b.uniform());
/// assert!(a.below(6) < 6);
/// ```
#[derive(Clone, Debug)]
pub struct Rng {
    stream: Stream,
    drawn: u64,
}

impl Rng {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self { stream: Stream { seed, offset: 0 }, drawn: 0 }
    }

    /// A sequence of its own for each path of numbers, such as an epoch and an example in it.
    pub fn at(seed: u64, path: &[u64]) -> Self {
        Self::new(path.iter().fold(seed, |seed, &offset| {
            let [lo, hi, ..] = Stream { seed, offset }.block(0);
            recipe::bits64(lo, hi)
        }))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [lo, hi, ..] = self.block();
        recipe::bits64(lo, hi)
    }

    /// A whole number in `[0, n)`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // the high half of the product is even but for one part in 2^64 / n
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// A real number in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        let [lo, hi, ..] = self.block();
        recipe::uniform64(lo, hi)
    }

    /// A real number in `[low, high)`.
    pub fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A normal number, of mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        recipe::normal(u, v)[0]
    }

    /// Puts a list in a random order: Fisher and Yates' shuffle.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }

    fn block(&mut self) -> [u32; 4] {
        self.drawn += 1;
        self.stream.block(self.drawn - 1)
    }
}
