//! Convolutions and their adjoints: products with the matrix of what the windows see, which is read where it lies.
use crate::{WgpuValue, create, device::Gpu, kernel::Kernel, matmul::Tile, reduce, view};
use firesteel_core::{Axes, Conv, DType, Error, Layout, Meta, Reduce, Result, Scalar};

/// Up to how many filters, and products in a result, of one group are taken each by itself.
const FEW: usize = 4;
const SHORT: usize = 128;
/// Parts of a sum are not shorter than this.
const PART: usize = 256;
/// Tiles that keep a device busy.
const BUSY: usize = 64;

/// Which of the three is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Forward,
    Input,
    Weight,
}

/// `y[n, o, p] = Σ w[o, c, q] x[n, c, s p + d q - padding]`.
pub(crate) fn conv(
    gpu: &'static Gpu,
    conv: &Conv,
    x: &WgpuValue,
    w: &WgpuValue,
    out: &Meta,
) -> Result<WgpuValue> {
    let sizes = Sizes::new(conv, &x.meta, &w.meta, out)?;
    run(gpu, Kind::Forward, &sizes, w, x, out)
}

/// `x[n, c, s p + d q - padding] += w[o, c, q] g[n, o, p]`.
pub(crate) fn input_grad(
    gpu: &'static Gpu,
    conv: &Conv,
    g: &WgpuValue,
    w: &WgpuValue,
    out: &Meta,
) -> Result<WgpuValue> {
    let sizes = Sizes::new(conv, out, &w.meta, &g.meta)?;
    run(gpu, Kind::Input, &sizes, w, g, out)
}

/// `w[o, c, q] = Σ g[n, o, p] x[n, c, s p + d q - padding]`.
pub(crate) fn weight_grad(
    gpu: &'static Gpu,
    conv: &Conv,
    g: &WgpuValue,
    x: &WgpuValue,
    out: &Meta,
) -> Result<WgpuValue> {
    let sizes = Sizes::new(conv, &x.meta, out, &g.meta)?;
    run(gpu, Kind::Weight, &sizes, g, x, out)
}

/// The sizes of a convolution `(x [n, c, input..], w [o, c / groups, kernel..]) -> y [n, o, output..]`, with axes of size one
/// before the spatial ones where there are fewer than three.
struct Sizes {
    images: usize,
    groups: usize,
    /// Channels of `x`, in one group.
    channels: usize,
    /// Channels of `y`, in one group.
    filters: usize,
    input: [usize; 3],
    kernel: [usize; 3],
    output: [usize; 3],
    stride: [usize; 3],
    padding: [usize; 3],
    dilation: [usize; 3],
}

/// The last three of some sizes.
fn three(sizes: &[usize], missing: usize) -> [usize; 3] {
    let mut all = [missing; 3];
    all[3 - sizes.len()..].copy_from_slice(sizes);
    all
}

impl Sizes {
    fn new(conv: &Conv, x: &Meta, w: &Meta, y: &Meta) -> Result<Self> {
        let axes = conv.stride.len();
        if axes > 3 {
            return Err(Error::unsupported("conv", format!("has no kernel for wgpu over {axes} dims")));
        }
        Ok(Self {
            images: x.shape[0],
            groups: conv.groups,
            channels: w.shape[1],
            filters: w.shape[0] / conv.groups,
            input: three(&x.shape[2..], 1),
            kernel: three(&w.shape[2..], 1),
            output: three(&y.shape[2..], 1),
            stride: three(&conv.stride, 1),
            padding: three(&conv.padding, 0),
            dilation: three(&conv.dilation, 1),
        })
    }
}

/// A product `y[m, n] = Σ a[m, k] b[k, n]` for each group, where `b` is what the windows see.
struct Plan {
    m: usize,
    n: usize,
    /// How many products a result has.
    depth: usize,
    /// In `a`: from one row to the next, from one group to the next, how many `k` lie side by side, and how far
    /// apart those are that do not.
    row: usize,
    group: usize,
    side: usize,
    jump: usize,
    /// The channels of one group of `b`, and its sizes.
    seen: usize,
    size: [usize; 3],
    /// The windows of an image.
    view: [usize; 3],
    /// Columns of `y` that lie side by side, and rows of all groups.
    run: usize,
    rows: usize,
}

impl Plan {
    fn new(kind: Kind, sizes: &Sizes) -> Self {
        let Sizes { images, groups, channels, filters, input, kernel, output, .. } = *sizes;
        let numel = |sizes: [usize; 3]| sizes.iter().product::<usize>();
        let (taps, inputs, outputs) = (numel(kernel), numel(input), numel(output));
        let window = channels * taps;
        match kind {
            Kind::Forward => Plan {
                m: filters,
                n: images * outputs,
                depth: window,
                row: window,
                group: filters * window,
                side: window,
                jump: 0,
                seen: channels,
                size: input,
                view: output,
                run: outputs,
                rows: groups * filters,
            },
            Kind::Input => Plan {
                m: channels,
                n: images * inputs,
                depth: filters * taps,
                row: taps,
                group: filters * window,
                side: taps,
                jump: window,
                seen: filters,
                size: output,
                view: input,
                run: inputs,
                rows: groups * channels,
            },
            Kind::Weight => Plan {
                m: filters,
                n: window,
                depth: images * outputs,
                row: outputs,
                group: filters * outputs,
                side: outputs,
                jump: groups * filters * outputs,
                seen: channels,
                size: input,
                view: output,
                run: window,
                rows: groups * filters,
            },
        }
    }
}

