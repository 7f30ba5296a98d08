//! Several dims as one.
use super::activation::stateless;
use crate::{Backend, Result, Tensor};

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
