//! Small tensors that the host knows: weights and places.
use crate::{Backend, Data, Op, Result, Shape, Tensor, TensorData};

impl<B: Backend> Tensor<B> {
    /// These numbers beside `tensor`, in its dtype.
    #[track_caller]
    pub(crate) fn constant(tensor: &Self, numbers: Vec<f64>) -> Result<Self> {
        let data = TensorData::new(numbers.len(), Data::F64(numbers))?.cast(tensor.dtype());
        Self::from_data(data, tensor.backend())
    }

    /// The slices at these places of an axis.
    #[track_caller]
    pub(crate) fn pick(&self, axis: usize, places: Vec<i64>) -> Result<Self> {
        let index = TensorData::new(places.len(), Data::I64(places))?;
        let index = &Self::from_data(index, self.backend())?;
        Self::one(Op::IndexSelect { x: self, index, axis })
    }

    /// Whether the device can hold a list of `len` numbers. It refuses what is too large before the host, which makes such
    /// lists, counts to it or runs out of memory.
    #[track_caller]
    pub(crate) fn claim(&self, len: usize) -> Result<()> {
        Self::arange(0..len, self.backend()).map(drop)
    }
}

impl Shape {
    /// The same sizes with as many ones after them as make `rank`.
    pub(crate) fn aligned(&self, rank: usize) -> Shape {
        self.iter().copied().chain(std::iter::repeat_n(1, rank.saturating_sub(self.rank()))).collect()
    }
}
