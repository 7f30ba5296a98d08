//! Products of matrices: tiles in workgroup memory, a block of results in the registers of each invocation; where subgroups
//! are narrow, larger blocks whose operands neighbours hand to each other. Transposed operands are other strides. Halves are
//! summed in F32.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    reduce,
    storage::Storage,
    team::Team,
    view,
};
use firesteel_core::{Axes, DType, Error, Layout, Meta, Reduce, Result, Shape};
use std::fmt::Write as _;
use wgpu::DeviceType;

/// Tiles in workgroup memory are as deep as this.
const DEPTH: usize = 16;
/// So many neighbours exchange registers.
pub(crate) const LANES: usize = 8;
/// The elements of a vector.
pub(crate) const PARTS: [char; 4] = ['x', 'y', 'z', 'w'];
/// Parts of a dot product are as long as this, where there are too few to keep a device busy.
const PART: usize = 4096;

/// The last two axes of an operand, of which the second is summed over, and the axes before them.
struct Matrix {
    batch: Layout,
    rows: usize,
    row: isize,
    inner: isize,
}

impl Matrix {
    /// Of a value whose axis `rows` from the end, 1 or 2, is not summed over.
    fn new(x: &WgpuValue, rows: usize) -> Self {
        let rank = x.layout.shape.rank();
        let (row, inner) = (rank - rows, rank + rows - 3);
        let batch = Layout {
            shape: x.layout.shape[..rank - 2].iter().copied().collect(),
            strides: x.layout.strides[..rank - 2].into(),
            offset: x.layout.offset,
        };
        Self { batch, rows: x.layout.shape[row], row: x.layout.strides[row], inner: x.layout.strides[inner] }
    }

    /// How it is loaded: 1 where four rows lie side by side, 2 where four of what is summed over do, 0 one by one.
    fn mode(&self, depth: usize) -> u32 {
        let aligned = |n: isize| n % 4 == 0;
        let starts = aligned(self.batch.offset as isize) && self.batch.strides.iter().all(|&s| aligned(s));
        match (self.row, self.inner) {
            (1, inner) if starts && aligned(inner) && self.rows.is_multiple_of(4) => 1,
            (row, 1) if starts && aligned(row) && depth.is_multiple_of(4) => 2,
            _ => 0,
        }
    }

    /// Where each row of each matrix begins, with the rows of a matrix as the last axis.
    fn starts(&self, rows: usize, row: isize) -> Layout {
        let mut layout = self.batch.clone();
        layout.shape.push(rows);
        layout.strides.push(row);
        layout
    }
}

/// `[.., m, k] · [.., k, n]`.
pub(crate) fn matmul(gpu: &'static Gpu, a: &WgpuValue, b: &WgpuValue, out: &Meta) -> Result<WgpuValue> {
    product(gpu, a, b, 1, None, out)
}

/// `x Wᵀ + b`.
pub(crate) fn linear(gpu: &'static Gpu, xs: &[&WgpuValue], out: &Meta) -> Result<WgpuValue> {
    let [x, w, bias @ ..] = xs else {
        return Err(Error::internal("linear", "takes two or three operands"));
    };
    let (n, k) = (w.meta.shape[0], w.meta.shape[1]);
    let rows = out.numel() / n.max(1);
    let x = view::reshape(gpu, x, &Shape::from([rows, k]))?;
    let flat = Meta::new([rows, n], out.dtype);
    let y = product(gpu, &x, w, 2, bias.first().copied(), &flat)?;
    Ok(y.view(Layout::contiguous(out.shape.clone())))
}

/// The product of `a [.., m, k]` and `b`, whose axis `columns` from the end is not summed over, plus a bias `[n]`.
fn product(
    gpu: &'static Gpu,
    a: &WgpuValue,
    b: &WgpuValue,
    columns: usize,
    bias: Option<&WgpuValue>,
    out: &Meta,
) -> Result<WgpuValue> {
    let depth = a.meta.shape[a.meta.shape.rank() - 1];
    if out.numel() == 0 {
        return create::output(gpu, out);
    }
    let (a, b) = (create::placed(gpu, a)?, create::placed(gpu, b)?);
    let (x, y) = (Matrix::new(&a, 2), Matrix::new(&b, columns));
    match (x.rows, y.rows) {
        (_, 1) if bias.is_none() => dots(gpu, (&a, &x), (&b, &y), depth, out),
        (1, _) if bias.is_none() => dots(gpu, (&b, &y), (&a, &x), depth, out),
        _ => tiled(gpu, (&a, &x), (&b, &y), depth, bias, out),
    }
}

