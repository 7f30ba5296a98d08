//! Element-wise operations in one pass over memory: a shader that is written for the program. A single operation is a
//! program of one line.
use crate::{
    WgpuValue,
    check::Check,
    create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    storage::Storage,
    value::Memory,
};
use firesteel_core::{Binary, Category, DType, Error, Meta, Metas, Op, Outputs, Program, Result, formula};
use smallvec::SmallVec;
use std::fmt::Write as _;

/// Names of inputs, results and constants; a program with more of them is decomposed.
pub(crate) const INPUTS: [&str; 12] =
    ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11"];
pub(crate) const RESULTS: [&str; 6] = ["y0", "y1", "y2", "y3", "y4", "y5"];
const CONSTANTS: [&str; 16] =
    ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15"];

/// Where the elements of an input are.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// In a value.
    Value(&'a WgpuValue),
    /// In this target's buffer, before it is written.
    Target(usize),
}

/// Whether one shader takes a program with these inputs.
pub(crate) fn fits(gpu: &Gpu, program: &Program) -> bool {
    let constants = program.code.iter().filter(|op| matches!(op, Op::Full(..))).count();
    let buffers = program.inputs + program.results.len() + 1;
    program.inputs <= INPUTS.len()
        && program.results.len() <= RESULTS.len()
        && constants <= CONSTANTS.len()
        && buffers <= gpu.limits.max_storage_buffers_per_shader_stage as usize
}

/// Runs a program of element-wise operations.
pub(crate) fn chain(
    gpu: &'static Gpu,
    program: &Program,
    xs: &[&WgpuValue],
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    run(gpu, &program.code, &program.results, xs, &out.iter().collect::<SmallVec<[_; 4]>>())
}

/// Runs one element-wise operation.
pub(crate) fn single(gpu: &'static Gpu, op: Op<&WgpuValue>, out: &Meta) -> Result<WgpuValue> {
    let mut xs: SmallVec<[&WgpuValue; 3]> = SmallVec::new();
    let line = op.map(|x| {
        xs.push(x);
        xs.len() - 1
    });
    let results = run(gpu, std::slice::from_ref(&line), &[xs.len()], &xs, &[out])?;
    results.into_iter().next().ok_or_else(|| Error::internal(line.name(), "gave no result"))
}

/// Runs lines over inputs of one shape: new values for the results.
pub(crate) fn run(
    gpu: &'static Gpu,
    code: &[Op<usize>],
    results: &[usize],
    xs: &[&WgpuValue],
    out: &[&Meta],
) -> Result<Outputs<WgpuValue>> {
    let ys = out.iter().map(|meta| create::output(gpu, meta)).collect::<Result<Outputs<_>>>()?;
    let inputs: SmallVec<[Input; 4]> = xs.iter().map(|x| Input::Value(x)).collect();
    run_into(gpu, code, results, &inputs, &ys)?;
    Ok(ys)
}

/// Runs lines over inputs of one shape, and writes the results to values that are row-major in buffers.
pub(crate) fn run_into(
    gpu: &'static Gpu,
    code: &[Op<usize>],
    results: &[usize],
    inputs: &[Input],
    ys: &[WgpuValue],
) -> Result<()> {
    gpu.flush()?;
    record(gpu, &Plan::new(code, results, inputs, ys)?, ys)
}

/// The same, after all that is recorded already.
pub(crate) fn record(gpu: &'static Gpu, plan: &Plan, ys: &[WgpuValue]) -> Result<()> {
    let Some(n) = ys.first().map(|y| y.meta.numel()) else {
        return Ok(());
    };
    if n >= u32::MAX as usize {
        return Err(Error::unsupported("chain", format!("{n} elements are more than a kernel counts")));
    }
    let groups = n.div_ceil(4);
    let mut kernel = Kernel::new(gpu, "chain");
    for (input, name) in plan.inputs.iter().zip(INPUTS) {
        if let Input::Value(x) = input {
            kernel.read(name, x);
        }
    }
    for (y, name) in ys.iter().zip(RESULTS) {
        kernel.write4(name, y);
    }
    kernel.param("groups", groups);
    let constants = plan.code.iter().filter_map(|op| match op {
        Op::Full(value, _, dtype) => Some((*value, *dtype)),
        _ => None,
    });
    for ((value, dtype), name) in constants.zip(CONSTANTS) {
        kernel.number(name, value, dtype);
    }
    if let Some(op) = plan.divides() {
        kernel.check(Check::Divisor { op }, 0, 0).param("n", n);
    }
    kernel.depends(plan.key());
    kernel.record(groups.div_ceil(WORKGROUP), || plan.body())
}

