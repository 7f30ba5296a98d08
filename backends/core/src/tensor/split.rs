//! Tensors taken apart.
use crate::{Backend, Error, Result, Span, Tensor};

/// Where [`Tensor::tensor_split`] cuts: in a number of pieces, or before these indices.
///
/// ```
/// use firesteel::Sections;
/// assert_eq!(Sections::from(3), Sections::Count(3));
/// assert_eq!(Sections::from([2, 4]), Sections::At(vec![2, 4]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sections {
    /// As many pieces, whose sizes differ by one at most, the larger first.
    Count(i64),
    /// A cut before each index; negative numbers count from the end.
    At(Vec<i64>),
}

impl<B: Backend> Tensor<B> {
    /// `n` pieces along a dim, all of one size but the last, which may be smaller; fewer pieces where the
    /// sizes do not come out.
    /// [`torch.chunk`](https://docs.pytorch.org/docs/stable/generated/torch.chunk.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3, 4, 5], &Cpu::default())?;
    /// let pieces = x.chunk(2, 0)?;
    /// assert_eq!(pieces[1].to_vec::<i64>()?, [4, 5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn chunk(&self, n: usize, dim: isize) -> Result<Vec<Self>> {
        let size = self.size(dim)?;
        if n == 0 {
            return Err(Error::value("chunk", "needs one piece or more"));
        }
        match size.div_ceil(n) {
            0 => {
                let mut pieces = pieces("chunk", n)?;
                pieces.resize(n, self.clone());
                Ok(pieces)
            }
            each => self.split(each, dim),
        }
    }

    /// Pieces of `size` along a dim; the last may be smaller.
    /// [`torch.split`](https://docs.pytorch.org/docs/stable/generated/torch.split.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3, 4, 5], &Cpu::default())?;
    /// let pieces = x.split(2, 0)?;
    /// assert_eq!((pieces.len(), pieces[2].to_vec::<i64>()?), (3, vec![5]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn split(&self, size: usize, dim: isize) -> Result<Vec<Self>> {
        let total = self.size(dim)?;
        match size {
            0 if total > 0 => {
                Err(Error::value("split", "pieces of size 0 do not make up a dim: use 1 or more"))
            }
            0 => Ok(vec![self.clone()]),
            _ => {
                let mut sizes = pieces("split", total.div_ceil(size))?;
                sizes.extend((0..total.max(1)).step_by(size).map(|start| size.min(total - start)));
                self.split_with_sizes(&sizes, dim)
            }
        }
    }

    /// Pieces of these sizes along a dim, which have to make up all of it.
    /// [`torch.split`](https://docs.pytorch.org/docs/stable/generated/torch.split.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3, 4, 5], &Cpu::default())?;
    /// let pieces = x.split_with_sizes(&[1, 4], 0)?;
    /// assert_eq!(pieces[1].to_vec::<i64>()?, [2, 3, 4, 5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn split_with_sizes(&self, sizes: &[usize], dim: isize) -> Result<Vec<Self>> {
        let total = self.size(dim)?;
        if sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size)) != Some(total) {
            let why = format!("pieces of {sizes:?} do not make up dim {dim} of {}", self.shape());
            return Err(Error::shape("split_with_sizes", why));
        }
        let (mut pieces, mut start) = (Vec::with_capacity(sizes.len()), 0);
        for &len in sizes {
            pieces.push(self.narrow(dim, start, len)?);
            start += len;
        }
        Ok(pieces)
    }

    /// Cut along a dim in a number of pieces of nearly one size, or before indices.
    /// [`torch.tensor_split`](https://docs.pytorch.org/docs/stable/generated/torch.tensor_split.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3, 4, 5], &Cpu::default())?;
    /// assert_eq!(x.tensor_split(2, 0)?[0].to_vec::<i64>()?, [1, 2, 3]);
    /// assert_eq!(x.tensor_split([1, 3], 0)?[1].to_vec::<i64>()?, [2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tensor_split(&self, sections: impl Into<Sections>, dim: isize) -> Result<Vec<Self>> {
        let (axis, size) = (self.axis("tensor_split", dim)?, self.size(dim)?);
        let cuts = sections.into().cuts(size)?;
        if cuts.is_empty() {
            return Err(Error::value("tensor_split", "needs one piece or more"));
        }
        let mut pieces = Vec::with_capacity(cuts.len());
        let mut start = 0;
        for stop in cuts {
            pieces.push(self.span(axis, Span { start, step: 1, len: stop.saturating_sub(start) })?);
            start = stop;
        }
        Ok(pieces)
    }

    /// As [`tensor_split`](Self::tensor_split) along dim 1 (a vector: dim 0); a number of pieces has to come
    /// out even.
    /// [`torch.hsplit`](https://docs.pytorch.org/docs/stable/generated/torch.hsplit.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.hsplit(2)?[1].to_vec::<i64>()?, [2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hsplit(&self, sections: impl Into<Sections>) -> Result<Vec<Self>> {
        self.split_evenly("hsplit", sections.into(), if self.rank() == 1 { 0 } else { 1 }, 1)
    }

    /// As [`tensor_split`](Self::tensor_split) along dim 0 of a matrix or more; a number of pieces has to
    /// come out even.
    /// [`torch.vsplit`](https://docs.pytorch.org/docs/stable/generated/torch.vsplit.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.vsplit(2)?[1].to_vec::<i64>()?, [3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn vsplit(&self, sections: impl Into<Sections>) -> Result<Vec<Self>> {
        self.split_evenly("vsplit", sections.into(), 0, 2)
    }

    /// As [`tensor_split`](Self::tensor_split) along dim 2; a number of pieces has to come out even.
    /// [`torch.dsplit`](https://docs.pytorch.org/docs/stable/generated/torch.dsplit.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[[1, 2], [3, 4]]], &Cpu::default())?;
    /// assert_eq!(x.dsplit(2)?[1].to_vec::<i64>()?, [2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dsplit(&self, sections: impl Into<Sections>) -> Result<Vec<Self>> {
        self.split_evenly("dsplit", sections.into(), 2, 3)
    }

    #[track_caller]
    fn split_evenly(
        &self,
        op: &'static str,
        sections: Sections,
        dim: isize,
        rank: usize,
    ) -> Result<Vec<Self>> {
        if self.rank() < rank {
            return Err(Error::shape(op, format!("{} has fewer than {rank} dims", self.shape())));
        }
        if let Sections::Count(n) = sections {
            let size = self.size(dim)?;
            if !usize::try_from(n).is_ok_and(|n| n > 0 && size.is_multiple_of(n)) {
                return Err(Error::shape(op, format!("dim {dim} of {} is no multiple of {n}", self.shape())));
            }
        }
        self.tensor_split(sections, dim)
    }
}

