//! The lines of an image, cut so that what one place of neighbouring windows sees lies side by side: whatever
//! the stride is, kernels then go along it in vector code.
use super::{Windows, zip};
use crate::{
    simd::dispatch_v3,
    value::{Native, Output},
};
use firesteel_core::Result;
use std::ops::Range;

/// How many elements are held cut, about: they are to stay in cache.
const HELD: usize = 32 * 1024;
/// A strip may be read so far beyond its end.
const SLACK: usize = 64;

/// Lines of an image of one channel with their padding. A line is cut in as many strips as the stride has
/// steps: strip `p` has the elements `p`, `p + stride`, `p + 2 stride` and so on.
pub(crate) struct Strips<'a, T> {
    windows: &'a Windows,
    memory: Output<T>,
    /// Elements of a strip.
    strip: usize,
    /// How many places of the first axis windows stand at while the same lines are held.
    band: usize,
    /// Elements of all strips; the last line's are padding.
    held: usize,
    /// Where in the strips of a line each place of a window along it begins to see.
    columns: Vec<usize>,
}

/// What a place in a window sees as the window moves along a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Where what it sees begins in the strips; padding, where the place is outside the image.
    pub(crate) start: usize,
    /// Where in the image lies what the first window sees, or would lie. The next lies a stride on.
    pub(crate) place: isize,
}

impl<'a, T: Native> Strips<'a, T> {
    /// For images with windows; `fill` is what their padding is of.
    pub(crate) fn new(windows: &'a Windows, fill: T) -> Result<Self> {
        let last = windows.last();
        let reach = windows.dilation[last].saturating_mul(windows.kernel[last] - 1);
        let mut strips = Self {
            windows,
            memory: Output::new(0)?,
            strip: windows.output[last].saturating_add(reach / windows.stride[last]),
            band: 1,
            held: 0,
            columns: vec![],
        };
        let size = |band| (strips.lines(&(0..band)).len() + 1).saturating_mul(strips.line());
        let bands = if last == 0 { 1 } else { windows.output[0].max(1) };
        strips.band = (1..=bands).rev().find(|&band| size(band) <= HELD).unwrap_or(1);
        let most =
            (0..bands).step_by(strips.band).map(|at| strips.lines(&(at..at + strips.band)).len()).max();
        strips.held = (most.unwrap_or(0) + 1).saturating_mul(strips.line());
        strips.memory = Output::new(strips.held.saturating_add(SLACK))?;
        strips.memory.slice().fill(fill);
        let reaches = (0..windows.kernel[last]).map(|tap| tap * windows.dilation[last]);
        let stride = windows.stride[last];
        strips.columns = reaches.map(|reach| reach % stride * strips.strip + reach / stride).collect();
        Ok(strips)
    }

    /// Elements of a line that is cut.
    fn line(&self) -> usize {
        self.strip.saturating_mul(self.windows.step())
    }

    /// The lines of the image that windows can see that stand in this range of the first axis.
    fn lines(&self, band: &Range<usize>) -> Range<usize> {
        let w = self.windows;
        if w.last() == 0 {
            return 0..1;
        }
        let inner = w.input[1..w.last()].iter().product::<usize>();
        let reach = w.dilation[0].saturating_mul(w.kernel[0] - 1);
        let place = |at: usize| at.saturating_sub(w.padding[0]).min(w.input[0]);
        let first = place(band.start * w.stride[0]);
        let end = place(((band.end - 1) * w.stride[0]).saturating_add(reach).saturating_add(1));
        first * inner..end.max(first) * inner
    }

    /// Calls `f(first, strips, seen)` for each line of windows over the image `x`: with the number of its first
    /// window, all strips, and what each place of the windows sees in them.
    pub(crate) fn each(&mut self, x: &[T], mut f: impl FnMut(usize, &[T], &[Seen])) {
        let (last, width) = (self.windows.last(), self.windows.output[self.windows.last()]);
        let (bands, per_place) = match last {
            0 => (1, 1),
            _ => (self.windows.output[0], self.windows.output[1..last].iter().product::<usize>()),
        };
        let mut seen = Vec::with_capacity(self.windows.taps());
        for start in (0..bands).step_by(self.band) {
            let band = start..bands.min(start + self.band);
            let lines = self.lines(&band);
            self.cut(x, lines.clone());
            for line in band.start * per_place..band.end * per_place {
                seen.clear();
                self.look(line, lines.start, &mut seen);
                f(line * width, self.memory.slice(), &seen);
            }
        }
    }

    /// What the windows of a line see, where the lines from `first` are cut.
    fn look(&self, line: usize, first: usize, seen: &mut Vec<Seen>) {
        let (w, last, size) = (self.windows, self.windows.last(), self.line());
        let blank = self.held - size;
        for tap in 0..w.kernel[..last].iter().product() {
            let at = w.line(line, tap);
            let start = at.map_or(blank, |at| (at - first) * size);
            let row = (at.unwrap_or(0) * w.input[last]) as isize - w.padding[last] as isize;
            let places = self.columns.iter().enumerate();
            seen.extend(places.map(|(tap, strip)| Seen {
                start: start + strip,
                place: row + (tap * w.dilation[last]) as isize,
            }));
        }
    }

    /// Cuts these lines of an image.
    fn cut(&mut self, x: &[T], lines: Range<usize>) {
        let (w, last, size, strip) = (self.windows, self.windows.last(), self.line(), self.strip);
        let (width, stride, padding) = (w.input[last], w.stride[last], w.padding[last]);
        let x = x[lines.start * width..lines.end * width].chunks_exact(width.max(1));
        let lines = x.zip(self.memory.slice().chunks_exact_mut(size));
        dispatch_v3!(|L| for (x, y) in lines {
            for (phase, y) in y.chunks_exact_mut(strip).enumerate() {
                let from = padding.saturating_sub(phase).div_ceil(stride).min(strip);
                let at = (from * stride + phase).saturating_sub(padding);
                if let Some(x) = x.get(at..) {
                    zip(&mut y[from..], x, stride, |y, x| *y = *x);
                }
            }
        });
    }
}
