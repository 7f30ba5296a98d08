//! One index for each element: read from, and written to, along one dim.
use crate::{Arg, Backend, Error, Op, Reduce, Result, Scalar, Scatter, Shape, Span, Spans, Tensor};

/// How [`Tensor::scatter_reduce`] joins values.
///
/// ```
/// use firesteel::{Reduce, ScatterReduce};
/// assert!(ScatterReduce::from(Reduce::Mean).include_self);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScatterReduce {
    /// By which function.
    pub reduce: Reduce,
    /// Whether the values that are there before count, too.
    pub include_self: bool,
}

impl From<Reduce> for ScatterReduce {
    fn from(reduce: Reduce) -> Self {
        Self { reduce, include_self: true }
    }
}

impl<B: Backend> Tensor<B> {
    /// `y[i][j] = x[index[i][j]][j]` along dim 0, `y[i][j] = x[i][index[i][j]]` along dim 1, and so on; the
    /// result has the shape of `index`.
    /// [`torch.gather`](https://docs.pytorch.org/docs/stable/generated/torch.gather.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &cpu)?;
    /// let index = Tensor::new([[2], [0]], &cpu)?;
    /// assert_eq!(x.gather(1, &index)?.to_vec::<i64>()?, [3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn gather(&self, dim: isize, index: &Self) -> Result<Self> {
        let axis = self.axis("gather", dim)?;
        if index.numel() == 0 {
            return Self::make(self.backend(), Op::Full(Scalar::Int(0), index.shape().clone(), self.dtype()));
        }
        let (x, places) = (self.atleast_1d()?, index.atleast_1d()?);
        Self::one(Op::Gather { x: &x, index: &places, axis })?.reshape_as(index)
    }

    /// As [`gather`](Self::gather), with this tensor and `index` broadcast against each other but along `dim`;
    /// without a dim, among all elements.
    /// [`torch.take_along_dim`](https://docs.pytorch.org/docs/stable/generated/torch.take_along_dim.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &cpu)?;
    /// assert_eq!(x.take_along_dim(&Tensor::new([[2]], &cpu)?, 1)?.to_vec::<i64>()?, [3, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn take_along_dim(&self, index: &Self, dim: impl Into<Option<isize>>) -> Result<Self> {
        let Some(dim) = dim.into() else {
            return self.ravel()?.gather(0, &index.ravel()?);
        };
        let axis = self.axis("take_along_dim", dim)?;
        if self.rank() != index.rank() {
            let why = format!("{} and an index {} have unequal ranks", self.shape(), index.shape());
            return Err(Error::shape("take_along_dim", why));
        }
        // the sizes along the axis have nothing to do with each other
        let (x, places) = (self.shape().with(axis, 1), index.shape().with(axis, 1));
        let Some(common) = x.broadcast(&places) else {
            let why = format!("{} and an index {} do not broadcast", self.shape(), index.shape());
            return Err(Error::shape("take_along_dim", why));
        };
        let wide = |t: &Self| common.with(axis, t.shape().get(axis).copied().unwrap_or(1));
        // unlike those of `gather`, these indices may count from the end
        let from_start = index.lt(0)?.where_(index.add(self.size(dim)?)?, index)?;
        self.broadcast_to(wide(self))?.gather(dim, &from_start.broadcast_to(wide(index))?)
    }

    /// A copy with `y[index[i][j]][j] = src[i][j]` along dim 0, and so on. `src` is a number, or a tensor of
    /// `index`'s shape or larger; where an index repeats, the last wins on the Cpu, and any on other devices.
    /// [`torch.scatter`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, index) = (Tensor::zeros([2, 3], &cpu)?, Tensor::new([[2], [0]], &cpu)?);
    /// assert_eq!(x.scatter(1, &index, 1.0)?.to_vec::<f32>()?, [0., 0., 1., 1., 0., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter(&self, dim: isize, index: &Self, src: impl Into<Arg<B>>) -> Result<Self> {
        self.scattered("scatter", Scatter::Set, dim, index, src.into())
    }

    /// A copy with `y[index[i][j]][j] += src[i][j]` along dim 0, and so on.
    /// [`torch.scatter_add`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, index) = (Tensor::ones([3], &cpu)?, Tensor::new([0, 0, 2], &cpu)?);
    /// let src = Tensor::new([1.0, 2.0, 3.0], &cpu)?;
    /// assert_eq!(x.scatter_add(0, &index, &src)?.to_vec::<f32>()?, [4., 1., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_add(&self, dim: isize, index: &Self, src: impl Into<Arg<B>>) -> Result<Self> {
        self.scattered("scatter_add", Scatter::Add, dim, index, src.into())
    }

    /// A copy in which the values of `src` that go to one place are joined by a function, together with what
    /// is there unless the options say otherwise. PyTorch's `scatter` with `reduce="add"` or `"multiply"` is
    /// one by [`Reduce::Sum`] or [`Reduce::Prod`].
    /// [`torch.scatter_reduce`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html)
    ///
    /// ```
    /// use firesteel::{Reduce, ScatterReduce, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, index) = (Tensor::ones([2], &cpu)?, Tensor::new([0, 0], &cpu)?);
    /// let src = Tensor::new([2.0, 6.0], &cpu)?;
    /// assert_eq!(x.scatter_reduce(0, &index, &src, Reduce::Mean)?.to_vec::<f32>()?, [3., 1.]);
    /// let alone = ScatterReduce { reduce: Reduce::Mean, include_self: false };
    /// assert_eq!(x.scatter_reduce(0, &index, &src, alone)?.to_vec::<f32>()?, [4., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_reduce(
        &self,
        dim: isize,
        index: &Self,
        src: impl Into<Arg<B>>,
        options: impl Into<ScatterReduce>,
    ) -> Result<Self> {
        let put =
            |into: &Self, kind, value: Arg<B>| into.scattered("scatter_reduce", kind, dim, index, value);
        self.gathered_up(options.into(), src.into(), put)
    }

    /// What is written by `put` joined by a function, with what is there or alone.
    #[track_caller]
    pub(super) fn gathered_up(
        &self,
        options: ScatterReduce,
        src: Arg<B>,
        put: impl Fn(&Self, Scatter, Arg<B>) -> Result<Self>,
    ) -> Result<Self> {
        let ScatterReduce { reduce, include_self } = options;
        let (kind, neutral) = match reduce {
            Reduce::Sum | Reduce::Mean => (Scatter::Add, Scalar::Int(0)),
            Reduce::Prod => (Scatter::Mul, Scalar::Int(1)),
            Reduce::Max => (Scatter::Max, self.dtype().lowest()),
            Reduce::Min => (Scatter::Min, self.dtype().highest()),
        };
        let before = if include_self { self.clone() } else { put(self, Scatter::Set, neutral.into())? };
        let joined = put(&before, kind, src)?;
        if reduce != Reduce::Mean {
            return Ok(joined);
        }
        let count =
            if include_self { self.ones_like()? } else { put(&self.ones_like()?, Scatter::Set, 0.into())? };
        let count = put(&count, Scatter::Add, 1.into())?.maximum(1)?;
        if self.dtype().is_float() { joined.div(&count) } else { joined.floor_divide(&count) }
    }

    #[track_caller]
    fn scattered(
        &self,
        op: &'static str,
        kind: Scatter,
        dim: isize,
        index: &Self,
        src: Arg<B>,
    ) -> Result<Self> {
        let axis = self.axis(op, dim)?;
        if index.numel() == 0 {
            return Ok(self.clone());
        }
        let (into, places) = (self.atleast_1d()?, index.atleast_1d()?);
        let src = match src {
            Arg::Scalar(_) => self.filler(op, src)?.broadcast_to(places.shape())?,
            Arg::Tensor(src) if src.dtype() == self.dtype() => {
                src.atleast_1d()?.corner(op, places.shape())?
            }
            Arg::Tensor(src) => {
                let why = format!("cannot write {} into {}: cast with `.to(..)`", src.dtype(), self.dtype());
                return Err(Error::dtype(op, why));
            }
        };
        Self::one(Op::Scatter { kind, into: &into, index: &places, x: &src, axis })?.reshape_as(self)
    }

    /// The first elements along each axis, as many as `shape` says.
    #[track_caller]
    fn corner(&self, op: &'static str, shape: &Shape) -> Result<Self> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        let fits =
            self.rank() == shape.rank() && shape.iter().zip(self.shape()).all(|(want, have)| want <= have);
        if !fits {
            let why = format!("the source {} is smaller than the index {shape}", self.shape());
            return Err(Error::shape(op, why));
        }
        let spans: Spans = shape.iter().map(|&len| Span { start: 0, step: 1, len }).collect();
        Self::one(Op::Slice(self, spans))
    }
}
