//! Where a mask is true: what is there, and where that is. Sizes depend on the numbers, so the mask is read
//! from its device; the methods in `async` wait for that without blocking.
use crate::{Arg, Backend, DType, Data, Element, Error, Op, Result, Scatter, Tensor, TensorData, block_on};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// `value` where the mask (Bool, broadcast) is true, else what is there.
    /// [`Tensor.masked_fill`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.masked_fill_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// let large = x.gt(1.5)?;
    /// assert_eq!(x.masked_fill(&large, 0.0)?.to_vec::<f32>()?, [1., 0., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_fill(&self, mask: &Self, value: impl Into<Arg<B>>) -> Result<Self> {
        is_mask("masked_fill", mask)?;
        let (value, shape) =
            (self.filler("masked_fill", value.into())?, self.common_shape("masked_fill", mask)?);
        let (mask, old) = (mask.broadcast_to(&shape)?, self.broadcast_to(&shape)?);
        Self::one(Op::Select(&mask, &value.broadcast_to(&shape)?, &old))
    }

    /// The elements where the mask (Bool, broadcast) is true, along one dim.
    /// [`torch.masked_select`](https://docs.pytorch.org/docs/stable/generated/torch.masked_select.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// assert_eq!(x.masked_select(&x.gt(1.5)?)?.to_vec::<f32>()?, [2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_select(&self, mask: &Self) -> Result<Self> {
        let here = Location::caller();
        block_on(self.masked_select_async(mask)).map_err(|e| e.at(here))
    }

    /// [`masked_select`](Self::masked_select), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
    /// let mask = x.gt(1.5)?;
    /// let y = block_on(x.masked_select_async(&mask))?;
    /// assert_eq!(y.to_vec::<f32>()?, [2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn masked_select_async(&self, mask: &Self) -> Result<Self> {
        is_mask("masked_select", mask)?;
        let shape = self.common_shape("masked_select", mask)?;
        let places = mask.broadcast_to(&shape)?.places_async().await?;
        let x = self.broadcast_to(&shape)?.ravel()?;
        Self::one(Op::IndexSelect { x: &x, index: &places, axis: 0 })
    }

    /// The elements of `source`, in order, where the mask (Bool, broadcast) is true, else what is there.
    /// [`Tensor.masked_scatter`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.masked_scatter_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, source) = (Tensor::new([1, 2, 3], &cpu)?, Tensor::new([8, 9], &cpu)?);
    /// assert_eq!(x.masked_scatter(&x.ne(2)?, &source)?.to_vec::<i64>()?, [8, 2, 9]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_scatter(&self, mask: &Self, source: &Self) -> Result<Self> {
        let here = Location::caller();
        block_on(self.masked_scatter_async(mask, source)).map_err(|e| e.at(here))
    }

    /// [`masked_scatter`](Self::masked_scatter), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, source) = (Tensor::new([1, 2, 3], &cpu)?, Tensor::new([8, 9], &cpu)?);
    /// let mask = x.ne(2)?;
    /// let y = block_on(x.masked_scatter_async(&mask, &source))?;
    /// assert_eq!(y.to_vec::<i64>()?, [8, 2, 9]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn masked_scatter_async(&self, mask: &Self, source: &Self) -> Result<Self> {
        is_mask("masked_scatter", mask)?;
        let shape = self.common_shape("masked_scatter", mask)?;
        let places = mask.broadcast_to(&shape)?.places_async().await?;
        if source.dtype() != self.dtype() || source.numel() < places.numel() {
            let why = format!(
                "{} has too few elements, or of the wrong dtype, for {} places in {}",
                source.meta(),
                places.numel(),
                self.meta()
            );
            return Err(Error::value("masked_scatter", why));
        }
        let (into, x) = (self.broadcast_to(&shape)?.ravel()?, source.ravel()?.narrow(0, 0, places.numel())?);
        Self::one(Op::IndexPut { kind: Scatter::Set, into: &into, index: &places, x: &x, axis: 0 })?
            .shaped(shape)
    }

    /// The indices of the elements that are not zero, one in each row: `[n, rank]`, of I64.
    /// [`torch.nonzero`](https://docs.pytorch.org/docs/stable/generated/torch.nonzero.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 0], [0, 2]], &Cpu::default())?;
    /// assert_eq!(x.nonzero()?.to_vec::<i64>()?, [0, 0, 1, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nonzero(&self) -> Result<Self> {
        let here = Location::caller();
        block_on(self.nonzero_async()).map_err(|e| e.at(here))
    }

    /// [`nonzero`](Self::nonzero), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([0, 7], &Cpu::default())?;
    /// assert_eq!(block_on(x.nonzero_async())?.to_vec::<i64>()?, [1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn nonzero_async(&self) -> Result<Self> {
        let flat = self.flat_places().await?;
        let (sizes, strides) = (self.shape(), self.shape().strides());
        let width = sizes.last().map_or(1, |&size| size as i64);
        let (mut index, mut row) = (vec![0; self.rank()], 0..0);
        let mut indices = Vec::with_capacity(flat.len().saturating_mul(self.rank()));
        for &i in &flat {
            // divisions are slow: the other axes are found once for a row of the last
            if i >= row.end {
                row.start = i / width * width;
                row.end = row.start + width;
                for ((index, &stride), &size) in index.iter_mut().zip(&strides).zip(&sizes[..]) {
                    *index = i / stride as i64 % size as i64;
                }
            }
            if let Some(last) = index.last_mut() {
                *last = i - row.start;
            }
            indices.extend_from_slice(&index);
        }
        let rows = TensorData::new([flat.len(), self.rank()], Data::I64(indices))?;
        Self::from_data(rows, self.backend())
    }

    /// As [`nonzero`](Self::nonzero), by NumPy's name.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 0], [0, 2]], &Cpu::default())?;
    /// assert_eq!(x.argwhere()?.shape(), &[2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn argwhere(&self) -> Result<Self> {
        self.nonzero()
    }

    /// [`argwhere`](Self::argwhere), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([0, 7], &Cpu::default())?;
    /// assert_eq!(block_on(x.argwhere_async())?.to_vec::<i64>()?, [1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn argwhere_async(&self) -> Result<Self> {
        self.nonzero_async().await
    }

    /// The indices of the elements that are not zero, a vector for each dim, with which
    /// [`index`](Self::index) finds them: `nonzero(as_tuple=True)`, and `torch.where` of a condition alone.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 0], [0, 2]], &Cpu::default())?;
    /// let [rows, columns] = &x.nonzero_as_tuple()?[..] else { unreachable!() };
    /// assert_eq!(x.index((rows, columns))?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nonzero_as_tuple(&self) -> Result<Vec<Self>> {
        let here = Location::caller();
        block_on(self.nonzero_as_tuple_async()).map_err(|e| e.at(here))
    }

    /// [`nonzero_as_tuple`](Self::nonzero_as_tuple), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([0, 7], &Cpu::default())?;
    /// assert_eq!(block_on(x.nonzero_as_tuple_async())?[0].to_vec::<i64>()?, [1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn nonzero_as_tuple_async(&self) -> Result<Vec<Self>> {
        self.atleast_1d()?.nonzero_async().await?.unbind(1)
    }

    /// The places of what is not zero among all elements, as a tensor of rank one.
    #[track_caller]
    pub(super) fn places(&self) -> Result<Self> {
        let here = Location::caller();
        block_on(self.places_async()).map_err(|e| e.at(here))
    }

    pub(super) async fn places_async(&self) -> Result<Self> {
        let places = self.flat_places().await?;
        Self::from_data(TensorData::new(places.len(), Data::I64(places))?, self.backend())
    }

    async fn flat_places(&self) -> Result<Vec<i64>> {
        let mask = self.to(DType::Bool)?.to_data_async().await?;
        let mask = bool::peek(mask.data()).unwrap_or_default();
        // each is written, and stays where the next is not: whether it does no branch could foresee
        let count = mask.iter().filter(|&&is_there| is_there).count();
        let (mut places, mut next) = (vec![0; count], 0);
        for (i, &is_there) in (0..).zip(mask) {
            if let Some(place) = places.get_mut(next) {
                *place = i;
            }
            next += usize::from(is_there);
        }
        Ok(places)
    }

    /// The number, or the tensor of one, that elements of this tensor are replaced by, in its dtype.
    #[track_caller]
    pub(super) fn filler(&self, op: &'static str, value: Arg<B>) -> Result<Self> {
        match &value {
            Arg::Tensor(t) if t.rank() > 0 => {
                let why = format!("needs a number or a tensor without dims, not one of shape {}", t.shape());
                return Err(Error::shape(op, why));
            }
            Arg::Scalar(x) if self.dtype().is_integer() && x.to_f64().fract() != 0. => {
                let why = format!("{x} does not fit into {}: cast the tensor first", self.dtype());
                return Err(Error::dtype(op, why));
            }
            _ => (),
        }
        value.into_tensor(self, self.dtype())
    }
}

#[track_caller]
fn is_mask<B: Backend>(op: &'static str, mask: &Tensor<B>) -> Result<()> {
    if mask.dtype() == DType::Bool {
        return Ok(());
    }
    let why =
        format!("the mask has to be bool, not {}: compare, or cast with `.to(DType::Bool)`", mask.dtype());
    Err(Error::dtype(op, why))
}
