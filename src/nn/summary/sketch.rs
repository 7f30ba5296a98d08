//! A backend that computes shapes alone, and notes what was asked of it.
use crate::{
    Backend, Device, Error, Fused, Generator, MemoryStats, Meta, Metas, Op, Outputs, Result, Shape, Tensor,
    TensorData,
};
use std::{
    future::{Future, ready},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A backend that computes shapes alone: a model on it says what it would do, in no time and no memory.
#[derive(Clone, Debug, Default)]
pub struct Sketch(Arc<Notes>);

#[derive(Debug)]
struct Notes {
    written: Mutex<Written>,
    generator: Generator,
}

impl Default for Notes {
    fn default() -> Self {
        Self { written: Mutex::default(), generator: Generator::new(0) }
    }
}

#[derive(Debug, Default)]
struct Written {
    lines: Vec<Line>,
    /// How many values there are so far.
    values: usize,
}

/// An operation that was asked for.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name of the operation.
    pub name: &'static str,
    /// The numbers of its operands.
    pub operands: Vec<usize>,
    /// The numbers of its results.
    pub results: Range<usize>,
    /// The shape of its first result.
    pub output: Shape,
    /// Whether it computes something, rather than moving it.
    pub is_arithmetic: bool,
    /// The operations of its products.
    pub flops: u64,
}

/// What a value would look like.
#[derive(Clone, Debug)]
pub struct Outline {
    number: usize,
    meta: Meta,
}

impl Outline {
    /// Its number among all values.
    pub fn number(&self) -> usize {
        self.number
    }
}

impl Sketch {
    /// A tensor that looks like this.
    pub(super) fn input(&self, meta: &Meta) -> Tensor<Sketch> {
        Tensor::from_value(self.clone(), self.outline(meta.clone()))
    }

    /// What was asked for so far.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.written().lines.clone()
    }

    fn outline(&self, meta: Meta) -> Outline {
        let mut written = self.written();
        written.values += 1;
        Outline { number: written.values - 1, meta }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Sketch {
    type Value = Outline;

    fn device(&self) -> Device {
        Device { kind: "sketch", index: 0 }
    }
    fn meta(v: &Outline) -> &Meta {
        &v.meta
    }
    fn upload(&self, data: TensorData) -> Result<Outline> {
        Ok(self.outline(data.meta().clone()))
    }
    fn download(&self, _: &Outline) -> impl Future<Output = Result<TensorData>> + Send {
        let why = "a model that reads numbers on its way cannot be sketched: there are only shapes";
        ready(Err(Error::unsupported("summary", why)))
    }
    fn memory(&self) -> MemoryStats {
        MemoryStats::default()
    }
    fn empty_cache(&self) {}
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
    fn generator(&self) -> &Generator {
        &self.0.generator
    }
    fn fuses(&self, _: &Op<&Meta>) -> bool {
        true
    }
    fn eval(&self, op: Op<&Outline>, out: &Metas) -> Result<Outputs<Outline>> {
        let mut written = self.written();
        let first = written.values;
        written.values += out.len();
        let mut operands = vec![];
        op.clone().each(|x| operands.push(x.number));
        let line = Line {
            name: op.name(),
            operands,
            results: first..written.values,
            output: out[0].shape.clone(),
            is_arithmetic: is_arithmetic(&op),
            flops: flops(&op, &out[0]),
        };
        written.lines.push(line);
        let outline = |(i, meta): (usize, &Meta)| Outline { number: first + i, meta: meta.clone() };
        Ok(out.iter().enumerate().map(outline).collect())
    }
}

/// Whether an operation computes something from its operands, rather than moving or making numbers.
fn is_arithmetic<T>(op: &Op<T>) -> bool {
    !matches!(
        op,
        Op::Full(..)
            | Op::Arange { .. }
            | Op::Random(..)
            | Op::Reshape(..)
            | Op::Permute(..)
            | Op::Broadcast(..)
            | Op::Slice(..)
            | Op::Windows { .. }
            | Op::Cast(..)
            | Op::WrapIndex(..)
            | Op::Require(..)
    )
}

/// The multiplications and additions of an operation's products.
fn flops(op: &Op<&Outline>, out: &Meta) -> u64 {
    let numel = |meta: &Meta| meta.numel() as u64;
    let last = |x: &Outline| x.meta.shape.last().copied().unwrap_or(1) as u64;
    // how many elements of a weight meet each element of what it is multiplied with
    let behind = |w: &Outline| w.meta.shape[1..].iter().map(|&size| size as u64).product::<u64>();
    let products = match op {
        Op::MatMul(a, _) => numel(out).saturating_mul(last(a)),
        Op::Conv(_, _, w) => numel(out).saturating_mul(behind(w)),
        Op::ConvInputGrad { g, w, .. } => numel(&g.meta).saturating_mul(behind(w)),
        Op::ConvWeightGrad { g, .. } => {
            numel(&g.meta).saturating_mul(out.shape[1..].iter().product::<usize>() as u64)
        }
        Op::Fused(Fused::Linear | Fused::LinearThen(_) | Fused::IntMm, operands) => {
            numel(out).saturating_mul(last(operands[0]))
        }
        Op::Fused(Fused::Lstm { .. } | Fused::Gru { .. }, operands) => {
            // each row of a step meets all numbers of both weights
            let (w, u) = (&operands[1].meta, &operands[2].meta);
            let rows = numel(out).checked_div(last(operands[2])).unwrap_or(0);
            rows.saturating_mul(numel(w).saturating_add(numel(u)))
        }
        Op::Fused(Fused::Attention { .. }, operands) => {
            // scores (.., n, m) of products over d, and sums of m values
            let (q, k) = (operands[0], operands[1]);
            let keys = k.meta.shape.iter().rev().nth(1).copied().unwrap_or(1) as u64;
            keys.saturating_mul(numel(&q.meta).saturating_add(numel(out)))
        }
        _ => 0,
    };
    products.saturating_mul(2)
}
