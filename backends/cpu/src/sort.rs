//! In order along an axis.
//!
//! Every element becomes an unsigned key that orders as the element does, with NaN largest. Keys are
//! sorted together with the indices they came from, which keeps equals in their order.
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
    /// Orders as the element does: NaN is largest, and both zeros are equal.
    fn key(self) -> u64;
}

macro_rules! ordered {
    (floats $($t:ident $bits:ident;)*) => {$(
        impl Ordered for $t {
            #[inline(always)]
            fn key(self) -> u64 {
                const SIGN: $bits = 1 << ($bits::BITS - 1);
                let bits = self.to_bits();
                let key = match self.partial_cmp(&Self::default()) {
                    None => $bits::MAX,
                    Some(std::cmp::Ordering::Equal) => SIGN,
                    Some(_) if bits & SIGN == 0 => bits | SIGN,
                    Some(_) => !bits,
                };
                key.into()
            }
        }
    )*};
    (integers $($t:ident $bits:ident;)*) => {$(
        impl Ordered for $t {
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
fn last(x: &CpuValue, axis: usize) -> Result<(CpuValue, Axes)> {
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
    let key = |x: &T| if descending { !x.key() } else { x.key() };
    let mut keys: Vec<(u64, i64)> = row.iter().map(key).zip(0..).collect();
    keys.sort_unstable();
    indices.iter_mut().zip(&keys).for_each(|(y, &(_, index))| *y = index);
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
