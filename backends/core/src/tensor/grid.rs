//! Images looked at through a grid of places.
use crate::{Backend, DType, Error, Expr, Op, Result, Shape, Tensor};

/// How [`Tensor::grid_sample`] finds what lies between elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GridMode {
    /// Straight lines over 2 or 3 spatial dims.
    #[default]
    Bilinear,
    /// The nearest element.
    Nearest,
    /// Cubic curves over 2 spatial dims.
    Bicubic,
}

/// What [`Tensor::grid_sample`] sees outside of the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GridPadding {
    /// Zeros.
    #[default]
    Zeros,
    /// The element at the border.
    Border,
    /// The image mirrored at its border.
    Reflection,
}

/// Options of [`Tensor::grid_sample`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GridSampleOptions {
    /// How to find what lies between elements.
    pub mode: GridMode,
    /// What lies outside of the image.
    pub padding: GridPadding,
    /// Whether -1 and 1 are the centres of the outermost elements, or their outer edges.
    pub align_corners: bool,
}

impl<B: Backend> Tensor<B> {
    /// `(batch, channels, ..)` over 2 or 3 spatial dims seen at the places of a grid `(batch, .., 2 or 3)`, whose
    /// last dim names the place from the last spatial dim to the first, in `[-1, 1]` from end to end:
    /// `(batch, channels, ..)` with the sizes of the grid.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html>
    ///
    /// ```
    /// use firesteel::{GridSampleOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[[[1.0, 3.0]]]], &cpu)?;
    /// let grid = Tensor::new([[[[0.0, 0.0], [-0.5, 0.0]]]], &cpu)?;
    /// assert_eq!(x.grid_sample(&grid, GridSampleOptions::default())?.to_vec::<f32>()?, [2., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn grid_sample(&self, grid: &Self, options: GridSampleOptions) -> Result<Self> {
        let op = "grid_sample";
        let spatial = self.spatial(op, 2..=3)?;
        let (axes, n, c) = (spatial.rank(), self.shape()[0], self.shape()[1]);
        let fits =
            grid.rank() == self.rank() && grid.shape().first() == Some(&n) && grid.shape()[axes + 1] == axes;
        if !fits {
            let why = format!("the grid {} has to be ({n}, .., {axes}) for {}", grid.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        if spatial.contains(&0) {
            return Err(Error::shape(
                op,
                format!("there are no elements along the dims of {}", self.shape()),
            ));
        }
        if options.mode == GridMode::Bicubic && axes == 3 {
            return Err(Error::unsupported(op, "cubic curves go over 2 spatial dims"));
        }
        let places: Shape = grid.shape()[1..=axes].iter().copied().collect();
        let flat = self.reshape([n, c, spatial.numel()])?;
        // for each axis, a few elements with their weights
        let taps = (0..axes)
            .map(|axis| {
                let coordinate = grid.narrow(-1, axes - 1 - axis, 1)?.reshape([n, 1, places.numel()])?;
                Line { size: spatial[axis], options }.taps(&coordinate)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut sum: Option<Self> = None;
        let choices: usize = taps.iter().map(Vec::len).product();
        for choice in 0..choices {
            // the product of one tap of each axis: its element's number in the flattened image, its weight
            let (mut rest, mut number, mut weight, mut inside) =
                (choice, None::<Expr<B>>, None::<Expr<B>>, None::<Self>);
            for (axis, taps) in taps.iter().enumerate() {
                let tap = &taps[rest % taps.len()];
                rest /= taps.len();
                let stride: usize = spatial[axis + 1..].iter().product();
                let part = tap.element.lazy() * stride as i64;
                number = Some(number.map_or(part.clone(), |n| n + part));
                weight = Some(weight.map_or(tap.weight.lazy(), |w| w * &tap.weight));
                inside = Some(match inside {
                    Some(inside) => inside.bitwise_and(&tap.inside)?,
                    None => tap.inside.clone(),
                });
            }
            let (Some(number), Some(weight), Some(inside)) = (number, weight, inside) else {
                return Err(Error::internal(op, "has no spatial dims"));
            };
            let index = number.eval_as(op)?.broadcast_to([n, c, places.numel()])?;
            let seen = Self::one(Op::Gather { x: &flat, index: &index, axis: 2 })?;
            let part = inside.lazy().where_(seen.lazy() * weight, 0.0);
            sum = Some(match sum {
                Some(sum) => (sum.lazy() + part).eval_as(op)?,
                None => part.eval_as(op)?,
            });
        }
        let sum = sum.ok_or_else(|| Error::internal(op, "has nothing to sum"))?;
        sum.reshape([n, c].into_iter().chain(places.iter().copied()).collect::<Shape>())
    }

    /// The grid that [`grid_sample`](Self::grid_sample) needs for the affine maps `(batch, 2, 3)` of images of size
    /// `(batch, channels, height, width)`, or `(batch, 3, 4)` of `(batch, channels, depth, height, width)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let identity = Tensor::new([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], &Cpu::default())?;
    /// let grid = identity.affine_grid([1, 1, 1, 2], false)?;
    /// assert_eq!(grid.to_vec::<f32>()?, [-0.5, 0., 0.5, 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn affine_grid(&self, size: impl Into<Shape>, align_corners: bool) -> Result<Self> {
        let (op, size) = ("affine_grid", size.into());
        let axes = size.rank().saturating_sub(2);
        if !(2..=3).contains(&axes) || *self.shape() != [size[0], axes, axes + 1] {
            let why = format!("the maps {} do not fit a size {size}", self.shape());
            return Err(Error::shape(op, why));
        }
        let spatial: Shape = size[2..].iter().copied().collect();
        // the places from -1 to 1 along each axis, the last axis first, and a 1
        let mut columns = Vec::with_capacity(axes + 1);
        for axis in (0..axes).rev() {
            let n = spatial[axis] as f64;
            let place = |i: usize| match align_corners {
                true if n > 1. => 2. * i as f64 / (n - 1.) - 1.,
                true => 0.,
                false => (2. * i as f64 + 1.) / n - 1.,
            };
            self.claim(spatial[axis])?;
            let line = Self::constant(self, (0..spatial[axis]).map(place).collect())?;
            let line = line.reshape(line.shape().aligned(axes - axis))?.broadcast_to(&spatial)?;
            columns.push(line.reshape([spatial.numel(), 1])?);
        }
        columns.push(Self::full([spatial.numel(), 1], 1.0, (self.dtype(), self.backend()))?);
        let places = Self::one(Op::Concat(columns.iter().collect(), 1))?;
        let places = places.broadcast_to([size[0], spatial.numel(), axes + 1])?;
        let grid = Self::one(Op::MatMul(&places, &self.transpose(1, 2)?))?;
        grid.reshape([size[0]].into_iter().chain(spatial.iter().copied()).chain([axes]).collect::<Shape>())
    }
}

/// One of the elements that a place is seen by.
struct Tap<B: Backend> {
    /// Its number along the axis, held inside.
    element: Tensor<B>,
    /// Whether it lies inside.
    inside: Tensor<B>,
    weight: Tensor<B>,
}

/// One spatial dim.
struct Line {
    size: usize,
    options: GridSampleOptions,
}

impl Line {
    /// The elements around each place, with their weights.
    fn taps<B: Backend>(&self, coordinate: &Tensor<B>) -> Result<Vec<Tap<B>>> {
        let GridSampleOptions { mode, align_corners, .. } = self.options;
        let (x, size) = (coordinate.lazy(), self.size as f64);
        let x = match align_corners {
            true => (x + 1.0) * (0.5 * (size - 1.)),
            false => ((x + 1.0) * size - 1.0) * 0.5,
        };
        match mode {
            GridMode::Nearest => {
                let place = self.held(x).eval_as("grid_sample")?;
                let nearest = place.detach().lazy().round().eval_as("grid_sample")?;
                let weight = nearest.full_like(1)?;
                Ok(vec![self.tap(&nearest, weight)?])
            }
            GridMode::Bilinear => {
                let place = self.held(x).eval_as("grid_sample")?;
                let first = place.detach().lazy().floor().eval_as("grid_sample")?;
                let part = (place - &first)?;
                Ok(vec![self.tap(&first, (1.0 - &part)?)?, self.tap(&(&first + 1.0)?, part)?])
            }
            GridMode::Bicubic => {
                let place = x.eval_as("grid_sample")?;
                let first = place.detach().lazy().floor().eval_as("grid_sample")?;
                let part = (place - &first)?;
                (-1..=2)
                    .map(|k| {
                        let weight = cubic((part.lazy() - f64::from(k)).abs(), k == 0 || k == 1)
                            .eval_as("grid_sample")?;
                        // outside, each element is looked for on its own
                        let element =
                            self.held((first.lazy() + f64::from(k)).round()).eval_as("grid_sample")?;
                        self.tap(&element.detach(), weight)
                    })
                    .collect()
            }
        }
    }

    /// A place moved inside, as the padding says.
    fn held<B: Backend>(&self, x: Expr<B>) -> Expr<B> {
        let last = (self.size - 1) as f64;
        let clipped = |x: Expr<B>| x.le(0.0).where_(0.0, x.ge(last).where_(last, x));
        match self.options.padding {
            GridPadding::Zeros => x,
            GridPadding::Border => clipped(x),
            GridPadding::Reflection => {
                // the edges where the image is mirrored
                let (low, span) = match self.options.align_corners {
                    true => (0., last),
                    false => (-0.5, self.size as f64),
                };
                if span == 0. {
                    return x * 0.0;
                }
                // the distance from the first edge, folded at every multiple of the span
                let far = (x - low).abs();
                let turns = (far.clone() / span).floor();
                let rest = far - turns.clone() * span;
                let odd = (turns.clone() - (turns * 0.5).floor() * 2.0).gt(0.5);
                clipped(odd.where_(span - rest.clone(), rest) + low)
            }
        }
    }

    fn tap<B: Backend>(&self, element: &Tensor<B>, weight: Tensor<B>) -> Result<Tap<B>> {
        let last = (self.size - 1) as f64;
        // a NaN is nowhere
        let inside = element.ge(0.0)?.bitwise_and(element.le(last)?)?;
        let held = inside.lazy().where_(element, 0.0).eval_as("grid_sample")?.to(DType::I64)?;
        Ok(Tap { element: held, inside, weight })
    }
}

/// Keys' cubic convolution at a distance of at most 1, or between 1 and 2.
fn cubic<B: Backend>(d: Expr<B>, near: bool) -> Expr<B> {
    const A: f64 = -0.75;
    match near {
        true => (d.clone() * (A + 2.) - (A + 3.)) * d.square() + 1.0,
        false => ((d.clone() - 5.0) * d.clone() + 8.0) * d * A - 4. * A,
    }
}
