//! In order along an axis.
//!
//! Every element becomes an unsigned key that orders as the element does, with NaN largest. Keys are
//! sorted together with the indices they came from, which keeps equals in their order: few by comparing, many by
//! their digits.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue, parallel,
    value::{Native, Output},
    view,
};
use firesteel_core::{Axes, DType, Outputs, Result};
use half::{bf16, f16};
use smallvec::smallvec;

/// An element that has a key.
pub(crate) trait Ordered: Native {
    /// How many of the key's bits count.
    const BITS: u32;
    /// Orders as the element does: NaN is largest, and both zeros are equal.
    fn key(self) -> u64;
}

macro_rules! ordered {
    (floats $($t:ident $bits:ident;)*) => {$(
        impl Ordered for $t {
            const BITS: u32 = $bits::BITS;
            #[inline(always)]
            fn key(self) -> u64 {
                const SIGN: $bits = 1 << ($bits::BITS - 1);
                let bits = self.to_bits();
                let size = bits & !SIGN;
                let key = if bits == size { bits | SIGN } else { !bits };
                let key = if size == 0 { SIGN } else { key };
                let key = if size > Self::INFINITY.to_bits() { $bits::MAX } else { key };
                key.into()
            }
        }
    )*};
    (integers $($t:ident $bits:ident;)*) => {$(
        impl Ordered for $t {
            const BITS: u32 = $bits::BITS;
            #[inline(always)]
            fn key(self) -> u64 {
                (self as $bits ^ ($t::MIN as $bits)).into()
            }
        }
    )*};
}

ordered! { floats f64 u64; f32 u32; bf16 u16; f16 u16; }
ordered! { integers i64 u64; i32 u32; i8 u8; u32 u32; u8 u8; }

pub(crate) fn sort(x: &CpuValue, axis: usize, descending: bool) -> Result<Outputs<CpuValue>> {
    let (x, back) = last(x, axis)?;
    let n = x.meta.shape.last().copied().unwrap_or(1).max(1);
    let mut indices = Output::<i64>::new(x.meta.numel())?;
    let values = native!(x.meta.dtype, T => {
        let xs = x.rows::<T>().unwrap_or_default();
        let mut values = Output::<T>::new(xs.len())?;
        parallel::pieces(indices.slice(), n, parallel::GRAIN / 8, |first, indices| {
            for (i, indices) in indices.chunks_mut(n).enumerate() {
                order(&xs[(first + i) * n..][..indices.len()], descending, indices);
            }
        });
        let indices = &*indices.slice();
        parallel::pieces(values.slice(), n, parallel::GRAIN, |first, values| {
            for (i, values) in values.chunks_mut(n).enumerate() {
                let row = (first + i) * n;
                let indices = &indices[row..row + values.len()];
                values.iter_mut().zip(indices).for_each(|(y, &i)| *y = xs[row + i as usize]);
            }
        });
        values.finish(&x.meta.shape, x.meta.dtype)
    });
    let indices = indices.finish(&x.meta.shape, DType::I64);
    Ok(smallvec![values.view(values.layout.permute(&back)), indices.view(indices.layout.permute(&back))])
}

/// The value row-major with the axis last, and the order of axes that undoes it.
pub(crate) fn last(x: &CpuValue, axis: usize) -> Result<(CpuValue, Axes)> {
    let rank = x.meta.shape.rank();
    let axes: Axes = (0..rank).filter(|&a| a != axis).chain([axis]).collect();
    let back = (0..rank).map(|a| match a {
        a if a < axis => a,
        a if a == axis => rank - 1,
        a => a - 1,
    });
    Ok((view::contiguous(&x.view(x.layout.permute(&axes)))?, back.collect()))
}

/// The indices of a row's elements in order.
fn order<T: Ordered>(row: &[T], descending: bool, indices: &mut [i64]) {
    if T::BITS <= 32 && u32::try_from(row.len()).is_ok() {
        sorted::<T, u64>(row, descending, indices);
    } else {
        sorted::<T, u128>(row, descending, indices);
    }
}

