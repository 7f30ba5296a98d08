//! Examples by number.
use crate::{Error, Result};
use std::sync::Arc;

/// A fixed number of examples, read in any order and from several threads.
/// <https://docs.pytorch.org/docs/stable/data.html#map-style-datasets>
pub trait Dataset: Send + Sync + 'static {
    /// One example.
    type Item: Send + 'static;

    /// How many there are.
    fn len(&self) -> usize;

    /// The example with this number, below [`len`](Self::len).
    fn item(&self, index: usize) -> Result<Self::Item>;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
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

impl<D: Dataset> Dataset for Arc<D> {
    type Item = D::Item;
    fn len(&self) -> usize {
        (**self).len()
    }
    fn item(&self, index: usize) -> Result<D::Item> {
        (**self).item(index)
    }
}

/// Some examples of another dataset. <https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset>
///
/// ```
/// use firesteel::data::{Dataset, Subset};
/// let even = Subset::new(vec![10, 11, 12, 13], vec![0, 2])?;
/// assert_eq!((even.len(), even.item(1)?), (2, 12));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// The examples with these numbers, in this order; a number that is out of range is an error.
    #[track_caller]
    pub fn new(dataset: D, indices: Vec<usize>) -> Result<Self> {
        match indices.iter().find(|&&i| i >= dataset.len()) {
            Some(&i) => Err(out_of_range(i, dataset.len())),
            None => Ok(Self { dataset, indices }),
        }
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Item = D::Item;
    fn len(&self) -> usize {
        self.indices.len()
    }
    fn item(&self, index: usize) -> Result<D::Item> {
        let chosen = self.indices.get(index).ok_or_else(|| out_of_range(index, self.indices.len()))?;
        self.dataset.item(*chosen)
    }
}

#[track_caller]
pub(super) fn out_of_range(index: usize, len: usize) -> Error {
    Error::index("dataset", format!("there is no example {index} among {len}"))
}
