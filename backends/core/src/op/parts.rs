//! What an operation is told besides its operands: parts of axes, and how windows move.
use crate::{Axes, Error};
use smallvec::SmallVec;

/// A range along one axis: `start, start + step, ..`, `len` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// The first index.
    pub start: usize,
    /// The distance to the next; negative goes backwards, and zero does not move.
    pub step: isize,
    /// How many.
    pub len: usize,
}

impl Span {
    /// All of an axis.
    pub fn all(size: usize) -> Self {
        Span { start: 0, step: 1, len: size }
    }
}

/// One span for each axis.
pub type Spans = SmallVec<[Span; 4]>;

/// How many elements to add along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PadAxis {
    /// Before the first.
    pub low: usize,
    /// After the last.
    pub high: usize,
    /// Between each two neighbours.
    pub interior: usize,
}

impl PadAxis {
    /// Where `len` elements lie among those that are added.
    pub fn span(self, len: usize) -> Span {
        // between no two elements the distance may be of any size
        Span { start: self.low, step: (self.interior as isize).wrapping_add(1), len }
    }
}

/// One for each axis.
pub type Padding = SmallVec<[PadAxis; 2]>;

/// How a convolution's window moves, with one entry for each spatial axis.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Conv {
    /// The distance between neighbouring windows.
    pub stride: Axes,
    /// Zeros added on both sides.
    pub padding: Axes,
    /// The distance between the elements of a window.
    pub dilation: Axes,
    /// How many independent groups the channels fall into.
    pub groups: usize,
}

/// What is normalised, and what it is multiplied by afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NormAxes {
    /// What is normalised together.
    pub axes: Axes,
    /// Whether a mean is taken away.
    pub centred: bool,
    /// Along which axes weight and bias vary, where their gradients are wanted.
    pub affine: Option<Axes>,
}

/// How a pooling window moves, with one entry for each spatial axis (the last axes of the operand).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pool {
    /// The size of the window.
    pub kernel: Axes,
    /// The distance between neighbouring windows.
    pub stride: Axes,
    /// Added on both sides: what never wins a maximum, and zeros of a mean.
    pub padding: Axes,
    /// The distance between the elements of a window.
    pub dilation: Axes,
    /// The sizes of the result, as `ceil_mode` asks for; windows may hang over the end.
    pub output: Axes,
}

/// What an average is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Divisor {
    /// The elements of the window, with padding but without what hangs over it.
    Padded,
    /// Only the elements that lie in the tensor.
    Inside,
    /// This number, which is not zero.
    Fixed(i64),
}

/// The sign of the exponent in a Fourier transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FftWay {
    /// `e^(-2πi jk/n)`.
    Forward,
    /// `e^(2πi jk/n)`.
    Inverse,
}

impl FftWay {
    /// The other one.
    pub fn back(self) -> Self {
        match self {
            FftWay::Forward => FftWay::Inverse,
            FftWay::Inverse => FftWay::Forward,
        }
    }
}

/// What has to hold of numbers that may not be on the host: where it does not is an error of the operation that asks, at
/// once or, where a device runs behind the program, when numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Requirement {
    /// Numbers in `[0, 1]`, which `bernoulli` takes for probabilities.
    Probability,
    /// Numbers that are neither negative nor infinite nor NaN, which `multinomial` takes for weights.
    Weight,
    /// Rows of weights that are not all zero.
    SomeWeight,
    /// Samples that windows cover, which `istft` divides by them.
    Overlap,
}

impl Requirement {
    /// What is said where it does not hold.
    pub fn error(self) -> Error {
        let (op, why) = match self {
            Requirement::Probability => {
                ("bernoulli", "probabilities have to lie in [0, 1]: one does not, or is NaN")
            }
            Requirement::Weight => {
                ("multinomial", "weights have to be 0 or more: one is negative, infinite or NaN")
            }
            Requirement::SomeWeight => {
                ("multinomial", "of a row whose weights are all zero nothing is drawn")
            }
            Requirement::Overlap => {
                ("istft", "where windows overlap, the sum of their squares is zero for a sample")
            }
        };
        Error::value(op, why)
    }
}
