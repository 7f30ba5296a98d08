//! Operations written down, to be replayed on any backend.
use crate::{Backend, Error, Fused, Meta, Metas, Op, Outputs, Result, Scalar, Tensor, ValueOf, infer};
use smallvec::SmallVec;

/// A straight line of operations. Numbers below `inputs` are the inputs; the rest are results, in order.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Program {
    /// How many inputs there are.
    pub inputs: usize,
    /// The operations, over the numbers of what came before.
    pub code: Vec<Op<usize>>,
    /// The numbers of the program's results.
    pub results: Vec<usize>,
}

impl Program {
    /// Predicts the results.
    pub fn infer(&self, inputs: &[&Meta]) -> Result<Metas> {
        let metas = self.values(inputs)?;
        self.results.iter().map(|&i| metas.get(i).cloned().ok_or_else(missing)).collect()
    }

    /// Predicts everything that is computed on the way: the inputs, and the results of each line.
    pub fn values(&self, inputs: &[&Meta]) -> Result<Vec<Meta>> {
        if inputs.len() != self.inputs {
            let why = format!("takes {} inputs, not {}", self.inputs, inputs.len());
            return Err(Error::internal("program", why));
        }
        let mut metas: Vec<Meta> = inputs.iter().map(|&m| m.clone()).collect();
        for op in &self.code {
            let out = infer(op.clone().try_map(|i| metas.get(i).ok_or_else(missing))?)?;
            metas.extend(out);
        }
        Ok(metas)
    }

    /// The most bytes that its values take at one time, the inputs among them, where every value is written out, with what
    /// windows ask for beside them.
    pub fn memory(&self, inputs: &[&Meta]) -> Result<u64> {
        let values = self.values(inputs)?;
        let bytes = |i: usize| values[i].bytes() as u64;
        let last_use = self.last_uses();
        let mut live = (0..self.inputs).fold(0u64, |sum, i| sum.saturating_add(bytes(i)));
        let (mut most, mut next) = (live, self.inputs);
        for (n, op) in self.code.iter().enumerate() {
            for i in next..next + op.outputs() {
                live = live.saturating_add(bytes(i));
            }
            next += op.outputs();
            let aside = aside(&op.clone().try_map(|i| values.get(i).ok_or_else(missing))?);
            most = most.max(live.saturating_add(aside));
            let mut read = vec![];
            op.clone().each(|i| read.push(i));
            read.sort_unstable();
            read.dedup();
            read.retain(|&i| last_use[i] == Some(n));
            live = read.iter().fold(live, |live, &i| live.saturating_sub(bytes(i)));
        }
        Ok(most)
    }

    /// Runs it. An input that the program does not read may be missing.
    pub fn replay<B: Backend>(&self, b: &B, inputs: Vec<Option<ValueOf<B>>>) -> Result<Outputs<ValueOf<B>>> {
        let mut values = inputs;
        let last_use = self.last_uses();
        for (n, op) in self.code.iter().enumerate() {
            let done =
                b.run(op.clone().try_map(|i| values.get(i).and_then(Option::as_ref).ok_or_else(missing))?)?;
            // what nothing reads any more is let go at once
            op.clone().each(|i| {
                if last_use[i] == Some(n) {
                    values[i] = None;
                }
            });
            values.extend(done.into_iter().map(Some));
        }
        let result = |&i: &usize| values.get(i).cloned().flatten().ok_or_else(missing);
        self.results.iter().map(result).collect()
    }

    /// [`replay`](Self::replay) over tensors.
    pub fn call<B: Backend>(&self, b: &B, inputs: &[&Tensor<B>]) -> Result<Outputs<Tensor<B>>> {
        let values = self.replay(b, inputs.iter().map(|t| Some(t.value().clone())).collect())?;
        Ok(values.into_iter().map(|v| Tensor::from_value(b.clone(), v)).collect())
    }

