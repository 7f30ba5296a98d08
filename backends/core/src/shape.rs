//! Sizes of axes, and the arguments by which callers name axes and sizes.
use smallvec::SmallVec;
use std::{fmt, ops};

use crate::{Error, Result};

/// Numbers of axes.
pub type Axes = SmallVec<[usize; 4]>;

/// The sizes of a tensor's axes, inline up to rank four.
///
/// ```
/// use firesteel_core::Shape;
/// let shape = Shape::from([2, 3]);
/// assert_eq!((shape.rank(), shape.numel(), shape.to_string()), (2, 6, "[2, 3]".into()));
/// ```
#[derive(Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shape(SmallVec<[usize; 4]>);

impl Clone for Shape {
    #[inline]
    fn clone(&self) -> Self {
        Self(copied(&self.0))
    }
}

/// So many strides of zero.
#[inline]
pub(crate) fn zeros(rank: usize) -> SmallVec<[isize; 4]> {
    if rank <= 4 { SmallVec::from_buf_and_len([0; 4], rank) } else { SmallVec::from_elem(0, rank) }
}

/// The same numbers. `SmallVec`'s own copy calls the system for a few words, which is felt where tensors are small.
#[inline]
pub(crate) fn copied<T: Copy + Default>(numbers: &[T]) -> SmallVec<[T; 4]> {
    let none = T::default();
    let inline = match *numbers {
        [] => [none; 4],
        [a] => [a, none, none, none],
        [a, b] => [a, b, none, none],
        [a, b, c] => [a, b, c, none],
        [a, b, c, d] => [a, b, c, d],
        _ => return SmallVec::from_slice(numbers),
    };
    SmallVec::from_buf_and_len(inline, numbers.len())
}

impl Shape {
    /// No axes: the shape of a single number.
    pub fn scalar() -> Self {
        Self::default()
    }

    /// How many axes there are.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// How many elements there are. Saturates, as sizes that overflow never pass `infer`.
    #[inline]
    pub fn numel(&self) -> usize {
        self.checked_numel().unwrap_or(usize::MAX)
    }

    /// How many elements there are, or nothing where that overflows.
    #[inline]
    pub fn checked_numel(&self) -> Option<usize> {
        if self.0.contains(&0) {
            return Some(0);
        }
        self.0.iter().try_fold(1usize, |n, &size| n.checked_mul(size))
    }

    /// How far its row-major strides reach, in elements: the product of the sizes, those of 0 counted as 1; nothing
    /// where that overflows. A shape without elements can overflow too, in its strides.
    pub fn extent(&self) -> Option<usize> {
        self.0.iter().try_fold(1usize, |n, &size| n.checked_mul(size.max(1)))
    }

    /// Row-major strides, in elements.
    #[inline]
    pub fn strides(&self) -> SmallVec<[isize; 4]> {
        let mut strides = zeros(self.rank());
        let mut step = 1usize;
        for (stride, &size) in strides.iter_mut().zip(&self.0).rev() {
            *stride = step as isize;
            step = step.saturating_mul(size.max(1));
        }
        strides
    }

    /// The shape to which both stretch by
    /// [PyTorch's rule](https://docs.pytorch.org/docs/stable/notes/broadcasting.html), or nothing.
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        let rank = self.rank().max(other.rank());
        let size = |s: &Shape, axis: usize| (axis + s.rank()).checked_sub(rank).map_or(1, |i| s[i]);
        (0..rank)
            .map(|axis| match (size(self, axis), size(other, axis)) {
                (m, n) if m == n || n == 1 => Some(m),
                (1, n) => Some(n),
                _ => None,
            })
            .collect()
    }

    /// The same sizes with one axis changed.
    pub fn with(&self, axis: usize, size: usize) -> Shape {
        let mut shape = self.clone();
        if let Some(old) = shape.0.get_mut(axis) {
            *old = size;
        }
        shape
    }

    /// The axis that `dim` names; negative numbers count from the end. A tensor without axes is taken
    /// to have one, as PyTorch does.
    pub fn axis(&self, op: &'static str, dim: isize) -> Result<usize> {
        let rank = self.rank().max(1);
        let axis = if dim < 0 { dim.checked_add_unsigned(rank) } else { Some(dim) };
        match axis.and_then(|a| usize::try_from(a).ok()) {
            Some(axis) if axis < rank => Ok(axis),
            _ => Err(Error::index(
                op,
                format!("there is no dim {dim} in {self}: it has to lie in [-{rank}, {}]", rank - 1),
            )),
        }
    }

    /// Adds an axis of this size at the end.
    pub fn push(&mut self, size: usize) {
        self.0.push(size);
    }

    /// Adds an axis before `axis`.
    pub fn insert(&mut self, axis: usize, size: usize) {
        self.0.insert(axis.min(self.0.len()), size);
    }

    /// Takes an axis away.
    pub fn remove(&mut self, axis: usize) {
        if axis < self.0.len() {
            self.0.remove(axis);
        }
    }
}

