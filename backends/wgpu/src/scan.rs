//! Running functions along an axis: sums by teams of invocations, and in parts where rows are long; products, which
//! cannot be cut so (of parts that overflow and vanish they would be NaN), and recurrences step by step.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    team,
};
use firesteel_core::{DType, Layout, Meta, Result, Scalar, Scan};

/// Parts of a long row have this many elements at least.
const PART: usize = 4096;
/// Invocations that keep a device busy.
const BUSY: usize = 16 * 1024;

/// `yᵢ = Σ x₀..xᵢ` or `Π x₀..xᵢ` along the axis.
pub(crate) fn scan(
    gpu: &'static Gpu,
    kind: Scan,
    x: &WgpuValue,
    axis: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    match kind {
        Scan::Sum => sums(gpu, x, axis, out),
        Scan::Prod => {
            let zero = WgpuValue::same(x.meta.clone(), Scalar::Int(0));
            steps(gpu, Scalar::Int(1), x, &zero, axis, out)
        }
    }
}

/// `yᵢ = aᵢ yᵢ₋₁ + bᵢ` along the axis.
pub(crate) fn recurrence(
    gpu: &'static Gpu,
    a: &WgpuValue,
    b: &WgpuValue,
    axis: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    steps(gpu, Scalar::Int(0), a, b, axis, out)
}

/// Where rows along an axis begin, and how far their elements are apart.
fn rows(layout: &Layout, axis: usize) -> (Layout, usize) {
    let mut rows = layout.clone();
    let stride = rows.strides.remove(axis);
    rows.shape.remove(axis);
    (rows, stride as usize)
}

fn steps(
    gpu: &'static Gpu,
    first: Scalar,
    a: &WgpuValue,
    b: &WgpuValue,
    axis: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    let y = create::output(gpu, out)?;
    if out.numel() == 0 {
        return Ok(y);
    }
    let (a, b) = (create::placed(gpu, a)?, create::placed(gpu, b)?);
    let [row_a, row_b, row_y] = [&a, &b, &y].map(|x| rows(&x.layout, axis));
    let count = row_y.0.shape.numel();
    let mut kernel = Kernel::new(gpu, "recurrence");
    kernel.read_at("a", &a, false).read_at("b", &b, false).write1("y", &y);
    kernel.places("row_a", &row_a.0).places("row_b", &row_b.0).places("row_y", &row_y.0);
    kernel.param("stride_a", row_a.1).param("stride_b", row_b.1).param("stride_y", row_y.1);
    kernel.param("rows", count).param("n", out.shape[axis]).number("first", first, out.dtype);
    kernel.run(count.div_ceil(WORKGROUP), || include_str!("../shaders/recurrence.wgsl").to_owned())?;
    Ok(y)
}

fn sums(gpu: &'static Gpu, x: &WgpuValue, axis: usize, out: &Meta) -> Result<WgpuValue> {
    let y = create::output(gpu, out)?;
    if out.numel() == 0 {
        return Ok(y);
    }
    let x = create::placed(gpu, x)?;
    let (n, count) = (out.shape[axis], out.numel() / out.shape[axis]);
    let parts = (BUSY / count.next_multiple_of(WORKGROUP)).min(n / PART);
    if parts <= 1 {
        run(gpu, &x, &y, axis, n, None)?;
        return Ok(y);
    }
    let length = n.div_ceil(parts).next_multiple_of(4);
    let parts = n.div_ceil(length);
    // parts are summed in what numbers are computed in
    let wide = if out.dtype.is_half() { DType::F32 } else { out.dtype };
    let totals = create::output(gpu, &Meta::new([count, parts], wide))?;
    run(gpu, &x, &totals, axis, length, None)?;
    let sums = sums(gpu, &totals, 1, &totals.meta)?;
    run(gpu, &x, &y, axis, length, Some(&sums))?;
    Ok(y)
}

/// The sums of each part of a row of `x`: all of them, from those that are `carried` to each part, or where `y` has a place
/// for each part only its total.
fn run(
    gpu: &'static Gpu,
    x: &WgpuValue,
    y: &WgpuValue,
    axis: usize,
    length: usize,
    carried: Option<&WgpuValue>,
) -> Result<()> {
    let (n, totals) = (x.meta.shape[axis], x.meta.shape != y.meta.shape);
    let (row_x, row_y) = (rows(&x.layout, axis), rows(if totals { &x.layout } else { &y.layout }, axis));
    let (count, parts) = (row_x.0.shape.numel(), n.div_ceil(length));
    // many rows that lie side by side are read best by invocations of their own
    let team = if row_x.1 != 1 && count >= BUSY { 1 } else { team::size(length) };
    let mut kernel = Kernel::new(gpu, "scan");
    kernel.read_at("x", x, false).write1("y", y).alias("T", x.meta.dtype);
    if let Some(carried) = carried {
        kernel.read("carried", carried);
    }
    kernel.places("row_x", &row_x.0).places("row_y", &row_y.0);
    kernel.param("stride_x", row_x.1).param("stride_y", row_y.1);
    kernel.param("rows", count).param("n", n).param("parts", parts).param("length", length);
    kernel.constant("TEAM", team as u32).constant("TOTALS", totals.into());
    kernel.depends([carried.is_some().into()]);
    kernel.run((count * parts).div_ceil(WORKGROUP / team), || {
        let none = if carried.is_some() { "" } else { "fn carried(i: u32) -> T { return T(0); }\n" };
        include_str!("../shaders/scan.wgsl").to_owned() + none
    })
}
