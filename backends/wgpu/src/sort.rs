//! In order along an axis: runs are sorted in workgroup memory, and merged until each is a row, unless going by digits takes
//! fewer passes.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    radix,
    storage::{self, Storage},
};
use firesteel_core::{Axes, DType, Layout, Meta, Metas, Outputs, Result, Shape};

/// Elements that a workgroup sorts.
const TILE: usize = 1024;
/// Elements of which a workgroup selects the first.
const SELECTED: usize = 2048;

/// The values in order along the axis, and the indices that they came from.
pub(crate) fn sort(
    gpu: &'static Gpu,
    x: &WgpuValue,
    axis: usize,
    descending: bool,
) -> Result<Outputs<WgpuValue>> {
    let back = back(x.meta.shape.rank(), axis);
    let rows = ordered(gpu, x, axis, descending, storage::index(gpu.features))?;
    Ok(rows.into_iter().map(|y| y.view(y.layout.permute(&back))).collect())
}

/// The axes as they were, where one went to the end.
fn back(rank: usize, axis: usize) -> Axes {
    let from = |a| match a {
        a if a < axis => a,
        a if a == axis => rank - 1,
        a => a - 1,
    };
    (0..rank).map(from).collect()
}

/// What is not the end yet is in what numbers are computed in.
fn computed(dtype: DType) -> DType {
    match Storage::of(dtype).number {
        "f32" => DType::F32,
        "i32" => DType::I32,
        "u32" => DType::U32,
        _ => dtype,
    }
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
    let wide = computed(dtype);
    let memory = |is_last: bool| -> Result<[WgpuValue; 2]> {
        let [value, place] = if is_last { [dtype, places] } else { [wide, DType::U32] };
        Ok([create::output(gpu, &Meta::new(&shape, value))?, create::output(gpu, &Meta::new(&shape, place))?])
    };
    if x.meta.numel() == 0 {
        return memory(true);
    }
    let x = create::placed(gpu, x)?;
    let stride = x.layout.strides[axis] as usize;
    let rows = Rows { x: &x, row: &row, stride, n, places: None };
    let merges = n.div_ceil(TILE).next_power_of_two().ilog2() as usize;
    // a pass is two kernels
    if radix::passes(dtype).is_some_and(|passes| 2 * passes <= merges) {
        let out = memory(true)?;
        radix::sort(gpu, &rows, &out, descending, dtype)?;
        return Ok(out);
    }
    let mut width = n.next_power_of_two().min(TILE);
    let mut now = memory(width >= n)?;
    tiles(gpu, &rows, width, width, &now, descending, dtype)?;
    while width < n {
        let next = memory(2 * width >= n)?;
        merge(gpu, &now, &next, n, width, descending)?;
        (now, width) = (next, 2 * width);
    }
    Ok(now)
}

/// The first `k` of [`ordered`] rows, with indices as [`sort`] gives them: of each run only so many are kept, and of these
/// again, until they fit in a tile that is sorted.
pub(crate) fn top(
    gpu: &'static Gpu,
    x: &WgpuValue,
    k: usize,
    axis: usize,
    largest: bool,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let (row, shape) = rows(&x.layout, axis);
    let (lead, dtype) = (&shape[..shape.rank() - 1], x.meta.dtype);
    let mut x = create::placed(gpu, x)?;
    let (mut row, mut stride, mut n) = (row, x.layout.strides[axis] as usize, x.meta.shape[axis]);
    let mut places: Option<WgpuValue> = None;
    loop {
        let is_last = n <= TILE;
        let is_selected = !is_last && radix::bits(dtype).is_some();
        let width = if is_selected { SELECTED } else { n.next_power_of_two().min(TILE) };
        let keep = k.min(width);
        let whole = n / width;
        let kept = whole * keep + keep.min(n - whole * width);
        let types =
            if is_last { [dtype, storage::index(gpu.features)] } else { [computed(dtype), DType::U32] };
        let shape: Shape = lead.iter().copied().chain([kept]).collect();
        let now = [
            create::output(gpu, &Meta::new(&shape, types[0]))?,
            create::output(gpu, &Meta::new(&shape, types[1]))?,
        ];
        let from = Rows { x: &x, row: &row, stride, n, places: places.as_ref() };
        if is_selected {
            select(gpu, &from, keep, &now, largest, dtype)?;
        } else {
            tiles(gpu, &from, width, keep, &now, largest, dtype)?;
        }
        if is_last {
            let back = back(out[0].shape.rank(), axis);
            return Ok(now.into_iter().map(|y| y.view(y.layout.permute(&back))).collect());
        }
        let [values, found] = now;
        (row, stride, n) = (rows(&values.layout, shape.rank() - 1).0, 1, kept);
        (x, places) = (values, Some(found));
    }
}

