//! Fourier transforms. Complex numbers are pairs along a last dim of two, which dims do not count: of `(.., n, 2)` dim -1
//! is the one with `n` numbers.
mod shift;
mod stft;
mod transform;

pub use stft::{IstftOptions, StftOptions};

use crate::{Axes, Backend, DType, Dims, Error, FftWay, Result, Tensor};

/// Which way of a Fourier transform divides by the number of elements `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FftNorm {
    /// The inverse, by `n`.
    #[default]
    Backward,
    /// The forward transform, by `n`.
    Forward,
    /// Both, by `√n`.
    Ortho,
}

impl FftNorm {
    /// What a transform of `n` elements is multiplied by.
    fn scale(self, way: FftWay, n: usize) -> f64 {
        let n = n as f64;
        match (self, way) {
            (FftNorm::Backward, FftWay::Forward) | (FftNorm::Forward, FftWay::Inverse) => 1.,
            (FftNorm::Backward, FftWay::Inverse) | (FftNorm::Forward, FftWay::Forward) => 1. / n,
            (FftNorm::Ortho, _) => n.sqrt().recip(),
        }
    }
}

/// Options of transforms along one dim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FftOptions {
    /// How many elements are transformed: cut, or zeros after them. As many as there are, unless it is set. Where the result
    /// is real (`irfft`, `hfft`), the number of its elements: `2 (m - 1)` of `m`, unless it is set.
    pub n: Option<usize>,
    /// Along which dim: the last, unless said otherwise.
    pub dim: isize,
    /// Which way divides.
    pub norm: FftNorm,
}

impl Default for FftOptions {
    fn default() -> Self {
        Self { n: None, dim: -1, norm: FftNorm::Backward }
    }
}

/// Options of transforms along several dims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FftnOptions {
    /// [`FftOptions::n`] for each dim.
    pub s: Option<Vec<usize>>,
    /// Along which dims: the last where there is an `s`, else all, unless it is set.
    pub dims: Option<Vec<isize>>,
    /// Which way divides.
    pub norm: FftNorm,
}

