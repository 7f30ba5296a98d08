//! Comparisons.
use crate::pytorch::args::Args;
use firesteel::{Result, Tolerance};

table! {
    /// Element by element.
    compare(a) {
        each eq ge gt le lt ne: (a.operand(1)?);
        each isclose: (a.operand(1)?, tolerance(a)?);
        each isin: (&a.tensor(1)?);
    }
}

pub(super) fn tolerance<T: Clone>(a: &Args<T>) -> Result<Tolerance> {
    let default = Tolerance::default();
    Ok(Tolerance {
        rtol: a.float_or("rtol", default.rtol)?,
        atol: a.float_or("atol", default.atol)?,
        equal_nan: a.bool_or("equal_nan", default.equal_nan)?,
    })
}
