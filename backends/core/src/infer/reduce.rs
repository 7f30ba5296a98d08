//! Along axes: reductions, scans, sorting.
use super::{axis, elementwise, float, one};
use crate::{ArgReduce, Axes, Category, DType, Error, Meta, Metas, Reduce, Result, Scan};
use smallvec::smallvec;

pub fn reduce(kind: Reduce, x: &Meta, axes: &Axes) -> Result<Metas> {
    axes.iter().try_for_each(|&a| axis(kind.name(), x, a))?;
    match kind {
        Reduce::Sum | Reduce::Prod => not_bool(kind.name(), x)?,
        Reduce::Mean => float("mean", x)?,
        // `any` and `all` of nothing are false and true; of numbers there is no largest of nothing
        Reduce::Max | Reduce::Min => {
            if x.dtype.category() != Category::Bool && axes.iter().any(|&a| x.shape[a] == 0) {
                return Err(Error::shape(
                    kind.name(),
                    format!("there is none among no elements, in {}", x.shape),
                ));
            }
        }
    }
    one(x.reduced(axes), x.dtype)
}

pub fn arg_reduce(kind: ArgReduce, x: &Meta, along: usize) -> Result<Metas> {
    axis(kind.name(), x, along)?;
    not_bool(kind.name(), x)?;
    if x.shape[along] == 0 {
        return Err(Error::shape(kind.name(), format!("there is none among no elements, in {}", x.shape)));
    }
    one(x.shape.with(along, 1), DType::I64)
}

pub fn scan(kind: Scan, x: &Meta, along: usize) -> Result<Metas> {
    axis(kind.name(), x, along)?;
    not_bool(kind.name(), x)?;
    one(&x.shape, x.dtype)
}

pub fn recurrence(a: &Meta, b: &Meta, along: usize) -> Result<Metas> {
    elementwise::same("recurrence", a, b)?;
    float("recurrence", a)?;
    axis("recurrence", a, along)?;
    one(&a.shape, a.dtype)
}

pub fn sort(x: &Meta, along: usize) -> Result<Metas> {
    axis("sort", x, along)?;
    Ok(smallvec![x.clone(), Meta::new(&x.shape, DType::I64)])
}

pub fn search_sorted(sorted: &Meta, values: &Meta) -> Result<Metas> {
    let bad = || Err(Error::shape("searchsorted", format!("cannot place {values} in {sorted}")));
    if sorted.dtype != values.dtype {
        return bad();
    }
    match (&sorted.shape[..], &values.shape[..]) {
        ([_], _) => (),
        ([rows @ .., _], [others @ .., _]) if rows == others => (),
        _ => return bad(),
    }
    one(&values.shape, DType::I64)
}

/// Numbers have to be there.
pub fn not_bool(name: &'static str, x: &Meta) -> Result<()> {
    if x.dtype == DType::Bool {
        return Err(Error::dtype(name, "has no meaning for bool: cast first"));
    }
    Ok(())
}