    /// Numbers that spell out its lines and results, but not their shapes: two programs with the same are the same in one shape.
    /// Nothing where a line is not element-wise.
    pub fn spelled(&self) -> Option<SmallVec<[u64; 64]>> {
        let mut words = SmallVec::new();
        words.push(self.inputs as u64);
        for op in &self.code {
            let (tag, kind) = match op {
                Op::Full(Scalar::Float(x), _, dtype) => (0, [x.to_bits(), *dtype as u64]),
                Op::Full(Scalar::Int(x), _, dtype) => (1, [*x as u64, *dtype as u64]),
                Op::Full(Scalar::Bool(x), _, dtype) => (2, [u64::from(*x), *dtype as u64]),
                Op::Unary(kind, _) => (3, [*kind as u64, 0]),
                Op::Binary(kind, ..) => (4, [*kind as u64, 0]),
                Op::Compare(kind, ..) => (5, [*kind as u64, 0]),
                Op::Select(..) => (6, [0, 0]),
                Op::Cast(_, dtype) => (7, [*dtype as u64, 0]),
                _ => return None,
            };
            words.push(tag);
            words.extend_from_slice(&kind);
            op.clone().each(|i| words.push(i as u64));
        }
        words.extend(self.results.iter().map(|&i| i as u64));
        Some(words)
    }

    /// Whether it looks at this input at all.
    pub fn reads(&self, input: usize) -> bool {
        let mut found = self.results.contains(&input);
        self.code.iter().cloned().for_each(|op| op.each(|i| found |= i == input));
        found
    }

    /// The line after which each value is read no more; none where it is a result or never read.
    pub fn last_uses(&self) -> Vec<Option<usize>> {
        let mut last = vec![None; self.inputs];
        for (n, op) in self.code.iter().enumerate() {
            op.clone().each(|i| {
                if let Some(slot) = last.get_mut(i) {
                    *slot = Some(n);
                }
            });
            last.resize(last.len() + op.outputs(), None);
        }
        self.results.iter().for_each(|&i| {
            if let Some(slot) = last.get_mut(i) {
                *slot = None;
            }
        });
        last
    }
}

/// The bytes that an operation may need beside its operands and results: those of windows, for a plane with all that they
/// reach over, and for what each place of a window sees. A window of a few bytes in a file may be of any size.
fn aside(op: &Op<&Meta>) -> u64 {
    let windows = |channels: usize, space: &[usize], kernel: &[usize], steps: [&[usize]; 2]| {
        let [padding, dilation] = steps;
        let reaches = space.iter().zip(kernel).zip(padding.iter().zip(dilation));
        let reaches = reaches.map(|((size, kernel), (padding, dilation))| {
            let around = padding.saturating_mul(2).saturating_add(kernel.saturating_mul(*dilation));
            size.saturating_add(around) as u64
        });
        let plane = reaches.fold((channels as u64).saturating_mul(8), u64::saturating_mul);
        let places = kernel.iter().fold(16, |n: u64, &size| n.saturating_mul(size as u64));
        plane.saturating_add(places)
    };
    if let Op::Fused(Fused::MaxPool(pool) | Fused::AvgPool(pool, _), xs) = op {
        let space = xs.first().map_or(&[][..], |x| &x.shape[x.shape.rank() - pool.kernel.len()..]);
        return windows(1, space, &pool.kernel, [&pool.padding, &pool.dilation]);
    }
    let (conv, channels, space, kernel) = if let Op::Conv(conv, x, w) = op {
        (conv, x.shape[1], &x.shape[2..], &w.shape[2..])
    } else if let Op::ConvInputGrad { conv, w, size, .. } = op {
        (conv, w.shape[1].saturating_mul(conv.groups), &size[..], &w.shape[2..])
    } else if let Op::ConvWeightGrad { conv, x, size, .. } = op {
        (conv, x.shape[1], &x.shape[2..], &size[..])
    } else {
        return 0;
    };
    windows(channels, space, kernel, [&conv.padding, &conv.dilation])
}

fn missing() -> Error {
    Error::internal("program", "reads a value that is not there")
}
