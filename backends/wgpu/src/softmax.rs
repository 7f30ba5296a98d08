//! Softmax and its logarithm.
use crate::{WgpuValue, create, device::Gpu, kernel::Kernel, reduce::Plan, team::Team};
use firesteel_core::{Layout, Meta, Result};

/// Groups of four that a member of a team keeps in registers, at most.
const KEPT: usize = 8;

/// Of rows along an axis, which are not empty.
pub(crate) fn softmax(
    gpu: &'static Gpu,
    x: &WgpuValue,
    axis: usize,
    is_log: bool,
    out: &Meta,
) -> Result<WgpuValue> {
    let x = create::placed(gpu, x)?;
    let y = create::output(gpu, out)?;
    let (from, to) = (Plan::new(&x.layout, &[axis]), Plan::new(&y.layout, &[axis]));
    let step = |layout: &Layout| layout.strides[axis];
    let n = out.shape[axis];
    let rows = out.numel() / n;
    let team = Team::new(gpu, n, from.in_rows(), out.dtype);
    let kept = n.div_ceil(4 * team.size);
    let aligned = |plan: &Plan| {
        plan.kept.offset.is_multiple_of(4) && plan.kept.strides.iter().all(|stride| stride % 4 == 0)
    };
    let is_dense = n == 1 || step(&x.layout) == 1 && step(&y.layout) == 1;
    let wide = is_dense && n.is_multiple_of(4) && aligned(&from) && aligned(&to);
    let mut kernel = Kernel::new(gpu, "softmax");
    kernel.read_at("x", &x, wide).alias("T", out.dtype);
    if wide {
        kernel.write4("y", &y);
    } else {
        kernel.write1("y", &y);
    }
    kernel.places("x_start", &from.kept).places("y_start", &to.kept);
    kernel.constant("WIDE", wide.into()).constant("IS_LOG", is_log.into());
    kernel.constant("IS_KEPT", (kept <= KEPT).into()).constant("KEPT", kept.clamp(1, KEPT) as u32);
    kernel.param("n", n).param("rows", rows).number("lowest", out.dtype.lowest(), out.dtype);
    kernel.param("x_step", step(&x.layout) as usize).param("y_step", step(&y.layout) as usize);
    let groups = team.declare(&mut kernel, rows);
    kernel.run(groups, || {
        let store = if wide {
            "fn store4(g: u32, v: vec4<T>) { y_set4(g, v); }\nfn store1(i: u32, v: T) {}\n"
        } else {
            "fn store4(g: u32, v: vec4<T>) {}\nfn store1(i: u32, v: T) { y_set(i, v); }\n"
        };
        team.shader(include_str!("../shaders/softmax.wgsl"), &["larger", "sum"], out.dtype) + store
    })?;
    Ok(y)
}
