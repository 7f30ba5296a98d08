//! Element by element: on what lies one after another in one call of a loop, on anything else as a chain of
//! one line.
pub(crate) mod convert;
mod float;
mod integer;
pub(crate) mod number;
pub(crate) mod walk;

use crate::{CpuValue, chain, parallel, value::Output};
use firesteel_core::{Binary, Compare, DType, Error, Meta, Op, Program, Result, Unary};
use number::Number;
use smallvec::smallvec;

/// Below this many elements a function that takes long is not worth another thread.
const GRAIN: usize = 8 * 1024;

pub(crate) fn unary(kind: Unary, x: &CpuValue) -> Result<CpuValue> {
    let dtype = x.meta.dtype;
    if dtype.is_half() || dtype == DType::Bool || x.is_same() || !x.layout.is_contiguous() {
        return one_line(Op::Unary(kind, 0), &[x], dtype);
    }
    arithmetic!(dtype, T => {
        let mut y = Output::<T>::new(x.meta.numel())?;
        if let Some(x) = x.rows::<T>() {
            parallel::pieces(y.slice(), 1, GRAIN, |start, y| T::unary(kind, &x[start..start + y.len()], y));
        }
        Ok(y.finish(&x.meta.shape, dtype))
    })
}

pub(crate) fn binary(kind: Binary, a: &CpuValue, b: &CpuValue) -> Result<CpuValue> {
    one_line(Op::Binary(kind, 0, 1), &[a, b], a.meta.dtype)
}

pub(crate) fn compare(kind: Compare, a: &CpuValue, b: &CpuValue) -> Result<CpuValue> {
    one_line(Op::Compare(kind, 0, 1), &[a, b], DType::Bool)
}

pub(crate) fn select(c: &CpuValue, a: &CpuValue, b: &CpuValue) -> Result<CpuValue> {
    one_line(Op::Select(0, 1, 2), &[c, a, b], a.meta.dtype)
}

pub(crate) fn cast(x: &CpuValue, dtype: DType) -> Result<CpuValue> {
    if dtype == x.meta.dtype {
        return Ok(x.clone());
    }
    one_line(Op::Cast(0, dtype), &[x], dtype)
}

/// An operation as a chain.
fn one_line(op: Op<usize>, xs: &[&CpuValue], dtype: DType) -> Result<CpuValue> {
    let name = op.name();
    let program = Program { inputs: xs.len(), code: vec![op], results: vec![xs.len()] };
    let out = smallvec![Meta::new(&xs[0].meta.shape, dtype)];
    let results = chain::chain(&program, xs, &out).map_err(|e| e.within(name))?;
    results.into_iter().next().ok_or_else(|| Error::internal(name, "a chain gave no result"))
}