impl ops::Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl ops::DerefMut for Shape {
    fn deref_mut(&mut self) -> &mut [usize] {
        &mut self.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?}", &self.0[..])
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Self(sizes.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Shape {
    type Item = &'a usize;
    type IntoIter = std::slice::Iter<'a, usize>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.0[..] == other[..]
    }
}

impl PartialEq<[usize]> for Shape {
    fn eq(&self, other: &[usize]) -> bool {
        self.0[..] == *other
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        Self(SmallVec::from_slice(&sizes))
    }
}
impl<const N: usize> From<&[usize; N]> for Shape {
    fn from(sizes: &[usize; N]) -> Self {
        Self(SmallVec::from_slice(sizes))
    }
}
impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Self(SmallVec::from_slice(sizes))
    }
}
impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Self(SmallVec::from_vec(sizes))
    }
}
impl From<&Vec<usize>> for Shape {
    fn from(sizes: &Vec<usize>) -> Self {
        Self::from(&sizes[..])
    }
}
impl From<Axes> for Shape {
    fn from(sizes: Axes) -> Self {
        Self(sizes)
    }
}
impl From<usize> for Shape {
    fn from(size: usize) -> Self {
        Self::from([size])
    }
}
impl From<()> for Shape {
    fn from((): ()) -> Self {
        Self::default()
    }
}
impl From<&Shape> for Shape {
    #[inline]
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

/// Sizes in which a negative number has a meaning: -1 in `reshape` is whatever is left, in `expand` the size
/// as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes(pub SmallVec<[i64; 6]>);

/// Which dims a reduction runs over, and whether they stay with size one.
///
/// `..` is all of them, `1` or `[0, -1]` are some; negative numbers count from the end.
///
/// ```
/// use firesteel_core::{Dims, Shape, keepdim};
/// let (axes, keep) = Dims::from([0, -1]).resolve("sum", &Shape::from([2, 3, 4]))?;
/// assert_eq!((&axes[..], keep), (&[0, 2][..], false));
/// assert!(keepdim(1).keepdim);
/// # Ok::<(), firesteel_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dims {
    /// The dims, or all.
    pub dims: Option<SmallVec<[isize; 4]>>,
    /// Whether the dims stay, with size one.
    pub keepdim: bool,
}

/// The same dims, which stay with size one: `x.sum(keepdim(-1))` is PyTorch's `x.sum(-1, keepdim=True)`.
pub fn keepdim(dims: impl Into<Dims>) -> Dims {
    Dims { keepdim: true, ..dims.into() }
}

impl Dims {
    /// The axes in ascending order, and whether they stay. Naming one twice is an error.
    pub fn resolve(&self, op: &'static str, shape: &Shape) -> Result<(Axes, bool)> {
        let Some(dims) = &self.dims else {
            return Ok(((0..shape.rank()).collect(), self.keepdim));
        };
        let mut axes = dims.iter().map(|&d| shape.axis(op, d)).collect::<Result<Axes>>()?;
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::value(op, format!("the dims {:?} name one dim of {shape} twice", &dims[..])));
        }
        // dim 0 of a tensor without axes is no axis at all
        axes.retain(|a| *a < shape.rank());
        Ok((axes, self.keepdim))
    }
}

impl From<ops::RangeFull> for Dims {
    fn from(_: ops::RangeFull) -> Self {
        Dims { dims: None, keepdim: false }
    }
}

macro_rules! from_integers {
    ($($t:ty)*) => {$(
        impl From<$t> for Dims {
            fn from(dim: $t) -> Self {
                Self::from([dim])
            }
        }
        impl<const N: usize> From<[$t; N]> for Dims {
            fn from(dims: [$t; N]) -> Self {
                Self::from(&dims[..])
            }
        }
        impl From<&[$t]> for Dims {
            fn from(dims: &[$t]) -> Self {
                // A number too large to be a dim stays too large.
                let dims = dims.iter().map(|&d| isize::try_from(d).unwrap_or(isize::MAX)).collect();
                Dims { dims: Some(dims), keepdim: false }
            }
        }
        impl From<Vec<$t>> for Dims {
            fn from(dims: Vec<$t>) -> Self {
                Self::from(&dims[..])
            }
        }
        impl From<$t> for Sizes {
            fn from(size: $t) -> Self {
                Self::from([size])
            }
        }
        impl<const N: usize> From<[$t; N]> for Sizes {
            fn from(sizes: [$t; N]) -> Self {
                Self::from(&sizes[..])
            }
        }
        impl From<&[$t]> for Sizes {
            fn from(sizes: &[$t]) -> Self {
                Self(sizes.iter().map(|&s| i64::try_from(s).unwrap_or(i64::MAX)).collect())
            }
        }
        impl From<Vec<$t>> for Sizes {
            fn from(sizes: Vec<$t>) -> Self {
                Self::from(&sizes[..])
            }
        }
    )*};
}

from_integers! { i32 i64 isize usize }

impl From<&Shape> for Sizes {
    fn from(shape: &Shape) -> Self {
        Self::from(&shape[..])
    }
}
impl From<Shape> for Sizes {
    fn from(shape: Shape) -> Self {
        Self::from(&shape[..])
    }
}
impl From<()> for Sizes {
    fn from((): ()) -> Self {
        Self(SmallVec::new())
    }
}