/// How a product is cut.
#[derive(Clone, Copy)]
pub(crate) enum Tile {
    /// In workgroup memory: invocations along rows and columns, and how many groups of four each takes along both.
    Shared { rows: usize, columns: usize, regs: usize },
    /// In registers that neighbours exchange: so many groups of four rows, and a group of four columns for each of them.
    Lanes { groups: usize },
}

impl Tile {
    /// Large tiles read less, small ones keep more of a device busy.
    pub fn choose(gpu: &Gpu, m: usize, n: usize, batch: usize, dtype: DType) -> Tile {
        let wide = Storage::of(dtype).number.ends_with("64");
        if gpu.has_lanes(LANES) && !wide {
            return Tile::lanes(m);
        }
        let tile = |rows, columns, regs| Tile::Shared { rows, columns, regs };
        // a driver on the processor has few threads, and none that wait for memory
        let enough = if gpu.info.kind == DeviceType::Cpu { 2 } else { 16 };
        let many = |rows: usize, columns: usize| m.div_ceil(rows) * n.div_ceil(columns) * batch >= enough;
        let fits = gpu.limits.max_compute_workgroup_storage_size as usize >= 2 * 128 * DEPTH * 4;
        match () {
            () if m > 64 && n > 64 && many(128, 128) && fits && !wide => tile(16, 16, 2),
            () if m > 32 && n > 64 && many(64, 128) && !wide => tile(8, 16, 2),
            () if m > 64 && n > 32 && many(128, 64) && !wide => tile(16, 8, 2),
            () if m > 32 && n > 32 => tile(16, 16, 1),
            () => tile(8, 8, 1),
        }
    }

    /// As many rows as waste little.
    fn lanes(m: usize) -> Tile {
        let groups = match m.next_multiple_of(32) {
            _ if m <= 8 => 2,
            _ if m <= 16 => 4,
            rows if rows % 64 == 0 || rows > 256 => 16,
            _ => 8,
        };
        Tile::Lanes { groups }
    }

    /// The groups of four rows and of four columns in one.
    fn groups(self) -> [usize; 2] {
        match self {
            Tile::Shared { rows, columns, regs } => [rows * regs, columns * regs],
            Tile::Lanes { groups } => [groups, LANES],
        }
    }

    /// How many of them cover a product, along rows and columns.
    pub fn counts(self, m: usize, n: usize) -> [usize; 2] {
        let [rows, columns] = self.groups();
        [m.div_ceil(4 * rows), n.div_ceil(4 * columns)]
    }

    /// The constants of a shader with such tiles.
    pub fn declare(self, kernel: &mut Kernel) {
        let [a, b] = self.groups();
        kernel.constant("A_GROUPS", a as u32).constant("B_GROUPS", b as u32);
        let [columns, threads, depth] = match self {
            Tile::Shared { rows, columns, .. } => [columns, rows * columns, DEPTH],
            Tile::Lanes { .. } => [LANES, LANES, 4],
        };
        kernel.constant("COLUMNS", columns as u32).constant("THREADS", threads as u32);
        kernel.constant("DEPTH", depth as u32);
    }

    /// The shader of products in such tiles. What calls it says how blocks of four by four are loaded, how they fill workgroup
    /// memory, unless neighbours exchange them, and how results are stored.
    pub fn shader(self, fill: &str, dtype: DType) -> String {
        let join = if dtype.is_float() { "fma(vec4<T>(s), v, acc)" } else { "acc + s * v" };
        let join = format!("fn join(acc: vec4<T>, s: T, v: vec4<T>) -> vec4<T> {{ return {join}; }}\n");
        let body = match self {
            Tile::Shared { rows, columns, regs } => shared(rows, columns, regs) + fill,
            Tile::Lanes { groups } => exchanged(groups),
        };
        [&body, include_str!("../shaders/matmul_end.wgsl"), include_str!("../shaders/turned.wgsl"), &join]
            .concat()
    }
}

