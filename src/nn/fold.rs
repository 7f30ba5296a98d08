//! The patches that a window sees, as columns, and back.
use super::stateless::stateless;
use crate::{PatchOptions, PerDim};

/// The patches that a window sees, as columns: `(n, c, h, w)` to `(n, c · window, windows)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html>
///
/// ```
/// use firesteel::{nn::{Layer, Unfold}, prelude::*};
/// let y = Unfold::new([2, 3]).forward(&Tensor::zeros([1, 3, 4, 5], &Cpu)?)?;
/// assert_eq!(y.shape(), &[1, 3 * 2 * 3, 3 * 3]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfold {
    /// The size of the window.
    pub kernel_size: PerDim,
    /// How the window moves.
    pub options: PatchOptions,
}

impl Unfold {
    /// Windows of this size at every place.
    pub fn new(kernel_size: impl Into<PerDim>) -> Self {
        Self { kernel_size: kernel_size.into(), options: PatchOptions::default() }
    }

    /// The same layer with windows that move as the options say.
    pub fn options(self, options: PatchOptions) -> Self {
        Self { options, ..self }
    }
}

stateless! { Unfold |layer, x| x.im2col(layer.kernel_size.clone(), layer.options.clone()) }

/// Adds up columns to a picture: `(n, c · window, windows)` to `(n, c, ..output_size)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html>
///
/// ```
/// use firesteel::{nn::{Fold, Layer}, prelude::*};
/// let y = Fold::new([4, 5], [2, 3]).forward(&Tensor::ones([1, 3 * 2 * 3, 3 * 3], &Cpu)?)?;
/// assert_eq!(y.shape(), &[1, 3, 4, 5]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The size of the picture.
    pub output_size: PerDim,
    /// The size of the window.
    pub kernel_size: PerDim,
    /// How the window moved.
    pub options: PatchOptions,
}

impl Fold {
    /// A picture of this size from windows of that size at every place.
    pub fn new(output_size: impl Into<PerDim>, kernel_size: impl Into<PerDim>) -> Self {
        let (output_size, kernel_size) = (output_size.into(), kernel_size.into());
        Self { output_size, kernel_size, options: PatchOptions::default() }
    }

    /// The same layer with windows that moved as the options say.
    pub fn options(self, options: PatchOptions) -> Self {
        Self { options, ..self }
    }
}

stateless! {
    Fold |layer, x| x.col2im(layer.output_size.clone(), layer.kernel_size.clone(), layer.options.clone())
}
