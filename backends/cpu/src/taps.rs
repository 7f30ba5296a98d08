//! Filters of a convolution as they lie in memory, and brought in so that vectors go along them.
use crate::{stream::fetch, turn::turn};
use bytemuck::{cast_slice, cast_slice_mut};
use std::ops::Range;

/// Channels whose filters are brought in together: whole squares, however many taps a filter has.
pub(crate) const TOGETHER: usize = 8;
/// How many numbers are fetched at once.
const LINE: usize = 16;

/// Filters as they lie in memory: that of a filter and a channel begins at `filter * by_filter + channel *
/// by_channel` in its group, and is read backwards where it is `turned`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filters<'a> {
    pub(crate) w: &'a [f32],
    pub(crate) by_filter: usize,
    pub(crate) by_channel: usize,
    pub(crate) turned: bool,
}

impl Filters<'_> {
    /// Brings in some filters of the group that begins at `start`, for some channels: `y [channels, taps, width]`, of which
    /// the last axis has a number of each filter. The channels that come next are asked for meanwhile.
    pub(crate) fn bring(
        &self,
        start: usize,
        filters: Range<usize>,
        channels: Range<usize>,
        taps: usize,
        y: &mut [f32],
        width: usize,
    ) {
        // channels that lie one behind another are turned together
        let some = if self.by_channel == taps { channels.len() } else { 1 };
        for (first, y) in channels.step_by(some.max(1)).zip(y.chunks_mut((some * taps * width).max(1))) {
            let w = &self.w[start + filters.start * self.by_filter + first * self.by_channel..];
            let next = w.as_ptr().wrapping_add(some * self.by_channel);
            for filter in (0..filters.len()).step_by((LINE / self.by_filter).max(1)) {
                let next = next.wrapping_add(filter * self.by_filter);
                (0..some * taps).step_by(LINE).for_each(|i| fetch(next.wrapping_add(i)));
            }
            let size = [filters.len(), some * taps];
            turn(cast_slice(w), self.by_filter, size, cast_slice_mut(y), width);
        }
    }
}
