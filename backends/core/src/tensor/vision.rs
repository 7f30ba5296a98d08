//! Pixels and channels rearranged: shuffles, and the patches that a window sees.
use super::conv::batched;
use crate::{Axes, Backend, Error, Op, PadAxis, PerDim, Result, Scalar, Shape, Span, Tensor};
use smallvec::smallvec;

/// The window of [`Tensor::im2col`] and [`Tensor::col2im`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatchOptions {
    /// The distance between the elements of a window.
    pub dilation: PerDim,
    /// Zeros added on both sides.
    pub padding: PerDim,
    /// The distance between neighbouring windows.
    pub stride: PerDim,
}

impl Default for PatchOptions {
    fn default() -> Self {
        Self { dilation: 1.into(), padding: 0.into(), stride: 1.into() }
    }
}

// ---- shuffles
impl<B: Backend> Tensor<B> {
    /// `(.., c r², h, w)` to `(.., c, h r, w r)`: channels become pixels.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[[1.0]], [[2.0]], [[3.0]], [[4.0]]], &Cpu::default())?;
    /// let y = x.pixel_shuffle(2)?;
    /// assert_eq!((y.shape().to_string(), y.to_vec::<f32>()?), ("[1, 2, 2]".into(), vec![1., 2., 3., 4.]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pixel_shuffle(&self, upscale: usize) -> Result<Self> {
        let r = upscale;
        match self.shape()[..] {
            [ref lead @ .., c, h, w] if r > 0 && r.checked_mul(r).is_some_and(|r2| c.is_multiple_of(r2)) => {
                let c = c / (r * r);
                // (.., c, r, r, h, w) to (.., c, h, r, w, r)
                let split = self.reshape([lead, &[c, r, r, h, w]].concat())?;
                split.reordered(&[0, 3, 1, 4, 2])?.reshape([lead, &[c, h * r, w * r]].concat())
            }
            _ => {
                let why =
                    format!("needs (.., c · {r}², h, w) and a factor of 1 or more, not {}", self.shape());
                Err(Error::shape("pixel_shuffle", why))
            }
        }
    }

    /// `(.., c, h r, w r)` to `(.., c r², h, w)`: pixels become channels.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[[1.0, 2.0], [3.0, 4.0]]], &Cpu::default())?;
    /// let y = x.pixel_unshuffle(2)?;
    /// assert_eq!((y.shape().to_string(), y.to_vec::<f32>()?), ("[4, 1, 1]".into(), vec![1., 2., 3., 4.]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pixel_unshuffle(&self, downscale: usize) -> Result<Self> {
        let r = downscale;
        match self.shape()[..] {
            [ref lead @ .., c, h, w] if r > 0 && h.is_multiple_of(r) && w.is_multiple_of(r) => {
                let (h, w) = (h / r, w / r);
                let channels = c.saturating_mul(r).saturating_mul(r);
                // (.., c, h, r, w, r) to (.., c, r, r, h, w)
                let split = self.reshape([lead, &[c, h, r, w, r]].concat())?;
                split.reordered(&[0, 2, 4, 1, 3])?.reshape([lead, &[channels, h, w]].concat())
            }
            _ => {
                let why =
                    format!("needs (.., h · {r}, w · {r}) and a factor of 1 or more, not {}", self.shape());
                Err(Error::shape("pixel_unshuffle", why))
            }
        }
    }

    /// `(batch, groups · k, ..)` with the channels dealt out: channel `i k + j` becomes `j groups + i`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[[1.0], [2.0], [3.0], [4.0]]], &Cpu::default())?;
    /// assert_eq!(x.channel_shuffle(2)?.to_vec::<f32>()?, [1., 3., 2., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn channel_shuffle(&self, groups: usize) -> Result<Self> {
        match self.shape()[..] {
            [n, c, ref rest @ ..] if !rest.is_empty() && groups > 0 && c.is_multiple_of(groups) => {
                let split = self.reshape([&[n, groups, c / groups], rest].concat())?;
                split.transpose(1, 2)?.reshape(self.shape())
            }
            _ => {
                let why = format!(
                    "needs (batch, channels, ..), channels a multiple of {groups}, not {}",
                    self.shape()
                );
                Err(Error::shape("channel_shuffle", why))
            }
        }
    }

    /// The last axes in another order.
    #[track_caller]
    fn reordered(&self, order: &[usize]) -> Result<Self> {
        let lead = self.rank() - order.len();
        Self::one(Op::Permute(self, (0..lead).chain(order.iter().map(|a| lead + a)).collect()))
    }
}

