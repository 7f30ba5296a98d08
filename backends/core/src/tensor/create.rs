//! Tensors made from nothing.
use crate::{Backend, DType, Op, Result, Scalar, Shape, Tensor, TensorOptions, ToData};

impl<B: Backend> Tensor<B> {
    /// A tensor of these numbers. As in `torch.tensor`, real literals are F32 and whole ones I64, unless
    /// the options name a dtype.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!((x.shape().to_string(), x.dtype()), ("[2, 3]".into(), DType::I64));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn new(data: impl ToData, options: impl TensorOptions<B>) -> Result<Self> {
        let (dtype, backend) = options.options();
        let data = data.to_data()?;
        let literal = match data.dtype() {
            DType::F64 => DType::F32,
            DType::I32 => DType::I64,
            exact => exact,
        };
        let data = data.cast(dtype.unwrap_or(literal));
        Ok(Self::from_value(backend.clone(), backend.upload(data)?))
    }

    /// A tensor of exactly this data, with its dtype.
    #[track_caller]
    pub fn from_data(data: crate::TensorData, backend: &B) -> Result<Self> {
        Ok(Self::from_value(backend.clone(), backend.upload(data)?))
    }

    /// One number everywhere; it takes no memory until it is written to.
    #[track_caller]
    pub fn full(
        shape: impl Into<Shape>,
        value: impl Into<Scalar>,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let ((dtype, backend), value) = (options.options(), value.into());
        Self::make(backend, Op::Full(value, shape.into(), dtype.unwrap_or(value.dtype())))
    }

    /// Zeros, F32 unless the options name a dtype.
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        Self::full(shape, 0.0, options)
    }

    /// Ones, F32 unless the options name a dtype.
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        Self::full(shape, 1.0, options)
    }

    /// One number everywhere, with the shape, dtype and device of this tensor.
    #[track_caller]
    pub fn full_like(&self, value: impl Into<Scalar>) -> Result<Self> {
        Self::make(self.backend(), Op::Full(value.into(), self.shape().clone(), self.dtype()))
    }

    /// Zeros with the shape, dtype and device of this tensor.
    #[track_caller]
    pub fn zeros_like(&self) -> Result<Self> {
        self.full_like(0)
    }

    /// Ones with the shape, dtype and device of this tensor.
    #[track_caller]
    pub fn ones_like(&self) -> Result<Self> {
        self.full_like(1)
    }
}
