//! Tensors in print, as PyTorch prints them: no more digits than tell the numbers apart, columns that align,
//! and of more than a thousand elements the first and last three along each dim.
mod number;

use crate::{Backend, DType, Op, Result, Shape, Span, Tensor, TensorData};
use number::Style;
use std::fmt::{self, Write};

/// Tensors of more elements than this are summarised.
const THRESHOLD: usize = 1000;
/// So many are shown at both ends of a dim then.
const EDGE: usize = 3;
/// Characters of a line.
const LINE: usize = 80;
/// What stands before the numbers.
const PREFIX: &str = "tensor(";

/// As PyTorch prints a tensor. The numbers are read from the device; where that fails, the error stands in
/// their place.
///
/// ```
/// use firesteel::prelude::*;
/// let x = Tensor::new([[1.0, 2.5], [-3.0, 0.0]], &Cpu::default())?;
/// assert_eq!(x.to_string(), "tensor([[ 1.0000,  2.5000],\n        [-3.0000,  0.0000]])");
/// # Ok::<(), firesteel::Error>(())
/// ```
impl<B: Backend> fmt::Display for Tensor<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let numbers = match ends(&self.detach()).and_then(|x| x.to_data()) {
            Ok(data) => numbers(self.shape(), &data),
            Err(error) => format!("<{error}>"),
        };
        f.write_str(&with_suffixes(format!("{PREFIX}{numbers}"), &suffixes(self)))
    }
}

/// As [`Display`](fmt::Display).
impl<B: Backend> fmt::Debug for Tensor<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is shown of a tensor, so that no more has to be read.
fn ends<B: Backend>(x: &Tensor<B>) -> Result<Tensor<B>> {
    let mut shown = x.clone();
    if x.numel() <= THRESHOLD {
        return Ok(shown);
    }
    for (axis, &size) in x.shape().iter().enumerate() {
        if size > 2 * EDGE {
            let first = shown.span(axis, Span { start: 0, step: 1, len: EDGE })?;
            let last = shown.span(axis, Span { start: size - EDGE, step: 1, len: EDGE })?;
            shown = Tensor::one(Op::Concat(smallvec::smallvec![&first, &last], axis))?;
        }
    }
    Ok(shown)
}

/// What is shown of a tensor of this shape, in brackets.
fn numbers(shape: &Shape, shown: &TensorData) -> String {
    if shape.contains(&0) {
        return "[]".into();
    }
    let style = Style::of(shown);
    let mut page =
        Page { shown, style, whole: shape, summary: shape.numel() > THRESHOLD, text: String::new() };
    page.write(0, 0);
    page.text
}

/// Text that grows as dims are walked through.
struct Page<'a> {
    shown: &'a TensorData,
    style: Style,
    whole: &'a [usize],
    summary: bool,
    text: String,
}

impl Page<'_> {
    /// Writes the part at `offset` of what is shown that spans the dims from `dim` on.
    fn write(&mut self, dim: usize, offset: usize) {
        let Some(&len) = self.shown.shape().get(dim) else {
            return self.text.push_str(&self.style.format(offset));
        };
        let gap = (self.summary && self.whole[dim] > 2 * EDGE).then_some(EDGE);
        self.text.push('[');
        if dim + 1 == self.whole.len() {
            self.write_row(dim, offset, len, gap);
        } else {
            let stride: usize = self.shown.shape()[dim + 1..].iter().product();
            let blank =
                format!(",{}{:indent$}", "\n".repeat(self.whole.len() - 1 - dim), "", indent = indent(dim));
            for i in 0..len {
                if i > 0 {
                    self.text.push_str(&blank);
                }
                if gap == Some(i) {
                    self.text.push_str("...");
                    self.text.push_str(&blank);
                }
                self.write(dim + 1, offset + i * stride);
            }
        }
        self.text.push(']');
    }

    /// Writes the numbers along the last dim, in lines that are not too long.
    fn write_row(&mut self, dim: usize, offset: usize, len: usize, gap: Option<usize>) {
        let mut cells: Vec<String> = (offset..offset + len).map(|i| self.style.format(i)).collect();
        if let Some(gap) = gap {
            cells.insert(gap, " ...".into());
        }
        let per_line = (LINE.saturating_sub(indent(dim) - 1) / (self.style.width() + 2)).max(1);
        for (i, line) in cells.chunks(per_line).enumerate() {
            if i > 0 {
                let _ = write!(self.text, ",\n{:indent$}", "", indent = indent(dim));
            }
            self.text.push_str(&line.join(", "));
        }
    }
}

/// Where what is in the brackets of a dim stands.
fn indent(dim: usize) -> usize {
    PREFIX.len() + dim + 1
}

/// What the numbers do not show.
fn suffixes<B: Backend>(x: &Tensor<B>) -> Vec<String> {
    let (device, empty) = (x.device(), x.numel() == 0);
    let mut suffixes = vec![];
    if device.kind != "cpu" {
        suffixes.push(format!("device='{device}'"));
    }
    if empty && x.rank() != 1 {
        let sizes: Vec<String> = x.shape().iter().map(usize::to_string).collect();
        suffixes.push(format!("size=({})", sizes.join(", ")));
    }
    // literals show that they are F32, I64 or Bool, where there are any
    if x.dtype() != DType::F32 && (empty || !matches!(x.dtype(), DType::I64 | DType::Bool)) {
        suffixes.push(format!("dtype={}", x.dtype()));
    }
    if x.is_tracked() {
        suffixes.push("requires_grad=True".into());
    }
    suffixes
}

/// The suffixes behind the numbers, on a new line where the last one would become too long.
fn with_suffixes(mut text: String, suffixes: &[String]) -> String {
    let mut column = text.len() - text.rfind('\n').map_or(0, |i| i + 1) + 2;
    for suffix in suffixes {
        if column + suffix.len() + 2 > LINE {
            let _ = write!(text, ",\n{:indent$}{suffix}", "", indent = PREFIX.len());
            column = PREFIX.len() + suffix.len();
        } else {
            let _ = write!(text, ", {suffix}");
            column += suffix.len() + 2;
        }
    }
    text.push(')');
    text
}