/// Declares the transforms along one dim and, of the same kind, along several and along the last two.
macro_rules! transforms {
    ($($(#[$doc:meta])* by $kind:expr => $fft:ident $fft2:ident $fftn:ident $example:literal;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.fft.", stringify!($fft), ".html>\n
```
use firesteel::{FftOptions, prelude::*};
", $example, "
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $fft(&self, options: FftOptions) -> Result<Self> {
                let FftOptions { n, dim, norm } = options;
                let options = FftnOptions { s: n.map(|n| vec![n]), dims: Some(vec![dim]), norm };
                self.transformed($kind, stringify!($fft), options)
            }

            #[doc = concat!("[`", stringify!($fft), "`](Self::", stringify!($fft), ") along several dims, one after the other.")]
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.fft.", stringify!($fftn), ".html>\n
```
use firesteel::{FftnOptions, prelude::*};
let x = Tensor::ones([2, 3, 2], &Cpu::default())?;
let y = x.", stringify!($fftn), "(FftnOptions::default())?;
assert!(y.rank() >= 2);
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $fftn(&self, options: FftnOptions) -> Result<Self> {
                self.transformed($kind, stringify!($fftn), options)
            }

            #[doc = concat!("[`", stringify!($fftn), "`](Self::", stringify!($fftn), ") along the last two dims, unless said otherwise.")]
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.fft.", stringify!($fft2), ".html>\n
```
use firesteel::{FftnOptions, prelude::*};
let x = Tensor::ones([2, 3, 2], &Cpu::default())?;
let y = x.", stringify!($fft2), "(FftnOptions::default())?;
assert!(y.rank() >= 2);
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $fft2(&self, options: FftnOptions) -> Result<Self> {
                let dims = options.dims.or(Some(vec![-2, -1]));
                self.transformed($kind, stringify!($fft2), FftnOptions { dims, ..options })
            }
        )*}
    };
}

transforms! {
    /// `Σⱼ xⱼ e^(-2πi jk/n)` of complex numbers: `(.., n, 2)` to the same.
    by Kind::Complex(FftWay::Forward) => fft fft2 fftn
    "let x = Tensor::new([[1.0, 0.0], [0.0, 1.0]], &Cpu::default())?;
assert_eq!(x.fft(FftOptions::default())?.to_vec::<f32>()?, [1., 1., 1., -1.]);";
    /// `1/n Σⱼ xⱼ e^(2πi jk/n)` of complex numbers: `(.., n, 2)` to the same. The inverse of [`fft`](Self::fft).
    by Kind::Complex(FftWay::Inverse) => ifft ifft2 ifftn
    "let x = Tensor::new([[1.0, 1.0], [1.0, -1.0]], &Cpu::default())?;
let y = Tensor::new([[1.0, 0.0], [0.0, 1.0]], &Cpu::default())?;
assert!(x.ifft(FftOptions::default())?.allclose(&y, Default::default())?);";
    /// The first `n/2 + 1` of [`fft`](Self::fft) of real numbers, which are conjugates of the rest: `(.., n)` to
    /// `(.., n/2 + 1, 2)`. Whole numbers are cast to F32 first.
    by Kind::FromReal(FftWay::Forward) => rfft rfft2 rfftn
    "let x = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
assert_eq!(x.rfft(FftOptions::default())?.shape(), &[2, 2]);";
    /// The inverse of [`rfft`](Self::rfft): `(.., n/2 + 1, 2)` to the real `(.., n)`.
    by Kind::ToReal(FftWay::Inverse) => irfft irfft2 irfftn
    "let x = Tensor::new([[3.0, 0.0], [-1.0, 0.0]], &Cpu::default())?;
assert_eq!(x.irfft(FftOptions::default())?.to_vec::<f32>()?, [1., 2.]);";
    /// [`fft`](Self::fft) of what is real in the frequencies, given the first `n/2 + 1`: `(.., n/2 + 1, 2)` to the real
    /// `(.., n)`.
    by Kind::ToReal(FftWay::Forward) => hfft hfft2 hfftn
    "let x = Tensor::new([[1.5, 0.0], [-0.5, 0.0]], &Cpu::default())?;
assert_eq!(x.hfft(FftOptions::default())?.to_vec::<f32>()?, [1., 2.]);";
    /// The inverse of [`hfft`](Self::hfft): the real `(.., n)` to `(.., n/2 + 1, 2)`. Whole numbers are cast to F32 first.
    by Kind::FromReal(FftWay::Inverse) => ihfft ihfft2 ihfftn
    "let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
let y = Tensor::new([[1.5, 0.0], [-0.5, 0.0]], &Cpu::default())?;
assert!(x.ihfft(FftOptions::default())?.allclose(&y, Default::default())?);";
}

/// What goes in and comes out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Complex numbers both.
    Complex(FftWay),
    /// Real numbers, and half of the complex ones.
    FromReal(FftWay),
    /// Half of the complex numbers, and real ones.
    ToReal(FftWay),
}

impl<B: Backend> Tensor<B> {
    /// The complex numbers of these real and imaginary parts: a new last dim of two.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.complex.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.complex(&x.zeros_like()?)?.to_vec::<f32>()?, [1., 0., 2., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn complex(&self, imaginary: &Self) -> Result<Self> {
        if !self.dtype().is_float() || imaginary.dtype() != self.dtype() {
            let why =
                format!("needs real numbers of one dtype, not {} and {}", self.dtype(), imaginary.dtype());
            return Err(Error::dtype("complex", why));
        }
        let shape = self.common_shape("complex", imaginary)?;
        Self::stack(&[&self.broadcast_to(&shape)?, &imaginary.broadcast_to(&shape)?], -1)
    }

    #[track_caller]
    fn transformed(&self, kind: Kind, op: &'static str, options: FftnOptions) -> Result<Self> {
        let from_real = matches!(kind, Kind::FromReal(_));
        let x = if from_real { self.to_float()? } else { self.clone() };
        if !from_real && (x.shape().last() != Some(&2) || !x.dtype().is_float()) {
            let why =
                format!("needs complex numbers, (.., 2) of a real dtype, not {}: see `complex`", x.meta());
            return Err(Error::shape(op, why));
        }
        if x.dtype().is_half() {
            return x.to(DType::F32)?.transformed(kind, op, options)?.to(self.dtype());
        }
        let rank = x.rank() - usize::from(!from_real);
        let (axes, sizes) = x.plan(op, rank, &options)?;
        let Some((&last, others)) = axes.split_last() else { return Ok(x) };
        let norm = options.norm;
        let len = |i: usize, have: usize| sizes.map_or(have, |sizes| sizes[i]);
        let size = |x: &Self, i: usize| len(i, x.shape()[axes[i]]);
        let end = others.len();
        let many = |mut x: Self, way: FftWay| {
            for (i, &axis) in others.iter().enumerate() {
                let n = size(&x, i);
                x = x.spectrum(op, axis, n, Kind::Complex(way), norm)?;
            }
            Ok(x)
        };
        match kind {
            Kind::Complex(way) | Kind::FromReal(way) => {
                let n = size(&x, end);
                many(x.spectrum(op, last, n, kind, norm)?, way)
            }
            Kind::ToReal(way) => {
                let x = many(x, way)?;
                let n = len(end, 2 * x.shape()[last].saturating_sub(1));
                if n == 0 {
                    return Err(Error::shape(op, format!("there are no frequencies in {}", self.shape())));
                }
                x.spectrum(op, last, n, kind, norm)
            }
        }
    }

    /// The axes of a transform, and the sizes along them where they are asked for.
    #[track_caller]
    fn plan<'a>(
        &self,
        op: &'static str,
        rank: usize,
        options: &'a FftnOptions,
    ) -> Result<(Axes, Option<&'a [usize]>)> {
        let sizes = options.s.as_deref();
        let dims = match (&options.dims, sizes) {
            (Some(dims), _) => dims.clone(),
            (None, Some(sizes)) => (-(sizes.len() as isize)..0).collect(),
            (None, None) => (0..rank as isize).collect(),
        };
        let counted = crate::Shape::from(&self.shape()[..rank]);
        Dims::from(&dims[..]).resolve(op, &counted)?;
        let axes = dims.iter().map(|&dim| counted.axis(op, dim)).collect::<Result<Axes>>()?;
        if sizes.is_some_and(|sizes| sizes.len() != axes.len() || sizes.contains(&0)) {
            let why =
                format!("the sizes {:?} have to be above 0, one for each of {} dims", options.s, axes.len());
            return Err(Error::value(op, why));
        }
        Ok((axes, sizes))
    }
}
