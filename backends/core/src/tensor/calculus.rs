//! Integrals and derivatives of what is known at points along a dim.
use crate::{Backend, Error, Expr, Result, Tensor};
use std::panic::Location;

/// How far apart the points along a dim are.
#[derive(Clone, Copy)]
pub enum Spacing<'a, B: Backend> {
    /// As far as this, all of them.
    Step(f64),
    /// The points themselves: a vector, or a tensor that broadcasts with the values.
    At(&'a Tensor<B>),
}

impl<B: Backend> From<f64> for Spacing<'_, B> {
    fn from(step: f64) -> Self {
        Spacing::Step(step)
    }
}

impl<'a, B: Backend> From<&'a Tensor<B>> for Spacing<'a, B> {
    fn from(points: &'a Tensor<B>) -> Self {
        Spacing::At(points)
    }
}

/// How [`Tensor::gradient`] estimates the derivative at both ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EdgeOrder {
    /// By a line through two points.
    #[default]
    First,
    /// By a parabola through three.
    Second,
}

impl<B: Backend> Tensor<B> {
    /// `∫ y dx` along a dim by the trapezoidal rule, `Σ (yᵢ + yᵢ₊₁) / 2 · (xᵢ₊₁ - xᵢ)`. Whole numbers are cast to F32 first.
    /// [`torch.trapezoid`](https://docs.pytorch.org/docs/stable/generated/torch.trapezoid.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let y = Tensor::new([1.0, 5.0, 10.0], &cpu)?;
    /// assert_eq!(y.trapezoid(1.0, -1)?.item::<f32>()?, 10.5);
    /// let x = Tensor::new([1.0, 3.0, 6.0], &cpu)?;
    /// assert_eq!(y.trapezoid(&x, -1)?.item::<f32>()?, 28.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn trapezoid<'a>(&self, spacing: impl Into<Spacing<'a, B>>, dim: isize) -> Result<Self> {
        let (areas, axis) = self.trapezoids("trapezoid", spacing.into(), dim)?;
        areas.sum(axis)
    }

    /// As [`trapezoid`](Self::trapezoid).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let y = Tensor::new([1.0, 5.0, 10.0], &Cpu::default())?;
    /// assert_eq!(y.trapz(2.0, -1)?.item::<f32>()?, 21.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn trapz<'a>(&self, spacing: impl Into<Spacing<'a, B>>, dim: isize) -> Result<Self> {
        self.trapezoid(spacing, dim)
    }

    /// The integral from the first point to each of the others: [`trapezoid`](Self::trapezoid), as a running sum.
    /// [`torch.cumulative_trapezoid`](https://docs.pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let y = Tensor::new([1.0, 5.0, 10.0], &Cpu::default())?;
    /// assert_eq!(y.cumulative_trapezoid(1.0, -1)?.to_vec::<f32>()?, [3., 10.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cumulative_trapezoid<'a>(&self, spacing: impl Into<Spacing<'a, B>>, dim: isize) -> Result<Self> {
        let (areas, axis) = self.trapezoids("cumulative_trapezoid", spacing.into(), dim)?;
        areas.cumsum(axis)
    }

    /// The areas between neighbours, and their dim counted from the end.
    #[track_caller]
    fn trapezoids(&self, op: &'static str, spacing: Spacing<'_, B>, dim: isize) -> Result<(Self, isize)> {
        let y = self.to_float()?;
        let (axis, dim) = y.line(op, dim)?;
        let width: Expr<B> = match spacing {
            Spacing::Step(step) => step.into(),
            Spacing::At(points) => points.lying(y.rank() - axis)?.steps(op, dim)?.into(),
        };
        let areas = (y.all_but_end(dim, 1)?.lazy() + y.all_but_end(dim, -1)?) * 0.5 * width;
        Ok((areas.eval_as(op)?, dim))
    }

    /// The derivative along each of `dims`, from both neighbours of each point: where they are `h` before and `k` after
    /// it, `(h² f(x + k) + (k² - h²) f(x) - k² f(x - h)) / (h k (h + k))`. There is a spacing for each dim, or one for all.
    /// [`torch.gradient`](https://docs.pytorch.org/docs/stable/generated/torch.gradient.html)
    ///
    /// ```
    /// use firesteel::{EdgeOrder, prelude::*};
    /// let x = Tensor::new([1.0, 4.0, 9.0, 16.0], &Cpu::default())?;
    /// let slope = &x.gradient(&[1.0.into()], .., EdgeOrder::First)?[0];
    /// assert_eq!(slope.to_vec::<f32>()?, [3., 4., 6., 7.]);
    /// let slope = &x.gradient(&[1.0.into()], .., EdgeOrder::Second)?[0];
    /// assert_eq!(slope.to_vec::<f32>()?, [2., 4., 6., 8.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn gradient(
        &self,
        spacing: &[Spacing<'_, B>],
        dims: impl Into<crate::Dims>,
        edge: EdgeOrder,
    ) -> Result<Vec<Self>> {
        let (here, x) = (Location::caller(), self.to_float()?);
        let dims = match dims.into().dims {
            Some(dims) => dims.to_vec(),
            None => (0..x.rank() as isize).collect(),
        };
        if spacing.len() != 1 && spacing.len() != dims.len() {
            let why = format!("{} spacings do not fit {} dims", spacing.len(), dims.len());
            return Err(Error::value("gradient", why).at(here));
        }
        let slopes = dims.iter().enumerate().map(|(i, &dim)| {
            let spacing = &spacing[if spacing.len() == 1 { 0 } else { i }];
            x.slope(spacing, dim, edge).map_err(|e| e.at(here))
        });
        slopes.collect()
    }

    /// The derivative along one dim.
    fn slope(&self, spacing: &Spacing<'_, B>, dim: isize, edge: EdgeOrder) -> Result<Self> {
        let op = "gradient";
        let (axis, dim) = self.line(op, dim)?;
        let (len, least) = (self.shape()[axis], if edge == EdgeOrder::First { 2 } else { 3 });
        if len < least {
            let why = format!("needs {least} points or more along dim {dim} of {}", self.shape());
            return Err(Error::shape(op, why));
        }
        let widths = match spacing {
            Spacing::Step(step) => self.new_full(len - 1, *step)?,
            Spacing::At(points) if *points.shape() == [len] => points.to(self.dtype())?.steps(op, -1)?,
            Spacing::At(points) => {
                let why =
                    format!("{} are not the points of the {len} values along dim {dim}", points.shape());
                return Err(Error::shape(op, why));
            }
        };
        let widths = widths.lying(self.rank() - axis)?;
        let at = |x: &Self, i: usize| x.narrow(dim, i, 1);
        let inner = || {
            let (h, k) = (&widths.all_but_end(dim, -1)?.lazy(), &widths.all_but_end(dim, 1)?.lazy());
            let (before, here, after) =
                (self.narrow(dim, 0, len - 2)?, self.narrow(dim, 1, len - 2)?, self.narrow(dim, 2, len - 2)?);
            let sum = h.square() * &after + (k.square() - h.square()) * &here - k.square() * &before;
            (sum / (h * k * (h + k))).eval_as(op)
        };
        // the end, the one next to it, and the one after that, as seen from either side
        let end = |f: [usize; 3], d: [usize; 2], sign: f64| {
            let value = |i: usize| at(self, f[i]).map(|x| x.lazy());
            let (h, first) = (&at(&widths, d[0])?.lazy(), (value(1)? - value(0)?) * sign);
            if edge == EdgeOrder::First {
                return (first / h).eval_as(op);
            }
            let k = &at(&widths, d[1])?.lazy();
            let second: Expr<B> = (value(2)? - value(1)?) * sign;
            // the slope of the first line, corrected by how much it changes to the next
            (&first / h - (second / k - first / h) * h / (h + k)).eval_as(op)
        };
        let last = len - 1;
        let start = end([0, 1, 2.min(last)], [0, 1.min(last - 1)], 1.)?;
        let stop = end([last, last - 1, last.saturating_sub(2)], [last - 1, last.saturating_sub(2)], -1.)?;
        if len == 2 {
            return Self::cat(&[&start, &stop], dim);
        }
        Self::cat(&[&start, &inner()?, &stop], dim)
    }

    /// The axis of a dim that has to be there, and the dim counted from the end.
    #[track_caller]
    fn line(&self, op: &'static str, dim: isize) -> Result<(usize, isize)> {
        if self.rank() == 0 {
            return Err(Error::shape(op, "needs at least one dim"));
        }
        let axis = self.axis(op, dim)?;
        Ok((axis, axis as isize - self.rank() as isize))
    }

    /// All but the first (`1`) or all but the last (`-1`) along a dim.
    #[track_caller]
    fn all_but_end(&self, dim: isize, side: isize) -> Result<Self> {
        let len = self.size(dim)?;
        let rest = len.saturating_sub(1);
        self.narrow(dim, if side > 0 { len - rest } else { 0 }, rest)
    }

    /// The differences of neighbours.
    #[track_caller]
    fn steps(&self, op: &'static str, dim: isize) -> Result<Self> {
        (self.all_but_end(dim, 1)?.lazy() - self.all_but_end(dim, -1)?).eval_as(op)
    }

    /// A vector as the dim that has `rank - 1` others behind it; other tensors as they are.
    #[track_caller]
    fn lying(&self, rank: usize) -> Result<Self> {
        if self.rank() == 1 { self.shaped(self.shape().aligned(rank)) } else { Ok(self.clone()) }
    }
}