/// Whether tiles hold so many first ones of each other.
pub(crate) fn has_top(k: usize, x: &Meta) -> bool {
    (1..=TILE / 2).contains(&k) && x.numel() > 0
}

/// Rows that are sorted: where they begin, and how far their `n` elements are apart. Elements that were moved already have
/// the places that they came from beside them.
pub(crate) struct Rows<'a> {
    pub x: &'a WgpuValue,
    pub row: &'a Layout,
    pub stride: usize,
    pub n: usize,
    places: Option<&'a WgpuValue>,
}

/// What a tile is made of: a key and a place,
const KEYED: &str = "\
alias Item = vec2<u32>;
fn item(x: K, place: u32) -> Item { return vec2<u32>(key(x), place); }
fn nothing() -> Item { return vec2<u32>(NONE, NONE); }
fn place_of(a: Item) -> u32 { return a.y; }
fn before(a: Item, b: Item) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }
";
/// or a number that has no key of 32 bits, and a place.
const WHOLE: &str = "\
struct Item { value: K, place: u32 }
fn item(x: K, place: u32) -> Item { return Item(x, place); }
fn nothing() -> Item { return Item(K(0), NONE); }
fn place_of(a: Item) -> u32 { return a.place; }
fn before(a: Item, b: Item) -> bool {
    if a.place == NONE || b.place == NONE {
        return a.place < b.place;
    }
    return ahead(a.value, b.value) || (!ahead(b.value, a.value) && a.place < b.place);
}
";

/// Tiles of rows in order, of each of which the first `keep` elements are written.
fn tiles(
    gpu: &'static Gpu,
    rows: &Rows,
    width: usize,
    keep: usize,
    out: &[WgpuValue; 2],
    descending: bool,
    dtype: DType,
) -> Result<()> {
    let (count, runs) = (rows.row.shape.numel(), rows.n.div_ceil(width));
    let mut kernel = kernel(gpu, "sort", out, descending, dtype);
    kernel.param("size", width).param("rows", count);
    rows.declare(&mut kernel, runs, keep, out);
    kernel.run((count * runs * width).div_ceil(TILE), || {
        let items = match radix::bits(dtype) {
            Some(_) => KEYED.to_owned() + &radix::key(dtype, descending),
            None => text(WHOLE, dtype),
        };
        [include_str!("../shaders/sort.wgsl"), &items, rows.origin()].concat()
    })
}

/// The first `keep` elements of each run, not in order yet.
fn select(
    gpu: &'static Gpu,
    rows: &Rows,
    keep: usize,
    out: &[WgpuValue; 2],
    descending: bool,
    dtype: DType,
) -> Result<()> {
    let runs = rows.n.div_ceil(SELECTED);
    let groups = rows.row.shape.numel() * runs;
    let mut kernel = kernel(gpu, "select", out, descending, dtype);
    kernel.param("groups", groups);
    rows.declare(&mut kernel, runs, keep, out);
    kernel.run(groups, || {
        [
            include_str!("../shaders/select.wgsl"),
            include_str!("../shaders/sums.wgsl"),
            &radix::key(dtype, descending),
            rows.origin(),
        ]
        .concat()
    })
}

impl<'a> Rows<'a> {
    /// Declares what is read of them, and that `keep` elements are written of each of their runs.
    fn declare(&self, kernel: &mut Kernel<'a>, runs: usize, keep: usize, out: &[WgpuValue; 2]) {
        kernel.read_at("x", self.x, false).places("row", self.row);
        if let Some(places) = self.places {
            kernel.read_at("place", places, false);
        }
        kernel.depends([self.places.is_some().into()]);
        kernel.param("runs", runs).param("n", self.n).param("stride", self.stride);
        kernel.param("keep", keep).param("kept", out[0].meta.numel() / self.row.shape.numel());
    }

    /// The function that says where in its row an element was at first.
    fn origin(&self) -> &'static str {
        match self.places {
            Some(_) => "fn origin(r: u32, i: u32) -> u32 { return place_at(r * p.n + i); }\n",
            None => "fn origin(r: u32, i: u32) -> u32 { return i; }\n",
        }
    }
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
