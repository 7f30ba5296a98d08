//! Picked out and written by indices and masks.
use super::shape;
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::{Accumulate, Backend, Error, Index, Reduce, Result, ScatterReduce, Slice, Tensor};

table! {
    /// By indices.
    index(a) {
        each gather index_select: (a.dim(1)?, &a.tensor(2)?);
        each index_add: (a.dim(1)?, &a.tensor(2)?, &a.tensor(3)?, a.scalar_or("alpha", 1.into())?);
        each index_copy: (a.dim(1)?, &a.tensor(2)?, &a.tensor(3)?);
        each index_fill: (a.dim(1)?, &a.tensor(2)?, a.operand(3)?);
        each index_reduce: (a.dim(1)?, &a.tensor(2)?, &a.tensor(3)?, reducing(a)?);
        each index_put: (indices(a)?, a.operand(2)?, accumulate(a.bool("accumulate")?));
        each put: (&a.tensor(1)?, &a.tensor(2)?, accumulate(a.bool(3)?));
        each scatter_add: (a.dim(1)?, &a.tensor(2)?, a.operand(3)?);
        each take: (&a.tensor(1)?);
        each take_along_dim: (&a.tensor(1)?, a.opt_dim(2)?);
        each unravel_index: (shape(a, 1)?);
        "__getitem__" => a.tensor(0)?.index(indices(a)?)?,
        "repeat_interleave" => {
            a.ignore("output_size");
            a.tensor(0)?.repeat_interleave(a.operand("repeats")?, a.opt_dim("dim")?)?
        },
        "scatter" => match a.opt_str("reduce")? {
            Some("add") => a.tensor(0)?.scatter_add(a.dim(1)?, &a.tensor(2)?, a.operand(3)?)?,
            _ => a.tensor(0)?.scatter(a.dim(1)?, &a.tensor(2)?, a.operand(3)?)?,
        },
        "scatter_reduce" => {
            a.tensor(0)?.scatter_reduce(a.dim(1)?, &a.tensor(2)?, a.operand(3)?, reducing(a)?)?
        },
    }
}

table! {
    /// By a mask.
    mask(a) {
        each masked_fill: (&a.tensor(1)?, a.operand(2)?);
    }
}

/// What stands between the brackets: a tuple has an index for each dim, and a list is one index.
fn indices<B: Backend>(a: &Args<Tensor<B>>) -> Result<Vec<Index<B>>> {
    let missing = || Error::value("index", "there is none");
    let (path, value) = a.value(1).ok_or_else(missing)?;
    let Value::Tuple(items) = value else {
        return Ok(vec![one_index(a, &path, value)?]);
    };
    items.iter().enumerate().map(|(i, item)| one_index(a, &format!("{path}.{i}"), item)).collect()
}

fn one_index<B: Backend>(a: &Args<Tensor<B>>, path: &str, value: &Value) -> Result<Index<B>> {
    let whole = |item: &Value| match item {
        Value::Int(i) => Ok(*i),
        _ => Err(Error::value("index", format!("{item:?} is not an int"))),
    };
    Ok(match value {
        Value::Int(i) => Index::At(*i),
        Value::Slice([start, stop, step]) => {
            Index::Slice(Slice { start: *start, stop: *stop, step: step.unwrap_or(1) })
        }
        Value::Ellipsis => Index::Ellipsis,
        Value::Null => Index::NewAxis,
        Value::List(items) => Index::List(items.iter().map(whole).collect::<Result<_>>()?),
        _ => Index::Tensor(a.tensor_at(path, value)?),
    })
}

fn accumulate(yes: bool) -> Accumulate {
    if yes { Accumulate::Yes } else { Accumulate::No }
}

/// How what goes to one place is joined.
fn reducing<T: Clone>(a: &Args<T>) -> Result<ScatterReduce> {
    Ok(ScatterReduce { reduce: reduce(a.str(4)?)?, include_self: a.bool("include_self")? })
}

fn reduce(name: &str) -> Result<Reduce> {
    let named = |reduce: &&Reduce| reduce.name() == name;
    Reduce::ALL
        .iter()
        .find(named)
        .copied()
        .ok_or_else(|| Error::value("scatter_reduce", format!("no {name}")))
}
