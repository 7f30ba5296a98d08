//! All elements along some axes to one.
//!
//! Axes are ordered by how they lie in memory, and those that step as one are joined. Then either the
//! innermost axis is reduced (rows are folded, in many lanes at once), or it is kept (rows are added to
//! rows). A few elements are joined in a lane, and the lanes in a total, of F64 for every
//! float, so that the error of a sum does not grow with its length.
mod halves;
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Arithmetic, Fold, Max, Min, Number, Prod, Sum},
    parallel,
    real::halved,
    simd::{dispatch, dispatch_v3},
    value::Output,
    view::each_row,
    wide::widened,
};
use firesteel_core::{Axes, Layout, Meta, Reduce, Result, Scalar, Strides};

/// Numbers that fill a vector; fewer are no row.
const LANES: usize = 16;
/// Lanes of a row, which are joined at the end.
const WIDE: usize = 2 * LANES;
/// How many elements are joined in one lane before it is added to the total.
const DEPTH: usize = 64;
/// How many totals are kept at once.
const WIDTH: usize = 1024;
/// Up to how many columns are summed as if several rows were one.
const NARROW: usize = 32;
/// A reduction to few results is cut in parts of this many elements; not by the number of threads, since
/// the result is not to depend on that.
const PART: usize = 64 * 1024;

pub(crate) fn reduce(kind: Reduce, x: &CpuValue, axes: &Axes, out: &Meta) -> Result<CpuValue> {
    match halves::reduce(kind, x, axes, out)? {
        Some(y) => Ok(y),
        None => widened(&[x], out, |xs, out| of_wide(kind, xs[0], axes, out)),
    }
}

fn of_wide(kind: Reduce, x: &CpuValue, axes: &Axes, out: &Meta) -> Result<CpuValue> {
    if x.meta.numel() == 0 {
        return Ok(CpuValue::same(out.clone(), of_nothing(kind)));
    }
    let plan = Plan::new(&x.layout, axes);
    if plan.reduced.shape.rank() == 0 {
        return Ok(x.clone());
    }
    let count = if kind == Reduce::Mean { plan.reduced.shape.numel() } else { 1 };
    wide!(out.dtype, T => match kind {
        Reduce::Sum | Reduce::Mean => run::<T, Sum>(x, &plan, out, count),
        Reduce::Prod => run::<T, Prod>(x, &plan, out, count),
        Reduce::Max => run::<T, Max>(x, &plan, out, count),
        Reduce::Min => run::<T, Min>(x, &plan, out, count),
    })
}

/// What a reduction of no elements gives, where it gives anything.
fn of_nothing(kind: Reduce) -> Scalar {
    match kind {
        Reduce::Sum => Scalar::Int(0),
        Reduce::Prod => Scalar::Int(1),
        Reduce::Mean => Scalar::Float(f64::NAN),
        Reduce::Max => Scalar::Bool(false),
        Reduce::Min => Scalar::Bool(true),
    }
}

/// How a reduction goes through memory.
struct Plan {
    /// The axes that stay, outermost in memory first, from where the operand starts.
    kept: Layout,
    /// The axes that are reduced, likewise, from zero.
    reduced: Layout,
    /// Where the results lie: in the order of `kept`.
    result: Layout,
}

impl Plan {
    fn new(x: &Layout, axes: &Axes) -> Self {
        let mut order: Axes = (0..x.shape.rank()).filter(|&a| x.shape[a] != 1).collect();
        // what does not move in memory is best outermost
        order.sort_by_key(|&a| std::cmp::Reverse(x.strides[a].unsigned_abs().wrapping_sub(1)));
        let (reduced, kept): (Axes, Axes) = order.into_iter().partition(|a| axes.contains(a));

        let mut shape = x.shape.clone();
        axes.iter().for_each(|&a| shape[a] = 1);
        let mut result = Layout::contiguous(shape);
        let mut step = 1;
        for &a in kept.iter().rev() {
            result.strides[a] = step;
            step *= x.shape[a] as isize;
        }
        Plan { kept: joined(x, &kept, x.offset), reduced: joined(x, &reduced, 0), result }
    }

