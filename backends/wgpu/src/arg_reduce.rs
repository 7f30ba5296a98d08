//! Where along an axis the best element stands.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::Kernel,
    reduce::Plan,
    storage::{self, Storage},
    team::Team,
};
use firesteel_core::{ArgReduce, Meta, Result};

pub(crate) fn arg_reduce(
    gpu: &'static Gpu,
    kind: ArgReduce,
    x: &WgpuValue,
    axis: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    let x = create::placed(gpu, x)?;
    let y = create::output(gpu, &Meta::new(&out.shape, storage::index(gpu.features)))?;
    let plan = Plan::new(&x.layout, &[axis]);
    let (results, each) = (out.numel(), plan.reduced.shape.numel());
    let number = Storage::of(x.meta.dtype).number;
    let mut kernel = Kernel::new(gpu, "arg_reduce");
    kernel.read_at("x", &x, false).write1("y", &y).alias("T", x.meta.dtype).alias("I", y.meta.dtype);
    kernel.places("kept", &plan.kept).places("reduced", &plan.reduced);
    kernel.constant("SIGN", (kind == ArgReduce::Max).into());
    kernel.param("results", results).param("elements", each);
    let team = Team::new(gpu, each, plan.in_rows(), x.meta.dtype);
    let groups = team.declare(&mut kernel, results);
    kernel.run(groups, || {
        let body = team.shader(include_str!("../shaders/arg_reduce.wgsl"), &[], x.meta.dtype);
        let nan = match number {
            "f32" => "(bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u",
            "f64" => "!(a == a)",
            _ => "false",
        };
        format!("{body}fn is_nan(a: T) -> bool {{ return {nan}; }}\n")
    })?;
    Ok(y)
}
