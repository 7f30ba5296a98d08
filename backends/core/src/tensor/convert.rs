//! To other dtypes and devices, and to the host.
use crate::{Backend, DType, Element, Error, Result, Scalar, Target, Tensor, TensorData, block_on};

impl<B: Backend> Tensor<B> {
    /// The same numbers in another dtype (`x.to(DType::F64)`), or on another device or backend
    /// (`x.to(&device)`).
    #[track_caller]
    pub fn to<T: Target<B>>(&self, target: T) -> Result<T::Output> {
        target.accept(self)
    }

    /// The numbers in host memory, row-major, waiting without blocking.
    pub async fn to_data_async(&self) -> Result<TensorData> {
        self.backend().download(self.value()).await
    }

    /// The numbers in host memory, row-major.
    pub fn to_data(&self) -> Result<TensorData> {
        block_on(self.to_data_async())
    }

    /// The numbers as a vector of any type, row-major, waiting without blocking.
    pub async fn to_vec_async<T: Element>(&self) -> Result<Vec<T>> {
        let data = self.to_data_async().await?;
        if data.dtype() == T::DTYPE {
            return T::unwrap(data.into_data())
                .map_err(|_| Error::internal("to_vec", "the data has another dtype"));
        }
        Ok(data.to_vec())
    }

    /// The numbers as a vector of any type, row-major.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        block_on(self.to_vec_async())
    }

    /// The one number of a tensor that has one.
    pub fn item<T: Element>(&self) -> Result<T> {
        match self.to_vec()?[..] {
            [x] => Ok(x),
            _ => Err(Error::shape(
                "item",
                format!("a tensor of shape {} is not a single number", self.shape()),
            )),
        }
    }

    /// The one number of a tensor that has one, with its kind.
    pub fn scalar(&self) -> Result<Scalar> {
        with_dtype!(self.dtype(), T => self.item::<T>().map(Scalar::of))
    }

    /// Cast to real numbers where it holds whole ones: what most functions do with integers.
    #[track_caller]
    pub(crate) fn to_float(&self) -> Result<Self> {
        if self.dtype().is_float() { Ok(self.clone()) } else { self.to(DType::F32) }
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