impl Sections {
    /// Where each piece of a dim of this size ends.
    #[track_caller]
    fn cuts(&self, size: usize) -> Result<Vec<usize>> {
        let mut cuts = vec![];
        match self {
            Sections::Count(n) => {
                let n = usize::try_from(*n).unwrap_or(0);
                cuts = pieces("tensor_split", n)?;
                cuts.extend((1..=n).map(|i| i * (size / n) + i.min(size % n)));
            }
            Sections::At(indices) => {
                let bound = |&i: &i64| {
                    let from_start = if i < 0 { i.saturating_add_unsigned(size as u64) } else { i };
                    usize::try_from(from_start).unwrap_or(0).min(size)
                };
                cuts.extend(indices.iter().map(bound).chain([size]));
            }
        }
        Ok(cuts)
    }
}

/// Each piece is a tensor of its own: a list of more than these is a mistake, and would fill the memory.
const MOST_PIECES: usize = 1 << 24;

/// A vector for `n` elements; that many do not have to fit in memory.
#[track_caller]
pub(super) fn room<T>(op: &'static str, n: usize) -> Result<Vec<T>> {
    let mut room = vec![];
    match room.try_reserve_exact(n) {
        Ok(()) => Ok(room),
        Err(_) => Err(Error::memory(op, format!("there is no memory for {n} pieces"))),
    }
}

/// [`room`] for tensors.
#[track_caller]
pub(super) fn pieces<T>(op: &'static str, n: usize) -> Result<Vec<T>> {
    if n > MOST_PIECES {
        return Err(Error::value(op, format!("{n} pieces are more than the {MOST_PIECES} of one list")));
    }
    room(op, n)
}

macro_rules! from_integers {
    ($($t:ty)*) => {$(
        impl From<$t> for Sections {
            fn from(n: $t) -> Self {
                Sections::Count(i64::try_from(n).unwrap_or(i64::MAX))
            }
        }
        impl From<&[$t]> for Sections {
            fn from(indices: &[$t]) -> Self {
                Sections::At(indices.iter().map(|&i| i64::try_from(i).unwrap_or(i64::MAX)).collect())
            }
        }
        impl From<Vec<$t>> for Sections {
            fn from(indices: Vec<$t>) -> Self {
                Self::from(&indices[..])
            }
        }
        impl<const N: usize> From<[$t; N]> for Sections {
            fn from(indices: [$t; N]) -> Self {
                Self::from(&indices[..])
            }
        }
    )*};
}

from_integers! { i32 i64 isize usize }
