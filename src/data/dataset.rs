//! Examples by number.
use super::{Rng, Transformed};
use crate::{Error, Result};
use std::sync::Arc;

/// A fixed number of examples, read in any order and from several threads.
/// <https://docs.pytorch.org/docs/stable/data.html#map-style-datasets>
///
/// ```
/// use firesteel::{data::{DataLoader, Dataset}, prelude::*};
///
/// /// The squares of the first numbers.
/// struct Squares(usize);
///
/// impl Dataset for Squares {
///     type Item = (f32, f32);
///     fn len(&self) -> usize {
///         self.0
///     }
///     fn item(&self, index: usize) -> Result<(f32, f32)> {
///         let x = index as f32;
///         Ok((x, x * x))
///     }
/// }
///
/// for batch in DataLoader::new(Squares(6), 3)?.iter(0, &Cpu) {
///     let (x, y) = batch?;
///     assert!(x.square()?.equal(&y)?);
/// }
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Dataset: Send + Sync + 'static {
    /// One example.
    type Item: Send + 'static;

    /// How many there are.
    fn len(&self) -> usize;

    /// The example with this number, below [`len`](Self::len).
    fn item(&self, index: usize) -> Result<Self::Item>;

    /// The example with this number, changed at random where the dataset does so. A loader hands in numbers
    /// that depend on its seed, the epoch and the example alone. Wrappers of datasets hand them on.
    fn item_with(&self, index: usize, _rng: &mut Rng) -> Result<Self::Item> {
        self.item(index)
    }

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dataset with a function on each example, which a loader runs on its workers. The function may
    /// change an example at random, by the numbers it is given.
    ///
    /// ```
    /// use firesteel::data::Dataset;
    /// let noisy = vec![1.0, 2.0].map(|x, rng| Ok(x + 0.1 * rng.uniform()));
    /// assert!((2.0..2.1).contains(&noisy.item(1)?));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    fn map<T, F>(self, function: F) -> Transformed<Self, F>
    where
        Self: Sized,
        T: Send + 'static,
        F: Fn(Self::Item, &mut Rng) -> Result<T> + Send + Sync + 'static,
    {
        Transformed::new(self, function)
    }
}

impl<T: Clone + Send + Sync + 'static> Dataset for Vec<T> {
    type Item = T;
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn item(&self, index: usize) -> Result<T> {
        self.get(index).cloned().ok_or_else(|| out_of_range(index, Vec::len(self)))
    }
}

/// Datasets behind a pointer.
macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer<D> {
            type Item = D::Item;
            fn len(&self) -> usize {
                (**self).len()
            }
            fn item(&self, index: usize) -> Result<D::Item> {
                (**self).item(index)
            }
            fn item_with(&self, index: usize, rng: &mut Rng) -> Result<D::Item> {
                (**self).item_with(index, rng)
            }
        }
    )*};
}

pointers! { Arc Box }

#[track_caller]
pub(super) fn out_of_range(index: usize, len: usize) -> Error {
    Error::index("dataset", format!("there is no example {index} among {len}"))
}
