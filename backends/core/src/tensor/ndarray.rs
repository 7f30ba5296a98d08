//! From and to arrays of the crate `ndarray` (feature `ndarray`).
use crate::{Backend, Element, Error, Result, Tensor, TensorData};
use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// A copy of an array or of a view, whichever way its memory runs, with the dtype of its elements.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let array = ndarray::array![[1.0f32, 2.0], [3.0, 4.0]];
    /// let x = Tensor::from_ndarray(&array.t(), &Cpu::default())?;
    /// assert_eq!(x.to_vec::<f32>()?, [1., 3., 2., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn from_ndarray<S, D>(array: &ArrayBase<S, D>, backend: &B) -> Result<Self>
    where
        S: Data<Elem: Element>,
        D: Dimension,
    {
        let elements = array.iter().copied().collect();
        Self::from_data(TensorData::new(array.shape(), S::Elem::wrap(elements))?, backend)
    }

    /// The numbers in host memory as an array of any element type.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// let array = x.to_ndarray::<f64>()?;
    /// assert_eq!((array.shape(), array[[1, 0]]), (&[2, 2][..], 3.));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn to_ndarray<T: Element>(&self) -> Result<ArrayD<T>> {
        let here = Location::caller();
        ArrayD::from_shape_vec(IxDyn(self.shape()), self.to_vec::<T>()?)
            .map_err(|e| Error::shape("to_ndarray", e.to_string()).at(here))
    }
}
