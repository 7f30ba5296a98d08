//! One axis of a convolution, as long lines have it.
use std::ops::Range;

/// Where results along an axis find what they read: result `i` reads number `i apart + tap.place` of phase `tap.phase`
/// of a line, for each of the taps.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// How many numbers are there to be read.
    pub(super) size: usize,
    /// Number `i` of a phase is that at `start + i step + phase`; outside are zeros.
    start: isize,
    step: usize,
    /// The phases that are read at all.
    pub(super) phases: Vec<usize>,
    pub(super) taps: Vec<Tap>,
    /// Results.
    pub(super) count: usize,
    pub(super) apart: usize,
    /// Numbers of a phase that these read.
    pub(super) len: usize,
    /// Result `i` is number `first + i every` of the axis that is written.
    pub(super) first: usize,
    pub(super) every: usize,
}

/// One place of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    /// Its number in the filter.
    pub(super) tap: usize,
    /// The number of its phase among those that are read.
    pub(super) phase: usize,
    pub(super) place: usize,
}

/// How windows move along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moves {
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
}

impl Axis {
    /// Of the results, which read the input: a line has a phase for each step of a stride, so that what a tap reads
    /// for neighbours lies side by side.
    pub(crate) fn forward(m: &Moves) -> Self {
        let reach = |tap: usize| tap * m.dilation;
        let mut phases: Vec<usize> = (0..m.kernel).map(|tap| reach(tap) % m.stride).collect();
        phases.sort_unstable();
        phases.dedup();
        let phase = |tap| phases.binary_search(&(reach(tap) % m.stride)).unwrap_or_default();
        let place = |tap| reach(tap) / m.stride;
        let taps: Vec<_> =
            (0..m.kernel).map(|tap| Tap { tap, phase: phase(tap), place: place(tap) }).collect();
        Self {
            size: m.input,
            start: -(m.padding as isize),
            step: m.stride,
            count: m.output,
            apart: 1,
            len: m.output + taps.iter().map(|tap| tap.place).max().unwrap_or_default(),
            phases,
            taps,
            first: 0,
            every: 1,
        }
    }

    /// Of the input's gradient, which reads that of the results: one axis for each step of a stride, since inputs that
    /// lie a stride apart are seen by the same taps.
    pub(crate) fn backward(m: &Moves) -> impl Iterator<Item = Self> {
        (0..m.stride).filter_map(move |phase| {
            let seen = (0..m.kernel).filter(|tap| tap * m.dilation % m.stride == phase);
            let back: Vec<_> = seen.map(|tap| (tap, tap * m.dilation / m.stride)).collect();
            let most = back.iter().map(|(_, back)| *back).max()?;
            // window `from` is the first that begins at or after the first input of the phase
            let from = m.padding.saturating_sub(phase).div_ceil(m.stride);
            let end = ((m.padding + m.input).checked_sub(phase)?).div_ceil(m.stride);
            let count = end.checked_sub(from).filter(|count| *count > 0)?;
            Some(Self {
                size: m.output,
                start: from as isize - most as isize,
                step: 1,
                phases: vec![0],
                taps: back.iter().map(|&(tap, back)| Tap { tap, phase: 0, place: most - back }).collect(),
                count,
                apart: 1,
                len: count + most,
                first: from * m.stride + phase - m.padding,
                every: m.stride,
            })
        })
    }

    /// The same with all phases in one line, as they lie in memory.
    pub(super) fn undivided(&self) -> Self {
        let place = |tap: &Tap| tap.place * self.step + self.phases[tap.phase];
        let taps: Vec<_> = self.taps.iter().map(|tap| Tap { phase: 0, place: place(tap), ..*tap }).collect();
        let most = taps.iter().map(|tap| tap.place).max().unwrap_or_default();
        let len = (self.count - 1) * self.step + most + 1;
        Self { step: 1, phases: vec![0], taps, apart: self.step, len, ..*self }
    }

    /// How many numbers more than results a phase has.
    pub(super) fn reach(&self) -> usize {
        self.len - self.count
    }

    /// Where number `i` of a phase is; none, where that is outside.
    pub(super) fn at(&self, i: usize, phase: usize) -> Option<usize> {
        let at = (self.start + (i * self.step + phase) as isize) as usize;
        (at < self.size).then_some(at)
    }

    /// The numbers of a phase that are not outside.
    pub(super) fn inside(&self, phase: usize) -> Range<usize> {
        let first = self.start + phase as isize;
        let before = |at: isize| ((at - first).max(0) as usize).div_ceil(self.step).min(self.len);
        before(0)..before(self.size as isize)
    }

    pub(super) fn step(&self) -> usize {
        self.step
    }
}
