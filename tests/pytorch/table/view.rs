//! The same elements, seen otherwise.
use super::{borrow, shape};
use firesteel::{Dims, Tensor, broadcast_shapes};

table! {
    /// Other shapes.
    view(a) {
        each atleast_1d atleast_2d atleast_3d ravel: ();
        each reshape unflatten view: (a.ints(1)?);
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
        each rot90: (a.int_or(1, 1)?, a.pair(2, [0, 1])?);
        each transpose: (a.dim(1)?, a.dim(2)?);
        "mT" => a.tensor(0)?.mt()?,
        "roll" => a.tensor(0)?.roll(a.ints(1)?, a.opt_ints(2)?.map_or((..).into(), Dims::from))?,
    }
}
