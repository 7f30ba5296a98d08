//! I64 on devices whose shaders have no numbers of 64 bits, as a browser's: I64 to all who look, and I32 to the kernels.
//!
//! So all is there that PyTorch makes I64: indices, counts, whole numbers of no stated dtype. A number that does not fit in 32
//! bits is an error: at once where it comes from the host, and at the next synchronisation where the device computes it.
use crate::{Wgpu, WgpuValue, check::Check, create, device::Gpu, kernel::Kernel};
use firesteel_core::{
    Backend, Binary, DType, Data, Element, Error, Fused, Meta, Metas, Op, Outputs, Program, Reduce, Result,
    Scalar, Scan, Scatter, TensorData, Unary, Update,
};
use smallvec::{SmallVec, smallvec};
use std::future::Future;
use wgpu::Features;

/// What is computed in F32 to see whether it fits in 32 bits, and is rounded, has to stay below this.
const LIMIT: f64 = 2_147_480_000.0;

impl Gpu {
    /// Whether kernels see I64 as it is.
    pub fn has_int64(&self) -> bool {
        self.features.contains(Features::SHADER_INT64)
    }
}

pub(crate) fn upload(gpu: &'static Gpu, data: TensorData) -> Result<WgpuValue> {
    let Some(wide) = i64::peek(data.data()).filter(|_| !gpu.has_int64()) else {
        return create::upload(gpu, data);
    };
    let narrow = wide.iter().map(|&number| fitting("upload", number)).collect::<Result<Vec<i32>>>()?;
    let narrow = TensorData::new(data.shape(), Data::I32(narrow))?;
    Ok(labelled(create::upload(gpu, narrow)?, DType::I64))
}

pub(crate) fn download(
    gpu: &'static Gpu,
    x: &WgpuValue,
) -> impl Future<Output = Result<TensorData>> + Send + use<> {
    let dtype = x.meta.dtype;
    let x = if gpu.has_int64() { x.clone() } else { narrow(x) };
    async move { Ok(create::download(gpu, x).await?.cast(dtype)) }
}

/// Whether a program has I64 in it: it runs line by line, since each line may have to be checked.
pub(crate) fn is_wide(program: &Program, inputs: &[&Meta]) -> bool {
    let says = |op: &Op<usize>| matches!(op, Op::Full(.., DType::I64) | Op::Cast(_, DType::I64));
    inputs.iter().any(|x| x.dtype == DType::I64) || program.code.iter().any(says)
}

/// Evaluates an operation on a device that lacks numbers of 64 bits.
pub(crate) fn eval(wgpu: &Wgpu, op: Op<&WgpuValue>, out: &Metas) -> Result<Outputs<WgpuValue>> {
    let mut xs: SmallVec<[WgpuValue; 4]> = SmallVec::new();
    let op = narrow_op(op.map(|x| {
        xs.push(narrow(x));
        xs.len() - 1
    }))?;
    let metas = out.iter().map(|meta| Meta::new(&meta.shape, narrow_dtype(meta.dtype))).collect();
    let results = wgpu.compute(op.clone().map(|i| &xs[i]), &metas)?;
    if out[0].dtype == DType::I64 && can_overflow(&op, &xs) {
        check(wgpu, op, &xs, &out[0])?;
    }
    Ok(results.into_iter().zip(out).map(|(result, meta)| labelled(result, meta.dtype)).collect())
}

/// Updates targets on a device that lacks numbers of 64 bits: those of I64 not in place, since what is computed is checked.
pub(crate) fn update(wgpu: &Wgpu, mut update: Update<'_, WgpuValue>) -> Result<()> {
    let mut wide = matches!(&update.op, Op::Fused(Fused::Chain(program), _) if is_wide(program, &[]));
    update.plain().each(|x| wide |= x.meta.dtype == DType::I64);
    if !wide {
        return crate::update::update(wgpu, update);
    }
    let results = wgpu.run(update.plain())?;
    update.set(results);
    Ok(())
}

