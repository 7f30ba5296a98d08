//! Linear layers and convolutions.
use crate::{
    Axes, Backend, Conv, Error, Fused, Op, Operands, PadAxis, PerDim, Result, Scalar, Shape, Tensor,
};
use smallvec::smallvec;
use std::panic::Location;

/// Zeros around the input of a convolution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConvPadding {
    /// This many on both sides.
    Zeros(PerDim),
    /// As many as keep the size, the odd one at the end; for a stride of 1.
    Same,
    /// None.
    Valid,
}

impl<T: Into<PerDim>> From<T> for ConvPadding {
    fn from(each: T) -> Self {
        ConvPadding::Zeros(each.into())
    }
}

/// Options of [`Tensor::conv2d`] and its kin.
///
/// ```
/// use firesteel_core::{ConvOptions, ConvPadding};
/// let options = ConvOptions { stride: 2.into(), padding: [1, 0].into(), ..Default::default() };
/// assert_eq!(options.groups, 1);
/// # let _ = ConvOptions { padding: ConvPadding::Same, ..options };
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvOptions {
    /// The distance between neighbouring windows.
    pub stride: PerDim,
    /// Zeros around the input.
    pub padding: ConvPadding,
    /// The distance between the elements of a window.
    pub dilation: PerDim,
    /// How many independent groups the channels fall into.
    pub groups: usize,
}

impl Default for ConvOptions {
    fn default() -> Self {
        Self { stride: 1.into(), padding: ConvPadding::Valid, dilation: 1.into(), groups: 1 }
    }
}

/// Options of [`Tensor::conv_transpose2d`] and its kin: those of the convolution that it undoes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvTransposeOptions {
    /// The distance between neighbouring windows.
    pub stride: PerDim,
    /// How much is cut from both sides of the result.
    pub padding: PerDim,
    /// How much the result is longer at the end, as several sizes have the same convolution.
    pub output_padding: PerDim,
    /// How many independent groups the channels fall into.
    pub groups: usize,
    /// The distance between the elements of a window.
    pub dilation: PerDim,
}

impl Default for ConvTransposeOptions {
    fn default() -> Self {
        Self { stride: 1.into(), padding: 0.into(), output_padding: 0.into(), groups: 1, dilation: 1.into() }
    }
}

/// The convolutions over 1, 2 and 3 spatial dims.
macro_rules! convolutions {
    ($($(#[$doc:meta])* $method:ident $axes:literal $options:ident $inner:ident;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(&self, weight: &Self, bias: Option<&Self>, options: $options) -> Result<Self> {
                let op = stringify!($method);
                batched(op, self, $axes, |x| $inner(op, x, weight, bias, &options))
            }
        )*}
    };
}

