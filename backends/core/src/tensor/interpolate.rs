//! Other sizes for `(batch, channels, ..)`, dim by dim: each new place is a weighted sum of a few old ones.
use super::pool::adaptive_avg;
use crate::{Axes, Backend, DType, Error, PerDim, Result, Shape, Tensor};
use smallvec::SmallVec;

/// What [`Tensor::interpolate`] resizes to: whole numbers are sizes (`[64, 48]`), real ones factors (`2.0`).
#[derive(Clone, Debug, PartialEq)]
pub enum Resize {
    /// The new sizes.
    Size(PerDim),
    /// How much larger each dim becomes; sizes are rounded down.
    Scale(SmallVec<[f64; 3]>),
}

impl From<usize> for Resize {
    fn from(size: usize) -> Self {
        Resize::Size(size.into())
    }
}
impl<const N: usize> From<[usize; N]> for Resize {
    fn from(sizes: [usize; N]) -> Self {
        Resize::Size(sizes.into())
    }
}
impl From<f64> for Resize {
    fn from(factor: f64) -> Self {
        Resize::Scale(SmallVec::from_slice(&[factor]))
    }
}
impl<const N: usize> From<[f64; N]> for Resize {
    fn from(factors: [f64; N]) -> Self {
        Resize::Scale(SmallVec::from_slice(&factors))
    }
}

/// How [`Tensor::interpolate`] finds what lies between elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InterpolateMode {
    /// The element before.
    #[default]
    Nearest,
    /// The nearest element, by the centres of both.
    NearestExact,
    /// A straight line, over 1 spatial dim.
    Linear,
    /// Straight lines, over 2 spatial dims.
    Bilinear,
    /// Cubic curves, over 2 spatial dims.
    Bicubic,
    /// Straight lines, over 3 spatial dims.
    Trilinear,
    /// The mean of what a new element covers.
    Area,
}

/// Options of [`Tensor::interpolate`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct InterpolateOptions {
    /// How to find what lies between elements.
    pub mode: InterpolateMode,
    /// Whether the centres of the outermost elements stay where they are, or the outer edges.
    pub align_corners: bool,
    /// Whether a factor is computed again from the rounded size before it places elements.
    pub recompute_scale_factor: bool,
    /// Whether shrinking takes the mean over all that a new element covers (bilinear and bicubic).
    pub antialias: bool,
}

impl From<InterpolateMode> for InterpolateOptions {
    fn from(mode: InterpolateMode) -> Self {
        Self { mode, ..Default::default() }
    }
}