// ---- patches
impl<B: Backend> Tensor<B> {
    /// The patches that a window of `kernel` sees, as columns: `(batch, c, h, w)` or `(c, h, w)` to
    /// `(batch, c · window, windows)`. PyTorch's `nn.functional.unfold`; not to be confused with the
    /// windows along one dim of `Tensor.unfold`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html>
    ///
    /// ```
    /// use firesteel::{PatchOptions, prelude::*};
    /// let x = Tensor::new([[[1.0, 2.0, 3.0]]], &Cpu::default())?;
    /// let y = x.im2col([1, 2], PatchOptions::default())?;
    /// assert_eq!((y.shape().to_string(), y.to_vec::<f32>()?), ("[2, 2]".into(), vec![1., 2., 2., 3.]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn im2col(&self, kernel: impl Into<PerDim>, options: PatchOptions) -> Result<Self> {
        let kernel = kernel.into();
        batched("im2col", self, 2, |x| {
            let patch = Patch::new("im2col", &kernel, &options)?;
            let (n, c) = (x.shape()[0], x.shape()[1]);
            let count = patch.count("im2col", &x.shape()[2..])?;
            let seen = patch.seen(x)?;
            // (n, c, rows, cols, kernel, kernel) to (n, c, kernel, kernel, rows, cols)
            let inside = patch.kernel.iter().product::<usize>().saturating_mul(c);
            seen.permute([0, 1, 4, 5, 2, 3])?.reshape([n, inside, count.iter().product()])
        })
    }

    /// The adjoint of [`im2col`](Self::im2col): columns `(batch, c · window, windows)` or
    /// `(c · window, windows)` added up to an image `(batch, c, ..size)`. PyTorch's `nn.functional.fold`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html>
    ///
    /// ```
    /// use firesteel::{PatchOptions, prelude::*};
    /// let columns = Tensor::new([[1.0, 2.0], [2.0, 3.0]], &Cpu::default())?;
    /// let y = columns.col2im([1, 3], [1, 2], PatchOptions::default())?;
    /// assert_eq!((y.shape().to_string(), y.to_vec::<f32>()?), ("[1, 1, 3]".into(), vec![1., 4., 3.]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn col2im(
        &self,
        size: impl Into<PerDim>,
        kernel: impl Into<PerDim>,
        options: PatchOptions,
    ) -> Result<Self> {
        let (size, kernel) = (size.into(), kernel.into());
        batched("col2im", self, 1, |x| {
            let patch = Patch::new("col2im", &kernel, &options)?;
            let size = size.resolve("col2im", "the size", 2)?;
            let count = patch.count("col2im", &size)?;
            let (n, inside) = (x.shape()[0], patch.kernel.iter().product::<usize>());
            let fits = x.shape()[1].is_multiple_of(inside) && x.shape()[2] == count.iter().product::<usize>();
            if !fits {
                let why = format!(
                    "columns {} do not fit windows of {:?}, {:?} of them, in {:?}",
                    x.shape(),
                    &patch.kernel[..],
                    &count[..],
                    &size[..]
                );
                return Err(Error::shape("col2im", why));
            }
            let c = x.shape()[1] / inside;
            let split = x.reshape([n, c, patch.kernel[0], patch.kernel[1], count[0], count[1]])?;
            patch.joined(&split.permute([0, 1, 4, 5, 2, 3])?, &size)
        })
    }
}

/// A window over two dims.
struct Patch {
    kernel: Axes,
    dilation: Axes,
    padding: Axes,
    stride: Axes,
}