convolutions! {
    /// Slides windows along `(batch, in, length)` or `(in, length)`; the weight is
    /// `(out, in / groups, window)` and the bias `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html>
    ///
    /// ```
    /// use firesteel::{ConvOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::new([[1.0, 2.0, 4.0]], &cpu)?, Tensor::new([[[1.0, -1.0]]], &cpu)?);
    /// assert_eq!(x.conv1d(&w, None, ConvOptions::default())?.to_vec::<f32>()?, [-1., -2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    conv1d 1 ConvOptions convolve;
    /// Slides windows over `(batch, in, height, width)` or `(in, height, width)`; the weight is
    /// `(out, in / groups, ..window)` and the bias `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html>
    ///
    /// ```
    /// use firesteel::{ConvOptions, ConvPadding, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::ones([1, 3, 4, 4], &cpu)?, Tensor::ones([8, 3, 3, 3], &cpu)?);
    /// let same = ConvOptions { padding: ConvPadding::Same, ..Default::default() };
    /// assert_eq!(*x.conv2d(&w, None, same)?.shape(), [1, 8, 4, 4]);
    /// let halved = ConvOptions { stride: 2.into(), padding: 1.into(), ..Default::default() };
    /// assert_eq!(*x.conv2d(&w, None, halved)?.shape(), [1, 8, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    conv2d 2 ConvOptions convolve;
    /// Slides windows through `(batch, in, depth, height, width)` or `(in, depth, height, width)`; the weight
    /// is `(out, in / groups, ..window)` and the bias `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html>
    ///
    /// ```
    /// use firesteel::{ConvOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::ones([1, 2, 3, 3, 3], &cpu)?, Tensor::ones([4, 2, 2, 2, 2], &cpu)?);
    /// assert_eq!(*x.conv3d(&w, None, ConvOptions::default())?.shape(), [1, 4, 2, 2, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    conv3d 3 ConvOptions convolve;
    /// The adjoint of [`conv1d`](Self::conv1d): `(batch, in, length)` or `(in, length)`; the weight is
    /// `(in, out / groups, window)` and the bias `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html>
    ///
    /// ```
    /// use firesteel::{ConvTransposeOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::new([[1.0, 2.0]], &cpu)?, Tensor::new([[[1.0, -1.0]]], &cpu)?);
    /// let y = x.conv_transpose1d(&w, None, ConvTransposeOptions::default())?;
    /// assert_eq!(y.to_vec::<f32>()?, [1., 1., -2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    conv_transpose1d 1 ConvTransposeOptions convolve_transposed;
    /// The adjoint of [`conv2d`](Self::conv2d): `(batch, in, height, width)` or `(in, height, width)`; the
    /// weight is `(in, out / groups, ..window)` and the bias `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html>
    ///
    /// ```
    /// use firesteel::{ConvTransposeOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::ones([1, 8, 4, 4], &cpu)?, Tensor::ones([8, 3, 2, 2], &cpu)?);
    /// let options = ConvTransposeOptions { stride: 2.into(), ..Default::default() };
    /// assert_eq!(*x.conv_transpose2d(&w, None, options)?.shape(), [1, 3, 8, 8]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    conv_transpose2d 2 ConvTransposeOptions convolve_transposed;
    /// The adjoint of [`conv3d`](Self::conv3d): `(batch, in, depth, height, width)` or
    /// `(in, depth, height, width)`; the weight is `(in, out / groups, ..window)` and the bias `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html>
    ///
    /// ```
    /// use firesteel::{ConvTransposeOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::ones([1, 2, 2, 2, 2], &cpu)?, Tensor::ones([2, 1, 2, 2, 2], &cpu)?);
    /// let y = x.conv_transpose3d(&w, None, ConvTransposeOptions::default())?;
    /// assert_eq!(*y.shape(), [1, 1, 3, 3, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    conv_transpose3d 3 ConvTransposeOptions convolve_transposed;
}