/// Whether an operation divides whole numbers, whose divisors are checked.
pub(crate) fn divides(op: &Op<&WgpuValue>) -> bool {
    matches!(op, Op::Binary(kind, a, _) if is_division(*kind) && !a.meta.dtype.is_float())
}

fn is_division(kind: Binary) -> bool {
    matches!(kind, Binary::Div | Binary::Remainder | Binary::Fmod)
}

/// A program made ready: the dtype of each value, inputs first.
pub(crate) struct Plan<'a> {
    code: &'a [Op<usize>],
    results: &'a [usize],
    inputs: &'a [Input<'a>],
    pub dtypes: SmallVec<[DType; 8]>,
}

impl<'a> Plan<'a> {
    pub fn new(
        code: &'a [Op<usize>],
        results: &'a [usize],
        inputs: &'a [Input<'a>],
        ys: &[WgpuValue],
    ) -> Result<Self> {
        let dtype = |input: &Input| match *input {
            Input::Value(x) => x.meta.dtype,
            Input::Target(i) => ys[i].meta.dtype,
        };
        let mut dtypes: SmallVec<[DType; 8]> = inputs.iter().map(dtype).collect();
        for op in code {
            dtypes.push(match op {
                Op::Full(_, _, dtype) | Op::Cast(_, dtype) => *dtype,
                Op::Unary(_, x) | Op::Binary(_, x, _) | Op::Select(_, x, _) => dtypes[*x],
                Op::Compare(..) => DType::Bool,
                _ => return Err(Error::internal("chain", format!("{} is not element-wise", op.name()))),
            });
        }
        Ok(Plan { code, results, inputs, dtypes })
    }

    /// The operation by which whole numbers are divided, where that is done.
    fn divides(&self) -> Option<&'static str> {
        self.code.iter().find_map(|op| {
            let Op::Binary(kind, a, _) = op else { return None };
            (is_division(*kind) && !self.dtypes[*a].is_float()).then(|| kind.name())
        })
    }

    /// What the text depends on, as numbers.
    pub fn key(&self) -> SmallVec<[u32; 32]> {
        let mut key = SmallVec::new();
        for input in self.inputs {
            key.push(match input {
                Input::Value(_) => 0,
                Input::Target(i) => 1 + *i as u32,
            });
        }
        for op in self.code {
            let head = match op {
                Op::Full(_, _, dtype) => [1, *dtype as u32],
                Op::Cast(_, dtype) => [2, *dtype as u32],
                Op::Unary(kind, _) => [3, *kind as u32],
                Op::Binary(Binary::Pow, _, b) => [4, self.power(*b).map_or(100, |(number, _)| number)],
                Op::Binary(kind, ..) => [5, *kind as u32],
                Op::Compare(kind, ..) => [6, *kind as u32],
                // what else there is has been refused
                _ => [7, 0],
            };
            key.extend(head);
            op.clone().each(|x| key.push(x as u32));
        }
        key.push(u32::MAX);
        key.extend(self.results.iter().map(|&i| i as u32));
        key
    }

    /// The number that a value is everywhere, where the host knows it.
    fn known(&self, value: usize) -> Option<f64> {
        match (self.inputs.get(value), value.checked_sub(self.inputs.len()).and_then(|i| self.code.get(i))) {
            (Some(Input::Value(WgpuValue { memory: Memory::Same(number), .. })), _) => Some(number.to_f64()),
            (None, Some(Op::Full(number, ..))) => Some(number.to_f64()),
            _ => None,
        }
    }

    /// A power that is common, and exact as a product: its number and formula.
    fn power(&self, exponent: usize) -> Option<(u32, &'static str)> {
        const POWERS: [(f64, &str); 6] = [
            (2., "a * a"),
            (3., "a * a * a"),
            (-1., "$T(1) / a"),
            (-2., "$T(1) / (a * a)"),
            (0.5, "$sqrt(a)"),
            (-0.5, "$T(1) / $sqrt(a)"),
        ];
        let known = self.known(exponent).filter(|_| self.dtypes[exponent].is_float())?;
        let found = POWERS.iter().position(|(power, _)| *power == known)?;
        Some((found as u32, POWERS[found].1))
    }

    /// The shader.
    fn body(&self) -> String {
        let mut lines = String::new();
        for (k, (input, name)) in self.inputs.iter().zip(INPUTS).enumerate() {
            let name = match input {
                Input::Value(_) => name,
                Input::Target(i) => RESULTS[*i],
            };
            let _ = writeln!(lines, "    let v{k} = {name}4(g);");
        }
        let mut constants = CONSTANTS.iter();
        for (line, op) in self.code.iter().enumerate() {
            let number = self.inputs.len() + line;
            let text = match op {
                Op::Full(..) => format!("$T(p.{})", constants.next().unwrap_or(&"")),
                op => self.line(op),
            };
            let text = written(&text, self.dtypes[number], &[]);
            let _ = writeln!(lines, "    let v{number} = {};", cut(text, self.dtypes[number]));
            if let Op::Binary(kind, _, b) = op
                && is_division(*kind)
                && !self.dtypes[*b].is_float()
            {
                let zero = written(&format!("v{b} == $T(0)"), self.dtypes[*b], &[]);
                let inside = "4u * g + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.n)";
                let _ = writeln!(lines, "    if any(({zero}) & ({inside})) {{ fail(p.check, 0); }}");
            }
        }
        for (&number, name) in self.results.iter().zip(RESULTS) {
            let _ = writeln!(lines, "    {name}_set4(g, v{number});");
        }
        include_str!("../shaders/chain.wgsl").replace("    // the program\n", &lines)
    }

    /// The formula of a line.
    fn line(&self, op: &Op<usize>) -> String {
        let names = |xs: &[(&'static str, usize)]| -> Vec<(&'static str, String)> {
            xs.iter().map(|(name, x)| (*name, format!("v{x}"))).collect()
        };
        match *op {
            Op::Unary(kind, x) => {
                let dtype = self.dtypes[x];
                written(formula::unary(kind, dtype.category()).unwrap_or("x"), dtype, &names(&[("x", x)]))
            }
            Op::Binary(kind, a, b) => {
                let dtype = self.dtypes[a];
                let power = self.power(b).filter(|_| kind == Binary::Pow).map(|(_, formula)| formula);
                let formula = power.or_else(|| formula::binary(kind, dtype.category())).unwrap_or("a");
                written(formula, dtype, &names(&[("a", a), ("b", b)]))
            }
            Op::Compare(kind, a, b) => {
                let condition =
                    written(formula::compare(kind), self.dtypes[a], &names(&[("a", a), ("b", b)]));
                format!("vec4<u32>({condition})")
            }
            Op::Select(c, a, b) => format!("select(v{b}, v{a}, v{c} != vec4<u32>(0u))"),
            Op::Cast(x, to) => cast(x, self.dtypes[x], to),
            // what else there is has been refused
            _ => String::new(),
        }
    }
}

