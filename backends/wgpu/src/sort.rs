//! In order along an axis: runs are sorted in workgroup memory, and merged until each is a row.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    storage::{self, Storage},
};
use firesteel_core::{Axes, DType, Layout, Meta, Outputs, Result, Shape};

/// Elements that a workgroup sorts.
const TILE: usize = 1024;

/// The values in order along the axis, and the indices that they came from.
pub(crate) fn sort(
    gpu: &'static Gpu,
    x: &WgpuValue,
    axis: usize,
    descending: bool,
) -> Result<Outputs<WgpuValue>> {
    let rank = x.meta.shape.rank();
    let back: Axes = (0..rank)
        .map(|a| match a {
            a if a < axis => a,
            a if a == axis => rank - 1,
            a => a - 1,
        })
        .collect();
    let rows = ordered(gpu, x, axis, descending, storage::index(gpu.features))?;
    Ok(rows.into_iter().map(|y| y.view(y.layout.permute(&back))).collect())
}

/// A shape and layout without an axis, which becomes the last of the shape.
fn rows(x: &Layout, axis: usize) -> (Layout, Shape) {
    let others = || (0..x.shape.rank()).filter(|&a| a != axis);
    let row = Layout {
        shape: others().map(|a| x.shape[a]).collect(),
        strides: others().map(|a| x.strides[a]).collect(),
        offset: x.offset,
    };
    let shape = others().chain([axis]).map(|a| x.shape[a]).collect();
    (row, shape)
}

/// The same with the axis last: the values, and the places that they came from in this dtype.
pub(crate) fn ordered(
    gpu: &'static Gpu,
    x: &WgpuValue,
    axis: usize,
    descending: bool,
    places: DType,
) -> Result<[WgpuValue; 2]> {
    let (row, shape) = rows(&x.layout, axis);
    let (n, dtype) = (x.meta.shape[axis], x.meta.dtype);
    // what is not the end yet is in what numbers are computed in
    let wide = match Storage::of(dtype).number {
        "f32" => DType::F32,
        "i32" => DType::I32,
        "u32" => DType::U32,
        _ => dtype,
    };
    let memory = |is_last: bool| -> Result<[WgpuValue; 2]> {
        let [value, place] = if is_last { [dtype, places] } else { [wide, DType::U32] };
        Ok([create::output(gpu, &Meta::new(&shape, value))?, create::output(gpu, &Meta::new(&shape, place))?])
    };
    let mut width = n.next_power_of_two().min(TILE);
    let mut now = memory(width >= n)?;
    if x.meta.numel() == 0 {
        return Ok(now);
    }
    let x = create::placed(gpu, x)?;
    let (count, runs) = (row.shape.numel(), n.div_ceil(width));
    let mut kernel = kernel(gpu, "sort", &now, descending, dtype);
    kernel.read_at("x", &x, false).places("row", &row).constant("SIZE", width as u32);
    kernel.param("rows", count).param("runs", runs).param("n", n);
    kernel.param("stride", x.layout.strides[axis] as usize);
    kernel
        .run((count * runs * width).div_ceil(TILE), || text(include_str!("../shaders/sort.wgsl"), dtype))?;
    while width < n {
        let next = memory(2 * width >= n)?;
        merge(gpu, &now, &next, n, width, descending)?;
        (now, width) = (next, 2 * width);
    }
    Ok(now)
}

/// Each two neighbouring runs of rows of `n` elements to one.
fn merge(
    gpu: &'static Gpu,
    from: &[WgpuValue; 2],
    to: &[WgpuValue; 2],
    n: usize,
    width: usize,
    descending: bool,
) -> Result<()> {
    let (dtype, count) = (from[0].meta.dtype, to[0].meta.numel());
    let mut kernel = kernel(gpu, "merge", to, descending, dtype);
    kernel.read_at("x", &from[0], false).read_at("place", &from[1], false);
    kernel.param("count", count).param("n", n).param("width", width);
    kernel.run(count.div_ceil(WORKGROUP), || text(include_str!("../shaders/merge.wgsl"), dtype))
}

/// A kernel that writes values and places.
fn kernel<'a>(
    gpu: &'static Gpu,
    family: &'static str,
    out: &[WgpuValue; 2],
    descending: bool,
    dtype: DType,
) -> Kernel<'a> {
    let mut kernel = Kernel::new(gpu, family);
    kernel.write1("y", &out[0]).write1("source", &out[1]).alias("I", out[1].meta.dtype);
    kernel.alias("K", dtype).constant("DESCENDING", descending.into());
    kernel
}

/// A shader with what it needs to compare numbers of a dtype.
fn text(body: &str, dtype: DType) -> String {
    let nan = match Storage::of(dtype).number {
        "f32" => "(bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u",
        "f64" => "!(a == a)",
        _ => "false",
    };
    let order = include_str!("../shaders/order.wgsl");
    format!("{body}{order}fn is_nan(a: K) -> bool {{ return {nan}; }}\n")
}

/// Where each value belongs in an ordered row so that it stays in order.
pub(crate) fn search_sorted(
    gpu: &'static Gpu,
    sorted: &WgpuValue,
    values: &WgpuValue,
    right: bool,
    out: &Meta,
) -> Result<WgpuValue> {
    let y = create::output(gpu, &Meta::new(&out.shape, storage::index(gpu.features)))?;
    let m = sorted.meta.shape.last().copied().unwrap_or(0);
    // where there is one row, all values are placed in it
    let each = if sorted.meta.shape.rank() == 1 { out.numel() } else { out.shape[out.shape.rank() - 1] };
    let mut kernel = Kernel::new(gpu, "search_sorted");
    kernel.read("sorted", sorted).read("values", values).param("m", m).param("each", each);
    kernel.alias("K", sorted.meta.dtype).constant("DESCENDING", 0).constant("RIGHT", right.into());
    kernel.each(&y, false, || text(include_str!("../shaders/search_sorted.wgsl"), sorted.meta.dtype))?;
    Ok(y)
}
