//! Tensors whose rows are examples.
use super::{Dataset, Sample, dataset::out_of_range};
use crate::{Element, Error, Result, TensorData, with_dtype};

/// Tensors of one length, whose slices along the first dim are the examples.
/// <https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset>
///
/// ```
/// use firesteel::{data::{DataLoader, TensorDataset}, prelude::*};
/// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &Cpu)?;
/// let y = Tensor::new([0, 1, 0], &Cpu)?;
/// let dataset = TensorDataset::new((x.to_data()?, y.to_data()?))?;
/// for batch in DataLoader::new(dataset, 3)?.iter(0, &Cpu) {
///     let (a, b) = batch?;
///     assert!(a.equal(&x)? && b.equal(&y)?);
/// }
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorDataset<T> {
    tensors: T,
    len: usize,
}

impl<T: Rows> TensorDataset<T> {
    /// One tensor in host memory, or a tuple of several of one length.
    #[track_caller]
    pub fn new(tensors: T) -> Result<Self> {
        let len = tensors.rows()?;
        Ok(Self { tensors, len })
    }

    /// The tensors.
    pub fn tensors(&self) -> &T {
        &self.tensors
    }
}

impl<T: Rows> Dataset for TensorDataset<T> {
    type Item = T::Row;
    fn len(&self) -> usize {
        self.len
    }
    fn item(&self, index: usize) -> Result<T::Row> {
        if index < self.len { self.tensors.row(index) } else { Err(out_of_range(index, self.len)) }
    }
}

/// Tensors that have slices along their first dim.
pub trait Rows: Send + Sync + 'static {
    /// A slice.
    type Row: Sample;
    /// How many there are.
    fn rows(&self) -> Result<usize>;
    /// The slice with this number, below [`rows`](Self::rows).
    fn row(&self, index: usize) -> Result<Self::Row>;
}

impl Rows for TensorData {
    type Row = TensorData;
    fn rows(&self) -> Result<usize> {
        let without = || Error::shape("tensor_dataset", "a tensor without dims has no rows");
        self.shape().first().copied().ok_or_else(without)
    }
    fn row(&self, index: usize) -> Result<TensorData> {
        let shape = self.shape().get(1..).unwrap_or_default();
        let size: usize = shape.iter().product();
        let data = with_dtype!(self.dtype(), T => {
            let row = T::peek(self.data()).and_then(|all| all.get(index * size..)?.get(..size));
            T::wrap(row.ok_or_else(|| out_of_range(index, self.shape().first().copied().unwrap_or(0)))?.to_vec())
        });
        TensorData::new(shape, data)
    }
}

macro_rules! tuples {
    ($(($($t:ident $n:tt),*))*) => {$(
        impl<$($t: Rows),*> Rows for ($($t,)*) {
            type Row = ($($t::Row,)*);
            fn rows(&self) -> Result<usize> {
                let all = [$(self.$n.rows()?),*];
                if all.iter().any(|rows| *rows != all[0]) {
                    let why = format!("the tensors have {all:?} rows, and have to have as many as each other");
                    return Err(Error::shape("tensor_dataset", why));
                }
                Ok(all[0])
            }
            fn row(&self, index: usize) -> Result<Self::Row> {
                Ok(($(self.$n.row(index)?,)*))
            }
        }
    )*};
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}
