//! Losses.
use crate::{
    WgpuValue, check::Check, create, device::Gpu, kernel::Kernel, reduce::Plan, storage::Storage, team::Team,
};
use firesteel_core::{Metas, Outputs, Result, Scalar};
use smallvec::smallvec;

/// `(lse - x[target], lse)` along axis 1; zero loss where the target is `ignore`.
pub(crate) fn cross_entropy(
    gpu: &'static Gpu,
    x: &WgpuValue,
    target: &WgpuValue,
    ignore: i64,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let x = create::placed(gpu, x)?;
    let [loss, lse] = [create::output(gpu, &out[0])?, create::output(gpu, &out[1])?];
    let (dtype, index) = (out[0].dtype, target.meta.dtype);
    let plan = Plan::new(&x.layout, &[1]);
    let (n, rows) = (x.meta.shape[1], out[0].numel());
    // a target of few bits is never what they cannot hold
    let held = Scalar::Int(ignore).round_to(index) == Scalar::Int(ignore);
    let mut kernel = Kernel::new(gpu, "loss");
    kernel.read_at("x", &x, false).read("target_at", target).write1("loss", &loss).write1("lse", &lse);
    kernel.alias("T", dtype).alias("INDEX", index).places("x_start", &plan.kept);
    kernel.depends([held.into()]).check(Check::Target { op: "cross_entropy" }, n, 1);
    kernel.param("n", n).param("rows", rows).param("x_step", x.layout.strides[1] as usize);
    kernel.number("lowest", dtype.lowest(), dtype).number("ignore", Scalar::Int(ignore), index);
    let team = Team::new(gpu, n, plan.in_rows(), dtype);
    let groups = team.declare(&mut kernel, rows);
    kernel.run(groups, || {
        let body = include_str!("../shaders/loss.wgsl");
        let body = if held { body.to_owned() } else { body.replace("class_ == p.ignore", "false") };
        let number = Storage::of(index).number;
        team.shader(&body, &["larger", "sum"], dtype)
            + &format!("fn target_of(i: u32) -> {number} {{ return target_at(i); }}\n")
    })?;
    Ok(smallvec![loss, lse])
}
