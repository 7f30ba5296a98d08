//! How windows of pooling move.
use crate::PerDim;

/// Options of [`Tensor::max_pool2d`](crate::Tensor::max_pool2d) and its kin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolOptions {
    /// The distance between neighbouring windows; without one, the size of the window.
    pub stride: Option<PerDim>,
    /// Places added on both sides that never win.
    pub padding: PerDim,
    /// The distance between the elements of a window.
    pub dilation: PerDim,
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
}

impl Default for MaxPoolOptions {
    fn default() -> Self {
        Self { stride: None, padding: 0.into(), dilation: 1.into(), ceil_mode: false }
    }
}

/// Options of [`Tensor::avg_pool2d`](crate::Tensor::avg_pool2d) and its kin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AvgPoolOptions {
    /// The distance between neighbouring windows; without one, the size of the window.
    pub stride: Option<PerDim>,
    /// Zeros added on both sides.
    pub padding: PerDim,
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
    /// Whether the padding counts in the mean.
    pub count_include_pad: bool,
    /// What the sum is divided by instead of the number of elements.
    pub divisor_override: Option<i64>,
}

impl Default for AvgPoolOptions {
    fn default() -> Self {
        Self {
            stride: None,
            padding: 0.into(),
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }
}

/// Options of [`Tensor::lp_pool2d`](crate::Tensor::lp_pool2d) and its kin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LpPoolOptions {
    /// The distance between neighbouring windows; without one, the size of the window.
    pub stride: Option<PerDim>,
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
}

/// Options of [`Tensor::max_unpool2d`](crate::Tensor::max_unpool2d) and its kin: those of the pooling that it undoes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaxUnpoolOptions {
    /// The distance between neighbouring windows; without one, the size of the window.
    pub stride: Option<PerDim>,
    /// Places that were added on both sides.
    pub padding: PerDim,
    /// The spatial sizes of the result; without them, the smallest that fit.
    pub output_size: Option<PerDim>,
}

impl Default for MaxUnpoolOptions {
    fn default() -> Self {
        Self { stride: None, padding: 0.into(), output_size: None }
    }
}