impl Patch {
    fn new(op: &'static str, kernel: &PerDim, options: &PatchOptions) -> Result<Self> {
        let patch = Patch {
            kernel: kernel.resolve(op, "kernel", 2)?,
            dilation: options.dilation.resolve(op, "dilation", 2)?,
            padding: options.padding.resolve(op, "padding", 2)?,
            stride: options.stride.resolve(op, "stride", 2)?,
        };
        if [&patch.kernel, &patch.dilation, &patch.stride].iter().any(|each| each.contains(&0)) {
            return Err(Error::value(op, "kernel, dilation and stride have to be at least 1"));
        }
        Ok(patch)
    }

    /// How many windows there are over each dim.
    fn count(&self, op: &'static str, size: &[usize]) -> Result<Axes> {
        (0..2)
            .map(|i| {
                let padded = self.padding[i].checked_mul(2).and_then(|p| p.checked_add(size[i]));
                let reach = (self.kernel[i] - 1).checked_mul(self.dilation[i]);
                let room =
                    padded.zip(reach).and_then(|(padded, reach)| padded.checked_sub(reach)?.checked_sub(1));
                room.map(|room| room / self.stride[i] + 1).ok_or_else(|| {
                    let why = format!(
                        "a window of {} with dilation {} does not fit a dim of size {} with padding {}",
                        self.kernel[i], self.dilation[i], size[i], self.padding[i]
                    );
                    Error::shape(op, why)
                })
            })
            .collect()
    }

    /// The elements from the first to the last of a window.
    fn reach(&self, i: usize) -> usize {
        (self.kernel[i] - 1) * self.dilation[i] + 1
    }

    /// `(n, c, h, w)` through the window: `(n, c, rows, cols, kernel, kernel)`.
    fn seen<B: Backend>(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let sides = self.padding.iter().map(|&p| PadAxis { low: p, high: p, interior: 0 });
        let padding: crate::Padding = [PadAxis::default(); 2].into_iter().chain(sides).collect();
        let mut seen = x.clone();
        if self.padding.iter().any(|&p| p > 0) {
            seen = Tensor::one(Op::Pad(&seen, padding, Scalar::Int(0)))?;
        }
        for i in 0..2 {
            seen = Tensor::one(Op::Windows {
                x: &seen,
                axis: 2 + i,
                size: self.reach(i),
                step: self.stride[i],
            })?;
            let span = Span { start: 0, step: self.dilation[i] as isize, len: self.kernel[i] };
            seen = seen.span(seen.rank() - 1, span)?;
        }
        Ok(seen)
    }

    /// The adjoint of [`seen`](Self::seen).
    fn joined<B: Backend>(&self, windows: &Tensor<B>, size: &Axes) -> Result<Tensor<B>> {
        let mut y = windows.clone();
        for i in [1, 0] {
            // what lies between the elements of a window is zero
            let mut between: crate::Padding = smallvec![PadAxis::default(); y.rank()];
            if let Some(last) = between.last_mut() {
                last.interior = self.dilation[i] - 1;
            }
            if self.dilation[i] > 1 {
                y = Tensor::one(Op::Pad(&y, between, Scalar::Int(0)))?;
            }
            let len = size[i] + 2 * self.padding[i];
            y = Tensor::one(Op::Fold { x: &y, axis: 2 + i, len, step: self.stride[i] })?;
            y = y.span(2 + i, Span { start: self.padding[i], step: 1, len: size[i] })?;
        }
        Ok(y)
    }
}

impl<B: Backend> Tensor<B> {
    /// Whether this is `(n, c, ..)` with as many spatial dims as `axes`.
    pub(crate) fn spatial(&self, op: &'static str, axes: std::ops::RangeInclusive<usize>) -> Result<Shape> {
        let rank = self.rank();
        if rank >= 2 && axes.contains(&(rank - 2)) {
            return Ok(self.shape()[2..].iter().copied().collect());
        }
        let (least, most) = (axes.start() + 2, axes.end() + 2);
        Err(Error::shape(
            op,
            format!("needs (batch, channels, ..) of {least} to {most} dims, not {}", self.shape()),
        ))
    }
}
