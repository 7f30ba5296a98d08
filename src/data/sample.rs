//! How examples become a batch: stacked along a new first axis, as PyTorch's `default_collate`.
use crate::{Backend, Data, Element, Error, Result, Tensor, TensorData};

/// An example that can be stacked with others.
pub trait Sample: Send + Sized + 'static {
    /// Several examples together, in host memory.
    type Batch: Batch;

    /// Stacks examples along a new first axis.
    fn collate(samples: Vec<Self>) -> Result<Self::Batch>;
}

/// Examples together in host memory, ready to be moved to a device.
pub trait Batch: Send + 'static {
    /// The batch as tensors of a backend.
    type On<B: Backend>;

    /// Moves the batch to a device.
    fn to<B: Backend>(self, device: &B) -> Result<Self::On<B>>;
}

/// How the examples of a batch come together.
pub trait Collate<I>: Send + Sync + 'static {
    /// Several examples together, in host memory.
    type Batch: Batch;

    /// Makes a batch of examples.
    fn collate(&self, examples: Vec<I>) -> Result<Self::Batch>;
}

/// Stacks examples along a new first axis, as [`Sample`] says.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultCollate;

impl<I: Sample> Collate<I> for DefaultCollate {
    type Batch = I::Batch;
    fn collate(&self, examples: Vec<I>) -> Result<I::Batch> {
        I::collate(examples)
    }
}

impl<I, T, F> Collate<I> for F
where
    T: Batch,
    F: Fn(Vec<I>) -> Result<T> + Send + Sync + 'static,
{
    type Batch = T;
    fn collate(&self, examples: Vec<I>) -> Result<T> {
        self(examples)
    }
}

impl Batch for TensorData {
    type On<B: Backend> = Tensor<B>;
    fn to<B: Backend>(self, device: &B) -> Result<Tensor<B>> {
        Tensor::from_data(self, device)
    }
}

impl Sample for TensorData {
    type Batch = TensorData;
    fn collate(samples: Vec<Self>) -> Result<TensorData> {
        let Some(first) = samples.first() else {
            return Err(Error::value("collate", "there are no examples to stack"));
        };
        if let Some(odd) = samples.iter().find(|s| s.meta() != first.meta()) {
            let why = format!("examples of {} and {} do not stack", first.meta(), odd.meta());
            return Err(Error::shape("collate", why));
        }
        let mut shape = first.shape().clone();
        shape.insert(0, samples.len());
        TensorData::new(shape, Data::concat(first.dtype(), samples.iter().map(TensorData::data)))
    }
}

/// Examples that were computed on a device come back to host memory, to be stacked there.
impl<B: Backend> Sample for Tensor<B> {
    type Batch = TensorData;
    fn collate(samples: Vec<Self>) -> Result<TensorData> {
        Sample::collate(samples.iter().map(Tensor::to_data).collect::<Result<Vec<_>>>()?)
    }
}

/// Rows of numbers make a matrix.
impl<T: Element> Sample for Vec<T> {
    type Batch = TensorData;
    fn collate(samples: Vec<Self>) -> Result<TensorData> {
        let rows = samples.into_iter().map(|row| TensorData::new(row.len(), T::wrap(row)));
        Sample::collate(rows.collect::<Result<Vec<_>>>()?)
    }
}

/// Text stays text.
impl Batch for Vec<String> {
    type On<B: Backend> = Vec<String>;
    fn to<B: Backend>(self, _: &B) -> Result<Vec<String>> {
        Ok(self)
    }
}

impl Sample for String {
    type Batch = Vec<String>;
    fn collate(samples: Vec<Self>) -> Result<Vec<String>> {
        Ok(samples)
    }
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        impl Sample for $t {
            type Batch = TensorData;
            fn collate(samples: Vec<Self>) -> Result<TensorData> {
                TensorData::new(samples.len(), <$t as Element>::wrap(samples))
            }
        }
    )*};
}

numbers! { f64 f32 i64 i32 i8 u32 u8 bool }

macro_rules! tuples {
    ($(($($t:ident $n:tt),*))*) => {$(
        impl<$($t: Batch),*> Batch for ($($t,)*) {
            type On<BACKEND: Backend> = ($($t::On<BACKEND>,)*);
            fn to<BACKEND: Backend>(self, device: &BACKEND) -> Result<Self::On<BACKEND>> {
                Ok(($(self.$n.to(device)?,)*))
            }
        }

        impl<$($t: Sample),*> Sample for ($($t,)*) {
            type Batch = ($($t::Batch,)*);
            #[allow(non_snake_case)]
            fn collate(samples: Vec<Self>) -> Result<Self::Batch> {
                $(let mut $t = Vec::with_capacity(samples.len());)*
                for sample in samples {
                    $($t.push(sample.$n);)*
                }
                Ok(($(Sample::collate($t)?,)*))
            }
        }
    )*};
}

tuples! {
    (A 0, C 1)
    (A 0, C 1, D 2)
    (A 0, C 1, D 2, E 3)
}
