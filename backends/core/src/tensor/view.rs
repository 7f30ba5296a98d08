//! The same elements in the same order, under another shape.
use crate::{Axes, Backend, Dims, Error, Op, Result, Shape, Sizes, Tensor};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// The elements in row-major order under another shape; one size may be -1, which is whatever is left.
    /// They are copied only where the layout in memory asks for it.
    /// [`torch.reshape`](https://docs.pytorch.org/docs/stable/generated/torch.reshape.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3, 4, 5, 6], &Cpu::default())?;
    /// assert_eq!(x.reshape([2, -1])?.shape(), &[2, 3]);
    /// assert!(x.reshape([4, -1]).is_err());
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(&self, sizes: impl Into<Sizes>) -> Result<Self> {
        let here = Location::caller();
        let shape = sizes.into().fill(self.shape()).map_err(|e| e.at(here))?;
        self.shaped(shape)
    }

    /// As [`reshape`](Self::reshape): a tensor does not show where its elements lie, so that every shape
    /// can be viewed.
    /// [`Tensor.view`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!(x.view([3, 2])?.to_vec::<i64>()?, [1, 2, 3, 4, 5, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn view(&self, sizes: impl Into<Sizes>) -> Result<Self> {
        let here = Location::caller();
        self.reshape(sizes).map_err(|e| e.within("view").at(here))
    }

    /// The elements under the shape of another tensor.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2, 3, 4], &cpu)?, Tensor::zeros([2, 2], &cpu)?);
    /// assert_eq!(x.reshape_as(&y)?.shape(), &[2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape_as(&self, other: &Self) -> Result<Self> {
        self.shaped(other.shape().clone())
    }

    /// As [`reshape_as`](Self::reshape_as).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2, 3, 4], &cpu)?, Tensor::zeros([4, 1], &cpu)?);
    /// assert_eq!(x.view_as(&y)?.shape(), &[4, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn view_as(&self, other: &Self) -> Result<Self> {
        self.shaped(other.shape().clone())
    }

    /// All elements along one dim, row-major.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.t()?.ravel()?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ravel(&self) -> Result<Self> {
        self.shaped(self.numel().into())
    }

    /// The dims from `start_dim` to `end_dim`, both included, become one. A tensor without dims gets one.
    /// [`torch.flatten`](https://docs.pytorch.org/docs/stable/generated/torch.flatten.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let images = Tensor::zeros([8, 3, 4, 4], &Cpu::default())?;
    /// assert_eq!(images.flatten(1, -1)?.shape(), &[8, 48]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn flatten(&self, start_dim: isize, end_dim: isize) -> Result<Self> {
        let (start, end) = (self.axis("flatten", start_dim)?, self.axis("flatten", end_dim)?);
        if self.rank() == 0 {
            return self.shaped(1.into());
        }
        if start > end {
            let why = format!("dim {start_dim} of {} comes after dim {end_dim}: swap them", self.shape());
            return Err(Error::value("flatten", why));
        }
        let sizes = self.shape();
        let middle = sizes[start..=end].iter().copied().fold(1, usize::saturating_mul);
        let around = sizes[..start].iter().copied().chain([middle]).chain(sizes[end + 1..].iter().copied());
        self.shaped(around.collect())
    }

    /// The dim `dim` becomes several, of these sizes; one may be -1, which is whatever is left.
    /// [`torch.unflatten`](https://docs.pytorch.org/docs/stable/generated/torch.unflatten.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([5, 12], &Cpu::default())?;
    /// assert_eq!(x.unflatten(1, [3, -1])?.shape(), &[5, 3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unflatten(&self, dim: isize, sizes: impl Into<Sizes>) -> Result<Self> {
        let (here, axis) = (Location::caller(), self.axis("unflatten", dim)?);
        let Some(&size) = self.shape().get(axis) else {
            return Err(Error::shape("unflatten", "a tensor without dims has none to split"));
        };
        let inner = sizes.into().fill(&size.into()).map_err(|e| e.within("unflatten").at(here))?;
        if inner.checked_numel() != Some(size) {
            let why = format!("dim {dim} of {} cannot be split into {inner}", self.shape());
            return Err(Error::shape("unflatten", why));
        }
        let (before, after) = (&self.shape()[..axis], &self.shape()[axis + 1..]);
        self.shaped(before.iter().chain(&inner).chain(after).copied().collect())
    }

    /// Without the dims of size one among `dims`: `x.squeeze(..)` drops all of them, `x.squeeze(1)` the dim
    /// 1 if it has size one.
    /// [`torch.squeeze`](https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([1, 2, 1, 3], &Cpu::default())?;
    /// assert_eq!(x.squeeze(..)?.shape(), &[2, 3]);
    /// assert_eq!(x.squeeze([0, 1])?.shape(), &[2, 1, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn squeeze(&self, dims: impl Into<Dims>) -> Result<Self> {
        let mut axes = self.axes("squeeze", dims)?;
        axes.retain(|axis| self.shape()[*axis] == 1);
        self.without(&axes)
    }

    /// A new dim of size one before `dim`; -1 is after the last.
    /// [`torch.unsqueeze`](https://docs.pytorch.org/docs/stable/generated/torch.unsqueeze.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3], &Cpu::default())?;
    /// assert_eq!(x.unsqueeze(0)?.shape(), &[1, 3]);
    /// assert_eq!(x.unsqueeze(-1)?.shape(), &[3, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Result<Self> {
        let (here, mut shape) = (Location::caller(), self.shape().clone());
        let places = shape.iter().copied().chain([1]).collect::<Shape>();
        shape.insert(places.axis("unsqueeze", dim).map_err(|e| e.at(here))?, 1);
        self.shaped(shape)
    }

    /// At least one dim: a single number becomes a vector of one.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(5.0, &Cpu::default())?;
    /// assert_eq!(x.atleast_1d()?.shape(), &[1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn atleast_1d(&self) -> Result<Self> {
        if self.rank() == 0 { self.shaped(1.into()) } else { Ok(self.clone()) }
    }

    /// At least two dims: new ones come in front.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.atleast_2d()?.shape(), &[1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn atleast_2d(&self) -> Result<Self> {
        let x = self.atleast_1d()?;
        if x.rank() == 1 { x.unsqueeze(0) } else { Ok(x) }
    }

    /// At least three dims: `[n]` becomes `[1, n, 1]`, and `[m, n]` becomes `[m, n, 1]`.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.atleast_3d()?.shape(), &[1, 2, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn atleast_3d(&self) -> Result<Self> {
        let x = self.atleast_2d()?;
        if x.rank() == 2 { x.unsqueeze(-1) } else { Ok(x) }
    }

    /// The tensor itself: its elements always count as row-major, wherever the backend keeps them.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.t()?.contiguous().to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn contiguous(&self) -> Self {
        self.clone()
    }

    /// The elements under a shape with as many places.
    #[track_caller]
    pub(crate) fn shaped(&self, shape: Shape) -> Result<Self> {
        if shape == *self.shape() { Ok(self.clone()) } else { Self::one(Op::Reshape(self, shape)) }
    }

    /// The axes that `dims` name, in their order, each at most once.
    #[track_caller]
    pub(crate) fn axes(&self, op: &'static str, dims: impl Into<Dims>) -> Result<Axes> {
        let Some(dims) = dims.into().dims else {
            return Ok((0..self.rank()).collect());
        };
        let mut axes = Axes::new();
        for dim in &dims {
            let axis = self.axis(op, *dim)?;
            if axes.contains(&axis) {
                let why = format!("the dims {:?} name one dim of {} twice", &dims[..], self.shape());
                return Err(Error::value(op, why));
            }
            axes.push(axis);
        }
        // dim 0 of a tensor without dims is no axis at all
        axes.retain(|axis| *axis < self.rank());
        Ok(axes)
    }
}

impl Sizes {
    /// The sizes for a tensor of `shape`, with -1 replaced by what is left.
    fn fill(&self, shape: &Shape) -> Result<Shape> {
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
