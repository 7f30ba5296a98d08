//! All steps of a recurrent net, and the way back through them. Rows do not meet, so each thread takes some of them through
//! all steps; weights are packed once for all.
pub(crate) mod gru;
pub(crate) mod lstm;

use crate::{
    CpuValue,
    gemm::Matrix,
    panels::{Lanes, Packed, Panels, ROWS},
    parallel,
    simd::dispatch_v3,
    value::Output,
    view,
};
use firesteel_core::{Outputs, Result};

/// Gates of a step, for each number of a state.
const GATES: usize = 4;

/// What some rows read and write in a step.
struct Step<'a, T, const N: usize> {
    /// Each an input, and the first of the states before.
    rows: Packed<T>,
    before: [&'a [T]; N],
    gates: &'a mut [T],
    states: [&'a mut [T]; N],
}

/// The states after each step, and the gates where they are wanted. A step writes its gates and states.
fn forward<T: Lanes, const N: usize>(
    x: &CpuValue,
    first: [&CpuValue; N],
    with_gates: bool,
    step: impl Fn(Step<T, N>) + Sync,
) -> Result<Outputs<CpuValue>> {
    let x = view::contiguous(x)?;
    let firsts = first.iter().map(|state| view::contiguous(state)).collect::<Result<Vec<_>>>()?;
    let [steps, rows, inputs] = sizes(&x);
    let hidden = firsts[0].meta.shape[1];
    let states = steps * rows * hidden;
    let mut outputs = first.iter().map(|_| Output::<T>::new(states)).collect::<Result<Vec<_>>>()?;
    let mut kept = if with_gates { Some(Output::<T>::new(GATES * states)?) } else { None };
    let share = share([steps, rows, inputs + hidden, hidden]);
    let gates = kept.iter_mut().flat_map(|gates| shares([gates.slice()], steps, rows, share));
    let gates = gates.map(Some).chain(std::iter::repeat_with(|| None));
    let jobs = shares(slices::<T, N>(&mut outputs), steps, rows, share).into_iter().zip(gates);
    parallel::try_jobs(jobs.enumerate().collect(), |(job, (steps, gates))| {
        let first = job * share;
        let mut before: [&[T]; N] = std::array::from_fn(|i| from(&firsts[i], first * hidden));
        // where nobody asks for them, the gates of one step take the place of those of the step before
        let mut passing = Output::<T>::new(if gates.is_some() { 0 } else { GATES * share * hidden })?;
        let mut gates = gates.into_iter().flatten();
        for (t, mut states) in steps.into_iter().enumerate() {
            let count = states[0].len() / hidden;
            let gates = match gates.next() {
                Some([gates]) => gates,
                None => &mut passing.slice()[..GATES * count * hidden],
            };
            let x = &from(&x, (t * rows + first) * inputs)[..count * inputs];
            let before_rows = Matrix::rows(&before[0][..count * hidden], [count, hidden]);
            let rows = Packed::new([Matrix::rows(x, [count, inputs]), before_rows]);
            step(Step { rows, before, gates, states: states.each_mut().map(|y| &mut **y) });
            before = states.map(|y| &*y);
        }
        Ok(())
    })?;
    let finish = |y: Output<T>, width| y.finish([steps, rows, width], x.meta.dtype);
    let states = outputs.into_iter().map(|y| finish(y, hidden));
    Ok(states.chain(kept.map(|gates| finish(gates, GATES * hidden))).collect())
}

/// Writes products with some of the rows' numbers, from one on, and a bias to those gates that lie from a column on.
fn multiply<T: Lanes>(
    panels: &Panels<T>,
    (rows, number): (&Packed<T>, usize),
    bias: &[T],
    (gates, column): (&mut [T], usize),
) {
    let (width, bias) = (bias.len(), &bias[column..]);
    dispatch_v3!(|L| panels.times(rows, number, |row, columns, sums| {
        let gates = &mut gates[row * width + column..][columns.clone()];
        gates.iter_mut().zip(&bias[columns]).zip(sums).for_each(|((gate, b), sum)| *gate = *b + *sum);
    }));
}

/// What the way back through one step of one row reads.
struct Row<'a, T> {
    /// Which it is of the rows of all steps.
    at: usize,
    /// What the step kept of the step before.
    before: &'a [T],
    gates: [&'a [T]; GATES],
    /// The gradients that the gates have received themselves.
    dgates: Option<&'a [T]>,
}

/// `(ds, gradients of the first states..)`. `back` makes of what comes through a row the gradients of its sums; what goes to
/// the step before stays in `down`, and to the first of these the products of the first numbers of `ds` with `weight` are
/// added.
fn backward<T: Lanes, const N: usize>(
    weight: &Panels<T>,
    [first, all, gates]: [&CpuValue; 3],
    dgates: Option<&CpuValue>,
    back: impl Fn(Row<T>, [&mut [T]; N], &mut [T]) + Sync,
) -> Result<Outputs<CpuValue>> {
    let (first, all, gates) = (view::contiguous(first)?, view::contiguous(all)?, view::contiguous(gates)?);
    let dgates = dgates.map(view::contiguous).transpose()?;
    let [steps, rows, hidden] = sizes(&all);
    let width = GATES * hidden;
    let mut ds = Output::<T>::new(steps * rows * width)?;
    let mut ends = (0..N).map(|_| Output::<T>::new(rows * hidden)).collect::<Result<Vec<_>>>()?;
    let share = share([steps, rows, hidden, hidden]);
    let jobs = shares([ds.slice()], steps, rows, share).into_iter();
    let ends_of = shares(slices::<T, N>(&mut ends), 1, rows, share).into_iter().flatten();
    parallel::jobs(jobs.zip(ends_of).enumerate().collect(), |(job, (steps, mut down))| {
        let start = job * share;
        down.iter_mut().for_each(|down| down.fill(T::default()));
        for (t, [ds]) in steps.into_iter().enumerate().rev() {
            for (row, ds) in ds.chunks_exact_mut(width).enumerate() {
                let at = t * rows + start + row;
                let before = match t {
                    0 => nth(&first, at, hidden),
                    _ => nth(&all, at - rows, hidden),
                };
                let gates = nth(&gates, at, width);
                let gates = std::array::from_fn(|gate| &gates[gate * hidden..][..hidden]);
                let down = down.each_mut().map(|down| &mut down[row * hidden..][..hidden]);
                let dgates = dgates.as_ref().map(|dgates| nth(dgates, at, width));
                back(Row { at, before, gates, dgates }, down, ds);
            }
            let slopes = Matrix::rows(ds, [ds.len() / width, width]).columns(0..weight.rows());
            let (slopes, down) = (Packed::new([slopes]), &mut *down[0]);
            dispatch_v3!(|L| weight.times(&slopes, 0, |row, columns, sums| {
                let down = &mut down[row * hidden..][columns];
                down.iter_mut().zip(sums).for_each(|(down, sum)| *down += *sum);
            }));
        }
    });
    let dtype = gates.meta.dtype;
    let ends = ends.into_iter().map(|end| end.finish([rows, hidden], dtype));
    Ok([ds.finish(&gates.meta.shape, dtype)].into_iter().chain(ends).collect())
}

/// Steps, rows, and numbers of each.
fn sizes(x: &CpuValue) -> [usize; 3] {
    [x.meta.shape[0], x.meta.shape[1], x.meta.shape[2]]
}

/// The elements of a contiguous value from one on.
fn from<T: Lanes>(x: &CpuValue, start: usize) -> &[T] {
    &x.rows::<T>().unwrap_or_default()[start..]
}

/// A row of a contiguous value.
fn nth<T: Lanes>(x: &CpuValue, at: usize, width: usize) -> &[T] {
    &from(x, at * width)[..width]
}

/// What is to be written of as many outputs.
fn slices<T: Lanes, const N: usize>(outputs: &mut [Output<T>]) -> [&mut [T]; N] {
    let mut slices = outputs.iter_mut().map(Output::slice);
    std::array::from_fn(|_| slices.next().unwrap_or_default())
}

/// How many rows a thread takes through all steps. What is multiplied together stays together.
fn share([steps, rows, inputs, hidden]: [usize; 4]) -> usize {
    let work = steps.saturating_mul(rows).saturating_mul(inputs).saturating_mul(GATES * hidden);
    let threads = if work < parallel::GRAIN * 32 { 1 } else { parallel::num_threads() };
    rows.div_ceil(threads).next_multiple_of(ROWS)
}

/// The parts of outputs `[steps, rows, ..]` that are some rows' in each step, for `share` rows after another.
fn shares<T, const N: usize>(
    outputs: [&mut [T]; N],
    steps: usize,
    rows: usize,
    share: usize,
) -> Vec<Vec<[&mut [T]; N]>> {
    let mut jobs: Vec<Vec<_>> = (0..rows.div_ceil(share)).map(|_| Vec::with_capacity(steps)).collect();
    let mut each_step = outputs.map(|y| {
        let size = y.len() / steps;
        y.chunks_exact_mut(size)
    });
    for _ in 0..steps {
        let mut parts = each_step.each_mut().map(|steps| {
            let step = steps.next().unwrap_or_default();
            let size = step.len() / rows * share;
            step.chunks_mut(size)
        });
        for job in &mut jobs {
            job.push(parts.each_mut().map(|parts| parts.next().unwrap_or_default()));
        }
    }
    jobs
}

/// A bias as it lies in memory, or zeros.
fn bias_or_zeros<T: Lanes>(bias: Option<&CpuValue>, len: usize) -> Result<Vec<T>> {
    Ok(match bias {
        Some(bias) => from(&view::contiguous(bias)?, 0).to_vec(),
        None => vec![T::default(); len],
    })
}