impl<B: Backend> Tensor<B> {
    /// `x Wᵀ + b`: `x` is `(.., in)`, the weight `(out, in)` or `(in)`, the bias `(out)` or a number.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, w) = (Tensor::new([1.0, 2.0], &cpu)?, Tensor::new([[1.0, 1.0], [0.0, 3.0]], &cpu)?);
    /// let b = Tensor::new([10.0, 20.0], &cpu)?;
    /// assert_eq!(x.linear(&w, Some(&b))?.to_vec::<f32>()?, [13., 26.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn linear(&self, weight: &Self, bias: Option<&Self>) -> Result<Self> {
        if weight.rank() == 1 {
            let (weight, bias) = (weight.unsqueeze(0)?, bias.map(|b| b.reshape([1])).transpose()?);
            let y = self.linear(&weight, bias.as_ref())?;
            return y.without(&smallvec![y.rank().saturating_sub(1)]);
        }
        let operands: Operands<&Self> = [self, weight].into_iter().chain(bias).collect();
        Self::one(Op::Fused(Fused::Linear, operands))
    }

    /// `y[o] = xᵀ W[o] z + b[o]`: `x` is `(.., n)`, the other `(.., m)`, the weight `(out, n, m)` and the bias
    /// `(out)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, z) = (Tensor::new([1.0, 2.0], &cpu)?, Tensor::new([3.0], &cpu)?);
    /// let w = Tensor::new([[[1.0], [10.0]]], &cpu)?;
    /// assert_eq!(x.bilinear(&z, &w, None)?.to_vec::<f32>()?, [63.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn bilinear(&self, other: &Self, weight: &Self, bias: Option<&Self>) -> Result<Self> {
        let bad = || {
            let (x, z, w) = (self.shape(), other.shape(), weight.shape());
            Error::shape("bilinear", format!("needs (.., n), (.., m) and (out, n, m), not {x}, {z} and {w}"))
        };
        let [out, n, m] = weight.shape()[..] else {
            return Err(bad());
        };
        let ([lead @ .., n_x], [lead_z @ .., m_z]) = (&self.shape()[..], &other.shape()[..]) else {
            return Err(bad());
        };
        if lead != lead_z || (*n_x, *m_z) != (n, m) {
            return Err(bad());
        }
        let rows = lead.iter().product::<usize>();
        // (rows, n) by (n, out m), then for each row (out, m) by (m, 1)
        let weight = weight.permute([1, 0, 2])?.reshape([n, out * m])?;
        let half = Self::one(Op::MatMul(&self.reshape([rows, n])?, &weight))
            .and_then(|y| y.reshape([rows, out, m]))?;
        let y = Self::one(Op::MatMul(&half, &other.reshape([rows, m, 1])?))?;
        let y = y.reshape([lead, &[out]].concat())?;
        match bias {
            Some(bias) => y + bias,
            None => Ok(y),
        }
    }
}

/// Runs `f` on a batch; an input without a batch, which has `axes + 1` dims, is a batch of one.
#[track_caller]
pub(crate) fn batched<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    axes: usize,
    f: impl FnOnce(&Tensor<B>) -> Result<Tensor<B>>,
) -> Result<Tensor<B>> {
    let here = Location::caller();
    if x.rank() == axes + 2 {
        return f(x).map_err(|e| e.at(here));
    }
    if x.rank() == axes + 1 {
        return f(&x.unsqueeze(0)?).and_then(|y| y.without(&smallvec![0])).map_err(|e| e.at(here));
    }
    let why = format!("needs (batch, channels, ..) or (channels, ..) over {axes} dims, not {}", x.shape());
    Err(Error::shape(op, why).at(here))
}

fn convolve<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    weight: &Tensor<B>,
    bias: Option<&Tensor<B>>,
    options: &ConvOptions,
) -> Result<Tensor<B>> {
    let axes = x.rank() - 2;
    let stride = options.stride.resolve(op, "stride", axes)?;
    let dilation = options.dilation.resolve(op, "dilation", axes)?;
    let kernel = kernel(op, x, weight)?;
    let mut x = x.clone();
    let padding = match &options.padding {
        ConvPadding::Zeros(each) => each.resolve(op, "padding", axes)?,
        ConvPadding::Valid => smallvec![0; axes],
        ConvPadding::Same => {
            if stride.iter().any(|&s| s != 1) {
                let why = format!("padding `Same` needs a stride of 1, not {:?}", &stride[..]);
                return Err(Error::value(op, why));
            }
            let total: Axes =
                kernel.iter().zip(&dilation).map(|(k, d)| k.saturating_sub(1).saturating_mul(*d)).collect();
            // what is odd goes to the end, before the convolution pads both sides alike
            x = lengthened(&x, total.iter().map(|n| n % 2))?;
            total.iter().map(|n| n / 2).collect()
        }
    };
    let conv = Conv { stride, padding, dilation, groups: options.groups };
    let y = Tensor::one(Op::Conv(conv.into(), &x, weight)).map_err(|e| e.within(op))?;
    biased(op, y, bias)
}

