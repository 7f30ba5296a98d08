//! Where the elements of a view lie in memory: the arithmetic that all machines share.
use crate::{
    Axes, Shape, Span,
    shape::{copied, zeros},
};
use smallvec::SmallVec;

/// Distances between neighbours along each axis, in elements.
pub type Strides = SmallVec<[isize; 4]>;

/// A view of a buffer: element `i` lies at `offset + Σ i[axis] · strides[axis]`.
///
/// ```
/// use firesteel_core::{Layout, Shape};
/// let rows = Layout::contiguous(Shape::from([2, 3]));
/// let columns = rows.permute(&[1, 0]);
/// assert_eq!(columns.offsets().collect::<Vec<_>>(), [0, 3, 1, 4, 2, 5]);
/// assert!(rows.is_contiguous() && !columns.is_contiguous());
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The sizes of the axes.
    pub shape: Shape,
    /// Steps between neighbours, in elements; zero where an axis is broadcast, negative where flipped.
    pub strides: Strides,
    /// Where the first element lies, in elements.
    pub offset: usize,
}

/// As [`Shape`]'s.
impl Clone for Layout {
    #[inline]
    fn clone(&self) -> Self {
        Self { shape: self.shape.clone(), strides: copied(&self.strides), offset: self.offset }
    }
}

impl Layout {
    /// Row-major, from the start of the buffer.
    #[inline]
    pub fn contiguous(shape: Shape) -> Self {
        let strides = shape.strides();
        Self { shape, strides, offset: 0 }
    }

    /// One element, seen everywhere.
    pub fn uniform(shape: Shape) -> Self {
        let strides = zeros(shape.rank());
        Self { shape, strides, offset: 0 }
    }

    /// Whether the elements lie row-major without gaps (wherever they begin).
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let mut step = 1isize;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size != 1 {
                if stride != step {
                    return false;
                }
                step = step.saturating_mul(size as isize);
            }
        }
        true
    }

    /// The axes in another order: `axes[i]` becomes axis `i`.
    pub fn permute(&self, axes: &[usize]) -> Self {
        Self {
            shape: axes.iter().map(|&a| self.shape[a]).collect(),
            strides: axes.iter().map(|&a| self.strides[a]).collect(),
            offset: self.offset,
        }
    }

    /// Axes of size one stretched to `shape`, which has the same rank.
    pub fn broadcast(&self, shape: &Shape) -> Self {
        let sizes = self.shape.iter().zip(&self.strides).zip(shape);
        let strides = sizes.map(|((&have, &stride), &want)| if have == want { stride } else { 0 }).collect();
        Self { shape: shape.clone(), strides, offset: self.offset }
    }

    /// Every `step`-th element from `start` along each axis.
    pub fn slice(&self, spans: &[Span]) -> Self {
        let mut sliced = self.clone();
        for (axis, span) in spans.iter().enumerate() {
            sliced.shape[axis] = span.len;
            sliced.strides[axis] = self.strides[axis].saturating_mul(span.step);
            if span.len > 0 {
                sliced.offset = sliced.offset.saturating_add_signed(span.start as isize * self.strides[axis]);
            }
        }
        sliced
    }

    /// Windows of `size` elements, `step` apart along `axis`: the windows take the axis, and what
    /// is in them a new last one.
    pub fn windows(&self, axis: usize, size: usize, step: usize) -> Self {
        let mut windowed = self.clone();
        let stride = self.strides[axis];
        windowed.shape[axis] = (self.shape[axis] - size) / step + 1;
        windowed.strides[axis] = stride.saturating_mul(step as isize);
        windowed.shape.push(size);
        windowed.strides.push(stride);
        windowed
    }

    /// The same elements in the same order under another shape, or nothing where that needs a copy.
    pub fn reshape(&self, shape: &Shape) -> Option<Self> {
        if self.is_contiguous() {
            return Some(Self { offset: self.offset, ..Self::contiguous(shape.clone()) });
        }
        // Runs of old axes that step as one are matched with runs of new axes of the same size.
        let (old, steps) = self.squeezed();
        let mut strides: Strides = smallvec::smallvec![0; shape.rank()];
        let (mut from, mut to) = (0, 0);
        while to < shape.rank() && from < old.len() {
            let (first_from, first_to) = (from, to);
            let (mut have, mut want) = (old[from], shape[to]);
            while have != want {
                if have < want {
                    from += 1;
                    have *= old.get(from)?;
                } else {
                    to += 1;
                    want *= shape.get(to)?;
                }
            }
            for axis in first_from..from {
                if steps[axis] != steps[axis + 1] * old[axis + 1] as isize {
                    return None;
                }
            }
            let mut step = steps[from];
            for axis in (first_to..=to).rev() {
                strides[axis] = step;
                step *= shape[axis] as isize;
            }
            (from, to) = (from + 1, to + 1);
        }
        Some(Self { shape: shape.clone(), strides, offset: self.offset })
    }

    /// Sizes and strides of the axes that are not of size one.
    fn squeezed(&self) -> (Axes, Strides) {
        let axes = self.shape.iter().zip(&self.strides).filter(|(size, _)| **size != 1);
        axes.map(|(&size, &stride)| (size, stride)).unzip()
    }

    /// The place of every element, in row-major order.
    pub fn offsets(&self) -> Offsets<'_> {
        self.offsets_from(0)
    }

    /// The places from that of element number `start` on, in row-major order.
    ///
    /// ```
    /// use firesteel_core::{Layout, Shape};
    /// let columns = Layout::contiguous(Shape::from([2, 3])).permute(&[1, 0]);
    /// assert_eq!(columns.offsets_from(3).collect::<Vec<_>>(), [4, 2, 5]);
    /// ```
    pub fn offsets_from(&self, start: usize) -> Offsets<'_> {
        let remaining = self.shape.numel().saturating_sub(start);
        let mut index: Axes = smallvec::smallvec![0; self.shape.rank()];
        let (mut at, mut left) = (self.offset, start);
        if remaining > 0 {
            for (axis, index) in index.iter_mut().enumerate().rev() {
                (*index, left) = (left % self.shape[axis], left / self.shape[axis]);
                at = at.wrapping_add_signed(self.strides[axis] * *index as isize);
            }
        }
        Offsets { layout: self, index, at, remaining }
    }
}

/// The places of a layout's elements in memory, in row-major order.
#[derive(Clone, Debug)]
pub struct Offsets<'a> {
    layout: &'a Layout,
    index: Axes,
    at: usize,
    remaining: usize,
}

impl Iterator for Offsets<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.remaining = self.remaining.checked_sub(1)?;
        let at = self.at;
        for axis in (0..self.index.len()).rev() {
            let stride = self.layout.strides[axis];
            self.index[axis] += 1;
            if self.index[axis] < self.layout.shape[axis] {
                self.at = self.at.wrapping_add_signed(stride);
                break;
            }
            self.at = self.at.wrapping_add_signed(-stride * (self.index[axis] as isize - 1));
            self.index[axis] = 0;
        }
        Some(at)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Offsets<'_> {}
