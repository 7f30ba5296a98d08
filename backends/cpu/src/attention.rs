//! Scaled dot-product attention, over blocks of keys, so that no row of scores is ever whole:
//! <https://arxiv.org/abs/2205.14135>.
use crate::{
    CpuValue,
    gemm::{Matrix, MatrixMut},
    matmul::{last_two, starts},
    parallel,
    real::{Real, larger, largest_of, replaced},
    simd::{Level, dispatch},
    value::{Native, Output},
};
use firesteel_core::{DType, Error, Metas, Outputs, Result};
use smallvec::smallvec;

/// Queries and keys of one block of scores, which stays in cache; fewer queries where each sees other keys, since a block
/// computes what its last one sees.
const QUERIES: usize = 128;
const CAUSAL_QUERIES: usize = 64;
const KEYS: usize = 256;

/// `(softmax(scale · q kᵀ + mask) v, lse)`.
pub(crate) fn attention<T: Real>(
    xs: &[&CpuValue],
    scale: f64,
    causal: bool,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let [q, k, v, mask @ ..] = xs else {
        return Err(Error::internal("scaled_dot_product_attention", "takes three or four operands"));
    };
    let [.., queries, width] = out[0].shape[..] else {
        return Err(Error::internal("scaled_dot_product_attention", "needs two dims"));
    };
    let [from_q, from_k, from_v] = [starts(q), starts(k), starts(v)];
    let mask = mask.first().map(|mask| (mask, starts(mask)));
    let mut y = Output::<T>::new(out[0].numel())?;
    let mut lse = Output::<T>::new(out[1].numel())?;

    let work = 4 * width * k.meta.shape[k.meta.shape.rank() - 2];
    let grain = (parallel::GRAIN * 8 / work).max(1) * width;
    parallel::rows(y.slice(), width, [lse.slice()], grain, &|first, y, [lse]| {
        let mut scores = Output::<T>::new(QUERIES * KEYS)?;
        let mut done = 0;
        while done < lse.len() {
            let (batch, row) = ((first + done) / queries, (first + done) % queries);
            let most = if causal { CAUSAL_QUERIES } else { QUERIES };
            let len = most.min(queries - row).min(lse.len() - done);
            let block = Block {
                q: last_two(q, from_q[batch]).part(row, len),
                k: last_two(k, from_k[batch]),
                v: last_two(v, from_v[batch]),
                mask: mask.as_ref().map(|(mask, starts)| (**mask, starts[batch])),
                scale: T::of(scale),
                row,
                seen: causal.then_some(row + 1),
            };
            let y = &mut y[done * width..][..len * width];
            block.run(scores.slice(), y, &mut lse[done..done + len]);
            done += len;
        }
        Ok(())
    })?;
    Ok(smallvec![y.finish(&out[0].shape, out[0].dtype), lse.finish(&out[1].shape, out[1].dtype)])
}

/// Some queries and all of their keys.
struct Block<'a, T> {
    q: Matrix<'a, T>,
    k: Matrix<'a, T>,
    v: Matrix<'a, T>,
    /// And where the matrix of this batch starts in its memory.
    mask: Option<(&'a CpuValue, usize)>,
    scale: T,
    /// The number of the first query.
    row: usize,
    /// How many keys the first query sees, where each sees one more than the one before.
    seen: Option<usize>,
}

