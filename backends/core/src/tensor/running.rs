//! Running functions by doubling: what `2ⁿ` elements give, together with what the `2ⁿ` before them gave.
use crate::{Arg, Backend, DType, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// The largest so far along a dim, and the I64 index of the last that is; NaN where one was.
    /// [`torch.cummax`](https://docs.pytorch.org/docs/stable/generated/torch.cummax.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 3.0, 2.0, 3.0], &Cpu::default())?;
    /// let (values, indices) = x.cummax(0)?;
    /// assert_eq!(values.to_vec::<f32>()?, [1., 3., 3., 3.]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1, 1, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cummax(&self, dim: isize) -> Result<(Self, Self)> {
        self.best_so_far("cummax", dim, |now, before| now.ge(before))
    }

    /// The smallest so far along a dim, and the I64 index of the last that is; NaN where one was.
    /// [`torch.cummin`](https://docs.pytorch.org/docs/stable/generated/torch.cummin.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([3.0, 1.0, 2.0, 1.0], &Cpu::default())?;
    /// let (values, indices) = x.cummin(0)?;
    /// assert_eq!(values.to_vec::<f32>()?, [3., 1., 1., 1.]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1, 1, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cummin(&self, dim: isize) -> Result<(Self, Self)> {
        self.best_so_far("cummin", dim, |now, before| now.le(before))
    }

    /// `ln (e^x₀ + .. + e^xᵢ)` along a dim, without overflow. Whole numbers are cast to F32 first.
    /// [`torch.logcumsumexp`](https://docs.pytorch.org/docs/stable/generated/torch.logcumsumexp.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1000.0, 1000.0], &Cpu::default())?;
    /// let sums = Tensor::new([1000.0, 1000.6931], &Cpu::default())?;
    /// assert!(x.logcumsumexp(0)?.allclose(&sums, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logcumsumexp(&self, dim: isize) -> Result<Self> {
        let axis = self.axis("logcumsumexp", dim)?;
        let [y] = doubled([self.to_float()?], axis, |[now], [before]| Ok([now.logaddexp(before)?]))?;
        Ok(y)
    }

    /// The last of the best so far: an element stays unless it is worse than what was before, and NaN is best.
    #[track_caller]
    fn best_so_far(
        &self,
        op: &'static str,
        dim: isize,
        stays: fn(&Self, Arg<B>) -> Result<Self>,
    ) -> Result<(Self, Self)> {
        let axis = self.axis(op, dim)?;
        let places = (DType::I64, self.backend());
        if self.rank() == 0 {
            return Ok((self.clone(), Self::full((), 0, places)?));
        }
        // Bool has no order on every machine
        let x = if self.dtype() == DType::Bool { self.to(DType::U8)? } else { self.detach() };
        let index = Self::arange(0..x.shape()[axis], places)?
            .shaped(crate::Shape::from(x.shape()[axis]).aligned(x.rank() - axis))?
            .broadcast_to(x.shape())?;
        let [_, index] = doubled([x, index], axis, |[now, place], [before, earlier]| {
            let stays = stays(now, before.into())?.bitwise_or(now.ne(now)?)?;
            Ok([stays.where_(now, before)?, stays.where_(place, earlier)?])
        })?;
        Ok((self.gather(axis as isize, &index)?, index))
    }
}

/// Joins each element with all before it: with the one before, then with what the two before those gave, and so on.
#[track_caller]
fn doubled<B: Backend, const N: usize>(
    mut xs: [Tensor<B>; N],
    axis: usize,
    join: impl Fn([&Tensor<B>; N], [&Tensor<B>; N]) -> Result<[Tensor<B>; N]>,
) -> Result<[Tensor<B>; N]> {
    let (len, dim) = (xs[0].shape().get(axis).copied().unwrap_or(1), axis as isize);
    let mut step = 1;
    while step < len {
        let part = |x: &Tensor<B>, start: usize, len: usize| x.narrow(dim, start, len);
        let (mut now, mut before) = (xs.clone(), xs.clone());
        for ((now, before), x) in now.iter_mut().zip(&mut before).zip(&xs) {
            *now = part(x, step, len - step)?;
            *before = part(x, 0, len - step)?;
        }
        let joined = join(now.each_ref(), before.each_ref())?;
        for (x, joined) in xs.iter_mut().zip(&joined) {
            *x = Tensor::cat(&[&part(x, 0, step)?, joined], dim)?;
        }
        step *= 2;
    }
    Ok(xs)
}
