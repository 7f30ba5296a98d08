//! Reading where an index says. An index is of any integer dtype; out of range it reads nothing, and is an error at the
//! next synchronisation.
use crate::{
    WgpuValue,
    check::Check,
    create,
    device::Gpu,
    kernel::{Kernel, is_wide},
    storage::Storage,
};
use firesteel_core::{DType, Layout, Meta, Result, Scalar};

/// `y[i][j] = x[index[i][j]][j]` for axis 0, and so on.
pub(crate) fn gather(
    gpu: &'static Gpu,
    x: &WgpuValue,
    index: &WgpuValue,
    axis: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    read(gpu, "gather", x, index, axis, out, 0)
}

/// `x` at the places of `index [n]` along the axis.
pub(crate) fn index_select(
    gpu: &'static Gpu,
    x: &WgpuValue,
    index: &WgpuValue,
    axis: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    read(gpu, "index_select", x, index, axis, out, out.shape[axis + 1..].iter().product())
}

/// Each number of the index is that of one element, or of `inner` neighbours.
fn read(
    gpu: &'static Gpu,
    op: &'static str,
    x: &WgpuValue,
    index: &WgpuValue,
    axis: usize,
    out: &Meta,
    inner: usize,
) -> Result<WgpuValue> {
    let x = create::placed(gpu, x)?;
    let y = create::output(gpu, out)?;
    let stride = x.layout.strides[axis];
    let mut start = Layout { shape: out.shape.clone(), ..x.layout.clone() };
    start.strides[axis] = 0;
    let single = inner == 0;
    let wide = !single && inner.is_multiple_of(4) && stride % 4 == 0 && is_wide(&start);
    let mut kernel = Kernel::new(gpu, "index");
    kernel.read_at("x", &x, wide).read("index", index).places("start", &start);
    kernel.param("stride", stride as usize).param("inner", inner).param("count", index.meta.numel());
    checked(&mut kernel, op, index.meta.dtype, x.meta.shape[axis], axis);
    kernel.depends([single.into()]).each(&y, wide, || {
        let number = if single { "i" } else { "(i / p.inner) % p.count" };
        let body = include_str!("../shaders/index.wgsl");
        format!("{body}fn number(i: u32) -> u32 {{ return {number}; }}\n{}", place(index.meta.dtype))
    })?;
    Ok(y)
}

/// What [`place`] needs to know: the size of the axis that an index of this dtype leads along.
pub(crate) fn checked(kernel: &mut Kernel, op: &'static str, dtype: DType, size: usize, axis: usize) {
    kernel.alias("I", dtype).number("size", limit(size, dtype), dtype);
    kernel.check(Check::Index { op }, size, axis);
}

/// A size among numbers of this dtype, none of which is above it where it is out of reach.
fn limit(size: usize, dtype: DType) -> Scalar {
    let most = match dtype {
        DType::I64 => i64::MAX as usize,
        DType::U32 => u32::MAX as usize,
        _ => i32::MAX as usize,
    };
    Scalar::from(size.min(most))
}

/// `place(i)`, where along the axis a number of the index leads, or NOWHERE, which is reported.
pub(crate) fn place(dtype: DType) -> String {
    include_str!("../shaders/place.wgsl").to_owned() + reported(dtype)
}

/// `reported(i)`, a number of an index as the flags hold it.
fn reported(dtype: DType) -> &'static str {
    match Storage::of(dtype).number {
        "i64" => "fn reported(i: i64) -> i32 { return i32(clamp(i, -2147483648li, 2147483647li)); }\n",
        "u32" => "fn reported(i: u32) -> i32 { return i32(min(i, 2147483647u)); }\n",
        _ => "fn reported(i: i32) -> i32 { return i; }\n",
    }
}

/// The index counted from the start where it is negative.
pub(crate) fn wrap_index(gpu: &'static Gpu, index: &WgpuValue, len: usize) -> Result<WgpuValue> {
    let (dtype, y) = (index.meta.dtype, create::output(gpu, &index.meta)?);
    let mut kernel = Kernel::new(gpu, "wrap_index");
    kernel.read("index", index).number("size", limit(len, dtype), dtype);
    kernel.number("most", dtype.highest(), dtype).check(Check::Wrapped { op: "index" }, len, 0);
    kernel.param("narrow", gpu.check_number(Check::Narrow { op: "index", dtype }) as usize);
    kernel.each(&y, false, || include_str!("../shaders/wrap_index.wgsl").to_owned() + reported(dtype))?;
    Ok(y)
}