    /// Whether the innermost axis is reduced, and long enough to be a row.
    fn in_rows(&self) -> bool {
        let inner = |l: &Layout| l.strides.last().map_or(usize::MAX, |s| s.unsigned_abs().wrapping_sub(1));
        let len = |l: &Layout| l.shape.last().copied().unwrap_or(1);
        inner(&self.reduced) <= inner(&self.kept)
            && (len(&self.reduced) >= LANES || len(&self.kept) <= len(&self.reduced))
    }

    /// How many columns there are, where they are few and rows lie one behind another.
    fn narrow(&self) -> Option<usize> {
        let (&n, &stride) = (self.kept.shape.last()?, self.kept.strides.last()?);
        let is_dense = stride == 1 && self.reduced.strides.last() == Some(&(n as isize));
        (is_dense && n <= NARROW).then_some(n)
    }

    /// The same reduction in parts along its outermost axis, where there are too few results to share.
    fn parts(&self) -> Vec<Layout> {
        let (results, each) = (self.kept.shape.numel(), self.reduced.shape.numel());
        let n = self.reduced.shape[0];
        let few = if self.in_rows() { 64 } else { 4 * WIDTH };
        let count = if results > few { 1 } else { (results * each / PART).clamp(1, n.min(64)) };
        let size = n.div_ceil(count);
        let part = |start: usize| {
            let mut part = self.reduced.clone();
            part.shape[0] = size.min(n - start);
            part.offset = part.offset.wrapping_add_signed(start as isize * part.strides[0]);
            part
        };
        (0..n).step_by(size).map(part).collect()
    }
}

/// These axes alone, those that step as one joined.
pub(crate) fn joined(x: &Layout, axes: &[usize], offset: usize) -> Layout {
    let mut y = Layout { shape: Default::default(), strides: Strides::new(), offset };
    for (size, stride) in axes.iter().map(|&a| (x.shape[a], x.strides[a])) {
        let last = y.shape.rank().wrapping_sub(1);
        if y.strides.last() == Some(&(stride * size as isize)) {
            y.shape[last] *= size;
            y.strides[last] = stride;
        } else {
            y.shape.push(size);
            y.strides.push(stride);
        }
    }
    y
}

fn run<T: Number, F: Fold>(x: &CpuValue, plan: &Plan, out: &Meta, count: usize) -> Result<CpuValue> {
    let memory = x.memory::<T>();
    let results = plan.kept.shape.numel();
    let finish = |total: T::Total| T::of(if count == 1 { total } else { total.over(count) });
    let mut y = Output::<T>::new(results)?;
    match &plan.parts()[..] {
        [reduced] => {
            let grain = parallel::GRAIN / reduced.shape.numel() + 1;
            // few columns are done with together
            let unit = plan.narrow().unwrap_or(1);
            let width = WIDTH / unit * unit;
            parallel::pieces(y.slice(), unit, grain, |first, y| {
                if !plan.in_rows() && reduced.shape.numel() <= DEPTH {
                    few_rows::<T, F>(memory, plan, reduced, first * unit, y);
                    return if count > 1 {
                        y.iter_mut().for_each(|y| *y = finish(y.total()))
                    };
                }
                let mut totals = [F::start(); WIDTH];
                for (i, y) in y.chunks_mut(width).enumerate() {
                    let totals = &mut totals[..y.len()];
                    fold::<T, F>(memory, plan, reduced, first * unit + i * width, totals);
                    y.iter_mut().zip(totals).for_each(|(y, total)| *y = finish(*total));
                }
            });
        }
        parts => {
            let mut totals = vec![F::start(); results * parts.len()];
            parallel::pieces(&mut totals, results, 1, |first, totals| {
                for (totals, reduced) in totals.chunks_mut(results).zip(&parts[first..]) {
                    fold::<T, F>(memory, plan, reduced, 0, totals);
                }
            });
            let (sum, parts) = totals.split_at_mut(results);
            for part in parts.chunks(results) {
                sum.iter_mut().zip(part).for_each(|(a, &b)| *a = F::join(*a, b));
            }
            y.slice().iter_mut().zip(sum).for_each(|(y, total)| *y = finish(*total));
        }
    }
    let y = y.finish(results, out.dtype);
    Ok(y.view(plan.result.clone()))
}