/// The shader of tiles in workgroup memory.
fn shared(rows: usize, columns: usize, regs: usize) -> String {
    let blocks = || (0..regs).flat_map(|i| (0..regs).map(move |j| (i, j)));
    let (mut results, mut products, mut stores) = (String::new(), String::new(), String::new());
    for i in 0..regs {
        let _ = writeln!(products, "            let a{i} = tile_a[k * A_GROUPS + {}u + row];", i * rows);
        let _ =
            writeln!(products, "            let b{i} = tile_b[k * B_GROUPS + {}u + column];", i * columns);
    }
    for ((i, j), (s, part)) in blocks().flat_map(|block| (0..4).zip(PARTS).map(move |s| (block, s))) {
        let y = format!("y{i}{j}{part}");
        let _ = writeln!(results, "    var {y} = vec4<T>(T(0));");
        let _ = writeln!(products, "            {y} = join({y}, a{i}.{part}, b{j});");
        let row = format!("row0 + 4u * ({}u + row) + {s}u", i * rows);
        let column = format!("column0 + 4u * ({}u + column)", j * columns);
        let _ = writeln!(stores, "    finish(batch, {row}, {column}, {y});");
    }
    filled(include_str!("../shaders/matmul.wgsl"), [results, products, stores])
}

/// The shader of tiles in registers: what a row takes is added at once, so that its results are touched as rarely as can be.
fn exchanged(groups: usize) -> String {
    let (mut results, mut products, mut stores) = (String::new(), String::new(), String::new());
    for i in 0..groups.div_ceil(LANES) {
        let row = format!("row0 + 4u * ({}u + l)", i * LANES);
        let _ = writeln!(products, "        let a{i} = a_block(a_from, {row}, inner);");
    }
    for (i, (s, part)) in (0..groups).flat_map(|i| (0..4).zip(PARTS).map(move |s| (i, s))) {
        let y = format!("y{i}{part}");
        let _ = writeln!(results, "    var {y} = vec4<T>(T(0));");
        for k in 0..4 {
            let a = format!("subgroupBroadcast(a{}[{k}].{part}, {}u)", i / LANES, i % LANES);
            let _ = writeln!(products, "        {y} = join({y}, {a}, b[{k}]);");
        }
        let _ = writeln!(stores, "    finish(batch, row0 + {}u, column0 + 4u * l, {y});", 4 * i + s);
    }
    filled(include_str!("../shaders/matmul_lanes.wgsl"), [results, products, stores])
}

/// A shader with what is written out for each result.
fn filled(text: &str, parts: [String; 3]) -> String {
    let marks = ["    // results", "    // products", "    // stores"];
    marks
        .into_iter()
        .zip(parts)
        .fold(text.to_owned(), |text, (mark, part)| text.replacen(mark, &(part + mark), 1))
}

