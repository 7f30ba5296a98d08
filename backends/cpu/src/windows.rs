//! What the windows of a convolution see: the matrix with one column for each window and one row for each
//! channel and place in a window, of which only parts are ever written out.
mod strips;

pub(crate) use strips::{Seen, Strips};

use crate::{direct::Moves, gemm::Product, reduce::innermost, value::Native};
use firesteel_core::{Axes, Conv, Layout, Pool, Shape};
use std::ops::Range;

/// The sizes of one image and of the windows that move over it.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    input: Axes,
    kernel: Axes,
    output: Axes,
    stride: Axes,
    padding: Axes,
    dilation: Axes,
}

impl Windows {
    /// Of spatial sizes.
    pub(crate) fn new(conv: &Conv, input: &[usize], kernel: &[usize], output: &[usize]) -> Self {
        Self {
            input: input.into(),
            kernel: kernel.into(),
            output: output.into(),
            stride: conv.stride.clone(),
            padding: conv.padding.clone(),
            dilation: conv.dilation.clone(),
        }
    }

    /// The windows of a pool; one of no axes moves along one of size one.
    pub(crate) fn of_pool(pool: &Pool, input: &[usize]) -> Self {
        if input.is_empty() {
            let one: Axes = [1][..].into();
            let [kernel, output, stride, dilation] = [(); 4].map(|()| one.clone());
            return Self { input: one, kernel, output, stride, dilation, padding: [0][..].into() };
        }
        Self {
            input: input.into(),
            kernel: pool.kernel.clone(),
            output: pool.output.clone(),
            stride: pool.stride.clone(),
            padding: pool.padding.clone(),
            dilation: pool.dilation.clone(),
        }
    }

    /// The same windows over an input to which the padding belongs.
    pub(crate) fn over_padding(&self) -> Self {
        let input = self.input.iter().zip(&self.padding).map(|(n, p)| n + 2 * p).collect();
        Self { input, padding: self.padding.iter().map(|_| 0).collect(), ..self.clone() }
    }

