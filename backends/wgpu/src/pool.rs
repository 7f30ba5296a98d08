//! Pooling: an invocation looks through the windows of four results.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    storage::{self, Storage},
};
use firesteel_core::{DType, Divisor, Layout, Meta, Metas, Outputs, Pool, Result, Scalar};
use smallvec::smallvec;
use std::fmt::Write as _;

/// More axes than this are decomposed.
pub(crate) const AXES: usize = 3;

const OUTPUT: [&str; AXES] = ["output0", "output1", "output2"];
const SIZE: [&str; AXES] = ["size0", "size1", "size2"];
const KERNEL: [&str; AXES] = ["kernel0", "kernel1", "kernel2"];
const STRIDE: [&str; AXES] = ["stride0", "stride1", "stride2"];
const PADDING: [&str; AXES] = ["padding0", "padding1", "padding2"];
const DILATION: [&str; AXES] = ["dilation0", "dilation1", "dilation2"];
const STEP: [&str; AXES] = ["step0", "step1", "step2"];

/// The largest of each window, NaN before all, and its place; the first of equals.
pub(crate) fn max_pool(
    gpu: &'static Gpu,
    x: &WgpuValue,
    pool: &Pool,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let y = create::output(gpu, &out[0])?;
    let places = create::output(gpu, &Meta::new(&out[1].shape, storage::index(gpu.features)))?;
    let x = create::placed(gpu, x)?;
    let mut kernel = windows(gpu, "max_pool", &x, pool, &out[0]);
    kernel.write4("y", &y).write4("places", &places).alias("I", places.meta.dtype);
    kernel.number("lowest", x.meta.dtype.lowest(), x.meta.dtype);
    let axes = pool.kernel.len();
    kernel.run(out[0].numel().div_ceil(4 * WORKGROUP), || {
        let number = Storage::of(x.meta.dtype).number;
        let nan = match number {
            "f32" => "(bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u",
            "f64" => "!(x == x)",
            _ => "false",
        };
        let store = "y_set4(g, values); places_set4(g, vec4<I>(places));";
        let visit = visit(axes, "best = largest(best, x_at(k), place);", "");
        body(&visit, "p.lowest", store) + &format!("fn is_nan(x: T) -> bool {{ return {nan}; }}\n")
    })?;
    Ok(smallvec![y, places])
}

/// The mean of each window.
pub(crate) fn avg_pool(
    gpu: &'static Gpu,
    x: &WgpuValue,
    pool: &Pool,
    divisor: Divisor,
    out: &Meta,
) -> Result<WgpuValue> {
    let y = create::output(gpu, out)?;
    let x = create::placed(gpu, x)?;
    let fixed = match divisor {
        Divisor::Fixed(n) => n,
        Divisor::Padded | Divisor::Inside => 0,
    };
    let kind = match divisor {
        Divisor::Padded => 0,
        Divisor::Inside => 1,
        Divisor::Fixed(_) => 2,
    };
    let mut kernel = windows(gpu, "avg_pool", &x, pool, out);
    kernel.write4("y", &y).depends([kind]);
    kernel.number("divisor", Scalar::from(fixed), out.dtype);
    let axes = pool.kernel.len();
    kernel.run(out.numel().div_ceil(4 * WORKGROUP), || {
        let sum = "best.value += x_at(k); ";
        let (inside, padded, by) = match divisor {
            Divisor::Padded => (sum.to_owned(), "best.count += 1;", "T(max(best.count, 1))"),
            Divisor::Inside => (format!("{sum}best.count += 1;"), "", "T(max(best.count, 1))"),
            Divisor::Fixed(_) => (sum.to_owned(), "", "p.divisor"),
        };
        let visit = visit(axes, &inside, padded) + &format!("    best.value = best.value / {by};\n");
        body(&visit, "T(0)", "y_set4(g, values);") + "fn is_nan(x: T) -> bool { return false; }\n"
    })?;
    Ok(y)
}

/// A kernel with the sizes of windows over the last axes of `x`.
fn windows<'a>(
    gpu: &'static Gpu,
    family: &'static str,
    x: &'a WgpuValue,
    pool: &Pool,
    out: &Meta,
) -> Kernel<'a> {
    let axes = pool.kernel.len();
    let lead = x.layout.shape.rank() - axes;
    let planes = Layout {
        shape: x.layout.shape[..lead].iter().copied().collect(),
        strides: x.layout.strides[..lead].into(),
        offset: x.layout.offset,
    };
    let mut kernel = Kernel::new(gpu, family);
    kernel.read_at("x", x, false).alias("T", x.meta.dtype).places("plane", &planes);
    kernel.depends([axes as u32]);
    kernel.param("results", out.numel()).param("groups", out.numel().div_ceil(4));
    for axis in 0..axes {
        kernel.param(OUTPUT[axis], pool.output[axis]).param(SIZE[axis], x.layout.shape[lead + axis]);
        kernel.param(KERNEL[axis], pool.kernel[axis]).param(STRIDE[axis], pool.stride[axis]);
        kernel.param(PADDING[axis], pool.padding[axis]).param(DILATION[axis], pool.dilation[axis]);
        kernel.param(STEP[axis], x.layout.strides[lead + axis] as usize);
    }
    kernel
}

/// Lines that visit the window of result number `i`: what is done with the element at `k`, whose place in the last axes is
/// `place`, and with every place that is not beyond the padding.
fn visit(axes: usize, inside: &str, padded: &str) -> String {
    let mut text = "    var rest = i;\n".to_owned();
    for a in (0..axes).rev() {
        let _ = writeln!(text, "    let o{a} = rest % p.output{a}; rest = rest / p.output{a};");
    }
    text += "    let start = plane(rest);\n";
    let mut place = "0".to_owned();
    let mut k = "start".to_owned();
    let (mut within, mut not_beyond) = ("true".to_owned(), "true".to_owned());
    for a in 0..axes {
        let _ = writeln!(text, "    for (var k{a} = 0u; k{a} < p.kernel{a}; k{a}++) {{");
        let at = format!("i32(o{a} * p.stride{a} + k{a} * p.dilation{a}) - i32(p.padding{a})");
        let _ = writeln!(text, "    let c{a} = {at};");
        place = format!("({place}) * i32(p.size{a}) + c{a}");
        let _ = write!(k, " + u32(c{a}) * p.step{a}");
        let _ = write!(within, " && c{a} >= 0 && c{a} < i32(p.size{a})");
        let _ = write!(not_beyond, " && c{a} < i32(p.size{a} + p.padding{a})");
    }
    let _ = writeln!(text, "    if {within} {{ let k = {k}; let place = {place}; {inside} }}");
    let _ = writeln!(text, "    if {not_beyond} {{ {padded} }}");
    text + &"    }\n".repeat(axes)
}

fn body(visit: &str, first: &str, store: &str) -> String {
    [
        include_str!("../shaders/pool.wgsl"),
        &format!("fn window(i: u32) -> Found {{\n    var best = Found({first}, -1, 0);\n{visit}    return best;\n}}\n"),
        &format!("fn store(g: u32, values: vec4<T>, places: vec4<i32>) {{ {store} }}\n"),
    ]
    .concat()
}

/// Whether there is a kernel for windows over this operand.
pub(crate) fn fits(pool: &Pool, x: &Meta) -> bool {
    pool.kernel.len() <= AXES && x.numel() > 0 && x.numel() < i32::MAX as usize && x.dtype != DType::Bool
}
