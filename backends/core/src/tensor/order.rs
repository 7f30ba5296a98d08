//! The same elements in another order: dims exchanged, reversed, turned.
use crate::{Axes, Backend, Dims, Error, Op, Result, Span, Spans, Tensor};

impl<B: Backend> Tensor<B> {
    /// The dims in another order: `dims[i]` becomes dim `i`.
    /// [`torch.permute`](https://docs.pytorch.org/docs/stable/generated/torch.permute.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([2, 3, 5], &Cpu::default())?;
    /// assert_eq!(x.permute([2, 0, 1])?.shape(), &[5, 2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn permute(&self, dims: impl Into<Dims>) -> Result<Self> {
        let axes = self.axes("permute", dims)?;
        if axes.len() != self.rank() {
            let why = format!("{:?} does not name each dim of {}", &axes[..], self.shape());
            return Err(Error::shape("permute", why));
        }
        self.ordered(axes)
    }

    /// Two dims exchanged.
    /// [`torch.transpose`](https://docs.pytorch.org/docs/stable/generated/torch.transpose.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([2, 3, 5], &Cpu::default())?;
    /// assert_eq!(x.transpose(0, -1)?.shape(), &[5, 3, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Result<Self> {
        self.exchanged("transpose", dim0, dim1)
    }

    /// As [`transpose`](Self::transpose), by NumPy's name.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([2, 3, 5], &Cpu::default())?;
    /// assert_eq!(x.swapaxes(0, 1)?.shape(), &[3, 2, 5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn swapaxes(&self, dim0: isize, dim1: isize) -> Result<Self> {
        self.exchanged("swapaxes", dim0, dim1)
    }

    /// A matrix transposed; a vector or a number as it is.
    /// [`torch.t`](https://docs.pytorch.org/docs/stable/generated/torch.t.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.t()?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn t(&self) -> Result<Self> {
        match self.rank() {
            0 | 1 => Ok(self.clone()),
            2 => self.transpose(0, 1),
            _ => {
                let why = format!("{} has more than two dims: use `.mt()` or `.transpose(..)`", self.shape());
                Err(Error::shape("t", why))
            }
        }
    }

    /// The last two dims exchanged, PyTorch's `mT`: each matrix of a batch transposed.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([7, 2, 3], &Cpu::default())?;
    /// assert_eq!(x.mt()?.shape(), &[7, 3, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mt(&self) -> Result<Self> {
        if self.rank() < 2 {
            return Err(Error::shape("mT", format!("{} is not a matrix, nor a batch of them", self.shape())));
        }
        self.transpose(-2, -1)
    }

    /// The dims `source` put in the places `destination`; the others keep their order.
    /// [`torch.movedim`](https://docs.pytorch.org/docs/stable/generated/torch.movedim.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::zeros([2, 3, 5], &Cpu::default())?;
    /// assert_eq!(x.movedim(0, -1)?.shape(), &[3, 5, 2]);
    /// assert_eq!(x.movedim([0, 1], [1, 2])?.shape(), &[5, 2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn movedim(&self, source: impl Into<Dims>, destination: impl Into<Dims>) -> Result<Self> {
        let (from, to) = (self.axes("movedim", source)?, self.axes("movedim", destination)?);
        if from.len() != to.len() {
            let why = format!("the dims {from:?} cannot go to {to:?}: as many have to be given");
            return Err(Error::value("movedim", why));
        }
        let mut stay = (0..self.rank()).filter(|axis| !from.contains(axis));
        let place = |axis| match to.iter().position(|&place| place == axis) {
            Some(i) => Some(from[i]),
            None => stay.next(),
        };
        self.ordered((0..self.rank()).filter_map(place).collect())
    }

    /// The order along `dims` reversed.
    /// [`torch.flip`](https://docs.pytorch.org/docs/stable/generated/torch.flip.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.flip(1)?.to_vec::<i64>()?, [2, 1, 4, 3]);
    /// assert_eq!(x.flip([0, 1])?.to_vec::<i64>()?, [4, 3, 2, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn flip(&self, dims: impl Into<Dims>) -> Result<Self> {
        let axes = self.axes("flip", dims)?;
        let mut spans: Spans = self.shape().iter().map(|&size| Span::all(size)).collect();
        for axis in axes {
            let len = self.shape()[axis];
            spans[axis] = Span { start: len.saturating_sub(1), step: -1, len };
        }
        Self::one(Op::Slice(self, spans))
    }

    /// Left and right exchanged: the order along dim 1 reversed.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.fliplr()?.to_vec::<i64>()?, [2, 1, 4, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn fliplr(&self) -> Result<Self> {
        if self.rank() < 2 {
            return Err(Error::shape("fliplr", format!("needs two dims or more, not {}", self.shape())));
        }
        self.flip(1)
    }

    /// Up and down exchanged: the order along dim 0 reversed.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.flipud()?.to_vec::<i64>()?, [3, 4, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn flipud(&self) -> Result<Self> {
        if self.rank() < 1 {
            return Err(Error::shape("flipud", "needs one dim or more, not a single number"));
        }
        self.flip(0)
    }

    /// Turned by `k` quarters of a circle in the plane of two dims, from the first towards the second.
    /// [`torch.rot90`](https://docs.pytorch.org/docs/stable/generated/torch.rot90.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.rot90(1, [0, 1])?.to_vec::<i64>()?, [2, 4, 1, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rot90(&self, k: i64, dims: [isize; 2]) -> Result<Self> {
        if self.axes("rot90", dims)?.len() != 2 {
            return Err(Error::shape("rot90", format!("needs two dims or more, not {}", self.shape())));
        }
        let [from, to] = dims;
        match k.rem_euclid(4) {
            0 => Ok(self.clone()),
            1 => self.flip(to)?.transpose(from, to),
            2 => self.flip(dims),
            _ => self.flip(from)?.transpose(from, to),
        }
    }

    /// Moved along dims, with what leaves at the end coming back at the start: by `shifts[i]` along
    /// `dims[i]`. `x.roll(2, ..)` moves all elements in row-major order.
    /// [`torch.roll`](https://docs.pytorch.org/docs/stable/generated/torch.roll.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!(x.roll(1, 1)?.to_vec::<i64>()?, [3, 1, 2, 6, 4, 5]);
    /// assert_eq!(x.roll(1, ..)?.to_vec::<i64>()?, [6, 1, 2, 3, 4, 5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn roll(&self, shifts: impl Into<crate::Sizes>, dims: impl Into<Dims>) -> Result<Self> {
        let (shifts, dims) = (shifts.into().0, dims.into());
        let Some(named) = &dims.dims else {
            return match shifts[..] {
                [shift] => self.ravel()?.rolled(0, shift)?.reshape_as(self),
                _ => Err(Error::value("roll", "without dims there has to be one shift")),
            };
        };
        if shifts.len() != named.len() || shifts.is_empty() {
            let why = format!("{} shifts do not fit {} dims", shifts.len(), named.len());
            return Err(Error::value("roll", why));
        }
        let mut y = self.clone();
        for (&shift, &dim) in shifts.iter().zip(named) {
            y = y.rolled(self.axis("roll", dim)?, shift)?;
        }
        Ok(y)
    }

    #[track_caller]
    fn rolled(&self, axis: usize, shift: i64) -> Result<Self> {
        let Some(&size) = self.shape().get(axis).filter(|&&size| size > 0) else {
            return Ok(self.clone());
        };
        let back = shift.rem_euclid(size as i64) as usize;
        if back == 0 {
            return Ok(self.clone());
        }
        let head = self.span(axis, Span { start: 0, step: 1, len: size - back })?;
        let tail = self.span(axis, Span { start: size - back, step: 1, len: back })?;
        Self::one(Op::Concat(smallvec::smallvec![&tail, &head], axis))
    }

    #[track_caller]
    fn exchanged(&self, op: &'static str, dim0: isize, dim1: isize) -> Result<Self> {
        let (a, b) = (self.axis(op, dim0)?, self.axis(op, dim1)?);
        let mut axes: Axes = (0..self.rank()).collect();
        if a != b {
            axes.swap(a, b);
        }
        self.ordered(axes)
    }

    /// The axes in another order, each named once.
    #[track_caller]
    pub(crate) fn ordered(&self, axes: Axes) -> Result<Self> {
        if axes.iter().copied().eq(0..self.rank()) {
            return Ok(self.clone());
        }
        Self::one(Op::Permute(self, axes))
    }
}
