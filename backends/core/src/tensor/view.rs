//! The same elements, seen otherwise: no copies where the layout allows it.
use crate::{Axes, Backend, Error, Op, Result, Shape, Sizes, Span, Spans, Tensor};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// The elements in row-major order under another shape; one size may be -1, which is whatever is left.
    #[track_caller]
    pub fn reshape(&self, sizes: impl Into<Sizes>) -> Result<Self> {
        let here = Location::caller();
        let shape = sizes.into().fill(self.shape()).map_err(|e| e.at(here))?;
        if shape == *self.shape() { Ok(self.clone()) } else { Self::one(Op::Reshape(self, shape)) }
    }

    /// The dims in another order: `dims[i]` becomes dim `i`.
    #[track_caller]
    pub fn permute(&self, dims: impl Into<crate::Dims>) -> Result<Self> {
        let dims = dims.into().dims.unwrap_or_default();
        let axes = dims.iter().map(|&d| self.axis("permute", d)).collect::<Result<Axes>>()?;
        if axes.len() != self.rank() {
            return Err(Error::shape(
                "permute",
                format!("{:?} does not name each dim of {}", &dims[..], self.shape()),
            ));
        }
        Self::one(Op::Permute(self, axes))
    }

    /// Two dims exchanged.
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Result<Self> {
        let (a, b) = (self.axis("transpose", dim0)?, self.axis("transpose", dim1)?);
        if a == b {
            return Ok(self.clone());
        }
        let mut axes: Axes = (0..self.rank()).collect();
        axes.swap(a, b);
        Self::one(Op::Permute(self, axes))
    }

    /// Stretched to `shape` by the rule of broadcasting: dims of size one are repeated, new ones come in
    /// front.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if *self.shape() == shape {
            return Ok(self.clone());
        }
        if shape.rank() <= self.rank() {
            return Self::one(Op::Broadcast(self, shape));
        }
        let new = shape.rank() - self.rank();
        let padded = std::iter::repeat_n(1, new).chain(self.shape().iter().copied()).collect();
        Self::one(Op::Broadcast(&Self::one(Op::Reshape(self, padded))?, shape))
    }

    /// A new dim of size one before `dim`.
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Result<Self> {
        let mut shape = self.shape().clone();
        shape.push(1);
        let here = Location::caller();
        let axis = shape.axis("unsqueeze", dim).map_err(|e| e.at(here))?;
        shape.remove(self.rank());
        shape.insert(axis, 1);
        Self::one(Op::Reshape(self, shape))
    }

    /// `len` elements from `start` along a dim.
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: usize, len: usize) -> Result<Self> {
        let axis = self.axis("narrow", dim)?;
        self.span(axis, Span { start, step: 1, len })
    }

    /// The shape to which this and another tensor stretch.
    #[track_caller]
    pub(crate) fn common_shape(&self, op: &'static str, other: &Self) -> Result<Shape> {
        self.shape().broadcast(other.shape()).ok_or_else(|| {
            Error::shape(
                op,
                format!(
                    "{} and {} do not broadcast: sizes have to be equal or 1",
                    self.shape(),
                    other.shape()
                ),
            )
        })
    }

    /// A part of one axis.
    #[track_caller]
    pub(crate) fn span(&self, axis: usize, span: Span) -> Result<Self> {
        let mut spans: Spans = self.shape().iter().map(|&n| Span::all(n)).collect();
        match spans.get_mut(axis) {
            Some(slot) => *slot = span,
            None => {
                return Err(Error::index("slice", format!("there is no axis {axis} in {}", self.shape())));
            }
        }
        Self::one(Op::Slice(self, spans))
    }
}

impl Sizes {
    /// The sizes for a tensor of `shape`, with -1 replaced by what is left.
    pub(crate) fn fill(&self, shape: &Shape) -> Result<Shape> {
        let bad = |why: &str| {
            Err(Error::shape("reshape", format!("cannot make {:?} of {shape}: {why}", &self.0[..])))
        };
        if self.0.iter().any(|&s| s < -1) || self.0.iter().filter(|&&s| s == -1).count() > 1 {
            return bad("one size may be -1, and the others have to be positive");
        }
        let known = self.0.iter().filter(|&&s| s >= 0).try_fold(1usize, |n, &s| n.checked_mul(s as usize));
        let left = match known {
            Some(0) | None if self.0.contains(&-1) => return bad("what is left for -1 is undetermined"),
            Some(known) if self.0.contains(&-1) => {
                if !shape.numel().is_multiple_of(known) {
                    return bad("the number of elements differs");
                }
                shape.numel() / known
            }
            _ => 0,
        };
        Ok(self.0.iter().map(|&s| usize::try_from(s).unwrap_or(left)).collect())
    }
}
