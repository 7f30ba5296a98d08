//! All elements along some axes to one.
//!
//! A result is made by 1 to 256 invocations of a workgroup, each of which joins every so-manieth element; which
//! elements neighbours take goes by what lies side by side in memory. Where there are too few results to keep a
//! device busy, each is first made in parts, and the parts are reduced once more.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    team::Team,
};
use firesteel_core::{Axes, Binary, DType, Layout, Meta, Reduce, Result, Scalar, Strides, formula};

/// Elements that an invocation joins at least, before a result is made in parts.
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
    in_parts(&Job { gpu, kind, x: &x, centre: None, plan: &plan }, out)
}

/// The mean of `(x - centre)²` along the axes, with a centre for each result.
pub(crate) fn variance(
    gpu: &'static Gpu,
    x: &WgpuValue,
    centre: &WgpuValue,
    axes: &[usize],
) -> Result<WgpuValue> {
    let (plan, x) = (Plan::new(&x.layout, axes), create::placed(gpu, x)?);
    in_parts(&Job { gpu, kind: Reduce::Mean, x: &x, centre: Some(centre), plan: &plan }, &centre.meta)
}

/// What is reduced, and how.
struct Job<'a> {
    gpu: &'static Gpu,
    kind: Reduce,
    x: &'a WgpuValue,
    /// What is taken from each element before it is squared.
    centre: Option<&'a WgpuValue>,
    plan: &'a Plan,
}

/// One pass, or one in parts and another over these.
fn in_parts(job: &Job, out: &Meta) -> Result<WgpuValue> {
    let (results, each) = (job.plan.kept.shape.numel(), job.plan.reduced.shape.numel());
    let count = if job.kind == Reduce::Mean { each } else { 1 };
    let parts = (BUSY / results.next_multiple_of(WORKGROUP)).min(each / (DEPTH * WORKGROUP));
    if parts <= 1 {
        return run(job, 1, count, out);
    }
    // parts are summed in what numbers are computed in
    let dtype = job.x.meta.dtype;
    let wide = if dtype.is_half() { DType::F32 } else { dtype };
    let kind = if job.kind == Reduce::Mean { Reduce::Sum } else { job.kind };
    let parts = run(&Job { kind, ..*job }, parts, 1, &Meta::new([results, parts], wide))?;
    let plan = Plan::new(&parts.layout, &[1]);
    run(&Job { x: &parts, plan: &plan, centre: None, ..*job }, 1, count, out)
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

/// One pass: each result in so many parts, divided by `count`.
fn run(job: &Job, parts: usize, count: usize, out: &Meta) -> Result<WgpuValue> {
    let Job { gpu, kind, x, centre, plan } = *job;
    let y = create::output(gpu, out)?;
    let (results, each) = (out.numel(), plan.reduced.shape.numel());
    let length = each.div_ceil(parts);
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
    if let Some(centre) = centre {
        kernel.read("centre", centre);
    }
    kernel.places("kept", &plan.kept).places("reduced", &plan.reduced);
    kernel.constant("IS_MEAN", (count > 1).into()).depends([binary as u32]);
    kernel.param("results", results).param("elements", each).param("parts", parts).param("length", length);
    kernel.number("identity", identity, dtype).number("count", Scalar::from(count), dtype);
    let team = Team::new(gpu, length, plan.in_rows(), dtype);
    let groups = team.declare(&mut kernel, results);
    kernel.run(groups, || {
        let formula = formula::binary(binary, dtype.category()).unwrap_or("a");
        let (at, mapped) = match centre {
            Some(_) => ("centre(i)", "(x - vec4<T>(centre)) * (x - vec4<T>(centre))"),
            None => ("T(0)", "x"),
        };
        let functions = [
            include_str!("../shaders/reduce.wgsl"),
            &format!("fn join(a: vec4<T>, b: vec4<T>) -> vec4<T> {{ return {formula}; }}\n"),
            &format!("fn centre_of(i: u32) -> T {{ return {at}; }}\n"),
            &format!("fn mapped(x: vec4<T>, centre: T) -> vec4<T> {{ return {mapped}; }}\n"),
        ];
        team.shader(&functions.concat(), &["join"], dtype)
    })?;
    Ok(y)
}
