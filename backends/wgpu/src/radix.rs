//! Long rows in order by their digits, from the lowest on: each pass moves elements behind those with lower digits, and leaves
//! equals as they lie.
use crate::{WgpuValue, create, device::Gpu, kernel::Kernel, sort::Rows, storage::Storage};
use firesteel_core::{DType, Meta, Result};

/// Values of a digit, of which each has eight bits.
const DIGITS: usize = 256;
/// Elements of a tile at least, and tiles of a row at most.
const TILE: usize = 2048;
const TILES: usize = 1024;

/// How many bits tell numbers of a dtype apart, where that are no more than 32.
pub(crate) fn bits(dtype: DType) -> Option<u32> {
    match dtype {
        DType::F32 | DType::I32 | DType::U32 => Some(32),
        DType::F16 => Some(19),
        DType::BF16 => Some(16),
        DType::I8 | DType::U8 => Some(8),
        DType::Bool => Some(1),
        DType::F64 | DType::I64 => None,
    }
}

/// The function `key` of a shader: whole numbers in the order of those of this dtype, with NaN last, or all the other way
/// round. Halves are keys of F32 without the bits that are the same in all of them.
pub(crate) fn key(dtype: DType, descending: bool) -> String {
    let bits = bits(dtype).unwrap_or(32);
    let ordered = match Storage::of(dtype).number {
        "f32" => format!("ordered(x) >> {}u", 32 - bits),
        "i32" => format!("bitcast<u32>(x) + {}u", 1_u32 << (bits - 1)),
        _ => "x".to_owned(),
    };
    let last = u32::MAX >> (32 - bits);
    let turned = if descending { format!("{last}u - ({ordered})") } else { ordered };
    format!(
        "const BITS = {bits}u;\nfn key(x: K) -> u32 {{ return {turned}; }}\n\
         fn ordered(x: f32) -> u32 {{ \
         let b = bitcast<u32>(x); let size = b & 0x7fffffffu; \
         if size > 0x7f800000u {{ return 0xffffffffu; }} \
         return select(0x80000000u + size, 0x80000000u - size, b > 0x80000000u); }}\n"
    )
}

/// How many passes the numbers of a dtype take.
pub(crate) fn passes(dtype: DType) -> Option<usize> {
    bits(dtype).map(|bits| bits.div_ceil(8) as usize)
}

/// Puts rows in order: the values, and the places that they came from.
pub(crate) fn sort(
    gpu: &'static Gpu,
    rows: &Rows,
    out: &[WgpuValue; 2],
    descending: bool,
    dtype: DType,
) -> Result<()> {
    let (count, n) = (rows.row.shape.numel(), rows.n);
    let length = n.div_ceil(TILES).max(TILE);
    let tiles = n.div_ceil(length);
    let table = Meta::new([count, tiles, DIGITS], DType::U32);
    let (hist, to) = (create::output(gpu, &table)?, create::output(gpu, &table)?);
    let declare = |kernel: &mut Kernel| {
        kernel.alias("K", dtype).constant("DESCENDING", descending.into());
        kernel.param("n", n).param("stride", rows.stride).param("length", length);
        kernel.param("tiles", tiles).param("groups", count * tiles);
    };
    let mut kernel = Kernel::new(gpu, "radix_count");
    kernel.read_at("x", rows.x, false).places("row", rows.row).write1("hist", &hist);
    declare(&mut kernel);
    kernel.run(count * tiles, || {
        include_str!("../shaders/radix_count.wgsl").to_owned() + &key(dtype, descending)
    })?;

    let passes = passes(dtype).unwrap_or(0);
    let memory = Meta::new([count, n], DType::U32);
    let mut now: Option<[WgpuValue; 2]> = None;
    for pass in 0..passes {
        let mut kernel = Kernel::new(gpu, "radix_scan");
        kernel.write1("hist", &hist).write1("to", &to).param("tiles", tiles).param("rows", count);
        kernel.run(count, || {
            [include_str!("../shaders/radix_scan.wgsl"), include_str!("../shaders/sums.wgsl")].concat()
        })?;
        let is_last = pass + 1 == passes;
        let next = [create::output(gpu, &memory)?, create::output(gpu, &memory)?];
        let moved = now.take();
        let mut kernel = Kernel::new(gpu, "radix_move");
        kernel.read_at("to", &to, false).constant("SHIFT", 8 * pass as u32);
        kernel.depends([moved.is_some().into(), is_last.into()]);
        declare(&mut kernel);
        if let Some([keys, places]) = &moved {
            kernel.read_at("keys", keys, false).read_at("places", places, false);
        }
        if moved.is_none() || is_last {
            kernel.read_at("x", rows.x, false).places("row", rows.row);
        }
        if is_last {
            kernel.write1("y", &out[0]).write1("source", &out[1]).alias("I", out[1].meta.dtype);
        } else {
            kernel.write1("y", &next[0]).write1("source", &next[1]).write_counts("hist", &hist);
        }
        kernel.run(count * tiles, || {
            let (from, place) = match moved {
                Some(_) => ("keys_at(r * p.n + i)", "places_at(r * p.n + i)"),
                None => ("key(x_at(row(r) + i * p.stride))", "i"),
            };
            let put = match is_last {
                true => "y_set(at, x_at(row(r) + place * p.stride)); source_set(at, I(place));",
                false => {
                    "y_set(at, k); source_set(at, place); \
                     let digit = (k >> (SHIFT + 8u)) & 255u; \
                     hist_add((r * p.tiles + to / p.length) * 256u + digit, 1u);"
                }
            };
            [
                include_str!("../shaders/radix_move.wgsl"),
                &key(dtype, descending),
                &format!("fn key_of(r: u32, i: u32) -> u32 {{ return {from}; }}\n"),
                &format!(
                    "fn put(r: u32, i: u32, k: u32, to: u32) {{ \
                     let place = {place}; let at = r * p.n + to; {put} }}\n"
                ),
            ]
            .concat()
        })?;
        now = Some(next);
    }
    Ok(())
}