/// A formula over vectors of four of a dtype's numbers, with variables in place of its operands.
fn written(formula: &str, dtype: DType, names: &[(&'static str, String)]) -> String {
    let number = Storage::of(dtype).number;
    let text = formula
        .replace("$T", &format!("vec4<{number}>"))
        .replace("$W", &format!("{}u", dtype.size() * 8))
        .replace('$', &format!("{number}_"));
    let mut result = String::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        match names.iter().find(|(name, _)| *name == word) {
            Some((_, variable)) => result += variable,
            None => result += &word,
        }
        word.clear();
        result.push(c);
    }
    result.trim_end().to_owned()
}

/// What the dtype does not hold, cut off.
fn cut(text: String, dtype: DType) -> String {
    match dtype {
        DType::I8 => format!("(({text}) << vec4<u32>(24u)) >> vec4<u32>(24u)"),
        DType::U8 => format!("({text}) & vec4<u32>(255u)"),
        DType::F64
        | DType::F32
        | DType::BF16
        | DType::F16
        | DType::I64
        | DType::I32
        | DType::U32
        | DType::Bool => text,
    }
}

/// A value as another dtype.
fn cast(x: usize, from: DType, to: DType) -> String {
    let (have, want) = (Storage::of(from).number, Storage::of(to).number);
    let is_whole = to.category() != Category::Float;
    match to {
        DType::Bool => format!("vec4<u32>(!(v{x} == vec4<{have}>(0)))"),
        DType::F16 | DType::BF16 => {
            let half = if to == DType::F16 { "f16" } else { "bf16" };
            format!("{half}_round(vec4<f32>(v{x}))")
        }
        _ if from.is_float() && is_whole => format!("{have}_to_{want}(v{x})"),
        _ if (have, want) == ("u32", "i64") => format!("u32_to_i64(v{x})"),
        _ if have == want => format!("v{x}"),
        _ => format!("vec4<{want}>(v{x})"),
    }
}
