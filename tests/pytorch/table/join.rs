//! Put together and taken apart.
use super::borrow;
use crate::pytorch::args::Args;
use firesteel::{Indexing, Replacement, Result, Sections, Slice, Tensor};

table! {
    /// Put together.
    join(a) {
        each combinations: (a.size("r")?, replacement(a.bool("with_replacement")?));
        "block_diag" => Tensor::block_diag(&borrow(&a.tensors_from(0)?))?,
        "cartesian_prod" => Tensor::cartesian_prod(&borrow(&a.tensors_from(0)?))?,
        "cat" => Tensor::cat(&borrow(&a.tensors(0)?), a.dim_or("dim", 0)?)?,
        "column_stack" => Tensor::column_stack(&borrow(&a.tensors(0)?))?,
        "dstack" => Tensor::dstack(&borrow(&a.tensors(0)?))?,
        "hstack" => Tensor::hstack(&borrow(&a.tensors(0)?))?,
        "meshgrid" => {
            let vectors = if a.variant() == "list_of_tensors" { a.tensors(0)? } else { a.tensors_from(0)? };
            let indexing = if a.str("indexing")? == "xy" { Indexing::Xy } else { Indexing::Ij };
            Tensor::meshgrid(&borrow(&vectors), indexing)?
        },
        "stack" => Tensor::stack(&borrow(&a.tensors(0)?), a.dim(1)?)?,
        "vstack" => Tensor::vstack(&borrow(&a.tensors(0)?))?,
    }
}

table! {
    /// Taken apart.
    split(a) {
        each chunk: (a.size(1)?, a.dim_or(2, 0)?);
        each dsplit hsplit vsplit: (sections(a)?);
        each split_with_sizes: (&a.sizes(1)?, a.dim_or(2, 0)?);
        each tensor_split: (sections(a)?, a.dim_or(2, 0)?);
        each unbind: (a.dim(1)?);
        "split" => match a.variant() {
            "list_args" => a.tensor(0)?.split_with_sizes(&a.sizes(1)?, a.dim_or(2, 0)?)?,
            _ => a.tensor(0)?.split(a.size(1)?, a.dim_or(2, 0)?)?,
        },
    }
}

table! {
    /// Parts along a dim, and tensors with a part replaced.
    slice(a) {
        each diagonal: (a.dim_or("offset", 0)?, a.dim_or("dim1", 0)?, a.dim_or("dim2", 1)?);
        each select: (a.dim(1)?, a.int(2)?);
        each select_scatter: (&a.tensor(1)?, a.dim(2)?, a.int(3)?);
        each unfold: (a.dim(1)?, a.size(2)?, a.size(3)?);
        "linalg.diagonal" => {
            a.tensor(0)?.diagonal(a.dim_or("offset", 0)?, a.dim_or("dim1", -2)?, a.dim_or("dim2", -1)?)?
        },
        "narrow" => a.tensor(0)?.narrow(a.dim(1)?, a.size(2)?, a.size(3)?)?,
        "slice" => a.tensor(0)?.slice(a.dim(1)?, ..)?,
        "slice_scatter" => {
            let range = Slice { start: a.opt_int(3)?, stop: a.opt_int(4)?, step: a.int(5)? };
            a.tensor(0)?.slice_scatter(&a.tensor(1)?, a.dim(2)?, range)?
        },
    }
}

/// A number of pieces, or where to cut.
fn sections<T: Clone>(a: &Args<T>) -> Result<Sections> {
    let count = a.opt_int(1).ok().flatten();
    Ok(match count {
        Some(count) => count.into(),
        None => a.ints(1)?.into(),
    })
}

fn replacement(yes: bool) -> Replacement {
    if yes { Replacement::With } else { Replacement::Without }
}