fn convolve_transposed<B: Backend>(
    op: &'static str,
    x: &Tensor<B>,
    weight: &Tensor<B>,
    bias: Option<&Tensor<B>>,
    options: &ConvTransposeOptions,
) -> Result<Tensor<B>> {
    let axes = x.rank() - 2;
    let conv = Conv {
        stride: options.stride.resolve(op, "stride", axes)?,
        padding: options.padding.resolve(op, "padding", axes)?,
        dilation: options.dilation.resolve(op, "dilation", axes)?,
        groups: options.groups,
    };
    let more = options.output_padding.resolve(op, "output_padding", axes)?;
    let kernel = kernel(op, x, weight)?;
    let (mut size, mut longer) = (Axes::new(), Axes::new());
    for axis in 0..axes {
        let (n, k) = (x.shape()[axis + 2], kernel[axis]);
        let (stride, dilation, padding) = (conv.stride[axis], conv.dilation[axis], conv.padding[axis]);
        if more[axis] >= stride.max(dilation) {
            let why = format!(
                "output_padding {} has to be smaller than stride {stride} or dilation {dilation}",
                more[axis]
            );
            return Err(Error::value(op, why));
        }
        // (n - 1) s - 2p + d (k - 1) + more + 1
        let grown = n.checked_sub(1).and_then(|n| n.checked_mul(stride));
        let reach = k.checked_sub(1).and_then(|k| k.checked_mul(dilation));
        let length = match (grown, reach) {
            (Some(grown), Some(reach)) => grown
                .checked_add(reach)
                .and_then(|n| n.checked_add(more[axis] + 1))
                .and_then(|n| n.checked_sub(padding.checked_mul(2)?)),
            _ => None,
        };
        let Some(length) = length else {
            let why =
                format!("windows of {k} at a dim of size {n} leave nothing inside the padding {padding}");
            return Err(Error::shape(op, why));
        };
        if stride > 0 {
            // where the result is longer than the stride, its convolution has windows that see zeros
            longer.push(conv.output(op, axis, length, k)?.saturating_sub(n));
        }
        size.push(length);
    }
    let g = lengthened(x, longer.into_iter())?;
    let y = Tensor::one(Op::ConvInputGrad { conv: conv.into(), g: &g, w: weight, size })
        .map_err(|e| e.within(op))?;
    biased(op, y, bias)
}

/// The spatial sizes of a weight, which has as many dims as the input.
fn kernel<B: Backend>(op: &'static str, x: &Tensor<B>, weight: &Tensor<B>) -> Result<Axes> {
    if weight.rank() == x.rank() {
        return Ok(weight.shape()[2..].iter().copied().collect());
    }
    let why = format!("the weight {} has to have {} dims", weight.shape(), x.rank());
    Err(Error::shape(op, why))
}

/// More zeros at the end of each spatial dim.
fn lengthened<B: Backend>(x: &Tensor<B>, more: impl Iterator<Item = usize>) -> Result<Tensor<B>> {
    let ends = more.map(|high| PadAxis { low: 0, high, interior: 0 });
    let padding: crate::Padding = [PadAxis::default(); 2].into_iter().chain(ends).collect();
    if padding.iter().all(|p| p.high == 0) {
        return Ok(x.clone());
    }
    Tensor::one(Op::Pad(x, padding, Scalar::Int(0)))
}

fn biased<B: Backend>(op: &'static str, y: Tensor<B>, bias: Option<&Tensor<B>>) -> Result<Tensor<B>> {
    let Some(bias) = bias else {
        return Ok(y);
    };
    let channels = y.shape()[1];
    if *bias.shape() != [channels] || bias.dtype() != y.dtype() {
        let why = format!("the bias {} has to be {} [{channels}]", bias.meta(), y.dtype());
        return Err(Error::shape(op, why));
    }
    let shape: Shape = (1..y.rank()).map(|axis| if axis == 1 { channels } else { 1 }).collect();
    y + bias.reshape(shape)?
}
