//! From nothing, and from and to host memory.
use crate::{
    WgpuValue,
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    memory::{Block, lock},
    storage::{self, Storage},
    value::Memory,
    view,
};
use firesteel_core::{
    Category, DType, Data, Distribution, Element, Error, Meta, Result, Scalar, Shape, Stream, TensorData,
    recipe, with_dtype,
};

/// Memory for a result.
pub(crate) fn output(gpu: &'static Gpu, meta: &Meta) -> Result<WgpuValue> {
    storage::check("allocate", meta.dtype, gpu.features)?;
    Ok(WgpuValue::new(meta.clone(), Block::new(gpu, meta.bytes())?))
}

pub(crate) fn upload(gpu: &'static Gpu, data: TensorData) -> Result<WgpuValue> {
    let meta = data.meta();
    storage::check("upload", meta.dtype, gpu.features)?;
    let block = Block::new(gpu, meta.bytes())?;
    gpu.write(&block, data.data().bytes());
    Ok(WgpuValue::new(meta, block))
}

pub(crate) async fn download(gpu: &'static Gpu, x: WgpuValue) -> Result<TensorData> {
    lock(&gpu.recorder).counters.downloads += 1;
    let bytes = match &x.memory {
        Memory::Same(value) => {
            gpu.read(None, 0).await?;
            return same(&x.meta, *value);
        }
        Memory::Block(_) => {
            let x = view::contiguous(gpu, &x)?;
            let Memory::Block(block) = &x.memory else {
                return Err(Error::internal("download", "a copy that is nowhere"));
            };
            gpu.read(Some(block), x.meta.bytes()).await?
        }
    };
    let data = Data::from_bytes(x.meta.dtype, &bytes);
    TensorData::new(&x.meta.shape, data.ok_or_else(|| Error::internal("download", "a half element"))?)
}

/// As many of one number as the shape has places.
fn same(meta: &Meta, value: Scalar) -> Result<TensorData> {
    with_dtype!(meta.dtype, T => {
        let mut numbers: Vec<T> = vec![];
        if numbers.try_reserve_exact(meta.numel()).is_err() {
            let why = format!("{} bytes of host memory cannot be had", meta.bytes());
            return Err(Error::memory("download", why));
        }
        numbers.resize(meta.numel(), value.to());
        TensorData::new(&meta.shape, T::wrap(numbers))
    })
}

/// The value in a buffer, where its numbers would else be nowhere: one element, seen everywhere.
pub(crate) fn placed(gpu: &'static Gpu, x: &WgpuValue) -> Result<WgpuValue> {
    let Memory::Same(value) = x.memory else {
        return Ok(x.clone());
    };
    let one = WgpuValue::same(Meta::new(Shape::scalar(), x.meta.dtype), value);
    Ok(view::contiguous(gpu, &one)?.view(x.layout.clone()))
}

/// `start + i · step`: whole numbers are counted on the device. Others are made in F64, which few devices have, and so the
/// host writes them.
pub(crate) fn arange(gpu: &'static Gpu, start: Scalar, step: Scalar, out: &Meta) -> Result<WgpuValue> {
    let Some(number) = counted(start, step, out) else {
        let number = |i: usize| Scalar::Float(start.to_f64() + i as f64 * step.to_f64());
        let numbers =
            with_dtype!(out.dtype, T => T::wrap((0..out.numel()).map(|i| number(i).to::<T>()).collect()));
        return upload(gpu, TensorData::new(&out.shape, numbers)?);
    };
    let y = output(gpu, out)?;
    let mut kernel = Kernel::new(gpu, "arange");
    kernel.number("start", start, number).number("step", step, number).depends([number as u32]);
    kernel.each(&y, false, || {
        // of a wide number by way of u64, as naga extends the sign where it should not
        let i = if number == DType::I64 { "u64(i)" } else { "i" };
        let number = Storage::of(number).number;
        format!("fn element(i: u32) -> T {{ return T(p.start + {number}({i}) * p.step); }}\n")
    })?;
    Ok(y)
}

/// The dtype in which numbers so many steps apart are whole ones, and wrap as those of the result do.
fn counted(start: Scalar, step: Scalar, out: &Meta) -> Option<DType> {
    let is_whole = |x: Scalar| x.to_f64().fract() == 0.;
    let last = start.to_f64().abs() + out.numel() as f64 * step.to_f64().abs();
    match (out.dtype.category(), start, step) {
        (Category::Integer, Scalar::Int(_), Scalar::Int(_)) => Some(match Storage::of(out.dtype).number {
            "i64" => DType::I64,
            "u32" => DType::U32,
            _ => DType::I32,
        }),
        // all of them exact in F32
        (Category::Float, ..) if is_whole(start) && is_whole(step) && last <= 16_777_216. => Some(DType::I32),
        _ => None,
    }
}

/// Numbers of a stream, four to an invocation: a block of words, or two where numbers have 64 bits.
pub(crate) fn random(gpu: &'static Gpu, kind: Distribution, stream: Stream, out: &Meta) -> Result<WgpuValue> {
    let y = output(gpu, out)?;
    let groups = out.numel().div_ceil(4);
    let halves = |x: u64| (x as u32 as usize, (x >> 32) as usize);
    let (seed, offset) = (halves(stream.seed), halves(stream.offset));
    let mut kernel = Kernel::new(gpu, "random");
    kernel.write4("y", &y).alias("T", out.dtype).depends([kind as u32]);
    kernel.param("groups", groups).param("seed_low", seed.0).param("seed_high", seed.1);
    kernel.param("offset_low", offset.0).param("offset_high", offset.1);
    kernel.run(groups.div_ceil(WORKGROUP), || {
        let number = Storage::of(out.dtype).number;
        let body = include_str!("../shaders/random.wgsl");
        let kept = recipe::kept(out.dtype);
        let drawn = if kind == Distribution::Uniform && kept != !0 {
            format!("rand_half(block, {kept}u)")
        } else {
            format!("{}_{number}(block)", kind.name())
        };
        format!("{body}fn draw(block: u32) -> vec4<{number}> {{ return {drawn}; }}\n")
    })?;
    Ok(y)
}
