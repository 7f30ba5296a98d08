//! The steps of a GRU. Its gates lie as `m, r, z, g`.
use super::{Row, Step, bias_or_zeros, multiply, nth};
use crate::{
    CpuValue,
    matmul::last_two,
    panels::{Lanes, Panels},
    simd::{Level, dispatch},
    view,
};
use firesteel_core::{Outputs, Result};

/// `(y, gates?)` of the inputs, the weights of inputs and states, both biases or none, and the first state.
///
/// Of an input and the state before it as one row, `r` and `z` read all, `m` the state and `g` the input.
pub(crate) fn forward<T: Lanes>(
    x: &CpuValue,
    [w, u]: [&CpuValue; 2],
    biases: &[&CpuValue],
    h0: &CpuValue,
    with_gates: bool,
) -> Result<Outputs<CpuValue>> {
    let (inputs, hidden) = (x.meta.shape[2], h0.meta.shape[1]);
    let bias = bias::<T>(biases, hidden)?;
    let [w, u] = [w, u].map(|w| last_two(w, w.layout.offset).t());
    let (early, last) = (0..2 * hidden, 2 * hidden..3 * hidden);
    let both = Panels::<T>::new([w.columns(early.clone()), u.columns(early)])?;
    let (of_state, of_input) = (Panels::new([u.columns(last.clone())])?, Panels::new([w.columns(last)])?);
    super::forward(x, [h0], with_gates, |step: Step<T, 1>| {
        let Step { rows, before: [before], gates, states: [y] } = step;
        multiply(&of_state, (&rows, inputs), &bias, (gates, 0));
        multiply(&both, (&rows, 0), &bias, (gates, hidden));
        multiply(&of_input, (&rows, 0), &bias, (gates, 3 * hidden));
        let rows = before.chunks_exact(hidden).zip(y.chunks_exact_mut(hidden));
        for (gates, (before, y)) in gates.chunks_exact_mut(4 * hidden).zip(rows) {
            dispatch!(|L| cell::<L, T>(gates, before, y));
        }
    })
}

/// What is added to the products of each gate, of the biases of inputs and states.
fn bias<T: Lanes>(biases: &[&CpuValue], hidden: usize) -> Result<Vec<T>> {
    let of_input = bias_or_zeros::<T>(biases.first().copied(), 3 * hidden)?;
    let of_state = bias_or_zeros::<T>(biases.get(1).copied(), 3 * hidden)?;
    let last = 2 * hidden..;
    let both = of_input.iter().zip(&of_state).map(|(b, d)| *b + *d).take(2 * hidden);
    Ok(of_state[last.clone()].iter().copied().chain(both).chain(of_input[last].iter().copied()).collect())
}

/// `(ds, dh₀)` of the states' weight, the first state, all states, the gates, and the gradients of states and gates.
pub(crate) fn backward<T: Lanes>(
    u: &CpuValue,
    [h0, y, gates]: [&CpuValue; 3],
    dy: &CpuValue,
    dgates: Option<&CpuValue>,
) -> Result<Outputs<CpuValue>> {
    let (dy, hidden) = (view::contiguous(dy)?, h0.meta.shape[1]);
    let u = last_two(u, u.layout.offset);
    let panels = Panels::<T>::new([u.part(2 * hidden, hidden), u.part(0, 2 * hidden)])?;
    super::backward(&panels, [h0, y, gates], dgates, |row: Row<T>, down, ds| {
        dispatch!(|L| back::<L, T>(&row, nth(&dy, row.at, hidden), down, ds));
    })
}

/// Turns sums into gates, and computes the next state of a row.
#[inline(always)]
fn cell<L: Level, T: Lanes>(gates: &mut [T], before: &[T], y: &mut [T]) {
    let n = y.len();
    let (m_r, z_g) = gates.split_at_mut(2 * n);
    let ((m, r), (z, g)) = (m_r.split_at_mut(n), z_g.split_at_mut(n));
    let (m, r, z, g, before) = (&m[..n], &mut r[..n], &mut z[..n], &mut g[..n], &before[..n]);
    r.iter_mut().for_each(|x| *x = T::sigmoid::<L>(*x));
    z.iter_mut().for_each(|x| *x = T::sigmoid::<L>(*x));
    for j in 0..n {
        g[j] = T::tanh::<L>(L::fma(r[j], m[j], g[j]));
        y[j] = L::fma(z[j], before[j] - g[j], g[j]);
    }
}

/// From the gradients that come from the step after, and those that the gates have received, makes those of the sums, and of
/// the state before but for what comes through the sums.
#[inline(always)]
fn back<L: Level, T: Lanes>(row: &Row<T>, dy: &[T], [down]: [&mut [T]; 1], ds: &mut [T]) {
    match row.dgates {
        Some(dgates) => ds.copy_from_slice(dgates),
        None => ds.fill(T::default()),
    }
    let n = down.len();
    let [m, r, z, g] = row.gates.map(|gate| &gate[..n]);
    let (before, dy) = (&row.before[..n], &dy[..n]);
    let (dm_dr, dz_dg) = ds.split_at_mut(2 * n);
    let ((dm, dr), (dz, dg)) = (dm_dr.split_at_mut(n), dz_dg.split_at_mut(n));
    let (dm, dr, dz, dg) = (&mut dm[..n], &mut dr[..n], &mut dz[..n], &mut dg[..n]);
    let one = T::of(1.0);
    for j in 0..n {
        let dh = dy[j] + down[j];
        let ds = (dg[j] + dh * (one - z[j])) * (one - g[j] * g[j]);
        dg[j] = ds;
        dm[j] += ds * r[j];
        dr[j] = (dr[j] + ds * m[j]) * r[j] * (one - r[j]);
        dz[j] = (dz[j] + dh * (before[j] - g[j])) * z[j] * (one - z[j]);
        down[j] = dh * z[j];
    }
}