fn tiled(
    gpu: &'static Gpu,
    (a, x): (&WgpuValue, &Matrix),
    (b, w): (&WgpuValue, &Matrix),
    depth: usize,
    bias: Option<&WgpuValue>,
    out: &Meta,
) -> Result<WgpuValue> {
    let (m, n) = (x.rows, w.rows);
    let y = create::output(gpu, out)?;
    let batch = out.numel() / (m * n);
    let tile = Tile::choose(gpu, m, n, batch, out.dtype);
    let (modes, whole) = ([x.mode(depth), w.mode(depth)], n.is_multiple_of(4));
    let mut kernel = Kernel::new(gpu, "matmul");
    kernel.read_at("a", a, modes[0] > 0).read_at("b", b, modes[1] > 0).alias("T", out.dtype);
    if let Some(bias) = bias {
        kernel.read("bias", bias);
    }
    if whole {
        kernel.write4("y", &y);
    } else {
        kernel.write1("y", &y);
    }
    kernel.constant("MODE_A", modes[0]).constant("MODE_B", modes[1]);
    tile.declare(&mut kernel);
    kernel.places("a_start", &x.batch).places("b_start", &w.batch);
    kernel.param("m", m).param("n", n).param("depth", depth);
    kernel.param("a_row", x.row as usize).param("a_inner", x.inner as usize);
    kernel.param("b_row", w.row as usize).param("b_inner", w.inner as usize);
    let tiles = tile.counts(m, n);
    kernel.param("tiles", tiles[1]).param("tiles_all", tiles[0] * tiles[1]);
    kernel.run(tiles[0] * tiles[1] * batch, || {
        let bias = if bias.is_some() {
            "vec4<T>(bias(c), bias(c + 1u), bias(c + 2u), bias(c + 3u))"
        } else {
            "vec4<T>(T(0))"
        };
        let store = if whole {
            "y_set4((start + c) / 4u, v);"
        } else {
            "for (var j = 0u; j < min(4u, p.n - c); j++) { y_set(start + c + j, v[j]); }"
        };
        let of = |text: &str| -> String {
            let names = [["a", "MODE_A", "A_GROUPS", "p.m"], ["b", "MODE_B", "B_GROUPS", "p.n"]];
            let each = names.map(|[name, mode, groups, limit]| {
                let text = text.replace("NAME", name).replace("MODE", mode);
                text.replace("GROUPS", groups).replace("LIMIT", limit)
            });
            each.concat()
        };
        [
            tile.shader(&of(include_str!("../shaders/matmul_fill.wgsl")), out.dtype).as_str(),
            &of(include_str!("../shaders/matmul_block.wgsl")),
            "fn prepare(l: u32, start: u32, column0: u32) {}\n",
            &format!("fn added(c: u32) -> vec4<T> {{ return {bias}; }}\n"),
            &format!("fn store(start: u32, c: u32, v: vec4<T>) {{ {store} }}\n"),
        ]
        .concat()
    })?;
    Ok(y)
}

/// A matrix times a vector: each row's dot product by a team of invocations, in parts where there are few rows.
fn dots(
    gpu: &'static Gpu,
    (a, x): (&WgpuValue, &Matrix),
    (v, w): (&WgpuValue, &Matrix),
    depth: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    let results = out.numel();
    let parts = if results < WORKGROUP { depth.div_ceil(PART).max(1) } else { 1 };
    let y = if parts == 1 {
        create::output(gpu, out)?
    } else {
        let wide = if out.dtype.is_half() { DType::F32 } else { out.dtype };
        create::output(gpu, &Meta::new([results, parts], wide))?
    };
    let length = depth.div_ceil(parts);
    let wide = x.inner == 1 && w.inner == 1 && x.mode(depth) == 2 && aligned(w) && length.is_multiple_of(4);
    let mut kernel = Kernel::new(gpu, "matvec");
    kernel.read_at("a", a, wide).read_at("v", v, wide).write1("y", &y).alias("T", out.dtype);
    kernel.places("a_start", &x.starts(x.rows, x.row)).places("v_start", &w.starts(x.rows, 0));
    kernel.constant("WIDE", wide.into());
    kernel
        .param("results", results * parts)
        .param("parts", parts)
        .param("length", length)
        .param("depth", depth);
    kernel.param("a_inner", x.inner as usize).param("v_inner", w.inner as usize);
    let in_rows = x.inner.unsigned_abs() <= x.row.unsigned_abs() || x.rows == 1;
    let team = Team::new(gpu, length, in_rows, out.dtype);
    let groups = team.declare(&mut kernel, results * parts);
    kernel.run(groups, || {
        let sum = "fn sum(a: vec4<T>, b: vec4<T>) -> vec4<T> { return a + b; }\n";
        team.shader(include_str!("../shaders/matvec.wgsl"), &["sum"], out.dtype) + sum
    })?;
    if parts == 1 {
        return Ok(y);
    }
    let flat = Meta::new([results, 1], out.dtype);
    let y = reduce::reduce(gpu, Reduce::Sum, &y, &Axes::from_slice(&[1]), &flat)?;
    Ok(y.view(Layout::contiguous(out.shape.clone())))
}

/// Whether a vector's groups of four are whole words.
fn aligned(w: &Matrix) -> bool {
    w.batch.offset.is_multiple_of(4) && w.batch.strides.iter().all(|stride| stride % 4 == 0)
}