/// The totals of results `first..`, over the part of the operand that `reduced` says.
fn fold<T: Number, F: Fold>(
    memory: &[T],
    plan: &Plan,
    reduced: &Layout,
    first: usize,
    totals: &mut [T::Total],
) {
    if plan.in_rows() {
        let (outer, n, stride) = innermost(reduced);
        let (rows, starts) = (outer.offsets().collect::<Vec<_>>(), plan.kept.offsets_from(first));
        return dispatch!(|L| for (total, start) in totals.iter_mut().zip(starts) {
            *total = F::start();
            for at in &rows {
                *total = F::join(*total, row::<T, F>(memory, start.wrapping_add(*at), n, stride));
            }
        });
    }
    let (outer, n, stride) = innermost(&plan.kept);
    let mut lanes = [F::start(); WIDTH];
    let is_narrow = plan.narrow().is_some();
    each_row(totals, first, n, &outer, |start, column, totals| {
        if is_narrow {
            return narrow::<T, F>(memory, start, reduced, &mut lanes, totals);
        }
        for (i, totals) in totals.chunks_mut(WIDTH).enumerate() {
            let start = start.wrapping_add_signed((column + i * WIDTH) as isize * stride);
            let lanes = &mut lanes[..totals.len()];
            dispatch_v3!(|L| {
                // given away: a closure that may be called again would be compiled on its own, for the baseline
                let (lanes, totals) = (lanes, totals);
                columns::<T, F>(memory, start, stride, reduced, lanes, totals)
            });
        }
    });
}

/// The results `first..` of as few rows as are joined in lanes anyway: the results are the lanes.
fn few_rows<T: Number, F: Fold>(memory: &[T], plan: &Plan, reduced: &Layout, first: usize, y: &mut [T]) {
    let (outer, n, stride) = innermost(&plan.kept);
    each_row(y, first, n, &outer, |start, column, y| {
        for (i, y) in y.chunks_mut(WIDTH).enumerate() {
            let start = start.wrapping_add_signed((column + i * WIDTH) as isize * stride);
            let mut rows = reduced.offsets().map(|at| start.wrapping_add(at));
            dispatch_v3!(|L| {
                // given away, as above
                let (y, mut rows) = (y, rows.by_ref());
                join_rows::<T, F>(memory, stride, &mut rows, y)
            });
        }
    });
}

/// All axes but the last, and its size and stride.
pub(crate) fn innermost(layout: &Layout) -> (Layout, usize, isize) {
    let mut outer = layout.clone();
    match (layout.shape.last(), outer.strides.pop()) {
        (Some(&n), Some(stride)) => {
            outer.shape.remove(layout.shape.rank() - 1);
            (outer, n, stride)
        }
        _ => (outer, 1, 1),
    }
}

/// The total of `n` elements from `start`.
#[inline(always)]
pub(crate) fn row<T: Number, F: Fold>(memory: &[T], start: usize, n: usize, stride: isize) -> T::Total {
    if stride != 1 || n < LANES {
        let (mut total, mut at) = (F::start(), start);
        for _ in 0..n {
            total = F::join(total, memory[at].total());
            at = at.wrapping_add_signed(stride);
        }
        return total;
    }
    let mut totals = [F::start(); WIDE];
    let (pairs, rest) = memory[start..start + n].as_chunks::<{ 2 * WIDE }>();
    for pairs in pairs.chunks(DEPTH) {
        // so many lanes that no addition waits for the one before; in two arrays, as they stay in registers so
        let [mut la, mut lb] = [[F::start(); WIDE]; 2];
        for pair in pairs {
            // both in one loop: so it becomes vector code
            for i in 0..WIDE {
                la[i] = F::join(la[i], pair[i]);
                lb[i] = F::join(lb[i], pair[WIDE + i]);
            }
        }
        for i in 0..WIDE {
            totals[i] = F::join(totals[i], F::join(la[i], lb[i]).total());
        }
    }
    for xs in rest.chunks(WIDE) {
        totals.iter_mut().zip(xs).for_each(|(total, x)| *total = F::join(*total, x.total()));
    }
    halved(totals, F::join)
}

