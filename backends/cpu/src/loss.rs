//! Losses.
use crate::{
    CpuValue, elementwise, parallel,
    real::{Real, largest, sum},
    simd::{Level, dispatch},
    softmax::last,
    value::Output,
    view,
};
use firesteel_core::{DType, Error, Metas, Outputs, Result};
use smallvec::smallvec;

/// `(lse - x[target], lse)` along axis 1; zero loss where the target is `ignore`.
pub(crate) fn cross_entropy<T: Real>(
    x: &CpuValue,
    target: &CpuValue,
    ignore: i64,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let classes = x.meta.shape[1];
    let rows = view::contiguous(&x.view(x.layout.permute(&last(x.meta.shape.rank(), 1))))?;
    let rows = rows.rows::<T>().unwrap_or_default();
    let target = view::contiguous(&elementwise::cast(target, DType::I64)?)?;
    let targets = target.rows::<i64>().unwrap_or_default();
    let bad = |target: &&i64| **target != ignore && !usize::try_from(**target).is_ok_and(|t| t < classes);
    if let Some(target) = targets.iter().find(bad) {
        let why = format!(
            "the target {target} is not one of the {classes} classes, 0 to {}",
            classes.saturating_sub(1)
        );
        return Err(Error::index("cross_entropy", why));
    }

    let mut loss = Output::<T>::new(out[0].numel())?;
    let mut lse = Output::<T>::new(out[1].numel())?;
    let grain = (parallel::GRAIN / 8 / classes).max(1);
    parallel::rows(loss.slice(), 1, [lse.slice()], grain, &|first, loss, [lse]| {
        let rows = rows[first * classes..].chunks_exact(classes).zip(&targets[first..]);
        for ((x, &target), (loss, lse)) in rows.zip(loss.iter_mut().zip(lse)) {
            *lse = dispatch!(|L| log_sum_exp::<L, T>(x));
            *loss = if target == ignore { T::default() } else { *lse - x[target as usize] };
        }
        Ok(())
    })?;
    Ok(smallvec![loss.finish(&out[0].shape, out[0].dtype), lse.finish(&out[1].shape, out[1].dtype)])
}

/// `ln Σ eˣ`.
#[inline(always)]
fn log_sum_exp<L: Level, T: Real>(x: &[T]) -> T {
    let max = largest(x);
    T::of(sum(x, |x| T::exp::<L>(x - max)).ln()) + max
}