fn run(
    gpu: &'static Gpu,
    kind: Kind,
    sizes: &Sizes,
    a: &WgpuValue,
    b: &WgpuValue,
    out: &Meta,
) -> Result<WgpuValue> {
    let plan = Plan::new(kind, sizes);
    if out.numel() == 0 || plan.depth == 0 {
        return Ok(WgpuValue::same(out.clone(), Scalar::Int(0)));
    }
    let (a, b) = (view::contiguous(gpu, a)?, view::contiguous(gpu, b)?);
    let is_direct = kind != Kind::Weight && plan.m <= FEW && plan.depth <= SHORT;
    let mut kernel = Kernel::new(gpu, if is_direct { "conv_direct" } else { "conv" });
    declare(&mut kernel, kind, sizes, &plan);
    if is_direct {
        kernel.read_at("a", &a, false).read_at("b", &b, false);
        let y = create::output(gpu, out)?;
        kernel.each(&y, false, || {
            [include_str!("../shaders/conv.wgsl"), include_str!("../shaders/conv_direct.wgsl")].concat()
        })?;
        return Ok(y);
    }
    let tile = Tile::choose(gpu, plan.m, plan.n, sizes.groups, out.dtype);
    let [down, across] = tile.counts(plan.m, plan.n);
    // few long sums are made in parts
    let tiles = down * across * sizes.groups;
    let parts = if kind == Kind::Weight { (BUSY / tiles).min(plan.depth / PART).max(1) } else { 1 };
    let summed = if parts > 1 && out.dtype.is_half() { DType::F32 } else { out.dtype };
    let results = plan.m * plan.n;
    let y = match parts {
        1 => create::output(gpu, out)?,
        _ => create::output(gpu, &Meta::new([sizes.groups, parts, results], summed))?,
    };
    let whole = plan.run.is_multiple_of(4);
    let wide = [plan.side, plan.row, plan.group, plan.jump].iter().all(|n| n.is_multiple_of(4));
    kernel.read_at("a", &a, wide).read_at("b", &b, false).constant("WIDE", wide.into());
    tile.declare(&mut kernel);
    kernel.alias("T", out.dtype).constant("WHOLE", whole.into());
    kernel.param("parts", parts).param("depth", plan.depth.div_ceil(parts).next_multiple_of(4));
    kernel.param("n", plan.n).param("tiles", across).param("tiles_all", down * across);
    let set = if whole {
        kernel.write4("y", &y);
        "y_set4(i / 4u, v);"
    } else {
        kernel.write1("y", &y);
        "y_set(i, v.x);"
    };
    kernel.run(tiles * parts, || {
        let fill = include_str!("../shaders/matmul_fill.wgsl").replace("NAME", "a");
        let fill = fill.replace("GROUPS", "A_GROUPS") + include_str!("../shaders/conv_fill.wgsl");
        [
            tile.shader(&fill, out.dtype).as_str(),
            include_str!("../shaders/conv.wgsl"),
            &include_str!("../shaders/conv_block.wgsl").replace("SET", set),
        ]
        .concat()
    })?;
    if parts == 1 {
        return Ok(y);
    }
    let sum = Meta::new([sizes.groups, 1, results], out.dtype);
    let y = reduce::reduce(gpu, Reduce::Sum, &y, &Axes::from_slice(&[1]), &sum)?;
    Ok(y.view(Layout::contiguous(out.shape.clone())))
}

/// What the windows of a kernel depend on: few kinds of convolutions in a model, many sizes of what they go over.
fn declare(kernel: &mut Kernel, kind: Kind, sizes: &Sizes, plan: &Plan) {
    const NAMES: [[&str; 4]; 3] = [
        ["KERNEL0", "STRIDE0", "PADDING0", "DILATION0"],
        ["KERNEL1", "STRIDE1", "PADDING1", "DILATION1"],
        ["KERNEL2", "STRIDE2", "PADDING2", "DILATION2"],
    ];
    for (axis, names) in NAMES.into_iter().enumerate() {
        let values = [&sizes.kernel, &sizes.stride, &sizes.padding, &sizes.dilation];
        for (name, value) in names.into_iter().zip(values) {
            kernel.constant(name, value[axis] as u32);
        }
    }
    let is_flat = sizes.input[0] == 1 && sizes.kernel[0] == 1 && sizes.padding[0] == 0;
    kernel.constant("IS_FLAT", is_flat.into());
    kernel.constant("IS_INPUT", (kind == Kind::Input).into());
    kernel.constant("IS_WEIGHT", (kind == Kind::Weight).into());
    kernel.constant("IS_RUN", (plan.jump == 0).into());
    let plane = plan.size.iter().product::<usize>();
    kernel.param("plane", plane).param("group", plan.seen * plane);
    kernel.param("image", sizes.groups * plan.seen * plane);
    kernel.param("size0", plan.size[0]).param("size1", plan.size[1]).param("size2", plan.size[2]);
    kernel.param("windows", plan.view.iter().product());
    kernel.param("view1", plan.view[1]).param("view2", plan.view[2]);
    kernel.param("a_row", plan.row).param("a_group", plan.group);
    kernel.param("a_run", plan.side).param("a_jump", plan.jump);
    kernel.param("m", plan.m).param("total", plan.depth);
    kernel.param("run", plan.run).param("channels", plan.rows);
}
