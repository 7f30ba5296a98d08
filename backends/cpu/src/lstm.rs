//! All steps of an LSTM, and the way back through them. Rows do not meet, so each thread takes some of them through all
//! steps; the weight is packed once for all.
use crate::{
    CpuValue,
    matmul::last_two,
    panels::{Lanes, Panels, ROWS},
    parallel,
    simd::{Level, dispatch, dispatch_v3},
    value::Output,
    view,
};
use firesteel_core::{Outputs, Result};
use smallvec::smallvec;

/// `(y, c, gates?)` of the inputs, the weights of inputs and states, the bias, and the first states.
///
/// An input and the state before it are one row, and both weights one matrix.
pub(crate) fn forward<T: Lanes>(
    x: &CpuValue,
    [w, u]: [&CpuValue; 2],
    bias: Option<&CpuValue>,
    [h0, c0]: [&CpuValue; 2],
    with_gates: bool,
) -> Result<Outputs<CpuValue>> {
    let (x, h0, c0) = (view::contiguous(x)?, view::contiguous(h0)?, view::contiguous(c0)?);
    let ([steps, rows, inputs], hidden) =
        ([x.meta.shape[0], x.meta.shape[1], x.meta.shape[2]], h0.meta.shape[1]);
    let bias = match bias {
        Some(bias) => from(&view::contiguous(bias)?, 0).to_vec(),
        None => vec![T::default(); 4 * hidden],
    };
    let panels = Panels::<T>::new([w, u].map(|w| last_two(w, w.layout.offset).t()))?;
    let states = steps * rows * hidden;
    let mut outputs = [Output::<T>::new(states)?, Output::new(states)?];
    let mut kept = if with_gates { Some(Output::<T>::new(4 * states)?) } else { None };
    let share = share([steps, rows, inputs + hidden, hidden]);
    let gates = kept.iter_mut().flat_map(|gates| shares([gates.slice()], steps, rows, share));
    let gates = gates.map(Some).chain(std::iter::repeat_with(|| None));
    let jobs = shares(outputs.each_mut().map(Output::slice), steps, rows, share).into_iter().zip(gates);
    parallel::try_jobs(jobs.enumerate().collect(), |(job, (steps, gates))| {
        let first = job * share;
        let (mut h, mut before) = (from(&h0, first * hidden), from(&c0, first * hidden));
        // where nobody asks for them, the gates of one step take the place of those of the step before
        let mut passing = Output::<T>::new(if gates.is_some() { 0 } else { 4 * share * hidden })?;
        let mut gates = gates.into_iter().flatten();
        for (t, [y, c]) in steps.into_iter().enumerate() {
            let gates = match gates.next() {
                Some([gates]) => gates,
                None => &mut passing.slice()[..4 * y.len()],
            };
            let x = from::<T>(&x, (t * rows + first) * inputs).chunks_exact(inputs);
            let both = x.zip(h.chunks_exact(hidden)).take(y.len() / hidden).map(<[_; 2]>::from);
            dispatch_v3!(|L| panels.times(&both.collect::<Vec<_>>(), |row, columns, sums| {
                let gates = &mut gates[row * 4 * hidden..][columns.clone()];
                gates.iter_mut().zip(&bias[columns]).zip(sums).for_each(|((gate, b), sum)| *gate = *b + *sum);
            }));
            let cells = gates.chunks_exact_mut(4 * hidden).zip(before.chunks_exact(hidden));
            let states = c.chunks_exact_mut(hidden).zip(y.chunks_exact_mut(hidden));
            for ((gates, before), (c, y)) in cells.zip(states) {
                dispatch!(|L| cell::<L, T>(gates, before, c, y));
            }
            (h, before) = (y, c);
        }
        Ok(())
    })?;
    let dtype = x.meta.dtype;
    let finish = |y: Output<T>, width| y.finish([steps, rows, width], dtype);
    Ok(outputs
        .into_iter()
        .map(|y| finish(y, hidden))
        .chain(kept.map(|gates| finish(gates, 4 * hidden)))
        .collect())
}

/// `(ds, dh₀, dc₀)` of the states' weight, the first cell, all cells, the gates, and the gradients of states, cells and gates.
pub(crate) fn backward<T: Lanes>(
    u: &CpuValue,
    [c0, c, gates]: [&CpuValue; 3],
    [dy, dc]: [&CpuValue; 2],
    dgates: Option<&CpuValue>,
) -> Result<Outputs<CpuValue>> {
    let (c0, c, gates) = (view::contiguous(c0)?, view::contiguous(c)?, view::contiguous(gates)?);
    let (dy, dc, dgates) =
        (view::contiguous(dy)?, view::contiguous(dc)?, dgates.map(view::contiguous).transpose()?);
    let [steps, rows, hidden] = sizes(&gates);
    let panels = Panels::<T>::new([last_two(u, u.layout.offset)])?;
    let mut ds = Output::<T>::new(4 * steps * rows * hidden)?;
    let mut ends = [Output::<T>::new(rows * hidden)?, Output::new(rows * hidden)?];
    let share = share([steps, rows, hidden, hidden]);
    let jobs = shares([ds.slice()], steps, rows, share).into_iter();
    let ends_of = shares(ends.each_mut().map(Output::slice), 1, rows, share).into_iter().flatten();
    parallel::jobs(jobs.zip(ends_of).enumerate().collect(), |(job, (steps, [down_h, down_c]))| {
        let first = job * share;
        down_h.fill(T::default());
        down_c.fill(T::default());
        for (t, [ds]) in steps.into_iter().enumerate().rev() {
            for row in 0..down_h.len() / hidden {
                let at = (t * rows + first + row) * hidden;
                let before = match t.checked_sub(1) {
                    Some(t) => from(&c, (t * rows + first + row) * hidden),
                    None => from(&c0, (first + row) * hidden),
                };
                let step = Step {
                    gates: parts(from(&gates, 4 * at), hidden),
                    before: &before[..hidden],
                    c: &from(&c, at)[..hidden],
                    dy: &from(&dy, at)[..hidden],
                    dc: &from(&dc, at)[..hidden],
                    dgates: dgates.as_ref().map(|more| parts(from(more, 4 * at), hidden)),
                };
                let here = row * hidden..(row + 1) * hidden;
                let ds = &mut ds[row * 4 * hidden..][..4 * hidden];
                dispatch!(|L| step.back::<L>(&down_h[here.clone()], &mut down_c[here], ds));
            }
            let slopes: Vec<[&[T]; 1]> = ds.chunks_exact(4 * hidden).map(|ds| [ds]).collect();
            dispatch_v3!(|L| panels.times(&slopes, |row, columns, sums| {
                down_h[row * hidden..][columns].copy_from_slice(sums);
            }));
        }
    });
    let dtype = gates.meta.dtype;
    let [dh0, dc0] = ends.map(|end| end.finish([rows, hidden], dtype));
    Ok(smallvec![ds.finish(&gates.meta.shape, dtype), dh0, dc0])
}

