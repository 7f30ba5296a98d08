//! Tensors put together.
use crate::{Backend, Error, Op, PadAxis, Padding, Result, Scalar, Sizes, Span, Spans, Tensor};
use std::panic::Location;

/// Which way the axes of [`Tensor::meshgrid`] go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indexing {
    /// The first tensor along dim 0: rows and columns, as a matrix is written.
    #[default]
    Ij,
    /// The first tensor along dim 1: x and y, as a picture is drawn.
    Xy,
}

impl<B: Backend> Tensor<B> {
    /// One after another along a dim, in the dtype in which all meet. Empty vectors (shape `[0]`) count for
    /// nothing, as in PyTorch.
    /// [`torch.cat`](https://docs.pytorch.org/docs/stable/generated/torch.cat.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[1, 2]], &cpu)?, Tensor::new([[3, 4], [5, 6]], &cpu)?);
    /// assert_eq!(Tensor::cat(&[&x, &y], 0)?.to_vec::<i64>()?, [1, 2, 3, 4, 5, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cat(tensors: &[&Self], dim: isize) -> Result<Self> {
        let Some(dtype) = tensors.iter().map(|t| t.dtype()).reduce(|a, b| a.promote(b)) else {
            return Err(Error::value("cat", "needs at least one tensor"));
        };
        if tensors.iter().any(|t| t.rank() == 0) {
            return Err(Error::shape("cat", "a tensor without dims has none to join along: use `stack`"));
        }
        let mut pieces = Vec::with_capacity(tensors.len());
        for tensor in tensors.iter().filter(|t| *t.shape() != [0]) {
            pieces.push(tensor.to(dtype)?);
        }
        match &pieces[..] {
            [] => tensors[0].to(dtype),
            [first, rest @ ..] => {
                let axis = first.axis("cat", dim)?;
                if rest.is_empty() {
                    return Ok(first.clone());
                }
                Self::one(Op::Concat(pieces.iter().collect(), axis))
            }
        }
    }

    /// As [`cat`](Self::cat).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(Tensor::concat(&[&x, &x], 0)?.to_vec::<i64>()?, [1, 2, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn concat(tensors: &[&Self], dim: isize) -> Result<Self> {
        Self::cat(tensors, dim)
    }

    /// Along a new dim; all have to have one shape.
    /// [`torch.stack`](https://docs.pytorch.org/docs/stable/generated/torch.stack.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2], &cpu)?, Tensor::new([3, 4], &cpu)?);
    /// assert_eq!(Tensor::stack(&[&x, &y], 1)?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn stack(tensors: &[&Self], dim: isize) -> Result<Self> {
        let Some(first) = tensors.first() else {
            return Err(Error::value("stack", "needs at least one tensor"));
        };
        if let Some(other) = tensors.iter().find(|t| t.shape() != first.shape()) {
            let why = format!("{} and {} are not of one shape", first.shape(), other.shape());
            return Err(Error::shape("stack", why));
        }
        Self::joined(tensors, dim, |t| t.unsqueeze(dim))
    }

    /// Side by side: along dim 1, vectors along dim 0.
    /// [`torch.hstack`](https://docs.pytorch.org/docs/stable/generated/torch.hstack.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1], [2]], &Cpu::default())?;
    /// assert_eq!(Tensor::hstack(&[&x, &x])?.to_vec::<i64>()?, [1, 1, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hstack(tensors: &[&Self]) -> Result<Self> {
        let vectors = tensors.first().is_some_and(|t| t.rank() < 2);
        Self::joined(tensors, if vectors { 0 } else { 1 }, Self::atleast_1d)
    }

    /// One above another: along dim 0, with vectors as rows.
    /// [`torch.vstack`](https://docs.pytorch.org/docs/stable/generated/torch.vstack.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(Tensor::vstack(&[&x, &x])?.shape(), &[2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn vstack(tensors: &[&Self]) -> Result<Self> {
        Self::joined(tensors, 0, Self::atleast_2d)
    }

    /// One behind another: along dim 2, after [`atleast_3d`](Self::atleast_3d).
    /// [`torch.dstack`](https://docs.pytorch.org/docs/stable/generated/torch.dstack.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(Tensor::dstack(&[&x, &x])?.shape(), &[1, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dstack(tensors: &[&Self]) -> Result<Self> {
        Self::joined(tensors, 2, Self::atleast_3d)
    }

    /// Side by side along dim 1, with vectors as columns.
    /// [`torch.column_stack`](https://docs.pytorch.org/docs/stable/generated/torch.column_stack.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(Tensor::column_stack(&[&x, &x])?.to_vec::<i64>()?, [1, 1, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn column_stack(tensors: &[&Self]) -> Result<Self> {
        Self::joined(tensors, 1, |t| if t.rank() < 2 { t.reshape([-1, 1]) } else { Ok(t.clone()) })
    }

    /// Matrices along the diagonal of a larger one, with zeros elsewhere; vectors count as rows.
    /// [`torch.block_diag`](https://docs.pytorch.org/docs/stable/generated/torch.block_diag.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[1, 2]], &cpu)?, Tensor::new([[3]], &cpu)?);
    /// assert_eq!(Tensor::block_diag(&[&x, &y])?.to_vec::<i64>()?, [1, 2, 0, 0, 0, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn block_diag(tensors: &[&Self]) -> Result<Self> {
        if let Some(t) = tensors.iter().find(|t| t.rank() > 2) {
            return Err(Error::shape("block_diag", format!("{} is not a matrix", t.shape())));
        }
        let columns = |t: &&Self| t.shape().last().copied().unwrap_or(1);
        let total = tensors.iter().map(columns).fold(0, usize::saturating_add);
        let mut before = 0;
        let padded = |t: &Self| {
            let (low, own) = (before, columns(&t));
            before += own;
            t.atleast_2d()?.constant_pad_nd([low, total - low - own], 0)
        };
        Self::joined(tensors, 0, padded)
    }

    /// For vectors of n, m, .. elements, as many tensors of shape `[n, m, ..]`, each with one vector repeated
    /// along all dims but its own.
    /// [`torch.meshgrid`](https://docs.pytorch.org/docs/stable/generated/torch.meshgrid.html)
    ///
    /// ```
    /// use firesteel::{Indexing, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2], &cpu)?, Tensor::new([3, 4], &cpu)?);
    /// let grid = Tensor::meshgrid(&[&x, &y], Indexing::Ij)?;
    /// assert_eq!(grid[0].to_vec::<i64>()?, [1, 1, 2, 2]);
    /// assert_eq!(grid[1].to_vec::<i64>()?, [3, 4, 3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn meshgrid(tensors: &[&Self], indexing: Indexing) -> Result<Vec<Self>> {
        if let Some(t) = tensors.iter().find(|t| t.rank() > 1) {
            return Err(Error::shape("meshgrid", format!("{} is neither a vector nor a number", t.shape())));
        }
        let shape: crate::Shape = tensors.iter().map(|t| t.numel()).collect();
        let mut grid = Vec::with_capacity(tensors.len());
        for (axis, tensor) in tensors.iter().enumerate() {
            let ones = tensors.iter().map(|_| 1).collect::<crate::Shape>();
            let along = tensor.shaped(ones.with(axis, tensor.numel()))?.broadcast_to(&shape)?;
            let turned = indexing == Indexing::Xy && tensors.len() > 1;
            grid.push(if turned { along.transpose(0, 1)? } else { along });
        }
        Ok(grid)
    }

    /// More elements at the ends of the last dims, each of them `value`: `pad` says how many before and how
    /// many after, first for the last dim, then for the one before it. Negative numbers take elements away.
    /// [`torch.nn.functional.pad`](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3], &Cpu::default())?;
    /// assert_eq!(x.constant_pad_nd([1, 2], 9)?.to_vec::<i64>()?, [9, 1, 2, 3, 9, 9]);
    /// assert_eq!(x.constant_pad_nd([-1, 0], 9)?.to_vec::<i64>()?, [2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn constant_pad_nd(&self, pad: impl Into<Sizes>, value: impl Into<Scalar>) -> Result<Self> {
        let (Sizes(pad), rank) = (pad.into(), self.rank());
        if !pad.len().is_multiple_of(2) || pad.len() / 2 > rank {
            let why = format!("{:?} are no pairs of numbers for the last dims of {}", &pad[..], self.shape());
            return Err(Error::shape("pad", why));
        }
        let mut spans: Spans = self.shape().iter().map(|&size| Span::all(size)).collect();
        let mut padding: Padding = smallvec::smallvec![PadAxis::default(); rank];
        for (i, pair) in pad.chunks_exact(2).enumerate() {
            let (axis, size) = (rank - 1 - i, self.shape()[rank - 1 - i]);
            let lost = |n: i64| usize::try_from(n.saturating_neg()).unwrap_or(0);
            let added = |n: i64| usize::try_from(n).unwrap_or(0);
            let (start, end) = (lost(pair[0]), lost(pair[1]));
            let Some(len) = size.checked_sub(start).and_then(|left| left.checked_sub(end)) else {
                let why = format!("{:?} takes more away than {} has", &pad[..], self.shape());
                return Err(Error::shape("pad", why));
            };
            spans[axis] = Span { start: start.min(size.saturating_sub(1)), step: 1, len };
            padding[axis] = PadAxis { low: added(pair[0]), high: added(pair[1]), interior: 0 };
        }
        let cropped =
            if pad.iter().any(|&n| n < 0) { Self::one(Op::Slice(self, spans))? } else { self.clone() };
        if pad.iter().all(|&n| n <= 0) {
            return Ok(cropped);
        }
        Self::one(Op::Pad(&cropped, padding, value.into()))
    }

    /// `cat` after something was done to each.
    #[track_caller]
    fn joined(tensors: &[&Self], dim: isize, mut prepare: impl FnMut(&Self) -> Result<Self>) -> Result<Self> {
        let here = Location::caller();
        let ready = tensors.iter().map(|t| prepare(t)).collect::<Result<Vec<_>>>().map_err(|e| e.at(here))?;
        Self::cat(&ready.iter().collect::<Vec<_>>(), dim)
    }
}
