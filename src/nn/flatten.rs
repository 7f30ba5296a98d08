//! Several dims as one, and one as several.
use super::stateless::stateless;
use crate::Sizes;

/// The dims from `start_dim` to `end_dim`, both included, as one: `(n, ..) -> (n, features)` as it is made.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html>
///
/// ```
/// use firesteel::{nn::{Flatten, Layer}, prelude::*};
/// let y = Flatten::default().forward(&Tensor::zeros([2, 3, 4], &Cpu)?)?;
/// assert_eq!(y.shape(), &[2, 12]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten {
    /// The first dim; negative numbers count from the end.
    pub start_dim: isize,
    /// The last dim; negative numbers count from the end.
    pub end_dim: isize,
}

impl Default for Flatten {
    fn default() -> Self {
        Self { start_dim: 1, end_dim: -1 }
    }
}

stateless! { Flatten |layer, x| x.flatten(layer.start_dim, layer.end_dim) }

/// One dim as several: [`Flatten`] backwards.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html>
///
/// ```
/// use firesteel::{nn::{Layer, Unflatten}, prelude::*};
/// let y = Unflatten::new(1, [3, -1]).forward(&Tensor::zeros([2, 12], &Cpu)?)?;
/// assert_eq!(y.shape(), &[2, 3, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unflatten {
    /// The dim; negative numbers count from the end.
    pub dim: isize,
    /// What it becomes; one size may be -1, which is whatever is left.
    pub unflattened_size: Sizes,
}

impl Unflatten {
    /// This dim as those.
    pub fn new(dim: isize, unflattened_size: impl Into<Sizes>) -> Self {
        Self { dim, unflattened_size: unflattened_size.into() }
    }
}

stateless! { Unflatten |layer, x| x.unflatten(layer.dim, layer.unflattened_size.clone()) }