impl<T: Real> Block<'_, T> {
    /// Writes `y [queries, width]` and the logarithms of the denominators.
    fn run(&self, scores: &mut [T], y: &mut [T], lse: &mut [T]) {
        let [queries, _] = self.q.size;
        let [all, width] = self.v.size;
        let end = self.seen.map_or(all, |seen| all.min(seen + queries - 1));
        let mut max = [T::NEG_INFINITY; QUERIES];
        let mut total = [0.0; QUERIES];
        y.fill(T::default());
        for key in (0..end).step_by(KEYS) {
            let keys = KEYS.min(end - key);
            let scores = &mut scores[..queries * keys];
            T::product(
                &mut MatrixMut::rows(scores, [queries, keys]),
                self.q,
                self.k.part(key, keys).t(),
                false,
                false,
            );
            for (i, (s, y)) in scores.chunks_exact_mut(keys).zip(y.chunks_exact_mut(width)).enumerate() {
                // scaled as a gradient will scale them again, to the last bit
                let scale = self.masked(s, i, key);
                (max[i], total[i]) = dispatch!(|L| joined::<L, T>(s, y, scale, max[i], total[i]));
            }
            T::product(
                &mut MatrixMut::rows(y, [queries, width]),
                Matrix::rows(scores, [queries, keys]),
                self.v.part(key, keys),
                true,
                false,
            );
        }
        for (i, (lse, y)) in lse.iter_mut().zip(y.chunks_exact_mut(width)).enumerate() {
            if total[i] == 0.0 {
                *lse = T::NEG_INFINITY; // no key was seen, and `y` is zero
                continue;
            }
            *lse = T::of(total[i].ln()) + shift(max[i]);
            let scale = T::of(1.0 / total[i]);
            y.iter_mut().for_each(|y| *y = *y * scale);
        }
    }

    /// Scales the scores of query `i` with the keys from `key` and adds the mask, if there is one; gives the scale that is
    /// left to do.
    fn masked(&self, s: &mut [T], i: usize, key: usize) -> T {
        if self.mask.is_none() && self.seen.is_none() {
            return self.scale;
        }
        dispatch!(|L| {
            for s in &mut *s {
                *s = *s * self.scale;
            }
        });
        if let Some((mask, start)) = self.mask {
            match mask.meta.dtype {
                DType::Bool => with_mask(s, mask, start, [self.row + i, key], |s, keep: u8| {
                    if keep == 0 { T::NEG_INFINITY } else { s }
                }),
                _ => with_mask(s, mask, start, [self.row + i, key], |s, m: T| s + m),
            }
        }
        if let Some(seen) = self.seen {
            let seen = (seen + i).saturating_sub(key).min(s.len());
            s[seen..].fill(T::NEG_INFINITY);
        }
        T::of(1.0)
    }
}

/// Combines scores with what the mask has from `[row, column]` on.
fn with_mask<T: Real, M: Native>(
    s: &mut [T],
    mask: &CpuValue,
    start: usize,
    [row, column]: [usize; 2],
    f: impl Fn(T, M) -> T,
) {
    let [.., down, right] = mask.layout.strides[..] else {
        return;
    };
    let memory = mask.memory::<M>();
    let start = start.wrapping_add_signed(row as isize * down + column as isize * right);
    if right == 1 {
        s.iter_mut().zip(&memory[start..]).for_each(|(s, m)| *s = f(*s, *m));
    } else {
        for (j, s) in s.iter_mut().enumerate() {
            *s = f(*s, memory[start.wrapping_add_signed(j as isize * right)]);
        }
    }
}

/// Turns scores into `e^(scale s - max)`, and shrinks what is already in `y` and the total to the new maximum, which it gives
/// with the new total.
#[inline(always)]
fn joined<L: Level, T: Real>(s: &mut [T], y: &mut [T], scale: T, max: T, total: f64) -> (T, f64) {
    let top = larger(max, largest_of(s, |s| s * scale));
    let by = shift(top);
    let sum = replaced(s, |s| T::exp::<L>(s * scale - by));
    let mut total = total;
    if top > max {
        let shrink = T::exp::<L>(max - by);
        y.iter_mut().for_each(|y| *y = *y * shrink);
        total *= shrink.to_f64();
    }
    (top, total + sum)
}

/// What scores are shifted by: nothing, where there is none above -∞.
#[inline(always)]
fn shift<T: Real>(max: T) -> T {
    if max == T::NEG_INFINITY { T::default() } else { max }
}
