//! More elements around a tensor, or fewer.
use crate::{Backend, Error, Op, PadAxis, Result, Scalar, Span, Spans, Tensor};
use smallvec::SmallVec;

/// What [`Tensor::pad`] puts around a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// This number.
    Constant(Scalar),
    /// The tensor mirrored at its first and last element, which are not repeated.
    Reflect,
    /// The first and the last element.
    Replicate,
    /// The tensor again, from its other end.
    Circular,
}

impl Default for PadMode {
    fn default() -> Self {
        PadMode::Constant(Scalar::Int(0))
    }
}

impl<B: Backend> Tensor<B> {
    /// Elements added before and after the last dims, or taken away where a number is negative. The numbers
    /// go from the last dim to the first, as in PyTorch: `[left, right, top, bottom, ..]`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html>
    ///
    /// ```
    /// use firesteel::{PadMode, prelude::*};
    /// let x = Tensor::new([[1.0, 2.0, 3.0]], &Cpu::default())?;
    /// assert_eq!(x.pad(&[1, -1], PadMode::Constant(9.into()))?.to_vec::<f32>()?, [9., 1., 2.]);
    /// assert_eq!(x.pad(&[2, 1], PadMode::Reflect)?.to_vec::<f32>()?, [3., 2., 1., 2., 3., 2.]);
    /// assert_eq!(x.pad(&[1, 1], PadMode::Replicate)?.to_vec::<f32>()?, [1., 1., 2., 3., 3.]);
    /// assert_eq!(x.pad(&[1, 1], PadMode::Circular)?.to_vec::<f32>()?, [3., 1., 2., 3., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pad(&self, pads: &[isize], mode: PadMode) -> Result<Self> {
        if !pads.len().is_multiple_of(2) || pads.len() / 2 > self.rank() {
            let why =
                format!("{pads:?} is not a pair of numbers for each of the last dims of {}", self.shape());
            return Err(Error::value("pad", why));
        }
        let pairs: SmallVec<[(isize, isize); 4]> =
            pads.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        if let PadMode::Constant(value) = mode {
            return self.pad_constant(&pairs, value);
        }
        let mut y = self.clone();
        for (axis, &(low, high)) in (0..self.rank()).rev().zip(&pairs) {
            if (low, high) != (0, 0) {
                let len = self.padded(axis, (low, high))?;
                self.claim(len)?;
                let places = places(self.shape()[axis], low, len, mode);
                y = match places {
                    Some(places) => y.pieces(axis, &places)?,
                    None => {
                        let why = format!(
                            "({low}, {high}) is more than dim {axis} of {} has for {mode:?}",
                            self.shape()
                        );
                        return Err(Error::value("pad", why));
                    }
                };
            }
        }
        Ok(y)
    }

    /// The elements at these places along an axis, which are few runs of neighbours: each is copied as such.
    #[track_caller]
    fn pieces(&self, axis: usize, places: &[i64]) -> Result<Self> {
        let piece = |run: Span| {
            if run.step == 0 {
                let one = self.narrow(axis as isize, run.start, 1)?;
                return one.broadcast_to(self.shape().with(axis, run.len));
            }
            let mut spans: Spans = self.shape().iter().map(|&n| Span::all(n)).collect();
            spans[axis] = run;
            Self::one(Op::Slice(self, spans))
        };
        let pieces = runs(places).into_iter().map(piece).collect::<Result<Vec<_>>>()?;
        match &pieces[..] {
            [] => self.narrow(axis as isize, 0, 0),
            [all] => Ok(all.clone()),
            several => Self::cat(&several.iter().collect::<Vec<_>>(), axis as isize),
        }
    }

    /// Cuts what is negative, then adds what is positive.
    #[track_caller]
    fn pad_constant(&self, pairs: &[(isize, isize)], value: Scalar) -> Result<Self> {
        let mut spans: Spans = self.shape().iter().map(|&n| Span::all(n)).collect();
        let mut padding: crate::Padding = self.shape().iter().map(|_| PadAxis::default()).collect();
        for (axis, &(low, high)) in (0..self.rank()).rev().zip(pairs) {
            self.padded(axis, (low, high))?;
            let cut = |n: isize| if n < 0 { n.unsigned_abs() } else { 0 };
            let size = self.shape()[axis];
            // more may be cut from one end than there is, where the other end grows
            let start = cut(low).min(size);
            let len = (size - start).saturating_sub(cut(high));
            spans[axis] = Span { start: if len == 0 { 0 } else { start }, step: 1, len };
            let missing = (cut(low) + cut(high)).saturating_sub(size);
            let (low, high) = (low.max(0) as usize, high.max(0) as usize);
            padding[axis] = match low {
                0 => PadAxis { low, high: high.saturating_sub(missing), interior: 0 },
                _ => PadAxis { low: low.saturating_sub(missing), high, interior: 0 },
            };
        }
        let whole = spans.iter().zip(self.shape()).all(|(span, &n)| *span == Span::all(n));
        let x = if whole { self.clone() } else { Self::one(Op::Slice(self, spans))? };
        if padding.iter().all(|p| *p == PadAxis::default()) {
            return Ok(x);
        }
        Self::one(Op::Pad(&x, padding, value))
    }

    /// The size that an axis gets.
    #[track_caller]
    fn padded(&self, axis: usize, (low, high): (isize, isize)) -> Result<usize> {
        let size = self.shape()[axis];
        let padded = isize::try_from(size).ok().and_then(|n| n.checked_add(low)?.checked_add(high));
        padded.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
            let why = format!("({low}, {high}) leaves no valid size of the {size} elements of dim {axis}");
            Error::value("pad", why)
        })
    }
}

/// Places as runs of such that go up or down by one, or stay.
fn runs(mut places: &[i64]) -> Vec<Span> {
    let mut runs = vec![];
    while let [first, after @ ..] = places {
        let step = after.first().map_or(1, |next| next - first);
        let steps = places.windows(2).take_while(|pair| pair[1] - pair[0] == step).count();
        let (step, len) = if step.abs() > 1 { (1, 1) } else { (step, steps + 1) };
        runs.push(Span { start: *first as usize, step: step as isize, len });
        places = &places[len..];
    }
    runs
}

/// Where each of `len` elements comes from, or nothing where the mode does not reach so far.
fn places(size: usize, low: isize, len: usize, mode: PadMode) -> Option<Vec<i64>> {
    let (size, low) = (size as i64, low as i64);
    let place = |i: i64| match mode {
        PadMode::Constant(_) | PadMode::Replicate => (size > 0).then(|| i.clamp(0, size - 1)),
        PadMode::Circular => (-size..2 * size).contains(&i).then(|| i.rem_euclid(size)),
        PadMode::Reflect => {
            let mirrored = if i < 0 { -i } else { i.min(2 * (size - 1) - i) };
            (0..size).contains(&mirrored).then_some(mirrored)
        }
    };
    (0..len as i64).map(|i| place(i - low)).collect()
}
