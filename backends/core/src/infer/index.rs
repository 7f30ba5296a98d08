//! Reading and writing where an index says.
use super::{axis, one};
use crate::{Error, Meta, Metas, Result};

/// An index is of an integer dtype.
pub fn integer(name: &'static str, index: &Meta) -> Result<()> {
    if index.dtype.is_integer() {
        return Ok(());
    }
    Err(Error::dtype(name, format!("the index has to be of an integer dtype, not {}", index.dtype)))
}

pub fn gather(x: &Meta, index: &Meta, along: usize) -> Result<Metas> {
    integer("gather", index)?;
    covered("gather", x, index, along)?;
    one(&index.shape, x.dtype)
}

pub fn scatter(into: &Meta, index: &Meta, x: &Meta, along: usize) -> Result<Metas> {
    integer("scatter", index)?;
    covered("scatter", into, index, along)?;
    if x.shape != index.shape || x.dtype != into.dtype {
        return Err(Error::shape(
            "scatter",
            format!("cannot write {x} into {into} at an index {}", index.shape),
        ));
    }
    one(&into.shape, into.dtype)
}

pub fn index_select(x: &Meta, index: &Meta, along: usize) -> Result<Metas> {
    integer("index_select", index)?;
    axis("index_select", x, along)?;
    let [n] = index.shape[..] else {
        return Err(Error::shape(
            "index_select",
            format!("the index has to have one dim, not {}", index.shape),
        ));
    };
    one(x.shape.with(along, n), x.dtype)
}

pub fn index_put(into: &Meta, index: &Meta, x: &Meta, along: usize) -> Result<Metas> {
    integer("index_put", index)?;
    axis("index_put", into, along)?;
    let fits = match index.shape[..] {
        [n] => x.shape == into.shape.with(along, n),
        _ => false,
    };
    if !fits || x.dtype != into.dtype {
        let why = format!("cannot write {x} into {into} at an index {} along dim {along}", index.shape);
        return Err(Error::shape("index_put", why));
    }
    one(&into.shape, into.dtype)
}

/// Everywhere but along the axis, the index names places that are there.
fn covered(name: &'static str, x: &Meta, index: &Meta, along: usize) -> Result<()> {
    axis(name, x, along)?;
    let same_rank = index.shape.rank() == x.shape.rank();
    let inside = index.shape.iter().zip(&x.shape).enumerate().all(|(a, (n, size))| a == along || n <= size);
    if same_rank && inside {
        return Ok(());
    }
    let why = format!("an index {} does not fit {} along dim {along}", index.shape, x.shape);
    Err(Error::shape(name, why))
}