/// Steps, rows, and hidden features, by the gates of all steps.
fn sizes(gates: &CpuValue) -> [usize; 3] {
    let shape = &gates.meta.shape;
    [shape[0], shape[1], shape[2] / 4]
}

/// The elements of a contiguous value from one on.
fn from<T: Lanes>(x: &CpuValue, start: usize) -> &[T] {
    &x.rows::<T>().unwrap_or_default()[start..]
}

/// How many rows a thread takes through all steps. What is multiplied together stays together.
fn share([steps, rows, inputs, hidden]: [usize; 4]) -> usize {
    let work = steps.saturating_mul(rows).saturating_mul(inputs).saturating_mul(4 * hidden);
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

/// The gates `i, f, g, o` of a row.
fn parts<T>(gates: &[T], hidden: usize) -> [&[T]; 4] {
    std::array::from_fn(|gate| &gates[gate * hidden..][..hidden])
}

/// Turns sums into gates, and computes the next cell and state of a row.
#[inline(always)]
fn cell<L: Level, T: Lanes>(gates: &mut [T], before: &[T], c: &mut [T], y: &mut [T]) {
    let n = c.len();
    let (i_f, g_o) = gates.split_at_mut(2 * n);
    let (g, o) = g_o.split_at_mut(n);
    i_f.iter_mut().for_each(|x| *x = T::sigmoid::<L>(*x));
    g.iter_mut().for_each(|x| *x = T::tanh::<L>(*x));
    o.iter_mut().for_each(|x| *x = T::sigmoid::<L>(*x));
    let (i, f) = i_f.split_at(n);
    let (f, o, before, y) = (&f[..n], &o[..n], &before[..n], &mut y[..n]);
    for j in 0..n {
        c[j] = L::fma(f[j], before[j], i[j] * g[j]);
        y[j] = o[j] * T::tanh::<L>(c[j]);
    }
}

/// What the way back through one step of one row reads.
struct Step<'a, T> {
    gates: [&'a [T]; 4],
    before: &'a [T],
    c: &'a [T],
    dy: &'a [T],
    dc: &'a [T],
    dgates: Option<[&'a [T]; 4]>,
}

impl<T: Lanes> Step<'_, T> {
    /// Writes `ds`, from the gradients that come from the step after; `down_c` becomes that for the step before.
    #[inline(always)]
    fn back<L: Level>(&self, down_h: &[T], down_c: &mut [T], ds: &mut [T]) {
        let n = down_c.len();
        let [i, f, g, o] = self.gates.map(|gate| &gate[..n]);
        let (before, c, dy, dc, down_h) =
            (&self.before[..n], &self.c[..n], &self.dy[..n], &self.dc[..n], &down_h[..n]);
        let (di_df, dg_do) = ds.split_at_mut(2 * n);
        let ((di, df), (dg, d_o)) = (di_df.split_at_mut(n), dg_do.split_at_mut(n));
        let (df, d_o) = (&mut df[..n], &mut d_o[..n]);
        let one = T::of(1.0);
        for j in 0..n {
            let tanh = T::tanh::<L>(c[j]);
            let dh = dy[j] + down_h[j];
            let dc = dc[j] + down_c[j] + dh * o[j] * (one - tanh * tanh);
            di[j] = dc * g[j];
            df[j] = dc * before[j];
            dg[j] = dc * i[j];
            d_o[j] = dh * tanh;
            down_c[j] = dc * f[j];
        }
        if let Some(more) = self.dgates {
            for (ds, more) in ds.chunks_exact_mut(n).zip(more) {
                ds.iter_mut().zip(more).for_each(|(ds, more)| *ds += *more);
            }
        }
        for (gate, (ds, y)) in ds.chunks_exact_mut(n).zip(self.gates).enumerate() {
            if gate == 2 {
                ds.iter_mut().zip(y).for_each(|(ds, y)| *ds = *ds * (one - *y * *y));
            } else {
                ds.iter_mut().zip(y).for_each(|(ds, y)| *ds = *ds * *y * (one - *y));
            }
        }
    }
}
