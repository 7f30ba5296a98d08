//! The same elements, seen otherwise.
use super::{borrow, shape};
use firesteel::{Dims, Tensor, broadcast_shapes};

table! {
    /// Other shapes.
    view(a) {
        each atleast_1d atleast_2d atleast_3d ravel: ();
        each reshape view: (a.ints(1)?);
        each expand_as reshape_as view_as: (&a.tensor(1)?);
        each flatten: (a.dim_or("start_dim", 0)?, a.dim_or("end_dim", -1)?);
        each unsqueeze: (a.dim(1)?);
        "broadcast_shapes" => broadcast_shapes(&[shape(a, 0)?, shape(a, 1)?])?,
        "broadcast_tensors" => Tensor::broadcast_tensors(&borrow(&a.tensors_from(0)?))?,
        "broadcast_to" => a.tensor(0)?.broadcast_to(shape(a, 1)?)?,
        "clone" => a.tensor(0)?.clone(),
        "contiguous" => a.tensor(0)?.contiguous(),
        "expand" => a.tensor(0)?.expand(a.ints(1)?)?,
        "squeeze" => a.tensor(0)?.squeeze(a.opt_ints(1)?.map_or((..).into(), Dims::from))?,
        "unflatten" => a.tensor(0)?.unflatten(a.dim(1)?, a.ints(2)?)?,
    }
}

table! {
    /// Other orders of the dims, and of the elements along them.
    order(a) {
        each fliplr flipud t: ();
        each flip: (a.ints("dims")?);
        each movedim: (a.ints(1)?, a.ints(2)?);
        each permute: (a.ints(1)?);
        each transpose: (a.dim(1)?, a.dim(2)?);
        "mT" => a.tensor(0)?.mt()?,
        "roll" => a.tensor(0)?.roll(a.ints(1)?, a.opt_ints(2)?.map_or((..).into(), Dims::from))?,
        "rot90" => match a.opt_int(1)? {
            Some(k) => a.tensor(0)?.rot90(k, a.each::<2>(2, 0)?.map(|dim| dim as isize))?,
            None => a.tensor(0)?.rot90(1, [0, 1])?,
        },
    }
}

table! {
    /// Diagonals and copies.
    copies(a) {
        each diag: (a.dim_or(1, 0)?);
        each diagonal_scatter: (&a.tensor(1)?, a.dim_or(2, 0)?, a.dim_or(3, 0)?, a.dim_or(4, 1)?);
        each diagflat: (a.dim_or("offset", 0)?);
        each diag_embed: (a.dim_or("offset", 0)?, a.dim_or("dim1", -2)?, a.dim_or("dim2", -1)?);
        each repeat tile: (a.ints(1)?);
        each tril triu: (a.int_or(1, 0)?);
    }
}
