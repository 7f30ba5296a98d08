//! All elements along some axes to one.
//!
//! A result is made by 1 to 256 invocations of a workgroup, each of which joins every so-manieth element; which
//! elements neighbours take goes by what lies side by side in memory. Where there are too few results to keep a
//! device busy, each is first made in parts, and the parts are reduced once more.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    storage::Storage,
};
use firesteel_core::{Axes, Binary, DType, Layout, Meta, Reduce, Result, Scalar, Strides, formula};

/// Elements that an invocation joins at least, before another helps it.
const DEPTH: usize = 16;
/// Invocations that keep a device busy.
const BUSY: usize = 64 * 1024;

pub(crate) fn reduce(
    gpu: &'static Gpu,
    kind: Reduce,
    x: &WgpuValue,
    axes: &Axes,
    out: &Meta,
) -> Result<WgpuValue> {
    if x.meta.numel() == 0 {
        return Ok(WgpuValue::same(out.clone(), of_nothing(kind)));
    }
    let plan = Plan::new(&x.layout, axes);
    if plan.reduced.shape.numel() == 1 && kind != Reduce::Mean {
        return Ok(x.view(Layout { shape: out.shape.clone(), ..x.layout.clone() }));
    }
    let x = create::placed(gpu, x)?;
    let (results, each) = (plan.kept.shape.numel(), plan.reduced.shape.numel());
    let count = if kind == Reduce::Mean { each } else { 1 };
    let parts = (BUSY / results.next_multiple_of(WORKGROUP)).min(each / (DEPTH * WORKGROUP));
    if parts <= 1 {
        return run(gpu, kind, &x, &plan, 1, count, out);
    }
    // parts are summed in what numbers are computed in
    let wide = if x.meta.dtype.is_half() { DType::F32 } else { x.meta.dtype };
    let part_kind = if kind == Reduce::Mean { Reduce::Sum } else { kind };
    let partial = run(gpu, part_kind, &x, &plan, parts, 1, &Meta::new([results, parts], wide))?;
    let plan = Plan::new(&partial.layout, &Axes::from_slice(&[1]));
    run(gpu, kind, &partial, &plan, 1, count, out)
}

/// What a reduction of no elements gives, where it gives anything.
fn of_nothing(kind: Reduce) -> Scalar {
    match kind {
        Reduce::Sum => Scalar::Int(0),
        Reduce::Prod => Scalar::Int(1),
        Reduce::Mean => Scalar::Float(f64::NAN),
        Reduce::Max => Scalar::Bool(false),
        Reduce::Min => Scalar::Bool(true),
    }
}

/// How a reduction goes through memory.
pub(crate) struct Plan {
    /// The axes that stay, from where the operand starts.
    pub kept: Layout,
    /// The axes that are reduced, from zero, innermost in memory last.
    pub reduced: Layout,
}

impl Plan {
    pub fn new(x: &Layout, axes: &[usize]) -> Self {
        let (mut reduced, kept): (Axes, Axes) =
            (0..x.shape.rank()).filter(|&a| x.shape[a] != 1).partition(|a| axes.contains(a));
        reduced.sort_by_key(|&a| std::cmp::Reverse(x.strides[a].unsigned_abs()));
        Plan { kept: part(x, &kept, x.offset), reduced: part(x, &reduced, 0) }
    }

    /// Whether neighbours in memory are reduced together.
    pub fn in_rows(&self) -> bool {
        let inner = |layout: &Layout| {
            layout.strides.iter().map(|s| s.unsigned_abs().wrapping_sub(1)).min().unwrap_or(usize::MAX)
        };
        inner(&self.reduced) <= inner(&self.kept)
    }
}

/// These axes alone.
fn part(x: &Layout, axes: &[usize], offset: usize) -> Layout {
    Layout {
        shape: axes.iter().map(|&a| x.shape[a]).collect(),
        strides: axes.iter().map(|&a| x.strides[a]).collect::<Strides>(),
        offset,
    }
}

/// How many invocations make one result of so many elements: a power of two.
pub(crate) fn team(elements: usize) -> usize {
    (elements / DEPTH).next_power_of_two().clamp(1, WORKGROUP)
}

/// One pass: each result in so many parts, divided by `count`.
fn run(
    gpu: &'static Gpu,
    kind: Reduce,
    x: &WgpuValue,
    plan: &Plan,
    parts: usize,
    count: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    let y = create::output(gpu, out)?;
    let (results, each) = (out.numel(), plan.reduced.shape.numel());
    let length = each.div_ceil(parts);
    let team = team(length);
    let binary = match kind {
        Reduce::Sum | Reduce::Mean => Binary::Add,
        Reduce::Prod => Binary::Mul,
        Reduce::Max => Binary::Maximum,
        Reduce::Min => Binary::Minimum,
    };
    let dtype = x.meta.dtype;
    let identity = match kind {
        Reduce::Sum | Reduce::Mean => Scalar::Int(0),
        Reduce::Prod => Scalar::Int(1),
        Reduce::Max => dtype.lowest(),
        Reduce::Min => dtype.highest(),
    };
    let mut kernel = Kernel::new(gpu, "reduce");
    kernel.read_at("x", x, false).write1("y", &y).alias("T", dtype);
    kernel.places("kept", &plan.kept).places("reduced", &plan.reduced);
    kernel.constant("TEAM", team as u32).constant("IN_ROWS", plan.in_rows().into());
    kernel.constant("IS_MEAN", (count > 1).into()).depends([binary as u32]);
    kernel.param("results", results).param("elements", each).param("parts", parts).param("length", length);
    kernel.number("identity", identity, dtype).number("count", Scalar::from(count), dtype);
    kernel.run((results * team).div_ceil(WORKGROUP), || {
        let number = Storage::of(dtype).number;
        let formula = formula::binary(binary, dtype.category()).unwrap_or("a");
        let formula = formula.replace('$', &format!("{number}_"));
        let body = include_str!("../shaders/reduce.wgsl");
        format!("{body}fn join(a: vec4<T>, b: vec4<T>) -> vec4<T> {{ return {formula}; }}\n")
    })?;
    Ok(y)
}
