//! A part of the elements, seen where they are, and written where they are.
use crate::{Backend, Error, Op, Operand, Result, Slice, Span, Spans, Tensor};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// `len` elements from `start` along a dim.
    /// [`torch.narrow`](https://docs.pytorch.org/docs/stable/generated/torch.narrow.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!(x.narrow(1, 1, 2)?.to_vec::<i64>()?, [2, 3, 5, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: usize, len: usize) -> Result<Self> {
        let size = self.size(dim)?;
        if start.checked_add(len).is_none_or(|end| end > size) {
            let why = format!("{len} elements from {start} leave dim {dim} of {}", self.shape());
            return Err(Error::index("narrow", why));
        }
        self.span(self.axis("narrow", dim)?, Span { start, step: 1, len })
    }

    /// A range along a dim, with a step or without, as Python's `start:stop:step`: negative numbers count
    /// from the end, and what lies outside is cut off.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0, 1, 2, 3, 4, 5, 6], &Cpu::default())?;
    /// assert_eq!(x.slice(0, -3..)?.to_vec::<i64>()?, [4, 5, 6]);
    /// assert_eq!(x.slice(0, slice(1, 6, 2))?.to_vec::<i64>()?, [1, 3, 5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(&self, dim: isize, range: impl Into<Slice>) -> Result<Self> {
        let (here, size) = (Location::caller(), self.size(dim)?);
        let span = range.into().span("slice", size).map_err(|e| e.at(here))?;
        self.span(self.axis("slice", dim)?, span)
    }

    /// The slice at `index` along a dim, without that dim; negative numbers count from the end.
    /// [`torch.select`](https://docs.pytorch.org/docs/stable/generated/torch.select.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!(x.select(1, -1)?.to_vec::<i64>()?, [3, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn select(&self, dim: isize, index: i64) -> Result<Self> {
        let (axis, span) = self.place("select", dim, index)?;
        self.span(axis, span)?.without(&smallvec::smallvec![axis])
    }

    /// The slices along a dim, each without that dim.
    /// [`torch.unbind`](https://docs.pytorch.org/docs/stable/generated/torch.unbind.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// let columns = x.unbind(1)?;
    /// assert_eq!(columns[0].to_vec::<i64>()?, [1, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unbind(&self, dim: isize) -> Result<Vec<Self>> {
        let size = self.size(dim)?;
        let mut slices = super::split::pieces("unbind", size)?;
        for index in 0..size {
            slices.push(self.select(dim, index as i64)?);
        }
        Ok(slices)
    }

    /// Windows of `size` elements, `step` apart along a dim; what is in them becomes a new last dim.
    /// [`Tensor.unfold`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.unfold.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3, 4, 5], &Cpu::default())?;
    /// let windows = x.unfold(0, 3, 2)?;
    /// assert_eq!((windows.shape(), windows.to_vec::<i64>()?), (&[2, 3].into(), vec![1, 2, 3, 3, 4, 5]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unfold(&self, dim: isize, size: usize, step: usize) -> Result<Self> {
        let axis = self.axis("unfold", dim)?;
        if self.rank() == 0 {
            // a single number has one window of one element, and that dim is not counted twice
            let windows = Self::one(Op::Windows { x: &self.unsqueeze(0)?, axis, size, step })?;
            return windows.select(0, 0);
        }
        Self::one(Op::Windows { x: self, axis, size, step })
    }

    /// The elements `x[i, i + offset]` of two dims, along a new last dim.
    /// [`torch.diagonal`](https://docs.pytorch.org/docs/stable/generated/torch.diagonal.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!(x.diagonal(0, 0, 1)?.to_vec::<i64>()?, [1, 5]);
    /// assert_eq!(x.diagonal(1, 0, 1)?.to_vec::<i64>()?, [2, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize, dim1: isize, dim2: isize) -> Result<Self> {
        let (span, matrices) = self.on_diagonal("diagonal", offset, dim1, dim2)?;
        let flat = matrices.flatten(-2, -1)?;
        flat.span(flat.rank() - 1, span)
    }

    /// A copy in which `source` stands in place of what [`slice`](Self::slice) would see.
    /// [`torch.slice_scatter`](https://docs.pytorch.org/docs/stable/generated/torch.slice_scatter.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2, 3, 4], &cpu)?, Tensor::new([8, 9], &cpu)?);
    /// assert_eq!(x.slice_scatter(&y, 0, 1..3)?.to_vec::<i64>()?, [1, 8, 9, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn slice_scatter(&self, source: &Self, dim: isize, range: impl Into<Slice>) -> Result<Self> {
        let spans = self.target("slice_scatter", dim, range.into())?;
        self.written(&source.to(self.dtype())?, spans)
    }

    /// Puts `source` in place of what [`slice`](Self::slice) would see, in this tensor's own memory where
    /// nobody else holds it.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let mut cache = Tensor::zeros([4, 2], &cpu)?;
    /// cache.slice_assign(&Tensor::new([[1.0, 2.0]], &cpu)?, 0, 2..3)?;
    /// assert_eq!(cache.to_vec::<f32>()?, [0., 0., 0., 0., 1., 2., 0., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn slice_assign(&mut self, source: &Self, dim: isize, range: impl Into<Slice>) -> Result<()> {
        let spans = self.target("slice_assign", dim, range.into())?;
        self.write(&source.to(self.dtype())?, spans)
    }

    /// A copy in which `source` stands in place of what [`select`](Self::select) would see.
    /// [`torch.select_scatter`](https://docs.pytorch.org/docs/stable/generated/torch.select_scatter.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[1, 2], [3, 4]], &cpu)?, Tensor::new([8, 9], &cpu)?);
    /// assert_eq!(x.select_scatter(&y, 1, 0)?.to_vec::<i64>()?, [8, 2, 9, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn select_scatter(&self, source: &Self, dim: isize, index: i64) -> Result<Self> {
        let (axis, span) = self.place("select_scatter", dim, index)?;
        self.written(&source.to(self.dtype())?.unsqueeze(axis as isize)?, self.spans(axis, span)?)
    }

    /// A copy in which `source` stands in place of what [`diagonal`](Self::diagonal) would see.
    /// [`torch.diagonal_scatter`](https://docs.pytorch.org/docs/stable/generated/torch.diagonal_scatter.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[1, 2], [3, 4]], &cpu)?, Tensor::new([8, 9], &cpu)?);
    /// assert_eq!(x.diagonal_scatter(&y, 0, 0, 1)?.to_vec::<i64>()?, [8, 2, 3, 9]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal_scatter(&self, source: &Self, offset: isize, dim1: isize, dim2: isize) -> Result<Self> {
        let (span, matrices) = self.on_diagonal("diagonal_scatter", offset, dim1, dim2)?;
        let flat = matrices.flatten(-2, -1)?;
        let spans = flat.spans(flat.rank() - 1, span)?;
        let written =
            flat.written(&source.to(self.dtype())?, spans).map_err(|e| e.within("diagonal_scatter"))?;
        written.reshape_as(&matrices)?.movedim([-2, -1], [dim1, dim2])
    }

    /// Matrices in two dims, which come last, and where in such a one, row-major, a diagonal lies.
    #[track_caller]
    fn on_diagonal(&self, op: &'static str, offset: isize, dim1: isize, dim2: isize) -> Result<(Span, Self)> {
        let axes = self.axes(op, [dim1, dim2])?;
        let [first, second] = axes[..] else {
            return Err(Error::shape(op, format!("needs two dims or more, not {}", self.shape())));
        };
        let (rows, columns) = (self.shape()[first], self.shape()[second]);
        // row-major, neighbours on the diagonal lie one row and one element apart
        let (up, right) = if offset < 0 { (offset.unsigned_abs(), 0) } else { (0, offset as usize) };
        let len = rows.saturating_sub(up).min(columns.saturating_sub(right));
        let start = if len == 0 { 0 } else { up * columns + right };
        let span = Span { start, step: columns as isize + 1, len };
        Ok((span, self.movedim([dim1, dim2], [-2, -1])?))
    }

    /// The part that a slice along `dim` sees.
    #[track_caller]
    fn target(&self, op: &'static str, dim: isize, range: Slice) -> Result<Spans> {
        let (here, size) = (Location::caller(), self.size(dim)?);
        self.spans(self.axis(op, dim)?, range.span(op, size).map_err(|e| e.at(here))?)
    }

    /// A copy in which `source` stands in place of what a slice sees.
    #[track_caller]
    fn written(&self, source: &Self, spans: Spans) -> Result<Self> {
        Self::one(Op::Write { into: self, x: source, spans })
    }

    /// Puts `source` in place of what a slice sees.
    #[track_caller]
    pub(crate) fn write(&mut self, source: &Self, spans: Spans) -> Result<()> {
        self.update(Op::Write { into: Operand::Target(0), x: Operand::Value(source), spans })
    }

    /// A part of one axis.
    #[track_caller]
    pub(crate) fn span(&self, axis: usize, span: Span) -> Result<Self> {
        Self::one(Op::Slice(self, self.spans(axis, span)?))
    }

    /// A part of one axis and all of the others.
    #[track_caller]
    fn spans(&self, axis: usize, span: Span) -> Result<Spans> {
        let mut spans: Spans = self.shape().iter().map(|&n| Span::all(n)).collect();
        match spans.get_mut(axis) {
            Some(slot) => *slot = span,
            None => {
                return Err(Error::index("slice", format!("there is no axis {axis} in {}", self.shape())));
            }
        }
        Ok(spans)
    }

    /// The one place that `index` names along a dim.
    #[track_caller]
    fn place(&self, op: &'static str, dim: isize, index: i64) -> Result<(usize, Span)> {
        let (here, size) = (Location::caller(), self.size(dim)?);
        let start = place(op, size, index).map_err(|e| e.at(here))?;
        Ok((self.axis(op, dim)?, Span { start, step: 1, len: 1 }))
    }
}

/// An index that may count from the end, as one that counts from the start.
pub(super) fn place(op: &'static str, size: usize, index: i64) -> Result<usize> {
    let start = if index < 0 { index.saturating_add_unsigned(size as u64) } else { index };
    match usize::try_from(start) {
        Ok(start) if start < size => Ok(start),
        _ if size == 0 => Err(Error::index(op, format!("there is no index {index} in a dim of size 0"))),
        _ => {
            let why = format!("there is no index {index}: it has to lie in [-{size}, {}]", size - 1);
            Err(Error::index(op, why))
        }
    }
}
