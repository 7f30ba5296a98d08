//! Scaled dot-product attention, over blocks of keys.
use crate::{WgpuValue, create, device::Gpu, kernel::Kernel, storage::Storage, team};
use firesteel_core::{Error, Layout, Meta, Metas, Outputs, Result, Scalar};
use smallvec::{SmallVec, smallvec};
use wgpu::DeviceType;

/// Queries and keys of a block, largest first.
const BLOCKS: [[usize; 2]; 4] = [[32, 32], [16, 32], [16, 16], [8, 16]];

/// Up to how many scores the kernel is the faster way everywhere.
const FEW: usize = 64 * 64;

/// The largest block whose queries, keys and scores fit in workgroup memory.
fn block(gpu: &Gpu, d: usize, e: usize, meta: &Meta) -> Option<[usize; 2]> {
    let size = if Storage::of(meta.dtype).number.ends_with("64") { 8 } else { 4 };
    let (d, e) = (d.next_multiple_of(4), e.next_multiple_of(4));
    let room = gpu.limits.max_compute_workgroup_storage_size as usize / size;
    let fits = |[queries, keys]: &[usize; 2]| queries * d + keys * d.max(e) + queries * keys + 128 <= room;
    BLOCKS.into_iter().find(fits)
}

/// Whether there is a kernel for operands of these shapes, and it is the fastest way.
pub(crate) fn fits(gpu: &Gpu, xs: &[&Meta]) -> bool {
    let last = |x: &Meta| x.shape.last().copied().unwrap_or(0);
    let rows = |x: &Meta| x.shape.iter().rev().nth(1).copied().unwrap_or(1);
    // a processor keeps scores in its caches, and has no workgroup memory that would be faster
    let by_products = gpu.info.kind == DeviceType::Cpu && rows(xs[0]) * rows(xs[1]) > FEW;
    xs.iter().all(|x| x.numel() > 0) && !by_products && block(gpu, last(xs[0]), last(xs[2]), xs[0]).is_some()
}

/// The last two axes of an operand, and the axes before them.
struct Rows {
    batch: Layout,
    row: usize,
    step: usize,
    wide: bool,
}

impl Rows {
    fn new(x: &WgpuValue) -> Self {
        let Layout { shape, strides, offset } = &x.layout;
        let lead = shape.rank() - 2;
        let batch = Layout {
            shape: shape[..lead].iter().copied().collect(),
            strides: strides[..lead].into(),
            offset: *offset,
        };
        let (row, step) = (strides[lead], strides[lead + 1]);
        let aligned = strides[..=lead].iter().all(|stride| stride % 4 == 0) && offset.is_multiple_of(4);
        let wide = step == 1 && aligned && shape[lead + 1].is_multiple_of(4);
        Self { batch, row: row as usize, step: step as usize, wide }
    }
}

/// `(softmax(scale · q kᵀ + mask) v, lse)`.
pub(crate) fn attention(
    gpu: &'static Gpu,
    xs: &[&WgpuValue],
    scale: f64,
    causal: bool,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let placed = xs.iter().map(|x| create::placed(gpu, x)).collect::<Result<SmallVec<[_; 4]>>>()?;
    let [q, k, v, mask @ ..] = &placed[..] else {
        return Err(Error::internal("scaled_dot_product_attention", "takes three or four operands"));
    };
    let ys = out.iter().map(|meta| create::output(gpu, meta)).collect::<Result<SmallVec<[_; 2]>>>()?;
    let (dtype, rank) = (out[0].dtype, out[0].shape.rank());
    let [queries, e] = [out[0].shape[rank - 2], out[0].shape[rank - 1]];
    let [keys, d] = [k.meta.shape[rank - 2], k.meta.shape[rank - 1]];
    let Some([block_queries, block_keys]) = block(gpu, d, e, &out[0]) else {
        return Err(Error::internal("scaled_dot_product_attention", "a block does not fit"));
    };
    let rows = [Rows::new(q), Rows::new(k), Rows::new(v)];
    let wide = e.is_multiple_of(4);

    let mut kernel = Kernel::new(gpu, "attention");
    kernel.alias("T", dtype).read_at("q", q, rows[0].wide).read_at("k", k, rows[1].wide);
    kernel.read_at("v", v, rows[2].wide);
    kernel.places("q_start", &rows[0].batch).places("k_start", &rows[1].batch);
    kernel.places("v_start", &rows[2].batch);
    let seen = mask.first().map(Rows::new);
    if let (Some(mask), Some(seen)) = (mask.first(), &seen) {
        kernel.read_at("mask", mask, false).places("mask_start", &seen.batch);
        kernel.param("mask_row", seen.row).param("mask_step", seen.step);
    }
    if wide {
        kernel.write4("y", &ys[0]);
    } else {
        kernel.write1("y", &ys[0]);
    }
    kernel.write1("lse", &ys[1]);
    kernel.constant("QUERIES", block_queries as u32).constant("KEYS", block_keys as u32);
    kernel.constant("D", d.div_ceil(4) as u32).constant("E", e.div_ceil(4) as u32);
    kernel.constant("IS_CAUSAL", causal.into());
    for ([row, step], rows) in
        [["q_row", "q_step"], ["k_row", "k_step"], ["v_row", "v_step"]].into_iter().zip(&rows)
    {
        kernel.param(row, rows.row).param(step, rows.step);
    }
    let blocks = queries.div_ceil(block_queries);
    kernel.param("queries", queries).param("keys", keys).param("d", d).param("e", e);
    kernel.param("blocks", blocks);
    kernel.number("scale", Scalar::Float(scale), dtype).number("lowest", dtype.lowest(), dtype);
    let batch = out[1].numel() / queries;
    kernel.run(batch * blocks, || {
        let load = |name: &str, rows: &Rows, limit: &str, width: &str| {
            let wide = if rows.wide { "1u == 1u" } else { "1u == 0u" };
            let text = include_str!("../shaders/attention_load.wgsl").replace("NAME", name);
            text.replace("LIMIT", limit).replace("WIDTH", width).replace("WIDE == 1u", wide)
        };
        let masked = match mask.first() {
            None => "return score;",
            Some(mask) if mask.meta.dtype.is_float() => {
                "return score + mask_at(mask_start(batch) + query * p.mask_row + key * p.mask_step);"
            }
            Some(_) => {
                "return select(p.lowest, score, \
                 mask_at(mask_start(batch) + query * p.mask_row + key * p.mask_step) != 0u);"
            }
        };
        let store = match wide {
            true => "y_set4((start + e) / 4u, v);",
            false => "for (var c = 0u; c < min(4u, p.e - e); c++) { y_set(start + e + c, v[c]); }",
        };
        let text = [
            include_str!("../shaders/attention.wgsl"),
            &load("q", &rows[0], "p.queries", "p.d"),
            &load("k", &rows[1], "p.keys", "p.d"),
            &load("v", &rows[2], "p.keys", "p.e"),
            &format!("fn masked(score: T, batch: u32, query: u32, key: u32) -> T {{ {masked} }}\n"),
            &format!("fn store(start: u32, e: u32, v: vec4<T>) {{ {store} }}\n"),
        ];
        team::typed(&text.concat(), dtype)
    })?;
    let [y, lse] = [ys[0].clone(), ys[1].clone()];
    Ok(smallvec![y, lse])
}
