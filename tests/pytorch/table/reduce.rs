//! Along dims: reductions, running functions, order and search.
use super::{Outputs, typed};
use crate::pytorch::args::{Args, Operand};
use crate::pytorch::cases::Value;
use firesteel::{
    CovOptions, DiffOptions, Dims, Error, HistogramOptions, Interpolation, Order, Result, SearchOptions,
};

table! {
    /// Many elements to one.
    reduce(a) {
        each all amax amin aminmax any argmax argmin count_nonzero mean nanmean nansum sum: (a.dims("dim", "keepdim")?);
        each dist: (&a.tensor(1)?, a.float(2)?);
        each logsumexp: (a.dims(1, 2)?);
        each std std_mean var var_mean: (a.dims("dim", "keepdim")?, correction(a)?);
        each sum_to_size: (a.sizes_from(1)?);
        each trace: ();
        "linalg.vector_norm" => a.tensor(0)?.norm(a.float_or("ord", 2.)?, a.dims("dim", "keepdim")?)?,
        "norm" => match a.value(1) {
            Some((_, Value::Str(name))) if name == "nuc" => a.tensor(0)?.nuclear_norm(a.dims(2, 3)?)?,
            _ => a.tensor(0)?.norm(order(a)?, a.dims(2, 3)?)?,
        },
        "prod" => typed(a, typed(a, a.tensor(0)?)?.prod(a.dims(1, "keepdim")?)?)?,
    }
}

table! {
    /// One of many elements, and its place where there is a dim.
    choose(a) {
        each mode: (Dims { keepdim: a.bool_or(2, false)?, ..a.dim_or(1, -1)?.into() });
        each kthvalue: (a.size(1)?, Dims { keepdim: a.bool_or(3, false)?, ..a.dim_or(2, -1)?.into() });
        "max" => match a.variant() {
            "binary" => a.tensor(0)?.maximum(a.operand(1)?)?.into(),
            "reduction_no_dim" => a.tensor(0)?.max()?.into(),
            _ => Outputs::from(a.tensor(0)?.max_dim(a.dims(1, 2)?)?),
        },
        "min" => match a.variant() {
            "binary" => a.tensor(0)?.minimum(a.operand(1)?)?.into(),
            "reduction_no_dim" => a.tensor(0)?.min()?.into(),
            _ => Outputs::from(a.tensor(0)?.min_dim(a.dims(1, 2)?)?),
        },
        "median" => match a.has("dim") {
            true => a.tensor(0)?.median_dim(a.dims("dim", "keepdim")?)?.into(),
            false => Outputs::from(a.tensor(0)?.median()?),
        },
        "nanmedian" => match a.has("dim") {
            true => a.tensor(0)?.nanmedian_dim(a.dims("dim", "keepdim")?)?.into(),
            false => Outputs::from(a.tensor(0)?.nanmedian()?),
        },
    }
}

table! {
    /// Running functions.
    scan(a) {
        each cummax cummin cumprod logcumsumexp: (a.dim(1)?);
        "cumsum" => typed(a, a.tensor(0)?)?.cumsum(a.dim(1)?)?,
        "diff" => {
            let (prepend, append) = (a.opt_tensor(3)?, a.opt_tensor(4)?);
            let (prepend, append) = (prepend.as_ref(), append.as_ref());
            a.tensor(0)?.diff(DiffOptions { n: a.size(1)?, dim: a.dim(2)?, prepend, append })?
        },
    }
}

table! {
    /// Order and search.
    sort(a) {
        each argsort sort: (a.dim_or((1, "dim"), -1)?, sorted(a)?);
        each msort: ();
        each topk: (a.size(1)?, a.dim_or(2, -1)?, largest(a)?);
        "bucketize" => {
            let options = SearchOptions { right: a.bool("right")?, out_int32: a.bool("out_int32")?, sorter: None };
            a.tensor(0)?.bucketize(&a.tensor(1)?, options)?
        },
        "searchsorted" => {
            let right = a.bool_or("right", false)? || a.opt_str("side")? == Some("right");
            let sorter = a.opt_tensor("sorter")?;
            let options = SearchOptions { right, out_int32: a.bool("out_int32")?, sorter: sorter.as_ref() };
            a.tensor(0)?.searchsorted(a.operand(1)?, options)?
        },
    }
}

table! {
    /// How elements are spread.
    spread(a) {
        each bincount: (a.opt_tensor("weights")?.as_ref(), a.size_or("minlength", 0)?);
        each corrcoef: ();
        each histc: (a.size_or("bins", 100)?, a.float_or("min", 0.)?, a.float_or("max", 0.)?);
        each nanquantile quantile: (a.operand(1)?, a.dims("dim", "keepdim")?, interpolation(a)?);
        "cov" => {
            let (fweights, aweights) = (a.opt_tensor("fweights")?, a.opt_tensor("aweights")?);
            let (fweights, aweights) = (fweights.as_ref(), aweights.as_ref());
            a.tensor(0)?.cov(CovOptions { correction: a.float_or("correction", 1.)?, fweights, aweights })?
        },
        "histogram" => {
            let (weight, density) = (a.opt_tensor("weight")?, a.bool("density")?);
            let options = HistogramOptions { weight: weight.as_ref(), density, ..Default::default() };
            match a.operand(1)? {
                Operand::Tensor(edges) => a.tensor(0)?.histogram(&edges, options)?,
                Operand::Scalar(bins) => a.tensor(0)?.histogram(bins.to_i64() as usize, options)?,
            }
        },
    }
}

fn interpolation<T: Clone>(a: &Args<T>) -> Result<Interpolation> {
    Ok(match a.opt_str("interpolation")? {
        None | Some("linear") => Interpolation::Linear,
        Some("lower") => Interpolation::Lower,
        Some("higher") => Interpolation::Higher,
        Some("nearest") => Interpolation::Nearest,
        Some("midpoint") => Interpolation::Midpoint,
        Some(other) => return Err(Error::value("quantile", format!("there is no {other:?}"))),
    })
}

/// The order of a norm; Frobenius' is 2.
fn order<T: Clone>(a: &Args<T>) -> Result<f64> {
    match a.value(1) {
        None => Ok(2.),
        Some((_, Value::Str(name))) if name == "fro" => Ok(2.),
        Some((_, Value::Str(name))) => Err(Error::value("norm", format!("there is no norm {name:?}"))),
        Some(_) => a.float(1),
    }
}

/// What the number of elements is lowered by before it divides.
fn correction<T: Clone>(a: &Args<T>) -> Result<f64> {
    let unbiased = if a.variant() == "unbiased" { a.opt_bool(1)? } else { a.opt_bool("unbiased")? };
    let unbiased = unbiased.map(|unbiased| if unbiased { 1. } else { 0. });
    Ok(a.opt_float("correction")?.or(unbiased).unwrap_or(1.))
}

fn sorted<T: Clone>(a: &Args<T>) -> Result<Order> {
    // Ours always keeps equals in their order.
    a.ignore("stable");
    Ok(if a.bool_or((2, "descending"), false)? { Order::Descending } else { Order::Ascending })
}

fn largest<T: Clone>(a: &Args<T>) -> Result<Order> {
    // Ours is always sorted.
    a.ignore(4);
    Ok(if a.bool_or(3, true)? { Order::Descending } else { Order::Ascending })
}
