//! Quantiles.
use crate::{Arg, Backend, DType, Dims, Error, Op, Result, Shape, Tensor, keepdim};

/// What [`Tensor::quantile`] gives between two elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// As far between them as it is.
    #[default]
    Linear,
    /// The lower.
    Lower,
    /// The higher.
    Higher,
    /// The nearer.
    Nearest,
    /// Half way between them.
    Midpoint,
}

impl<B: Backend> Tensor<B> {
    /// What a part `q` of the elements along a dim (`..`: of all) lies below, for a number in `[0, 1]` or each of a vector
    /// of them, which becomes the first dim of the result. NaN where one is.
    /// [`torch.quantile`](https://docs.pytorch.org/docs/stable/generated/torch.quantile.html)
    ///
    /// ```
    /// use firesteel::{Interpolation, prelude::*};
    /// let x = Tensor::new([4.0, 1.0, 3.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.quantile(0.5, .., Interpolation::Linear)?.item::<f32>()?, 2.5);
    /// assert_eq!(x.quantile(0.5, .., Interpolation::Lower)?.item::<f32>()?, 2.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn quantile(
        &self,
        q: impl Into<Arg<B>>,
        dim: impl Into<Dims>,
        interpolation: Interpolation,
    ) -> Result<Self> {
        self.quantiles("quantile", q.into(), dim.into(), interpolation, true)
    }

    /// [`quantile`](Self::quantile) of what is not NaN.
    /// [`torch.nanquantile`](https://docs.pytorch.org/docs/stable/generated/torch.nanquantile.html)
    ///
    /// ```
    /// use firesteel::{Interpolation, prelude::*};
    /// let x = Tensor::new([4.0, f64::NAN, 3.0], &Cpu::default())?;
    /// assert_eq!(x.nanquantile(0.5, .., Interpolation::Linear)?.item::<f32>()?, 3.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nanquantile(
        &self,
        q: impl Into<Arg<B>>,
        dim: impl Into<Dims>,
        interpolation: Interpolation,
    ) -> Result<Self> {
        self.quantiles("nanquantile", q.into(), dim.into(), interpolation, false)
    }

    #[track_caller]
    fn quantiles(
        &self,
        op: &'static str,
        q: Arg<B>,
        dims: Dims,
        interpolation: Interpolation,
        nan_counts: bool,
    ) -> Result<Self> {
        let q = match q {
            Arg::Scalar(q) if !(0. ..=1.).contains(&q.to_f64()) => {
                return Err(Error::value(op, format!("q has to lie in [0, 1], and {q} does not")));
            }
            Arg::Scalar(q) => Self::full((), q, (self.dtype(), self.backend()))?,
            Arg::Tensor(q) => q,
        };
        if !self.dtype().is_float() || q.dtype() != self.dtype() || q.rank() > 1 {
            let why = format!(
                "needs real numbers and a number or vector of their dtype, not {} and {}",
                self.meta(),
                q.meta()
            );
            return Err(Error::dtype(op, why));
        }
        let (x, axis) = match dims.dims.as_deref() {
            None => (self.ravel()?, 0),
            Some(&[dim]) => (self.atleast_1d()?, self.axis(op, dim)?),
            Some(dims) => {
                return Err(Error::value(op, format!("goes along one dim, not {} of them", dims.len())));
            }
        };
        let len = x.shape()[axis];
        if len == 0 {
            return Err(Error::shape(op, format!("there is none among no elements, in {}", self.shape())));
        }
        let sorted = x.movedim(axis as isize, -1)?.sort(-1, crate::Order::Ascending)?.0;
        // sorted, NaN comes last
        let numbers = sorted.eq(&sorted)?.sum(keepdim(-1))?.to(x.dtype())?;
        // where q stands among the elements, counted from 0; the last of them, where NaN is, is NaN
        let (n, last) = (numbers.lazy(), len as f64 - 1.);
        let line = match nan_counts {
            true => n.lt(len as f64).where_(last, q.lazy() * last),
            false => q.lazy() * (n - 1.).maximum(0.),
        };
        let line = line.eval_as(op)?;
        let at = |place: &Self| {
            let index = &place.to(DType::I64)?;
            Self::one(Op::Gather { x: &sorted, index, axis: sorted.rank() - 1 })
        };
        let ranks = line.detach();
        let found = match interpolation {
            Interpolation::Lower => at(&ranks.floor()?)?,
            Interpolation::Higher => at(&ranks.ceil()?)?,
            Interpolation::Nearest => at(&ranks.round()?)?,
            Interpolation::Midpoint => at(&ranks.floor()?)?.lerp(at(&ranks.ceil()?)?, 0.5)?,
            Interpolation::Linear => {
                let below = ranks.floor()?;
                at(&below)?.lerp(at(&ranks.ceil()?)?, line.sub(&below)?)?
            }
        };
        let found = found.movedim(-1, 0)?;
        let found = match dims.dims {
            _ if !dims.keepdim || self.rank() == 0 => found,
            Some(_) => found.unsqueeze(axis as isize + 1)?,
            None => found.shaped(Shape::from(q.numel()).aligned(self.rank() + 1))?,
        };
        if q.rank() == 0 { found.squeeze(0) } else { Ok(found) }
    }
}
