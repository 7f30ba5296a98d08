//! Elements several times over.
use crate::{Arg, Backend, Data, Error, Op, Result, Shape, Sizes, Tensor, TensorData};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// The whole tensor `sizes[i]` times along dim `i`; new dims come in front.
    /// [`Tensor.repeat`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.repeat.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.repeat([2, 2])?.to_vec::<i64>()?, [1, 2, 1, 2, 1, 2, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat(&self, sizes: impl Into<Sizes>) -> Result<Self> {
        let Sizes(times) = sizes.into();
        let Some(new) = times.len().checked_sub(self.rank()) else {
            let why = format!("{:?} does not have a number for each dim of {}", &times[..], self.shape());
            return Err(Error::shape("repeat", why));
        };
        self.repeated("repeat", &times, new)
    }

    /// As [`repeat`](Self::repeat), where dims for which no number is given come once.
    /// [`torch.tile`](https://docs.pytorch.org/docs/stable/generated/torch.tile.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1], [2]], &Cpu::default())?;
    /// assert_eq!(x.tile(2)?.to_vec::<i64>()?, [1, 1, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tile(&self, sizes: impl Into<Sizes>) -> Result<Self> {
        let Sizes(mut times) = sizes.into();
        let missing = self.rank().saturating_sub(times.len());
        times.insert_many(0, std::iter::repeat_n(1, missing));
        self.repeated("tile", &times, times.len() - self.rank())
    }

    /// Each element (or slice along `dim`) several times in a row: a number for all, or a tensor with a
    /// number for each. Without a dim, the flattened tensor's elements. A tensor of numbers is read from its
    /// device, as the result's size depends on it.
    /// [`torch.repeat_interleave`](https://docs.pytorch.org/docs/stable/generated/torch.repeat_interleave.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2], [3, 4]], &cpu)?;
    /// assert_eq!(x.repeat_interleave(2, None)?.to_vec::<i64>()?, [1, 1, 2, 2, 3, 3, 4, 4]);
    /// let times = Tensor::new([1, 2], &cpu)?;
    /// assert_eq!(x.repeat_interleave(&times, 0)?.to_vec::<i64>()?, [1, 2, 3, 4, 3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat_interleave(
        &self,
        repeats: impl Into<Arg<B>>,
        dim: impl Into<Option<isize>>,
    ) -> Result<Self> {
        let Some(dim) = dim.into() else {
            return self.ravel()?.repeat_interleave(repeats, 0);
        };
        let (axis, size) = (self.axis("repeat_interleave", dim)?, self.size(dim)?);
        let negative = || Error::value("repeat_interleave", "nothing can be repeated less than zero times");
        match repeats.into() {
            Arg::Scalar(times) => {
                let here = Location::caller();
                let times = usize::try_from(times.to_i64()).map_err(|_| negative().at(here))?;
                let mut shape = self.shape().clone();
                shape.insert(axis + 1, times);
                let spread = self.unsqueeze(axis as isize + 1)?.broadcast_to(shape)?;
                spread.flatten(axis as isize, axis as isize + 1)
            }
            Arg::Tensor(times) => {
                if !times.dtype().is_integer() || times.rank() > 1 || ![1, size].contains(&times.numel()) {
                    let why = format!("needs a whole number, or {size} of them, not {}", times.meta());
                    return Err(Error::shape("repeat_interleave", why));
                }
                let times = times.to_vec::<i64>()?;
                if times.iter().any(|&n| n < 0) {
                    return Err(negative());
                }
                let total =
                    times.iter().cycle().take(size).fold(0, |sum: u64, &n| sum.saturating_add(n as u64));
                let mut places =
                    super::split::room("repeat_interleave", usize::try_from(total).unwrap_or(usize::MAX))?;
                for (place, &n) in (0..size as i64).zip(times.iter().cycle()) {
                    places.extend(std::iter::repeat_n(place, n as usize));
                }
                let places = TensorData::new(places.len(), Data::I64(places))?;
                let index = Self::from_data(places, self.backend())?;
                Self::one(Op::IndexSelect { x: self, index: &index, axis })
            }
        }
    }

    /// The tensor with `new` dims in front, `times[i]` times along dim `i`.
    #[track_caller]
    fn repeated(&self, op: &'static str, times: &[i64], new: usize) -> Result<Self> {
        if let Some(n) = times.iter().find(|n| **n < 0) {
            return Err(Error::value(op, format!("nothing can be repeated {n} times")));
        }
        if times.iter().all(|&n| n == 1) {
            return self.shaped(std::iter::repeat_n(1, new).chain(self.shape().iter().copied()).collect());
        }
        // [m, n] is seen as [1, m, 1, n], stretched to [a, m, b, n], and becomes [a m, b n]
        let sizes = std::iter::repeat_n(1, new).chain(self.shape().iter().copied());
        let (mut apart, mut wide, mut result) = (Shape::scalar(), Shape::scalar(), Shape::scalar());
        for (&n, size) in times.iter().zip(sizes) {
            let n = n as usize;
            apart.push(1);
            apart.push(size);
            wide.push(n);
            wide.push(size);
            result.push(n.saturating_mul(size));
        }
        self.shaped(apart)?.broadcast_to(wide)?.shaped(result)
    }
}
