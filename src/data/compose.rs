//! Datasets made of datasets: parts, joins, and examples with a function on each.
use super::{Dataset, Rng, dataset::out_of_range};
use crate::{Error, Result};
use std::sync::Arc;

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

    /// The numbers of the examples in the other dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    fn place(&self, index: usize) -> Result<usize> {
        self.indices.get(index).copied().ok_or_else(|| out_of_range(index, self.indices.len()))
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Item = D::Item;
    fn len(&self) -> usize {
        self.indices.len()
    }
    fn item(&self, index: usize) -> Result<D::Item> {
        self.dataset.item(self.place(index)?)
    }
    fn item_with(&self, index: usize, rng: &mut Rng) -> Result<D::Item> {
        self.dataset.item_with(self.place(index)?, rng)
    }
}

/// Datasets one after another.
/// <https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset>
///
/// ```
/// use firesteel::data::{ConcatDataset, Dataset};
/// let both = ConcatDataset::new(vec![vec![1, 2], vec![], vec![3]]);
/// assert_eq!((both.len(), both.item(2)?), (3, 3));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConcatDataset<D> {
    datasets: Vec<D>,
    /// The number of the first example after each dataset.
    ends: Vec<usize>,
}

impl<D: Dataset> ConcatDataset<D> {
    /// Datasets one after another; those of different types are joined as `Box<dyn Dataset<Item = T>>`.
    pub fn new(datasets: Vec<D>) -> Self {
        let mut end = 0;
        let ends = datasets.iter().map(|dataset| {
            end += dataset.len();
            end
        });
        Self { ends: ends.collect(), datasets }
    }

    /// The dataset that an example is in, and its number there.
    fn place(&self, index: usize) -> Result<(&D, usize)> {
        let which = self.ends.partition_point(|&end| end <= index);
        let dataset = self.datasets.get(which).ok_or_else(|| out_of_range(index, self.len()))?;
        let start = which.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        Ok((dataset, index - start))
    }
}

impl<D: Dataset> Dataset for ConcatDataset<D> {
    type Item = D::Item;
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
    fn item(&self, index: usize) -> Result<D::Item> {
        let (dataset, index) = self.place(index)?;
        dataset.item(index)
    }
    fn item_with(&self, index: usize, rng: &mut Rng) -> Result<D::Item> {
        let (dataset, index) = self.place(index)?;
        dataset.item_with(index, rng)
    }
}

/// A dataset with a function on each example: what [`Dataset::map`] makes.
#[derive(Clone, Debug)]
pub struct Transformed<D, F> {
    dataset: D,
    function: F,
}

impl<D: Dataset, F> Transformed<D, F> {
    /// The dataset with this function on each example.
    pub fn new<T>(dataset: D, function: F) -> Self
    where
        F: Fn(D::Item, &mut Rng) -> Result<T>,
    {
        Self { dataset, function }
    }

    /// The dataset as it was.
    pub fn original(&self) -> &D {
        &self.dataset
    }
}

impl<D, T, F> Dataset for Transformed<D, F>
where
    D: Dataset,
    T: Send + 'static,
    F: Fn(D::Item, &mut Rng) -> Result<T> + Send + Sync + 'static,
{
    type Item = T;
    fn len(&self) -> usize {
        self.dataset.len()
    }
    fn item(&self, index: usize) -> Result<T> {
        self.item_with(index, &mut Rng::at(0, &[index as u64]))
    }
    fn item_with(&self, index: usize, rng: &mut Rng) -> Result<T> {
        let item = self.dataset.item_with(index, rng)?;
        (self.function)(item, rng)
    }
}

/// How large a part of a dataset is: a number of examples, or a fraction of all.
pub trait Part: Copy {
    /// The numbers of examples of these parts of a dataset with `len` of them.
    fn sizes(parts: &[Self], len: usize) -> Result<Vec<usize>>;
}

impl Part for usize {
    fn sizes(parts: &[usize], len: usize) -> Result<Vec<usize>> {
        let total = parts.iter().try_fold(0usize, |sum, &part| sum.checked_add(part));
        if total != Some(len) {
            let why = format!("parts of {parts:?} examples do not make {len}, as they have to");
            return Err(Error::value("random_split", why));
        }
        Ok(parts.to_vec())
    }
}

/// What is left after rounding down goes to the first parts, one each, as in PyTorch.
impl Part for f64 {
    fn sizes(parts: &[f64], len: usize) -> Result<Vec<usize>> {
        let valid = parts.iter().all(|part| (0. ..=1.).contains(part));
        if !valid || (parts.iter().sum::<f64>() - 1.).abs() > 1e-6 {
            let why = format!("fractions {parts:?} have to lie in [0, 1] and to add up to 1");
            return Err(Error::value("random_split", why));
        }
        let mut sizes: Vec<usize> = parts.iter().map(|part| (part * len as f64) as usize).collect();
        let left = len.saturating_sub(sizes.iter().sum());
        let parts = sizes.len().max(1);
        (0..left).for_each(|i| sizes[i % parts] += 1);
        Ok(sizes)
    }
}

/// Splits a dataset at random into parts without an example in common, by numbers of examples or by fractions.
/// <https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split>
///
/// ```
/// use firesteel::data::{Dataset, random_split};
/// let [train, test] = random_split((0..10).collect::<Vec<i64>>(), [0.75, 0.25], 7)?;
/// assert_eq!((train.len(), test.len()), (8, 2));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn random_split<D: Dataset, P: Part, const N: usize>(
    dataset: D,
    parts: [P; N],
    seed: u64,
) -> Result<[Subset<Arc<D>>; N]> {
    let dataset = Arc::new(dataset);
    let sizes = P::sizes(&parts, dataset.len())?;
    let mut order: Vec<usize> = (0..dataset.len()).collect();
    Rng::new(seed).shuffle(&mut order);
    let mut rest = order.into_iter();
    let mut part =
        |size: &usize| Subset { dataset: dataset.clone(), indices: rest.by_ref().take(*size).collect() };
    let subsets: Vec<_> = sizes.iter().map(&mut part).collect();
    subsets.try_into().map_err(|_| Error::internal("random_split", "there are as many subsets as parts"))
}