impl<B: Backend> Tensor<B> {
    /// `(batch, channels, ..)` with other spatial sizes.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html>
    ///
    /// ```
    /// use firesteel::{InterpolateMode, prelude::*};
    /// let x = Tensor::new([[[0.0, 4.0]]], &Cpu::default())?;
    /// assert_eq!(x.interpolate(4, InterpolateMode::Nearest)?.to_vec::<f32>()?, [0., 0., 4., 4.]);
    /// assert_eq!(x.interpolate(2.0, InterpolateMode::Linear)?.to_vec::<f32>()?, [0., 1., 3., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn interpolate(&self, to: impl Into<Resize>, options: impl Into<InterpolateOptions>) -> Result<Self> {
        let (to, options) = (to.into(), options.into());
        let InterpolateOptions { mode, align_corners, recompute_scale_factor, antialias } = options;
        let op = "interpolate";
        let spatial = match mode {
            InterpolateMode::Linear => self.spatial(op, 1..=1),
            InterpolateMode::Bilinear | InterpolateMode::Bicubic => self.spatial(op, 2..=2),
            InterpolateMode::Trilinear => self.spatial(op, 3..=3),
            InterpolateMode::Nearest | InterpolateMode::NearestExact | InterpolateMode::Area => {
                self.spatial(op, 1..=3)
            }
        }?;
        let smooth = !matches!(mode, InterpolateMode::Nearest | InterpolateMode::NearestExact);
        if align_corners && (!smooth || mode == InterpolateMode::Area) {
            return Err(Error::value(op, format!("align_corners has no meaning for {mode:?}")));
        }
        if antialias && !matches!(mode, InterpolateMode::Bilinear | InterpolateMode::Bicubic) {
            return Err(Error::value(op, format!("antialias has no meaning for {mode:?}")));
        }
        let sizes = to.sizes(op, &spatial)?;
        if spatial.contains(&0) {
            return Err(Error::shape(
                op,
                format!("there are no elements along the dims of {}", self.shape()),
            ));
        }
        let x = if smooth { self.to_float()? } else { self.clone() };
        if mode == InterpolateMode::Area {
            return adaptive_avg(&x, &sizes);
        }
        let narrow = x.dtype() != DType::F64;
        let mut y = x;
        for (i, (&old, &new)) in spatial.iter().zip(&sizes).enumerate() {
            let factor = to.factor(i).filter(|_| !recompute_scale_factor);
            let axis = Axis { old, new, factor, align_corners, narrow };
            if !axis.is_identity() {
                // four taps of a place and a weight
                self.claim(new.saturating_mul(8))?;
                y = y.resampled(2 + i, axis.taps(mode, antialias))?;
            }
        }
        Ok(y)
    }

    /// [`interpolate`](Self::interpolate) by the element before.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample_nearest.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[[0.0, 4.0]]], &Cpu::default())?;
    /// assert_eq!(x.upsample_nearest(2.0)?.to_vec::<f32>()?, [0., 0., 4., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn upsample_nearest(&self, to: impl Into<Resize>) -> Result<Self> {
        self.interpolate(to, InterpolateMode::Nearest)
    }

    /// [`interpolate`](Self::interpolate) of `(batch, channels, height, width)` by straight lines, with the
    /// corners where they were.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample_bilinear.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[[[0.0, 4.0]]]], &Cpu::default())?;
    /// assert_eq!(x.upsample_bilinear([1, 3])?.to_vec::<f32>()?, [0., 2., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn upsample_bilinear(&self, to: impl Into<Resize>) -> Result<Self> {
        let mode = InterpolateMode::Bilinear;
        self.interpolate(to, InterpolateOptions { mode, align_corners: true, ..Default::default() })
    }

    /// Along an axis, each new place the sum of weights times old places: `taps[k]` has for each new place
    /// the old one and its weight.
    #[track_caller]
    fn resampled(&self, axis: usize, taps: Vec<Vec<(i64, f64)>>) -> Result<Self> {
        let mut sum = None;
        let single = taps.len() == 1;
        for tap in taps {
            let seen = self.pick(axis, tap.iter().map(|&(place, _)| place).collect())?;
            if single {
                return Ok(seen);
            }
            let weights = Self::constant(self, tap.iter().map(|&(_, weight)| weight).collect())?;
            let weights = weights.reshape(weights.shape().aligned(self.rank() - axis))?;
            let part = seen.lazy() * weights;
            sum = Some(match sum {
                Some(sum) => sum + part,
                None => part,
            });
        }
        sum.ok_or_else(|| Error::internal("interpolate", "has nothing to sum"))?.eval_as("interpolate")
    }
}

impl Resize {
    /// The factor of a dim, where there is one.
    fn factor(&self, i: usize) -> Option<f64> {
        match self {
            Resize::Size(_) => None,
            Resize::Scale(factors) => factors.get(i).or(factors.first()).copied(),
        }
    }

    /// The new sizes of the spatial dims.
    pub(crate) fn sizes(&self, op: &'static str, spatial: &Shape) -> Result<Axes> {
        let axes = spatial.rank();
        let sizes = match self {
            Resize::Size(sizes) => sizes.resolve(op, "the size", axes)?,
            Resize::Scale(factors) => {
                if ![1, axes].contains(&factors.len()) || factors.iter().any(|f| !f.is_finite() || *f <= 0.) {
                    let why = format!("factors {:?} have to be one or {axes} positive numbers", &factors[..]);
                    return Err(Error::value(op, why));
                }
                let grown =
                    |(i, &n): (usize, &usize)| (n as f64 * self.factor(i).unwrap_or(1.)).floor() as usize;
                spatial.iter().enumerate().map(grown).collect()
            }
        };
        if sizes.contains(&0) {
            return Err(Error::value(op, format!("the sizes {:?} have to be at least 1", &sizes[..])));
        }
        Ok(sizes)
    }
}

/// One dim on its way from `old` elements to `new` ones.
struct Axis {
    old: usize,
    new: usize,
    factor: Option<f64>,
    align_corners: bool,
    /// Whether PyTorch places elements in single precision: where one falls depends on it.
    narrow: bool,
}

impl Axis {
    fn is_identity(&self) -> bool {
        self.old == self.new && self.factor.is_none_or(|factor| factor == 1.)
    }

