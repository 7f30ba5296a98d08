//! Element by element: what lies one after another is one call of a loop, anything else a chain of one line.
mod convert;
mod float;
mod integer;
mod number;
mod step;
mod walk;

pub(crate) use convert::Stored;
pub(crate) use step::{Each, Numbers, grain, past, step};
pub(crate) use walk::Walk;

#[cfg(test)]
mod tests;

use crate::{
    CpuValue, chain,
    memory::Block,
    parallel,
    value::{Native, Output},
};
use bytemuck::cast_slice_mut;
use firesteel_core::{Axes, DType, Error, Meta, Op, Program, Result, Shape};
use half::{bf16, f16};
use smallvec::{SmallVec, smallvec};
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs an operation of one result that goes element by element.
pub(crate) fn elementwise(op: &Op<&CpuValue>, out: &Meta) -> Result<CpuValue> {
    if let Some(y) = few(op, out) {
        return y;
    }
    let mut xs: SmallVec<[&CpuValue; 3]> = SmallVec::new();
    let op = op.clone().map(|x| {
        xs.push(x);
        xs.len() - 1
    });
    let Some(operands) = lines(&xs, out) else {
        return match common_order(&xs) {
            Some(axes) => reordered(op, &xs, out, &axes),
            None => one_line(op, &xs, out),
        };
    };
    bits!(out.dtype, T => {
        let mut y = Output::<T>::new(out.numel())?;
        let is_defined = AtomicBool::new(true);
        parallel::pieces(y.slice(), 1, grain([&op]), |start, y| {
            let n = y.len();
            let part = |x: usize| (operands[x].0, operands[x].1.part(operands[x].0, start, n));
            if !step(&op, part, n, cast_slice_mut(y)) {
                is_defined.store(false, Ordering::Relaxed);
            }
        });
        defined(op.name(), is_defined.into_inner())?;
        Ok(y.finish(&out.shape, out.dtype))
    })
}

/// How few elements are done with sooner than it is found out how many would be.
const FEW: usize = 1024;

/// An operation on a few elements that lie as they are wanted; nothing where they are more, or lie otherwise.
fn few(op: &Op<&CpuValue>, out: &Meta) -> Option<Result<CpuValue>> {
    let n = out.numel();
    if n > FEW || out.dtype.is_half() {
        return None;
    }
    if let Op::Unary(kind, x) = *op
        && !x.is_same()
    {
        let numbers = Numbers::all(x)?;
        return Some(whole(kind.name(), out, |y| {
            step::unary(kind, (x.meta.dtype, numbers), n, y);
            true
        }));
    }
    if let Op::Binary(kind, a, b) = *op
        && !(a.is_same() && b.is_same())
    {
        let (dtype, a, b) = (a.meta.dtype, Numbers::all(a)?, Numbers::all(b)?);
        return Some(whole(kind.name(), out, |y| step::binary(kind, (dtype, a), b, n, y)));
    }
    None
}

/// A result that is written at once; `write` says whether it is defined.
#[inline]
fn whole(name: &'static str, out: &Meta, write: impl FnOnce(&mut [u8]) -> bool) -> Result<CpuValue> {
    let mut block = Block::new(out.bytes())?;
    defined(name, write(block.bytes_mut()))?;
    Ok(CpuValue::from_block(out, block))
}

/// The operands with their dtypes, where one call of a loop can take them as they lie.
fn lines<'a>(xs: &[&'a CpuValue], out: &Meta) -> Option<SmallVec<[(DType, Numbers<'a>); 3]>> {
    if chain::streams(out) || out.dtype.is_half() || xs.iter().all(|x| x.is_same()) {
        return None;
    }
    xs.iter().map(|x| numbers(x)).collect()
}

/// The elements of an operand where they lie so, with their dtype.
fn numbers(x: &CpuValue) -> Option<(DType, Numbers<'_>)> {
    Some((x.meta.dtype, Numbers::all(x)?))
}

/// The order of axes, other than their own, in which all operands are row-major.
fn common_order(xs: &[&CpuValue]) -> Option<Axes> {
    let first = xs.iter().find(|x| !x.is_same())?;
    if first.layout.is_contiguous() {
        return None;
    }
    let mut axes: Axes = (0..first.meta.shape.rank()).collect();
    axes.sort_by_key(|&axis| std::cmp::Reverse(first.layout.strides[axis]));
    let fits = |x: &&CpuValue| x.is_same() || x.layout.permute(&axes).is_contiguous();
    xs.iter().all(fits).then_some(axes)
}

/// The operation on what is row-major when its axes are ordered so; the result lies likewise.
fn reordered(op: Op<usize>, xs: &[&CpuValue], out: &Meta, axes: &[usize]) -> Result<CpuValue> {
    let views: SmallVec<[CpuValue; 3]> = xs.iter().map(|x| x.view(x.layout.permute(axes))).collect();
    let shape: Shape = axes.iter().map(|&axis| out.shape[axis]).collect();
    let y = elementwise(&op.map(|x| &views[x]), &Meta::new(shape, out.dtype))?;
    let mut back: Axes = axes.into();
    axes.iter().enumerate().for_each(|(to, &from)| back[from] = to);
    Ok(y.view(y.layout.permute(&back)))
}

/// An operation as a chain.
fn one_line(op: Op<usize>, xs: &[&CpuValue], out: &Meta) -> Result<CpuValue> {
    let name = op.name();
    let program = Program { inputs: xs.len(), code: vec![op], results: vec![xs.len()] };
    let results = chain::chain(&program, xs, &smallvec![out.clone()]).map_err(|e| e.within(name))?;
    results.into_iter().next().ok_or_else(|| Error::internal(name, "a chain gave no result"))
}

/// What a division of whole numbers by zero is.
pub(crate) fn defined(name: &'static str, is_defined: bool) -> Result<()> {
    if is_defined {
        return Ok(());
    }
    Err(Error::value(name, "a whole number cannot be divided by zero: there is one in the divisor"))
}

/// The elements as another dtype.
pub(crate) fn cast(x: &CpuValue, dtype: DType) -> Result<CpuValue> {
    if x.meta.dtype == dtype {
        return Ok(x.clone());
    }
    let out = Meta::new(&x.meta.shape, dtype);
    let y = match (x.meta.dtype, dtype) {
        (DType::BF16, DType::F32) => converted(x, &out, bf16::widen)?,
        (DType::F16, DType::F32) => converted(x, &out, f16::widen)?,
        (DType::F32, DType::BF16) => converted(x, &out, bf16::narrow)?,
        (DType::F32, DType::F16) => converted(x, &out, f16::narrow)?,
        _ => None,
    };
    y.map_or_else(|| elementwise(&Op::Cast(x, dtype), &out), Ok)
}

/// The elements of what lies in rows by a loop for all, where a cache holds the result.
fn converted<T: Native, U: Native>(
    x: &CpuValue,
    out: &Meta,
    convert: fn(&[T], &mut [U]),
) -> Result<Option<CpuValue>> {
    let Some(xs) = x.rows::<T>().filter(|_| !chain::streams(out)) else { return Ok(None) };
    let mut y = Output::<U>::new(xs.len())?;
    parallel::pieces(y.slice(), 1, parallel::GRAIN, |start, y| convert(&xs[start..start + y.len()], y));
    Ok(Some(y.finish(&out.shape, out.dtype)))
}
