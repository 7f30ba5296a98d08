//! The gradient of a chain is a chain, derived symbolically.
//!
//! A chain's program is replayed on `Autodiff<Trace>`, which writes the way forward and back down as one
//! longer program. What of it is there already, or needed by the results alone, is left out: one pass
//! forward, one pass back, to any order.
use super::{
    Autodiff, mode,
    written::{Derivative, Writer},
};
use firesteel_core::{
    Backend, Differentiable, Meta, Metas, Outputs, Program, Result, Shape, Tensor, Trace, backward_all,
};
use smallvec::SmallVec;
use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

/// The gradient of a chain by the operands that want one. It is derived once for each formula and shape.
pub(super) fn derivative(program: &Program, xs: &[Meta], ys: &Metas, wants: &[bool]) -> Result<Derivative> {
    static KNOWN: OnceLock<Mutex<HashMap<Key, Derivative>>> = OnceLock::new();
    /// A program that never makes the same formula twice is forgotten now and then.
    const MOST: usize = 4096;
    let known = || KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let Some(key) = key(program, xs, wants) else {
        return derive(program, xs, ys, wants);
    };
    if let Some(derivative) = known().get(&key) {
        return Ok(derivative.clone());
    }
    let derivative = derive(program, xs, ys, wants)?;
    let mut known = known();
    if known.len() == MOST {
        known.clear();
    }
    known.insert(key, derivative.clone());
    Ok(derivative)
}

/// All that a derivative depends on: shape, and numbers that spell out dtypes, wants, lines and results.
type Key = (Shape, SmallVec<[u64; 64]>);

/// The key of a program whose lines are all element-wise; others are derived each time.
fn key(program: &Program, xs: &[Meta], wants: &[bool]) -> Option<Key> {
    let mut words = program.spelled()?;
    words.extend(xs.iter().zip(wants).map(|(x, &wanted)| x.dtype as u64 * 2 + u64::from(wanted)));
    Some((xs.first()?.shape.clone(), words))
}

fn derive(program: &Program, xs: &[Meta], ys: &Metas, wants: &[bool]) -> Result<Derivative> {
    let trace = Trace::default();
    let symbols = |metas: &mut dyn Iterator<Item = &Meta>| -> Result<Vec<Tensor<Trace>>> {
        metas.map(|meta| trace.input(meta)).collect()
    };
    let inputs = symbols(&mut xs.iter())?;
    symbols(&mut ys.iter())?;
    let seeds = symbols(&mut ys.iter())?;

    let device = Autodiff::new(trace.clone());
    let operand = |(x, &wanted): (&Tensor<Trace>, &bool)| {
        let constant = Autodiff::lift(x.value().clone());
        let value = if wanted { device.parameter(constant) } else { constant };
        Tensor::from_value(device.clone(), value)
    };
    let operands: Vec<Tensor<Autodiff<Trace>>> = inputs.iter().zip(wants).map(operand).collect();
    let results: Outputs<_> =
        mode::enable_grad(|| program.call(&device, &operands.iter().collect::<Vec<_>>()))?;
    let roots: Vec<_> = results.iter().zip(&seeds).filter(|(y, _)| y.is_tracked()).collect();
    let gradients = match roots[..] {
        [] => None,
        _ => Some(backward_all(&roots, &[])?),
    };
    let found: Vec<_> = operands.iter().map(|x| gradients.as_ref().and_then(|all| all.find(x))).collect();

    let forward: Vec<_> = results.iter().map(Tensor::lower).collect();
    let whole = trace.finish(&forward.iter().chain(found.iter().copied().flatten()).collect::<Vec<_>>())?;
    let has = found.iter().map(Option::is_some).collect();
    Derivative::new(&without_results(whole, xs.len(), ys.len())?, has)
}

/// The same program where each of the first `results` results is read from the input that it was given as,
/// after `operands` others, and is no result any more. Chains in it are written out.
fn without_results(mut whole: Program, operands: usize, results: usize) -> Result<Program> {
    let rest = whole.results.split_off(results);
    let mut writer = Writer::new(whole.inputs);
    for (i, &number) in whole.results.iter().enumerate() {
        if number >= whole.inputs {
            writer.replace(number, operands + i);
        }
    }
    writer.write(&whole.code)?;
    writer.finish(&rest)
}
