//! What reads numbers back to know its result or the shape of it: by the async forms, which a browser has to use. The
//! others are made of these.
use super::{Outputs, compare::tolerance};
use crate::pytorch::args::Args;
use firesteel::{Backend, Result, Tensor, Unique};

/// As the other families, and waited for.
pub async fn wait<B: Backend>(name: &str, a: &Args<'_, Tensor<B>>) -> Result<Option<Outputs<B>>> {
    Ok(Some(match name {
        "allclose" => a.tensor(0)?.allclose_async(a.operand(1)?, tolerance(a)?).await?.into(),
        "argwhere" => a.tensor(0)?.argwhere_async().await?.into(),
        "equal" => a.tensor(0)?.equal_async(&a.tensor(1)?).await?.into(),
        "masked_scatter" => a.tensor(0)?.masked_scatter_async(&a.tensor(1)?, &a.tensor(2)?).await?.into(),
        "masked_select" => a.tensor(0)?.masked_select_async(&a.tensor(1)?).await?.into(),
        "nonzero" => match a.bool("as_tuple")? {
            true => a.tensor(0)?.nonzero_as_tuple_async().await?.into(),
            false => a.tensor(0)?.nonzero_async().await?.into(),
        },
        "unique" => {
            // Ours is always sorted.
            a.ignore("sorted");
            distinct(a, a.tensor(0)?.unique_async(a.opt_dim("dim")?).await?)?
        }
        "unique_consecutive" => distinct(a, a.tensor(0)?.unique_consecutive_async(a.opt_dim("dim")?).await?)?,
        _ => return Ok(None),
    }))
}

/// What is distinct, and as much about it as is asked for.
fn distinct<B: Backend>(a: &Args<Tensor<B>>, found: Unique<B>) -> Result<Outputs<B>> {
    let inverse = a.bool("return_inverse")?.then_some(found.inverse);
    let counts = a.bool("return_counts")?.then_some(found.counts);
    Ok(vec![found.values].into_iter().chain(inverse).chain(counts).collect::<Vec<_>>().into())
}