/// A key above the index that it came from, in one number: no two are equal, and their order is the stable one.
pub(crate) trait Entry: Copy + Ord + Send + Sync {
    const NONE: Self;
    fn new(key: u64, index: usize) -> Self;
    fn index(self) -> usize;
    /// The bits of the key from `shift` on, as many as a digit has.
    fn digit(self, shift: u32) -> usize;
}

macro_rules! entries {
    ($($t:ident by $half:literal;)*) => {$(
        impl Entry for $t {
            const NONE: Self = 0;
            #[inline(always)]
            fn new(key: u64, index: usize) -> Self {
                ($t::from(key) << $half) | index as $t
            }
            #[inline(always)]
            fn index(self) -> usize {
                (self & ((1 << $half) - 1)) as usize
            }
            #[inline(always)]
            fn digit(self, shift: u32) -> usize {
                (self >> ($half + shift)) as usize % DIGITS
            }
        }
    )*};
}

entries! { u64 by 32; u128 by 64; }

/// Bits of a digit, by which a long row is sorted in one pass.
const DIGIT: u32 = 11;
const DIGITS: usize = 1 << DIGIT;
/// Below this, comparing is faster than counting.
const FEW: usize = 512;

fn sorted<T: Ordered, E: Entry>(row: &[T], descending: bool, indices: &mut [i64]) {
    let entry = |(index, &x): (usize, &T)| E::new(directed(x, descending), index);
    let mut entries: Vec<E> = row.iter().enumerate().map(entry).collect();
    if row.len() < FEW {
        entries.sort_unstable();
    } else {
        radix(&mut entries, T::BITS);
    }
    indices.iter_mut().zip(&entries).for_each(|(y, entry)| *y = entry.index() as i64);
}

/// The key by which the first of the order is smallest.
#[inline(always)]
pub(crate) fn directed<T: Ordered>(x: T, descending: bool) -> u64 {
    let highest = u64::MAX >> (64 - T::BITS);
    if descending { x.key() ^ highest } else { x.key() }
}

/// Sorts by keys of so many bits, a digit at a time from the lowest, keeping the order of equal digits.
fn radix<E: Entry>(entries: &mut Vec<E>, bits: u32) {
    let passes = bits.div_ceil(DIGIT) as usize;
    let mut counts = vec![[0usize; DIGITS]; passes];
    for entry in &*entries {
        for (pass, counts) in counts.iter_mut().enumerate() {
            counts[entry.digit(pass as u32 * DIGIT)] += 1;
        }
    }
    let mut other = vec![E::NONE; entries.len()];
    for (pass, mut counts) in counts.into_iter().enumerate() {
        if counts.contains(&entries.len()) {
            continue;
        }
        let mut start = 0;
        for count in &mut counts {
            (*count, start) = (start, start + *count);
        }
        for &entry in &*entries {
            let place = &mut counts[entry.digit(pass as u32 * DIGIT)];
            other[*place] = entry;
            *place += 1;
        }
        std::mem::swap(entries, &mut other);
    }
}

pub(crate) fn search_sorted(sorted: &CpuValue, values: &CpuValue, right: bool) -> Result<CpuValue> {
    let (sorted, values) = (view::contiguous(sorted)?, view::contiguous(values)?);
    let m = sorted.meta.shape.last().copied().unwrap_or(0);
    let n = if sorted.meta.shape.rank() == 1 { 0 } else { values.meta.shape.last().copied().unwrap_or(0) };
    let mut y = Output::<i64>::new(values.meta.numel())?;
    native!(sorted.meta.dtype, T => {
        let (rows, xs) = (sorted.rows::<T>().unwrap_or_default(), values.rows::<T>().unwrap_or_default());
        parallel::pieces(y.slice(), 1, parallel::GRAIN / 16, |first, y| {
            for (i, y) in y.iter_mut().enumerate() {
                // without rows of its own, every value is placed in the one there is
                let row = (first + i).checked_div(n).unwrap_or(0);
                let key = xs[first + i].key();
                let before = |x: &T| if right { x.key() <= key } else { x.key() < key };
                *y = rows[row * m..][..m].partition_point(before) as i64;
            }
        });
    });
    Ok(y.finish(&values.meta.shape, DType::I64))
}
