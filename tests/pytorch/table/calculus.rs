//! Integrals and derivatives.
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::{Backend, EdgeOrder, Result, Spacing, Tensor};

table! {
    /// Along a dim.
    calculus(a) {
        "cumulative_trapezoid" => {
            let points = a.opt_tensor(1)?;
            a.tensor(0)?.cumulative_trapezoid(spacing(a, points.as_ref())?, a.dim_or("dim", -1)?)?
        },
        "gradient" => {
            let edge = if a.int_or("edge_order", 1)? == 2 { EdgeOrder::Second } else { EdgeOrder::First };
            let dims = a.opt_ints("dim")?.map_or_else(|| (..).into(), firesteel::Dims::from);
            let (steps, points) = spacings(a)?;
            let spacings = steps.into_iter().map(Spacing::Step).chain(points.iter().map(Spacing::At));
            a.tensor(0)?.gradient(&spacings.collect::<Vec<_>>(), dims, edge)?
        },
        "trapezoid" => {
            let points = a.opt_tensor(1)?;
            a.tensor(0)?.trapezoid(spacing(a, points.as_ref())?, a.dim_or("dim", -1)?)?
        },
        "trapz" => {
            let points = a.opt_tensor(1)?;
            a.tensor(0)?.trapz(spacing(a, points.as_ref())?, a.dim_or("dim", -1)?)?
        },
    }
}

fn spacing<'t, B: Backend>(a: &Args<Tensor<B>>, points: Option<&'t Tensor<B>>) -> Result<Spacing<'t, B>> {
    let step = a.float_or("dx", 1.)?;
    Ok(points.map_or(Spacing::Step(step), Spacing::At))
}

/// Of `gradient`: steps or points, or one step of 1.
fn spacings<B: Backend>(a: &Args<Tensor<B>>) -> Result<(Vec<f64>, Vec<Tensor<B>>)> {
    match a.value("spacing") {
        None | Some((_, Value::Null)) => Ok((vec![1.], vec![])),
        Some((_, Value::List(items))) if matches!(items.first(), Some(Value::Tensor(_))) => {
            Ok((vec![], a.tensors("spacing")?))
        }
        Some(_) => Ok((a.opt_floats("spacing")?.unwrap_or_default(), vec![])),
    }
}
