//! What methods of tensors take: tensors or numbers, devices with or without a dtype, data of any nesting.
use crate::{Backend, DType, Data, Element, Error, Op, Result, Scalar, Shape, Tensor, TensorData, block_on};
use std::panic::Location;

/// A tensor or a number, as the second operand of an operation.
#[derive(Clone)]
pub enum Arg<B: Backend> {
    /// A tensor.
    Tensor(Tensor<B>),
    /// A number, which takes no memory on the device.
    Scalar(Scalar),
}

impl<B: Backend> Arg<B> {
    /// The dtype in which `tensor` and this meet, by PyTorch's rule: a number or a tensor without dims
    /// counts only where its category is higher.
    pub(crate) fn promote(&self, tensor: &Tensor<B>) -> DType {
        match self {
            Arg::Scalar(x) if x.category() > tensor.dtype().category() => x.dtype(),
            Arg::Scalar(_) => tensor.dtype(),
            Arg::Tensor(other) => result_type(tensor, other),
        }
    }

    /// The operand as a tensor of this dtype, beside `tensor`.
    #[track_caller]
    pub(crate) fn into_tensor(self, tensor: &Tensor<B>, dtype: DType) -> Result<Tensor<B>> {
        match self {
            Arg::Tensor(t) => t.to(dtype),
            Arg::Scalar(x) => Tensor::make(tensor.backend(), Op::Full(x, Shape::scalar(), dtype)),
        }
    }
}

/// The dtype in which two tensors meet.
/// <https://docs.pytorch.org/docs/stable/generated/torch.result_type.html>
pub(crate) fn result_type<B: Backend>(a: &Tensor<B>, b: &Tensor<B>) -> DType {
    let (x, y) = (a.dtype(), b.dtype());
    match (a.rank() == 0, b.rank() == 0) {
        (true, false) if x.category() <= y.category() => y,
        (false, true) if y.category() <= x.category() => x,
        (true, false) => x,
        (false, true) => y,
        (true, true) | (false, false) => x.promote(y),
    }
}

impl<B: Backend> From<Tensor<B>> for Arg<B> {
    fn from(tensor: Tensor<B>) -> Self {
        Arg::Tensor(tensor)
    }
}
impl<B: Backend> From<&Tensor<B>> for Arg<B> {
    fn from(tensor: &Tensor<B>) -> Self {
        Arg::Tensor(tensor.clone())
    }
}
impl<B: Backend> From<Scalar> for Arg<B> {
    fn from(x: Scalar) -> Self {
        Arg::Scalar(x)
    }
}

macro_rules! from_numbers {
    ($($t:ty)*) => {$(
        impl<B: Backend> From<$t> for Arg<B> {
            fn from(x: $t) -> Self {
                Arg::Scalar(x.into())
            }
        }
    )*};
}

from_numbers! { f64 f32 i64 i32 i8 u32 u8 usize bool }

/// Where a new tensor goes: `&device`, or `(dtype, &device)`.
///
/// ```
/// use firesteel::prelude::*;
/// let cpu = Cpu::default();
/// assert_eq!(Tensor::zeros([2], &cpu)?.dtype(), DType::F32);
/// assert_eq!(Tensor::zeros([2], (DType::I64, &cpu))?.dtype(), DType::I64);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait TensorOptions<B: Backend> {
    /// The dtype where one is asked for, and the device.
    fn options(&self) -> (Option<DType>, &B);
}

impl<B: Backend> TensorOptions<B> for &B {
    fn options(&self) -> (Option<DType>, &B) {
        (None, self)
    }
}

impl<B: Backend> TensorOptions<B> for (DType, &B) {
    fn options(&self) -> (Option<DType>, &B) {
        (Some(self.0), self.1)
    }
}

/// What [`Tensor::to`] moves to: a dtype, or a device of any backend.
pub trait Target<B: Backend> {
    /// The tensor there.
    type Output;
    /// Moves it.
    #[track_caller]
    fn accept(self, tensor: &Tensor<B>) -> Result<Self::Output>;
}

impl<B: Backend> Target<B> for DType {
    type Output = Tensor<B>;
    #[track_caller]
    fn accept(self, tensor: &Tensor<B>) -> Result<Tensor<B>> {
        if tensor.dtype() == self { Ok(tensor.clone()) } else { Tensor::one(Op::Cast(tensor, self)) }
    }
}

impl<B: Backend, C: Backend> Target<B> for &C {
    type Output = Tensor<C>;
    #[track_caller]
    fn accept(self, tensor: &Tensor<B>) -> Result<Tensor<C>> {
        let here = Location::caller();
        let data = block_on(tensor.backend().download(tensor.value())).map_err(|e| e.at(here))?;
        Ok(Tensor::from_value(self.clone(), self.upload(data).map_err(|e| e.at(here))?))
    }
}

/// Numbers that a tensor can be made of: one, a slice, a `Vec`, arrays in arrays.
pub trait ToData {
    /// The numbers, row-major, with their shape. Rows of unequal length are an error.
    fn to_data(&self) -> Result<TensorData>;
}

impl ToData for TensorData {
    fn to_data(&self) -> Result<TensorData> {
        Ok(self.clone())
    }
}

impl<T: ToData + ?Sized> ToData for &T {
    fn to_data(&self) -> Result<TensorData> {
        (**self).to_data()
    }
}

macro_rules! to_data {
    ($($t:ty)*) => {$(
        impl ToData for $t {
            fn to_data(&self) -> Result<TensorData> {
                TensorData::new((), <$t as Element>::wrap(vec![*self]))
            }
        }
    )*};
}

to_data! { f32 half::bf16 half::f16 i64 i8 u32 u8 bool }

/// As `torch.tensor(2.5)`: a literal without a type is F32. F64 comes from `(DType::F64, &device)`.
impl ToData for f64 {
    fn to_data(&self) -> Result<TensorData> {
        TensorData::new((), Data::F64(vec![*self]))
    }
}

impl ToData for i32 {
    fn to_data(&self) -> Result<TensorData> {
        TensorData::new((), Data::I32(vec![*self]))
    }
}

impl<T: ToData> ToData for [T] {
    fn to_data(&self) -> Result<TensorData> {
        let rows = self.iter().map(T::to_data).collect::<Result<Vec<_>>>()?;
        stack(&rows)
    }
}

impl<T: ToData, const N: usize> ToData for [T; N] {
    fn to_data(&self) -> Result<TensorData> {
        self[..].to_data()
    }
}

impl<T: ToData> ToData for Vec<T> {
    fn to_data(&self) -> Result<TensorData> {
        self[..].to_data()
    }
}

fn stack(rows: &[TensorData]) -> Result<TensorData> {
    let Some(first) = rows.first() else {
        return TensorData::new(0, Data::F32(vec![]));
    };
    if let Some(row) = rows.iter().find(|row| row.meta() != first.meta()) {
        let why = format!("rows of {} and {} do not make a tensor", first.meta(), row.meta());
        return Err(Error::shape("tensor", why));
    }
    let mut shape = first.shape().clone();
    shape.insert(0, rows.len());
    TensorData::new(shape, Data::concat(first.dtype(), rows.iter().map(TensorData::data)))
}
