//! Sorting, and searching in what is sorted.
use crate::{Arg, Backend, DType, Error, Fused, Op, Result, Tensor};
use smallvec::smallvec;

/// Which comes first. NaN counts as the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The smallest.
    #[default]
    Ascending,
    /// The largest.
    Descending,
}

impl<B: Backend> Tensor<B> {
    /// In order along a dim, and the I64 indices where each came from. Equals stay in their order (PyTorch's
    /// `stable=True`).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.sort.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::Order;
    /// let x = Tensor::new([3.0, 1.0, 2.0], &Cpu::default())?;
    /// let (values, indices) = x.sort(-1, Order::Descending)?;
    /// assert_eq!(values.to_vec::<f32>()?, [3., 2., 1.]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 2, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(&self, dim: isize, order: Order) -> Result<(Self, Self)> {
        let axis = self.axis("sort", dim)?;
        if self.rank() == 0 {
            return Ok((self.clone(), Self::full((), 0, (DType::I64, self.backend()))?));
        }
        Self::two(Op::Sort { x: self, axis, descending: order == Order::Descending })
    }

    /// The I64 indices that [`sort`](Self::sort) gives.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.argsort.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::Order;
    /// let x = Tensor::new([3.0, 1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.argsort(-1, Order::Ascending)?.to_vec::<i64>()?, [1, 2, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn argsort(&self, dim: isize, order: Order) -> Result<Self> {
        Ok(self.detach().sort(dim, order)?.1)
    }

    /// In ascending order along the first dim.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.msort.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[3, 1], [2, 4]], &Cpu::default())?;
    /// assert_eq!(x.msort()?.to_vec::<i64>()?, [2, 1, 3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn msort(&self) -> Result<Self> {
        Ok(self.sort(0, Order::Ascending)?.0)
    }

    /// The first `k` along a dim in an order, and their I64 indices: with [`Order::Descending`] the `k`
    /// largest, PyTorch's default; with [`Order::Ascending`] the smallest.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.topk.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::Order;
    /// let x = Tensor::new([3.0, 1.0, 2.0], &Cpu::default())?;
    /// let (values, indices) = x.topk(2, -1, Order::Descending)?;
    /// assert_eq!(values.to_vec::<f32>()?, [3., 2.]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn topk(&self, k: usize, dim: isize, order: Order) -> Result<(Self, Self)> {
        let axis = self.axis("topk", dim)?;
        if self.rank() == 0 {
            if k != 1 {
                return Err(Error::index("topk", format!("there are no {k} in a tensor without dims")));
            }
            return self.sort(dim, order);
        }
        let largest = order == Order::Descending;
        Self::two(Op::Fused(Fused::TopK { k, axis, largest }, smallvec![self]))
    }

    /// Where each of `values` belongs in this tensor, which ascends along its last dim, so that it stays in
    /// order. A tensor of one dim serves any values; else all dims but the last have to be equal.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.searchsorted.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::SearchOptions;
    /// let cpu = Cpu::default();
    /// let (sorted, values) = (Tensor::new([1, 3, 5], &cpu)?, Tensor::new([3, 6], &cpu)?);
    /// assert_eq!(sorted.searchsorted(&values, SearchOptions::default())?.to_vec::<i64>()?, [1, 3]);
    /// let after = SearchOptions { right: true, ..SearchOptions::default() };
    /// assert_eq!(sorted.searchsorted(&values, after)?.to_vec::<i64>()?, [2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn searchsorted(&self, values: impl Into<Arg<B>>, options: SearchOptions<'_, B>) -> Result<Self> {
        let values = values.into();
        let dtype = values.promote(self);
        let values = values.into_tensor(self, dtype)?;
        let sorted = match options.sorter {
            _ if self.rank() == 0 => {
                return Err(Error::shape("searchsorted", "what is sorted needs at least one dim"));
            }
            Some(index) if index.shape() != self.shape() => {
                let why = format!("the sorter {} has another shape than {}", index.shape(), self.shape());
                return Err(Error::shape("searchsorted", why));
            }
            Some(index) => &Self::one(Op::Gather { x: self, index, axis: self.rank() - 1 })?,
            None => self,
        };
        let op = Op::SearchSorted { sorted: &sorted.to(dtype)?, values: &values, right: options.right };
        let places = Self::one(op)?;
        if options.out_int32 { places.to(DType::I32) } else { Ok(places) }
    }

    /// Into which interval between the ascending `boundaries` (of one dim) each element falls.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.bucketize.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::SearchOptions;
    /// let cpu = Cpu::default();
    /// let (x, boundaries) = (Tensor::new([0.5, 3.0], &cpu)?, Tensor::new([1.0, 2.0], &cpu)?);
    /// assert_eq!(x.bucketize(&boundaries, SearchOptions::default())?.to_vec::<i64>()?, [0, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn bucketize(&self, boundaries: &Self, options: SearchOptions<'_, B>) -> Result<Self> {
        if boundaries.rank() != 1 {
            let why = format!("the boundaries need one dim, and {} has others", boundaries.shape());
            return Err(Error::shape("bucketize", why));
        }
        boundaries.searchsorted(self, options).map_err(|e| e.within("bucketize"))
    }
}

/// How [`Tensor::searchsorted`] and [`Tensor::bucketize`] go.
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions<'a, B: Backend> {
    /// The place after equals instead of the one before.
    pub right: bool,
    /// I32 instead of I64.
    pub out_int32: bool,
    /// The indices that bring what is not sorted into order, as [`Tensor::argsort`] gives them.
    pub sorter: Option<&'a Tensor<B>>,
}

impl<B: Backend> Default for SearchOptions<'_, B> {
    fn default() -> Self {
        Self { right: false, out_int32: false, sorter: None }
    }
}