/// The totals of a few columns whose rows lie one behind another: as many rows as make whole vectors are one wide row.
fn narrow<T: Number, F: Fold>(
    memory: &[T],
    start: usize,
    reduced: &Layout,
    lanes: &mut [T],
    totals: &mut [T::Total],
) {
    let n = totals.len();
    let rows = LANES * LANES.div_ceil(2 * n);
    let last = reduced.shape.rank() - 1;
    let (mut wide, mut rest) = (reduced.clone(), reduced.clone());
    (wide.shape[last], rest.shape[last]) = (reduced.shape[last] / rows, reduced.shape[last] % rows);
    wide.strides[last] *= rows as isize;
    rest.offset += wide.shape[last] * rows * n;
    let mut spread = [F::start(); WIDTH];
    let spread = &mut spread[..rows * n];
    dispatch_v3!(|L| {
        let (lanes, totals, spread) = (lanes, totals, spread);
        columns::<T, F>(memory, start, 1, &wide, &mut lanes[..spread.len()], spread);
        columns::<T, F>(memory, start, 1, &rest, &mut lanes[..n], totals);
        for row in spread.chunks(n) {
            totals.iter_mut().zip(row).for_each(|(total, &x)| *total = F::join(*total, x));
        }
    });
}

/// The totals of neighbouring columns, the first of which is at `start`.
#[inline(always)]
fn columns<T: Number, F: Fold>(
    memory: &[T],
    start: usize,
    stride: isize,
    reduced: &Layout,
    lanes: &mut [T],
    totals: &mut [T::Total],
) {
    let mut rows = reduced.offsets().map(|at| start.wrapping_add(at)).peekable();
    let mut is_first = true;
    while is_first || rows.peek().is_some() {
        join_rows::<T, F>(memory, stride, &mut rows, lanes);
        let ends = totals.iter_mut().zip(&*lanes);
        match is_first {
            true => ends.for_each(|(total, lane)| *total = lane.total()),
            false => ends.for_each(|(total, lane)| *total = F::join(*total, lane.total())),
        }
        is_first = false;
    }
}

/// Joins up to [`DEPTH`] rows, which begin at these places, in lanes.
#[inline(always)]
fn join_rows<T: Number, F: Fold>(
    memory: &[T],
    stride: isize,
    rows: &mut impl Iterator<Item = usize>,
    lanes: &mut [T],
) {
    lanes.fill(F::start());
    for _ in 0..DEPTH / 4 {
        let (mut at, mut count) = ([0; 4], 0);
        for (at, row) in at.iter_mut().zip(&mut *rows) {
            (*at, count) = (row, count + 1);
        }
        if count > 2 && stride == 1 {
            // several rows at once, so that the lanes are read and written less often
            let n = lanes.len();
            let [a, b, c, d] = at.map(|at| &memory[at..at + n]);
            if count == 3 {
                for (i, lane) in lanes.iter_mut().enumerate() {
                    *lane = F::join(*lane, F::join(F::join(a[i], b[i]), c[i]));
                }
                return;
            }
            for (i, lane) in lanes.iter_mut().enumerate() {
                let (ab, cd) = (F::join(a[i], b[i]), F::join(c[i], d[i]));
                *lane = F::join(*lane, F::join(ab, cd));
            }
            continue;
        }
        for &(mut at) in &at[..count] {
            match stride {
                1 => lanes.iter_mut().zip(&memory[at..]).for_each(|(lane, x)| *lane = F::join(*lane, *x)),
                2.. => {
                    let xs = memory[at..].chunks(stride as usize);
                    lanes.iter_mut().zip(xs).for_each(|(lane, x)| *lane = F::join(*lane, x[0]));
                }
                _ => {
                    for lane in lanes.iter_mut() {
                        *lane = F::join(*lane, memory[at]);
                        at = at.wrapping_add_signed(stride);
                    }
                }
            }
        }
        if count < 4 {
            return;
        }
    }
}
