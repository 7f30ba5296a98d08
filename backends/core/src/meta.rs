//! What is known of a value without its numbers.
use crate::{Axes, DType, Data, Element, Error, Result, Shape};
use smallvec::SmallVec;
use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// What an operation returns: nearly always one value, which then costs no allocation.
pub type Outputs<V> = SmallVec<[V; 1]>;
/// The results of an operation, without their numbers.
pub type Metas = Outputs<Meta>;

/// A shape and a dtype.
#[derive(Clone, Debug, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Meta {
    /// The sizes of the axes.
    pub shape: Shape,
    /// The type of the elements.
    pub dtype: DType,
}

/// Size by size: calling the system to compare a few words is felt where tensors are small.
impl PartialEq for Meta {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.shape[..], &other.shape[..]);
        self.dtype == other.dtype && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
    }
}

impl Hash for Meta {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.shape[..], self.dtype).hash(state);
    }
}

impl Meta {
    /// Both together.
    #[inline]
    pub fn new(shape: impl Into<Shape>, dtype: DType) -> Self {
        Self { shape: shape.into(), dtype }
    }

    /// How many elements there are.
    #[inline]
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// How many bytes the elements fill.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.numel().saturating_mul(self.dtype.size())
    }

    /// The same shape with these axes of size one.
    pub fn reduced(&self, axes: &Axes) -> Shape {
        let mut shape = self.shape.clone();
        axes.iter().for_each(|&axis| shape[axis] = 1);
        shape
    }

    /// How many examples, groups, channels of a group and elements of a channel there are in `(n, c, ..)`, its channels
    /// in so many groups.
    pub fn grouped(&self, groups: usize) -> [usize; 4] {
        let size = |axis| self.shape.get(axis).copied().unwrap_or(1);
        let inside = (2..self.shape.rank()).map(size).fold(1, usize::saturating_mul);
        [size(0), groups, size(1) / groups.max(1), inside]
    }
}

impl fmt::Display for Meta {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.dtype, self.shape)
    }
}

/// A tensor in host memory, row-major.
///
/// ```
/// use firesteel_core::{Data, TensorData};
/// let data = TensorData::new([2, 2], Data::F32(vec![1., 2., 3., 4.]))?;
/// assert_eq!(data.to_vec::<f64>(), [1., 2., 3., 4.]);
/// # Ok::<(), firesteel_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TensorData {
    shape: Shape,
    data: Data,
}

impl TensorData {
    /// A shape and as many elements as it has places.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, data: Data) -> Result<Self> {
        let shape = shape.into();
        if shape.checked_numel() != Some(data.len()) {
            return Err(Error::shape("tensor", format!("{} elements do not fill {shape}", data.len())));
        }
        if shape.extent().is_none_or(|n| isize::try_from(n).is_err()) {
            return Err(Error::memory(
                "tensor",
                format!("the strides of shape {shape} are too large to address"),
            ));
        }
        Ok(Self { shape, data })
    }

    /// The shape and dtype.
    pub fn meta(&self) -> Meta {
        Meta { shape: self.shape.clone(), dtype: self.data.dtype() }
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// The elements, row-major.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The elements, row-major, without the shape.
    pub fn into_data(self) -> Data {
        self.data
    }

    /// The elements as another type, cast where they differ.
    pub fn to_vec<T: crate::Element>(&self) -> Vec<T> {
        match T::peek(&self.data) {
            Some(same) => same.to_vec(),
            None => with_dtype!(self.dtype(), S => {
                S::peek(&self.data).unwrap_or_default().iter().map(|&x| crate::Scalar::of(x).to()).collect()
            }),
        }
    }

    /// The same elements as another dtype.
    pub fn cast(self, dtype: DType) -> TensorData {
        if self.dtype() == dtype {
            return self;
        }
        let data = with_dtype!(dtype, T => <T as crate::Element>::wrap(self.to_vec::<T>()));
        TensorData { shape: self.shape, data }
    }
}