/// Whether results in 32 bits may be others than those in 64.
fn can_overflow(op: &Op<usize>, xs: &[WgpuValue]) -> bool {
    let is_wider = |x: usize| xs[x].meta.dtype.is_float() || xs[x].meta.dtype == DType::U32;
    matches!(
        op,
        Op::Unary(Unary::Neg | Unary::Abs, _)
            | Op::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Pow | Binary::Shl, ..)
            | Op::Reduce(Reduce::Sum | Reduce::Prod, ..)
            | Op::Scan(Scan::Sum | Scan::Prod, ..)
            | Op::Scatter { kind: Scatter::Add | Scatter::Mul, .. }
            | Op::IndexPut { kind: Scatter::Add | Scatter::Mul, .. }
            | Op::MatMul(..)
            | Op::Fold { .. }
            | Op::Fused(Fused::Linear, _)
    ) || matches!(op, Op::Cast(x, _) if is_wider(*x))
}

/// Has the device see whether all results fit in 32 bits, by the same operation in F32.
fn check(wgpu: &Wgpu, op: Op<usize>, xs: &[WgpuValue], out: &Meta) -> Result<()> {
    let compute = |op: Op<&WgpuValue>, like: &Meta| -> Result<WgpuValue> {
        let results = wgpu.compute(op, &smallvec![Meta::new(&like.shape, DType::F32)])?;
        results.into_iter().next().ok_or_else(|| Error::internal("narrow", "gave no result"))
    };
    let name = op.name();
    let mut real =
        xs.iter().map(|x| compute(Op::Cast(x, DType::F32), &x.meta)).collect::<Result<Vec<_>>>()?;
    let op = if let Op::Scatter { index, .. } | Op::IndexPut { index, .. } = op {
        real[index] = xs[index].clone();
        op
    } else if let Op::Binary(Binary::Shl, a, b) = op {
        real[b] = compute(Op::Unary(Unary::Exp2, &real[b]), &xs[b].meta)?;
        Op::Binary(Binary::Mul, a, b)
    } else if let Op::Cast(x, _) = op {
        Op::Cast(x, DType::F32)
    } else {
        op
    };
    let y = compute(op.map(|i| &real[i]), out)?;
    let checked = create::output(wgpu.0, &Meta::new(&out.shape, DType::Bool))?;
    let mut kernel = Kernel::new(wgpu.0, "narrow");
    kernel.read("x", &y).number("limit", Scalar::Float(LIMIT), DType::F32);
    kernel.check(Check::Wide { op: name }, 0, 0);
    kernel.each(&checked, false, || include_str!("../shaders/narrow.wgsl").to_owned())
}

/// The value as kernels see it.
fn narrow(x: &WgpuValue) -> WgpuValue {
    labelled(x.clone(), narrow_dtype(x.meta.dtype))
}

fn labelled(mut x: WgpuValue, dtype: DType) -> WgpuValue {
    x.meta.dtype = dtype;
    x
}

fn narrow_dtype(dtype: DType) -> DType {
    if dtype == DType::I64 { DType::I32 } else { dtype }
}

/// The operation with I32 where it says I64.
fn narrow_op<T>(mut op: Op<T>) -> Result<Op<T>> {
    if let Op::Full(Scalar::Int(number), _, DType::I64) = &op {
        fitting("full", *number)?;
    }
    if let Op::Arange { start: Scalar::Int(start), step: Scalar::Int(step), len, dtype: DType::I64 } = &op {
        fitting("arange", start.saturating_add(step.saturating_mul(*len as i64)))?;
    }
    // a stream gives the same numbers everywhere
    if let Op::Random(kind, .., DType::I64) = &op {
        return Err(lacking(kind.name(), "random numbers of 64 bits are not there"));
    }
    if let Op::Full(_, _, dtype) | Op::Arange { dtype, .. } | Op::Cast(_, dtype) = &mut op {
        *dtype = narrow_dtype(*dtype);
    }
    Ok(op)
}

/// The number in 32 bits.
fn fitting(op: &'static str, number: i64) -> Result<i32> {
    i32::try_from(number).map_err(|_| lacking(op, &format!("{number} does not fit in 32 bits")))
}

/// The error of what a device without numbers of 64 bits cannot do.
pub(crate) fn lacking(op: &'static str, what: &str) -> Error {
    let instead = "this device lacks SHADER_INT64: use float32, or compute on Cpu";
    Error::unsupported(op, format!("{what}, and {instead}"))
}
