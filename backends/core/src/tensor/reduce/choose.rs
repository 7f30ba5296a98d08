//! Reductions that choose one element: which it is, and its value.
use crate::{ArgReduce, Backend, DType, Dims, Error, Op, Result, Span, Tensor};
use smallvec::smallvec;
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// The largest of all elements, NaN where one is. Equals share the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.max.html>
    ///
    /// Along a dim there is [`max_dim`](Self::max_dim), of two tensors [`maximum`](Self::maximum).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 5], [3, 2]], &Cpu::default())?;
    /// assert_eq!(x.max()?.item::<i64>()?, 5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn max(&self) -> Result<Self> {
        self.amax(..)
    }

    /// The smallest of all elements, NaN where one is. Equals share the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.min.html>
    ///
    /// Along a dim there is [`min_dim`](Self::min_dim), of two tensors [`minimum`](Self::minimum).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 5], [3, 2]], &Cpu::default())?;
    /// assert_eq!(x.min()?.item::<i64>()?, 1);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn min(&self) -> Result<Self> {
        self.amin(..)
    }

    /// The largest along a dim, and the I64 index of the first: PyTorch's `max(dim)`. That element alone
    /// gets the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.max.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 2.0]], &Cpu::default())?;
    /// let (values, indices) = x.max_dim(1)?;
    /// assert_eq!(values.to_vec::<f32>()?, [5., 3.]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn max_dim(&self, dim: impl Into<Dims>) -> Result<(Self, Self)> {
        self.choose("max", dim.into(), |x, axis| x.arg_reduce(ArgReduce::Max, axis))
    }

    /// The smallest along a dim, and the I64 index of the first: PyTorch's `min(dim)`. That element alone
    /// gets the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.min.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 2.0]], &Cpu::default())?;
    /// let (values, indices) = x.min_dim(keepdim(1))?;
    /// assert_eq!(values.to_vec::<f32>()?, [1., 2.]);
    /// assert_eq!(indices.shape().to_string(), "[2, 1]");
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn min_dim(&self, dim: impl Into<Dims>) -> Result<(Self, Self)> {
        self.choose("min", dim.into(), |x, axis| x.arg_reduce(ArgReduce::Min, axis))
    }

    /// The I64 index of the largest along a dim, the first of equals; with `..`, in the flattened tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.argmax.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 2.0]], &Cpu::default())?;
    /// assert_eq!(x.argmax(1)?.to_vec::<i64>()?, [1, 0]);
    /// assert_eq!(x.argmax(..)?.item::<i64>()?, 1);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn argmax(&self, dim: impl Into<Dims>) -> Result<Self> {
        self.arg(ArgReduce::Max, dim.into())
    }

    /// The I64 index of the smallest along a dim, the first of equals; with `..`, in the flattened tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.argmin.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 2.0]], &Cpu::default())?;
    /// assert_eq!(x.argmin(1)?.to_vec::<i64>()?, [0, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn argmin(&self, dim: impl Into<Dims>) -> Result<Self> {
        self.arg(ArgReduce::Min, dim.into())
    }

    /// The middle of all elements in order, the lower of two; NaN where one is.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.median.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([4.0, 1.0, 3.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.median()?.item::<f32>()?, 2.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn median(&self) -> Result<Self> {
        self.middle_of_all("median", Nan::First)
    }

    /// The middle along a dim, the lower of two, and its I64 index; NaN where one is.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.median.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[4.0, 1.0, 3.0]], &Cpu::default())?;
    /// let (values, indices) = x.median_dim(1)?;
    /// assert_eq!((values.item::<f32>()?, indices.item::<i64>()?), (3., 2));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn median_dim(&self, dim: impl Into<Dims>) -> Result<(Self, Self)> {
        self.choose("median", dim.into(), |x, axis| x.middle(axis, Nan::First))
    }

    /// [`median`](Self::median) of what is not NaN.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nanmedian.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([4.0, f64::NAN, 3.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.nanmedian()?.item::<f32>()?, 3.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nanmedian(&self) -> Result<Self> {
        self.middle_of_all("nanmedian", Nan::Ignored)
    }

    /// [`median_dim`](Self::median_dim) of what is not NaN.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nanmedian.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[4.0, f64::NAN, 3.0]], &Cpu::default())?;
    /// let (values, indices) = x.nanmedian_dim(1)?;
    /// assert_eq!((values.item::<f32>()?, indices.item::<i64>()?), (3., 2));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nanmedian_dim(&self, dim: impl Into<Dims>) -> Result<(Self, Self)> {
        self.choose("nanmedian", dim.into(), |x, axis| x.middle(axis, Nan::Ignored))
    }

    /// The `k`th smallest along a dim, counted from 1, and its I64 index.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.kthvalue.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([4.0, 1.0, 3.0], &Cpu::default())?;
    /// let (values, indices) = x.kthvalue(2, 0)?;
    /// assert_eq!((values.item::<f32>()?, indices.item::<i64>()?), (3., 2));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn kthvalue(&self, k: usize, dim: impl Into<Dims>) -> Result<(Self, Self)> {
        self.choose("kthvalue", dim.into(), |x, axis| {
            let len = x.shape()[axis];
            let Some(start) = k.checked_sub(1).filter(|&start| start < len) else {
                return Err(Error::index("kthvalue", format!("there is no {k}th among {len}")));
            };
            x.ascending(axis)?.1.span(axis, Span { start, step: 1, len: 1 })
        })
    }

    /// Chooses along one dim what `index` says, which keeps the axis with size one.
    #[track_caller]
    pub(in crate::tensor) fn choose(
        &self,
        name: &'static str,
        dim: Dims,
        index: impl FnOnce(&Self, usize) -> Result<Self>,
    ) -> Result<(Self, Self)> {
        let here = Location::caller();
        let (axes, keep) = dim.resolve(name, self.shape()).map_err(|e| e.at(here))?;
        match axes[..] {
            [axis] => {
                let found = |x: &Self| index(x, axis).map_err(|e| e.within(name).at(here));
                let indices = found(&self.detach())?;
                let values = Self::one(Op::Gather { x: self, index: &indices, axis })?;
                if keep {
                    return Ok((values, indices));
                }
                Ok((values.without(&smallvec![axis])?, indices.without(&smallvec![axis])?))
            }
            [] if self.rank() == 0 => Ok((self.clone(), Self::full((), 0, (DType::I64, self.backend()))?)),
            _ => Err(Error::value(name, format!("goes along one dim, not {} of them", axes.len()))),
        }
    }

    #[track_caller]
    fn arg_reduce(&self, kind: ArgReduce, axis: usize) -> Result<Self> {
        let x = if self.dtype() == DType::Bool { &self.to(DType::U8)? } else { self };
        Self::one(Op::ArgReduce(kind, x, axis))
    }

    /// Where along one dim, or along all in row-major order.
    #[track_caller]
    fn arg(&self, kind: ArgReduce, dim: Dims) -> Result<Self> {
        let here = Location::caller();
        if dim.dims.is_none() || self.rank() == 0 {
            dim.resolve(kind.name(), self.shape()).map_err(|e| e.at(here))?;
            let flat = Self::one(Op::ArgReduce(kind, &self.reshape([self.numel()])?, 0))?;
            let rank = if dim.keepdim { self.rank() } else { 0 };
            return flat.reshape(vec![1usize; rank]);
        }
        match dim.resolve(kind.name(), self.shape()).map_err(|e| e.at(here))? {
            (axes, keep) if axes.len() == 1 => {
                let y = Self::one(Op::ArgReduce(kind, self, axes[0]))?;
                if keep { Ok(y) } else { y.without(&axes) }
            }
            (axes, _) => {
                Err(Error::value(kind.name(), format!("goes along one dim, not {} of them", axes.len())))
            }
        }
    }

    /// In order along an axis, and the indices.
    #[track_caller]
    fn ascending(&self, axis: usize) -> Result<(Self, Self)> {
        Self::two(Op::Sort { x: self, axis, descending: false })
    }

    #[track_caller]
    fn middle_of_all(&self, name: &'static str, nan: Nan) -> Result<Self> {
        if self.numel() == 0 && self.dtype().is_float() {
            return Self::full((), f64::NAN, (self.dtype(), self.backend()));
        }
        let flat = self.reshape([self.numel()])?;
        Ok(flat.choose(name, 0.into(), |x, axis| x.middle(axis, nan))?.0)
    }

    /// The index of the middle along an axis, which keeps size one. In order NaN comes last, so that it is
    /// known from how many numbers there are where the first of them stands, and where their middle is.
    #[track_caller]
    fn middle(&self, axis: usize, nan: Nan) -> Result<Self> {
        let len = self.shape()[axis];
        if len == 0 {
            return Err(Error::shape(
                "median",
                format!("there is none among no elements, in {}", self.shape()),
            ));
        }
        let (_, order) = self.ascending(axis)?;
        if !self.dtype().is_float() {
            return order.span(axis, Span { start: (len - 1) / 2, step: 1, len: 1 });
        }
        let numbers = self.eq(self)?.sum(crate::keepdim(axis))?;
        let place = match nan {
            Nan::First => numbers.eq(len)?.where_((len - 1) / 2, &numbers)?,
            Nan::Ignored => (numbers.maximum(1)? - 1)?.div_rounded(2, crate::RoundingMode::Trunc)?,
        };
        Self::one(Op::Gather { x: &order, index: &place, axis })
    }
}

/// What a median does where there is NaN.
#[derive(Clone, Copy)]
enum Nan {
    /// It is the first of them.
    First,
    /// They do not count.
    Ignored,
}
