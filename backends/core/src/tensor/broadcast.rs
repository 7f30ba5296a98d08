//! Stretched to larger shapes by the rule of
//! [broadcasting](https://docs.pytorch.org/docs/stable/notes/broadcasting.html): dims of size one repeat,
//! new ones come in front, and nothing is copied.
use crate::{Backend, Error, Op, Result, Shape, Sizes, Tensor};

impl<B: Backend> Tensor<B> {
    /// Stretched to `shape`.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.broadcast_to([2, 2])?.to_vec::<i64>()?, [1, 2, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if *self.shape() == shape {
            return Ok(self.clone());
        }
        let new = shape.rank().saturating_sub(self.rank());
        let padded = std::iter::repeat_n(1, new).chain(self.shape().iter().copied()).collect();
        Self::one(Op::Broadcast(&self.shaped(padded)?, shape))
    }

    /// Stretched to `sizes`, of which -1 keeps a dim as it is.
    /// [`Tensor.expand`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.expand.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1], [2]], &Cpu::default())?;
    /// assert_eq!(x.expand([-1, 3])?.to_vec::<i64>()?, [1, 1, 1, 2, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn expand(&self, sizes: impl Into<Sizes>) -> Result<Self> {
        let Sizes(sizes) = sizes.into();
        let mut shape = Shape::scalar();
        for (i, &size) in sizes.iter().enumerate() {
            let old = (i + self.rank()).checked_sub(sizes.len()).map(|axis| self.shape()[axis]);
            shape.push(match (usize::try_from(size), old) {
                (Ok(size), _) => size,
                (Err(_), Some(old)) if size == -1 => old,
                _ => {
                    let why = format!(
                        "cannot stretch {} to {:?}: a size is positive, or -1 for a dim that is there",
                        self.shape(),
                        &sizes[..]
                    );
                    return Err(Error::shape("expand", why));
                }
            });
        }
        self.broadcast_to(shape)
    }

    /// Stretched to the shape of another tensor.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2], &cpu)?, Tensor::zeros([3, 2], &cpu)?);
    /// assert_eq!(x.expand_as(&y)?.to_vec::<i64>()?, [1, 2, 1, 2, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn expand_as(&self, other: &Self) -> Result<Self> {
        self.broadcast_to(other.shape())
    }

    /// All tensors stretched to the shape that they have in common.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::zeros([3, 1], &cpu)?, Tensor::zeros([4], &cpu)?);
    /// let both = Tensor::broadcast_tensors(&[&x, &y])?;
    /// assert_eq!((both[0].shape(), both[1].shape()), (&[3, 4].into(), &[3, 4].into()));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_tensors(tensors: &[&Self]) -> Result<Vec<Self>> {
        let mut shape = Shape::scalar();
        for tensor in tensors {
            shape = meet("broadcast_tensors", &shape, tensor.shape())?;
        }
        let mut stretched = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            stretched.push(tensor.broadcast_to(&shape)?);
        }
        Ok(stretched)
    }

    /// The shape to which this and another tensor stretch.
    #[track_caller]
    pub(crate) fn common_shape(&self, op: &'static str, other: &Self) -> Result<Shape> {
        meet(op, self.shape(), other.shape())
    }
}

/// The shape to which all of these stretch.
/// [`torch.broadcast_shapes`](https://docs.pytorch.org/docs/stable/generated/torch.broadcast_shapes.html)
///
/// ```
/// use firesteel::{Shape, broadcast_shapes};
/// assert_eq!(broadcast_shapes(&[[3, 1].into(), [4].into(), Shape::scalar()])?, [3, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn broadcast_shapes(shapes: &[Shape]) -> Result<Shape> {
    let mut common = Shape::scalar();
    for shape in shapes {
        common = meet("broadcast_shapes", &common, shape)?;
    }
    Ok(common)
}

#[track_caller]
fn meet(op: &'static str, a: &Shape, b: &Shape) -> Result<Shape> {
    match a.broadcast(b) {
        Some(shape) => Ok(shape),
        None => Err(Error::shape(op, format!("{a} and {b} do not broadcast: sizes have to be equal or 1"))),
    }
}