    /// Elements of one channel of the input.
    pub(crate) fn inputs(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of a window in one channel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// How many windows there are.
    pub(crate) fn outputs(&self) -> usize {
        self.output.iter().product()
    }

    /// Whether each window is one element and each element one window.
    pub(crate) fn is_identity(&self) -> bool {
        self.kernel.iter().all(|&k| k == 1)
            && self.input == self.output
            && self.padding.iter().all(|&p| p == 0)
    }

    /// Calls `run(column, len, place)` for each stretch of windows in which the element `row` of a window
    /// lies inside: the input's elements from `place`, [`step`](Self::step) apart. Elsewhere are zeros.
    #[inline]
    pub(crate) fn runs(&self, row: usize, columns: Range<usize>, mut run: impl FnMut(usize, usize, usize)) {
        let Some(last) = self.output.len().checked_sub(1) else {
            return columns.for_each(|column| run(column, 1, row));
        };
        let taps = self.taps();
        let (channel, mut tap) = (row / taps, row % taps);
        // where the window's element lies when the window stands at 0, along each axis
        let mut shift: smallvec::SmallVec<[isize; 4]> = smallvec::smallvec![0; last + 1];
        for axis in (0..=last).rev() {
            shift[axis] =
                (tap % self.kernel[axis] * self.dilation[axis]) as isize - self.padding[axis] as isize;
            tap /= self.kernel[axis];
        }
        let inside = self.inside(last, shift[last]);
        let width = self.output[last];
        let mut column = columns.start;
        while column < columns.end {
            let (mut line, from) = (column / width, column % width);
            let to = width.min(from + columns.end - column);
            let start = column - from;
            column = start + width;
            // the line of the input that this line of windows sees
            let (mut place, mut size) = (0, self.input[last]);
            let mut seen = true;
            for axis in (0..last).rev() {
                let at = (line % self.output[axis] * self.stride[axis]) as isize + shift[axis];
                line /= self.output[axis];
                seen &= at >= 0 && (at as usize) < self.input[axis];
                place += at.max(0) as usize * size;
                size *= self.input[axis];
            }
            let (from, to) = (from.max(inside.start), to.min(inside.end));
            if seen && from < to {
                let first = (from * self.stride[last]).wrapping_add_signed(shift[last]);
                run(start + from, to - from, channel * size + place + first);
            }
        }
    }

    /// The last axis.
    fn last(&self) -> usize {
        self.output.len() - 1
    }

    /// The line of the input that a line of windows sees at element `tap` of the kernel without its last axis;
    /// none, where that is padding.
    fn line(&self, mut line: usize, mut tap: usize) -> Option<usize> {
        let (mut seen, mut size) = (0, 1);
        for axis in (0..self.last()).rev() {
            let (mut at, mut reach) = (line, tap);
            if axis > 0 {
                (at, reach) = (line % self.output[axis], tap % self.kernel[axis]);
                (line, tap) = (line / self.output[axis], tap / self.kernel[axis]);
            }
            let at =
                (at * self.stride[axis] + reach * self.dilation[axis]).checked_sub(self.padding[axis])?;
            seen += (at < self.input[axis]).then_some(at * size)?;
            size *= self.input[axis];
        }
        Some(seen)
    }

    /// Where the first line of the input lies that a line of windows sees at all.
    pub(crate) fn first_line(&self, line: usize) -> Option<usize> {
        let mut lines = (0..self.kernel[..self.last()].iter().product()).map(|tap| self.line(line, tap));
        lines.find_map(|line| Some(line? * self.input[self.last()]))
    }

    /// The first place of a line of the input that window `at` of a line of windows sees.
    pub(crate) fn first_column(&self, at: usize) -> Option<usize> {
        let last = self.last();
        let mut places = (0..self.kernel[last]).map(|tap| at * self.stride[last] + tap * self.dilation[last]);
        let place = places.find(|place| *place >= self.padding[last])? - self.padding[last];
        (place < self.input[last]).then_some(place)
    }

    /// The sizes of the input and of the output along the last axis.
    pub(crate) fn width(&self) -> [usize; 2] {
        [self.input[self.last()], self.output[self.last()]]
    }

    /// The windows in which an element that is shifted by so much lies inside, along an axis.
    fn inside(&self, axis: usize, shift: isize) -> Range<usize> {
        let stride = self.stride[axis] as isize;
        let start = (-shift).max(0).unsigned_abs().div_ceil(self.stride[axis]);
        let end = (self.input[axis] as isize - shift + stride - 1).div_euclid(stride).max(0);
        start..self.output[axis].min(end as usize)
    }

    /// Whether windows step by one, over padding that does not outweigh the rest.
    pub(crate) fn is_dense(&self) -> bool {
        let room = 4 * (self.inputs() + self.outputs()) + 1024;
        let padded = self
            .input
            .iter()
            .zip(&self.padding)
            .try_fold(1usize, |all, (n, p)| all.checked_mul(p.checked_mul(2)?.checked_add(*n)?));
        self.stride.iter().all(|&step| step == 1) && padded.is_some_and(|padded| padded <= room)
    }

    /// The sizes of input, output and padding, where windows of 3x3 step by one.
    pub(crate) fn by_three(&self) -> Option<([usize; 2], [usize; 2], [usize; 2])> {
        let one = |sizes: &Axes| sizes[..] == [1, 1];
        let pair = |sizes: &Axes| Some([*sizes.first()?, *sizes.get(1)?]);
        let fits = self.kernel[..] == [3, 3] && one(&self.stride) && one(&self.dilation);
        let small = self.padding.iter().all(|&padding| padding <= 2);
        (fits && small).then_some((pair(&self.input)?, pair(&self.output)?, pair(&self.padding)?))
    }

    /// How windows move along two axes, or along the second of them alone; nothing where there are other axes.
    pub(crate) fn moves(&self) -> Option<[Moves; 2]> {
        let along = |axis: usize| Moves {
            input: self.input[axis],
            output: self.output[axis],
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: self.dilation[axis],
        };
        let still = Moves { input: 1, output: 1, kernel: 1, stride: 1, padding: 0, dilation: 1 };
        let moves = match self.output.len() {
            1 => [still, along(0)],
            2 => [along(0), along(1)],
            _ => return None,
        };
        // a step that leaves everything behind says nothing but how much there would be to skip
        let is_near = |m: &Moves| m.stride.max(m.dilation).max(m.padding) <= m.input.max(m.kernel);
        moves.iter().all(is_near).then_some(moves)
    }

    /// The windows by which an input's gradient sees that of the result, where these are dense and no padding is
    /// wider than a window.
    pub(crate) fn turned(&self) -> Option<Self> {
        let padding =
            |axis: usize| (self.dilation[axis] * (self.kernel[axis] - 1)).checked_sub(self.padding[axis]);
        let padding = (0..self.kernel.len()).map(padding).collect::<Option<Axes>>()?;
        let turned = Self { input: self.output.clone(), output: self.input.clone(), padding, ..self.clone() };
        Some(turned).filter(Self::is_dense)
    }

    /// The sizes of the input with its padding.
    pub(crate) fn padded(&self) -> Shape {
        self.input.iter().zip(&self.padding).map(|(n, p)| n + 2 * p).collect()
    }

    /// Where each element of the window that stands at 0 lies in the padded input.
    pub(crate) fn places(&self, padded: &Layout) -> Vec<usize> {
        let strides = padded.strides.iter().zip(&self.dilation).map(|(step, &apart)| step * apart as isize);
        Layout { shape: self.kernel[..].into(), strides: strides.collect(), offset: 0 }.offsets().collect()
    }

    /// Writes the input to the middle of the padded one.
    pub(crate) fn pad<T: Copy>(&self, x: &[T], padded: &Layout, y: &mut [T]) {
        let middle = self.padding.iter().zip(&padded.strides).map(|(p, &step)| p * step as usize).sum();
        let (rows, width, _) =
            innermost(&Layout { shape: self.input[..].into(), offset: middle, ..padded.clone() });
        for (at, x) in rows.offsets().zip(x.chunks_exact(width)) {
            y[at..at + width].copy_from_slice(x);
        }
    }

    /// Calls `f` for each line of windows: with the number of its first, with its place where windows lie as the
    /// padded input does, and with how many there are.
    pub(crate) fn lines(&self, padded: &Layout, mut f: impl FnMut(usize, usize, usize)) {
        let (rows, width, _) = innermost(&Layout { shape: self.output[..].into(), ..padded.clone() });
        for (line, at) in rows.offsets().enumerate() {
            f(line * width, at, width);
        }
    }

    /// The distance between what neighbouring windows see.
    pub(crate) fn step(&self) -> usize {
        self.stride.last().copied().unwrap_or(1)
    }

    /// Writes the rows and columns of the matrix, row-major, of an image `x [channels, input..]`.
    pub(crate) fn gather<T: Native>(&self, x: &[T], rows: Range<usize>, columns: Range<usize>, y: &mut [T]) {
        let width = columns.len();
        for (row, y) in rows.zip(y.chunks_exact_mut(width.max(1))) {
            y.fill(T::default());
            self.runs(row, columns.clone(), |column, len, place| {
                let y = &mut y[column - columns.start..][..len];
                zip(y, &x[place..], self.step(), |y, x| *y = *x);
            });
        }
    }

    /// Adds to an image what `gather` would have read of it: its adjoint.
    pub(crate) fn scatter<T: Product>(
        &self,
        y: &[T],
        rows: Range<usize>,
        columns: Range<usize>,
        x: &mut [T],
    ) {
        let width = columns.len();
        for (row, y) in rows.zip(y.chunks_exact(width.max(1))) {
            self.runs(row, columns.clone(), |column, len, place| {
                let y = &y[column - columns.start..][..len];
                zip_mut(&mut x[place..], y, self.step(), |x, y| *x = x.plus(*y));
            });
        }
    }
}

/// Calls `f` with each of `y` and every `step`-th of `x`. Steps of one and two are worth vector code of their own.
#[inline(always)]
pub(crate) fn zip<Y, X>(y: &mut [Y], x: &[X], step: usize, f: impl Fn(&mut Y, &X)) {
    match step {
        1 => y.iter_mut().zip(x).for_each(|(y, x)| f(y, x)),
        2 => {
            let (pairs, last) = x.as_chunks::<2>();
            let (most, rest) = y.split_at_mut(pairs.len().min(y.len()));
            most.iter_mut().zip(pairs).for_each(|(y, [x, _])| f(y, x));
            rest.iter_mut().zip(last).for_each(|(y, x)| f(y, x));
        }
        _ => y.iter_mut().zip(x.iter().step_by(step)).for_each(|(y, x)| f(y, x)),
    }
}

/// Calls `f` with every `step`-th of `x` and each of `y`.
#[inline(always)]
pub(crate) fn zip_mut<X, Y>(x: &mut [X], y: &[Y], step: usize, f: impl Fn(&mut X, &Y)) {
    match step {
        1 => x.iter_mut().zip(y).for_each(|(x, y)| f(x, y)),
        2 => {
            let (pairs, last) = x.as_chunks_mut::<2>();
            let (most, rest) = y.split_at(pairs.len().min(y.len()));
            pairs.iter_mut().zip(most).for_each(|([x, _], y)| f(x, y));
            last.iter_mut().zip(rest).for_each(|(x, y)| f(x, y));
        }
        _ => x.iter_mut().step_by(step).zip(y).for_each(|(x, y)| f(x, y)),
    }
}
