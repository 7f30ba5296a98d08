//! To other dtypes and devices, to the host and back.
use crate::{Backend, DType, Element, Error, Result, Scalar, Shape, Target, Tensor, TensorData, block_on};
use std::panic::Location;

// ---- from the host
impl<B: Backend> Tensor<B> {
    /// A tensor of these elements, row-major, with their dtype.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::from_vec(vec![1u8, 2, 3, 4], [2, 2], &Cpu::default())?;
    /// assert_eq!((x.dtype(), x.shape()), (DType::U8, &[2, 2].into()));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn from_vec<T: Element>(elements: Vec<T>, shape: impl Into<Shape>, backend: &B) -> Result<Self> {
        Self::from_data(TensorData::new(shape, T::wrap(elements))?, backend)
    }

    /// A tensor of these elements, row-major, with their dtype.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::from_slice(&[1.0f64, 2.0], 2, &Cpu::default())?;
    /// assert_eq!(x.dtype(), DType::F64);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn from_slice<T: Element>(elements: &[T], shape: impl Into<Shape>, backend: &B) -> Result<Self> {
        Self::from_vec(elements.to_vec(), shape, backend)
    }
}

// ---- to another dtype or device
impl<B: Backend> Tensor<B> {
    /// The same numbers in another dtype (`x.to(DType::F64)`), or on another device or backend
    /// (`x.to(&device)`).
    /// [`Tensor.to`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.7, -1.7], &Cpu::default())?;
    /// assert_eq!(x.to(DType::I64)?.to_vec::<i64>()?, [1, -1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn to<T: Target<B>>(&self, target: T) -> Result<T::Output> {
        target.accept(self)
    }

    /// Cast to real numbers where it holds whole ones: what most functions do with integers.
    #[track_caller]
    pub(crate) fn to_float(&self) -> Result<Self> {
        if self.dtype().is_float() { Ok(self.clone()) } else { self.to(DType::F32) }
    }
}

// ---- to the host
impl<B: Backend> Tensor<B> {
    /// The numbers in host memory, row-major, waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(block_on(x.to_data_async())?.shape(), &[2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn to_data_async(&self) -> Result<TensorData> {
        self.backend().download(self.value()).await
    }

    /// The numbers in host memory, row-major.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.to_data()?.dtype(), DType::I64);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn to_data(&self) -> Result<TensorData> {
        let here = Location::caller();
        block_on(self.to_data_async()).map_err(|e| e.at(here))
    }

    /// The numbers as a vector of any type, row-major, waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(block_on(x.to_vec_async::<i64>())?, [1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn to_vec_async<T: Element>(&self) -> Result<Vec<T>> {
        let data = self.to_data_async().await?;
        if data.dtype() == T::DTYPE {
            return T::unwrap(data.into_data())
                .map_err(|_| Error::internal("to_vec", "the data has another dtype"));
        }
        Ok(data.to_vec())
    }

    /// The numbers as a vector of any type, row-major; cast where the dtype differs.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.to_vec::<f32>()?, [1., 2., 3., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let here = Location::caller();
        block_on(self.to_vec_async()).map_err(|e| e.at(here))
    }

    /// The numbers of a matrix as a vector for each row: PyTorch's `tolist` of two dims.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.to_rows::<i64>()?, [[1, 2], [3, 4]]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn to_rows<T: Element>(&self) -> Result<Vec<Vec<T>>> {
        let [rows, columns] = self.shape()[..] else {
            return Err(Error::shape("to_rows", format!("{} is not a matrix", self.shape())));
        };
        let elements = self.to_vec()?;
        let mut result = super::split::room("to_rows", rows)?;
        result.extend((0..rows).map(|row| elements[row * columns..][..columns].to_vec()));
        Ok(result)
    }

    /// The one number of a tensor that has one.
    /// [`Tensor.item`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.item.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.sum(..)?.item::<f32>()?, 3.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        if self.numel() != 1 {
            let why = format!("a tensor of shape {} is not a single number", self.shape());
            return Err(Error::shape("item", why));
        }
        match self.to_vec()?[..] {
            [x] => Ok(x),
            _ => Err(Error::internal("item", "a tensor of one element gave another number of them")),
        }
    }

    /// The one number of a tensor that has one, with its kind.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([3], &Cpu::default())?;
    /// assert_eq!(x.scalar()?, Scalar::Int(3));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn scalar(&self) -> Result<Scalar> {
        with_dtype!(self.dtype(), T => Ok(Scalar::of(self.item::<T>()?)))
    }
}

/// The numbers of a tensor, row-major; cast where the dtype differs.
///
/// ```
/// use firesteel::prelude::*;
/// let x = Tensor::new([1, 2], &Cpu::default())?;
/// assert_eq!(Vec::<i64>::try_from(&x)?, [1, 2]);
/// # Ok::<(), firesteel::Error>(())
/// ```
impl<B: Backend, T: Element> TryFrom<&Tensor<B>> for Vec<T> {
    type Error = Error;
    #[track_caller]
    fn try_from(tensor: &Tensor<B>) -> Result<Vec<T>> {
        tensor.to_vec()
    }
}

/// [`to`](Tensor::to) by PyTorch's names.
macro_rules! conversions {
    ($($method:ident $dtype:ident)*) => { impl<B: Backend> Tensor<B> {$(
        #[doc = concat!("The same numbers in ", stringify!($dtype), ": `x.to(DType::", stringify!($dtype), ")`.
            <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let x = Tensor::new([1.0, 0.0], &Cpu::default())?;
assert_eq!(x.", stringify!($method), "()?.dtype(), DType::", stringify!($dtype), ");
# Ok::<(), firesteel::Error>(())
```")]
        #[track_caller]
        pub fn $method(&self) -> Result<Self> {
            self.to(DType::$dtype)
        }
    )*}};
}

conversions! { double F64 float F32 bfloat16 BF16 half F16 long I64 int I32 bool Bool }
