//! What an index can be.
use crate::{Backend, Slice, Tensor};
use std::{convert::Infallible, ops};

/// One part of an index, for one dim or several.
#[derive(Clone)]
pub enum Index<B: Backend> {
    /// One place, whose dim goes away; negative numbers count from the end.
    At(i64),
    /// A range.
    Slice(Slice),
    /// A new dim of size one: `None`.
    NewAxis,
    /// As many whole dims as are left: Python's `...`.
    Ellipsis,
    /// These places.
    List(Vec<i64>),
    /// Places (of an integer dtype), or of a Bool mask those where it is true.
    Tensor(Tensor<B>),
}

/// All parts of an index: one, a tuple of up to six, or any number in a `Vec` or a slice.
///
/// ```
/// use firesteel::{Index, prelude::*};
/// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
/// let indices = vec![Index::from(..), Index::from(1)];
/// assert_eq!(x.index(indices)?.to_vec::<i64>()?, [2, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
pub struct Indices<B: Backend>(pub Vec<Index<B>>);

/// Conversions to `Index`, each of which is one to `Indices` as well.
macro_rules! from {
    ($($t:ty, $x:ident => $index:expr;)*) => {$(
        impl<B: Backend> From<$t> for Index<B> {
            fn from($x: $t) -> Self {
                $index
            }
        }
        impl<B: Backend> From<$t> for Indices<B> {
            fn from(x: $t) -> Self {
                Indices(vec![x.into()])
            }
        }
    )*};
}

/// What there is for each type of integer.
macro_rules! from_integers {
    ($($t:ty)*) => {$(
        from! {
            $t, i => Index::At(wide(i));
            ops::Range<$t>, range => Index::Slice(range.into());
            ops::RangeFrom<$t>, range => Index::Slice(range.into());
            ops::RangeTo<$t>, range => Index::Slice(range.into());
            ops::RangeInclusive<$t>, range => Index::Slice(range.into());
            ops::RangeToInclusive<$t>, range => Index::Slice(range.into());
            Vec<$t>, list => Index::List(list.into_iter().map(wide).collect());
            &[$t], list => Index::List(list.iter().copied().map(wide).collect());
        }
        impl<B: Backend, const N: usize> From<[$t; N]> for Index<B> {
            fn from(list: [$t; N]) -> Self {
                Index::from(&list[..])
            }
        }
        impl<B: Backend, const N: usize> From<[$t; N]> for Indices<B> {
            fn from(list: [$t; N]) -> Self {
                Indices(vec![list.into()])
            }
        }
    )*};
}

from_integers! { i32 i64 isize usize }

from! {
    ops::RangeFull, _range => Index::Slice(Slice::from(..));
    Slice, slice => Index::Slice(slice);
    Option<Infallible>, _none => Index::NewAxis;
    Tensor<B>, tensor => Index::Tensor(tensor);
    &Tensor<B>, tensor => Index::Tensor(tensor.clone());
}

impl<B: Backend> From<Index<B>> for Indices<B> {
    fn from(index: Index<B>) -> Self {
        Indices(vec![index])
    }
}
impl<B: Backend> From<Vec<Index<B>>> for Indices<B> {
    fn from(indices: Vec<Index<B>>) -> Self {
        Indices(indices)
    }
}
impl<B: Backend> From<&[Index<B>]> for Indices<B> {
    fn from(indices: &[Index<B>]) -> Self {
        Indices(indices.to_vec())
    }
}

macro_rules! from_tuples {
    ($(($($name:ident)*))*) => {$(
        impl<B: Backend, $($name: Into<Index<B>>),*> From<($($name,)*)> for Indices<B> {
            #[allow(non_snake_case)]
            fn from(($($name,)*): ($($name,)*)) -> Self {
                Indices(vec![$($name.into()),*])
            }
        }
    )*};
}

from_tuples! { (I) (I J) (I J K) (I J K L) (I J K L M) (I J K L M N) }

/// A number too large to be an index stays too large.
fn wide(i: impl TryInto<i64>) -> i64 {
    i.try_into().unwrap_or(i64::MAX)
}
