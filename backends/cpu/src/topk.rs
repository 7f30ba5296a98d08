//! The first `k` of an order along an axis, without sorting the rest.
use crate::{
    CpuValue, parallel,
    sort::{Entry, Ordered, directed, last},
    value::Output,
};
use firesteel_core::{DType, Metas, Outputs, Result};
use smallvec::smallvec;

#[cfg(test)]
mod tests;

/// The `k` largest (or smallest), in order and the first of equals first, and their indices.
pub(crate) fn topk(
    x: &CpuValue,
    k: usize,
    axis: usize,
    largest: bool,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let (x, back) = last(x, axis)?;
    let n = x.meta.shape[x.meta.shape.rank() - 1];
    let numel = out[0].numel();
    let mut indices = Output::<i64>::new(numel)?;
    let shape = x.meta.shape.with(x.meta.shape.rank() - 1, k);
    let values = native!(x.meta.dtype, T => {
        let xs = x.rows::<T>().unwrap_or_default();
        let mut values = Output::<T>::new(numel)?;
        if numel > 0 {
            let grain = (parallel::GRAIN / n).max(1) * k;
            parallel::pieces(indices.slice(), k, grain, |first, indices| {
                for (xs, indices) in xs[first * n..].chunks(n).zip(indices.chunks_mut(k)) {
                    select(xs, largest, indices);
                }
            });
            let rows = indices.slice().chunks(k).zip(xs.chunks(n)).zip(values.slice().chunks_mut(k));
            for ((indices, xs), values) in rows {
                values.iter_mut().zip(indices).for_each(|(y, &i)| *y = xs[i as usize]);
            }
        }
        values.finish(&shape, x.meta.dtype)
    });
    let indices = indices.finish(&shape, DType::I64);
    Ok(smallvec![values.view(values.layout.permute(&back)), indices.view(indices.layout.permute(&back))])
}

fn select<T: Ordered>(row: &[T], largest: bool, indices: &mut [i64]) {
    if T::BITS <= 32 && u32::try_from(row.len()).is_ok() {
        select_by::<T, u64>(row, largest, indices);
    } else {
        select_by::<T, u128>(row, largest, indices);
    }
}

/// How many keys are compared with the worst that is held at once.
const BLOCK: usize = 64;

/// Holds what may be among the first, and at times throws away all but the best of it; from then on only what
/// is better than the worst of those can come in.
fn select_by<T: Ordered, E: Entry>(row: &[T], largest: bool, indices: &mut [i64]) {
    let k = indices.len();
    let room = (2 * k).max(1024);
    let mut held: Vec<E> = Vec::with_capacity(room + BLOCK);
    let mut worst = u64::MAX;
    for (i, xs) in row.chunks(BLOCK).enumerate() {
        let better = |x: &T| directed(*x, largest) < worst;
        // an equal that comes later is not among the first, unless fewer than `k` are held
        if worst != u64::MAX && xs.iter().fold(true, |none, x| none & !better(x)) {
            continue;
        }
        for (j, x) in xs.iter().enumerate() {
            if worst == u64::MAX || better(x) {
                held.push(E::new(directed(*x, largest), i * BLOCK + j));
            }
        }
        if held.len() >= room {
            let (_, last, _) = held.select_nth_unstable(k - 1);
            worst = directed(row[last.index()], largest);
            held.truncate(k);
        }
    }
    held.sort_unstable();
    indices.iter_mut().zip(&held).for_each(|(y, entry)| *y = entry.index() as i64);
}
