//! The steps of an LSTM.
use super::{Row, Step, bias_or_zeros, multiply, nth};
use crate::{
    CpuValue,
    matmul::last_two,
    panels::{Lanes, Panels},
    simd::{Level, dispatch},
    view,
};
use firesteel_core::{Outputs, Result};

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
    let hidden = h0.meta.shape[1];
    let bias = bias_or_zeros::<T>(bias, 4 * hidden)?;
    let panels = Panels::<T>::new([w, u].map(|w| last_two(w, w.layout.offset).t()))?;
    super::forward(x, [h0, c0], with_gates, |step: Step<T, 2>| {
        let Step { rows, before: [_, before], gates, states: [y, c] } = step;
        multiply(&panels, (&rows, 0), &bias, (gates, 0));
        let cells = gates.chunks_exact_mut(4 * hidden).zip(before.chunks_exact(hidden));
        let states = c.chunks_exact_mut(hidden).zip(y.chunks_exact_mut(hidden));
        for ((gates, before), (c, y)) in cells.zip(states) {
            dispatch!(|L| cell::<L, T>(gates, before, c, y));
        }
    })
}

/// `(ds, dh₀, dc₀)` of the states' weight, the first cell, all cells, the gates, and the gradients of states, cells and gates.
pub(crate) fn backward<T: Lanes>(
    u: &CpuValue,
    [c0, c, gates]: [&CpuValue; 3],
    [dy, dc]: [&CpuValue; 2],
    dgates: Option<&CpuValue>,
) -> Result<Outputs<CpuValue>> {
    let (c, dy, dc) = (view::contiguous(c)?, view::contiguous(dy)?, view::contiguous(dc)?);
    let (panels, hidden) = (Panels::<T>::new([last_two(u, u.layout.offset)])?, c0.meta.shape[1]);
    super::backward(&panels, [c0, &c, gates], dgates, |row: Row<T>, down, ds| {
        let here = [&c, &dy, &dc].map(|x| nth::<T>(x, row.at, hidden));
        dispatch!(|L| back::<L, T>(&row, here, down, ds));
    })
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

/// From the gradients that come from the step after, and those that the gates have received, makes those of the sums, and of
/// the cell before.
#[inline(always)]
fn back<L: Level, T: Lanes>(
    row: &Row<T>,
    [c, dy, dc]: [&[T]; 3],
    [down_h, down_c]: [&mut [T]; 2],
    ds: &mut [T],
) {
    let n = down_c.len();
    let [i, f, g, o] = row.gates.map(|gate| &gate[..n]);
    let (before, c, dy, dc, down_h) = (&row.before[..n], &c[..n], &dy[..n], &dc[..n], &mut down_h[..n]);
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
        down_h[j] = T::default();
    }
    if let Some(more) = row.dgates {
        ds.iter_mut().zip(more).for_each(|(ds, more)| *ds += *more);
    }
    for (gate, (ds, y)) in ds.chunks_exact_mut(n).zip(row.gates).enumerate() {
        if gate == 2 {
            ds.iter_mut().zip(y).for_each(|(ds, y)| *ds = *ds * (one - *y * *y));
        } else {
            ds.iter_mut().zip(y).for_each(|(ds, y)| *ds = *ds * *y * (one - *y));
        }
    }
}
