//! The slices along the first dim, one after another.
use crate::{Backend, Error, Result, Tensor};
use std::ops::Range;

/// What [`Tensor::iter`] gives.
#[derive(Clone, Debug)]
pub struct Slices<'a, B: Backend> {
    tensor: &'a Tensor<B>,
    left: Range<usize>,
}

impl<B: Backend> Tensor<B> {
    /// The slices along the first dim, each without that dim, as they are asked for. A single number has none:
    /// the first item is an error then.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// for row in &x {
    ///     assert_eq!(row?.shape(), &[2]);
    /// }
    /// assert_eq!(x.iter().len(), 2);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn iter(&self) -> Slices<'_, B> {
        Slices { tensor: self, left: 0..self.shape().first().copied().unwrap_or(1) }
    }
}

impl<B: Backend> Slices<'_, B> {
    fn slice(&self, index: usize) -> Result<Tensor<B>> {
        if self.tensor.rank() == 0 {
            return Err(Error::shape("iter", "a single number has no dim to go along"));
        }
        self.tensor.select(0, index as i64)
    }
}

impl<B: Backend> Iterator for Slices<'_, B> {
    type Item = Result<Tensor<B>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left.next().map(|index| self.slice(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.left.nth(n).map(|index| self.slice(index))
    }
}

impl<B: Backend> DoubleEndedIterator for Slices<'_, B> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left.next_back().map(|index| self.slice(index))
    }
}

impl<B: Backend> ExactSizeIterator for Slices<'_, B> {}

impl<'a, B: Backend> IntoIterator for &'a Tensor<B> {
    type Item = Result<Tensor<B>>;
    type IntoIter = Slices<'a, B>;

    fn into_iter(self) -> Slices<'a, B> {
        self.iter()
    }
}