    fn round(&self, x: f64) -> f64 {
        if self.narrow { f64::from(x as f32) } else { x }
    }

    /// How many old elements a new one covers.
    fn step(&self) -> f64 {
        self.round(match self.factor {
            _ if self.align_corners => {
                let gaps = self.new.saturating_sub(1);
                if gaps == 0 { 0. } else { (self.old - 1) as f64 / gaps as f64 }
            }
            Some(factor) => 1. / factor,
            None => self.old as f64 / self.new as f64,
        })
    }

    /// Where the new element `i` lies among the old ones.
    fn place(&self, i: usize) -> f64 {
        if self.align_corners {
            return self.round(self.step() * i as f64);
        }
        // by centres: (i + 1/2) step - 1/2
        self.round(self.round((i as f64 + 0.5) * self.step()) - 0.5)
    }

    /// An old element near `i`, which may lie outside.
    fn clamp(&self, i: f64) -> i64 {
        (i as i64).clamp(0, self.old as i64 - 1)
    }

    /// For each tap, for each new place: the old place and its weight.
    fn taps(&self, mode: InterpolateMode, antialias: bool) -> Vec<Vec<(i64, f64)>> {
        if antialias {
            return match mode {
                InterpolateMode::Bicubic => self.averaged(2., |x| cubic(x, -0.5)),
                _ => self.averaged(1., |x| (1. - x.abs()).max(0.)),
            };
        }
        let each = |f: &dyn Fn(usize) -> (i64, f64)| (0..self.new).map(f).collect();
        match mode {
            InterpolateMode::Nearest => {
                vec![each(&|i| (self.clamp(self.round(i as f64 * self.step()).floor()), 1.))]
            }
            InterpolateMode::NearestExact => {
                vec![each(&|i| (self.clamp(self.round((i as f64 + 0.5) * self.step()).floor()), 1.))]
            }
            InterpolateMode::Bicubic => (-1..=2)
                .map(|k| {
                    each(&|i| {
                        let place = self.place(i);
                        let first = place.floor();
                        (self.clamp(first + f64::from(k)), cubic(place - first - f64::from(k), -0.75))
                    })
                })
                .collect(),
            InterpolateMode::Linear
            | InterpolateMode::Bilinear
            | InterpolateMode::Trilinear
            | InterpolateMode::Area => {
                // the weight of the first, and of its neighbour
                let split = |i: usize| {
                    let place = self.place(i).max(0.);
                    let first = place.floor();
                    (first, (place - first).min(1.))
                };
                vec![
                    each(&|i| (self.clamp(split(i).0), 1. - split(i).1)),
                    each(&|i| (self.clamp(split(i).0 + 1.), split(i).1)),
                ]
            }
        }
    }

    /// A filter of this radius, widened to cover what a new element covers, and normalised.
    fn averaged(&self, radius: f64, filter: impl Fn(f64) -> f64) -> Vec<Vec<(i64, f64)>> {
        let step = self.step();
        let stretch = step.max(1.);
        let support = radius * stretch;
        let rows: Vec<Vec<(i64, f64)>> = (0..self.new)
            .map(|i| {
                let centre = step * (i as f64 + 0.5);
                let first = ((centre - support + 0.5) as i64).max(0);
                let end = ((centre + support + 0.5) as i64).min(self.old as i64);
                let weight = |j: i64| filter((j as f64 - centre + 0.5) / stretch);
                let total: f64 = (first..end).map(weight).sum();
                (first..end).map(|j| (j, if total == 0. { 0. } else { weight(j) / total })).collect()
            })
            .collect();
        let most = rows.iter().map(Vec::len).max().unwrap_or(0);
        // a shorter row repeats its first place, without weight
        let tap = |k: usize| {
            rows.iter()
                .map(|row| row.get(k).copied().or(row.first().map(|&(j, _)| (j, 0.))).unwrap_or((0, 0.)))
                .collect()
        };
        (0..most).map(tap).collect()
    }
}

/// Keys' cubic convolution: 1 at 0, 0 at the other whole numbers and beyond 2.
/// <https://doi.org/10.1109/TASSP.1981.1163711>
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x <= 1. {
        ((a + 2.) * x - (a + 3.)) * x * x + 1.
    } else if x < 2. {
        ((x - 5.) * x + 8.) * x * a - 4. * a
    } else {
        0.
    }
}
