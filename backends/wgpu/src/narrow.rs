//! I64 on devices whose shaders have no numbers of 64 bits, as a browser's: I64 to all who look, and I32 to the kernels.
//!
//! So all is there that PyTorch makes I64: indices, counts, whole numbers of no stated dtype. A number from the host that
//! does not fit in 32 bits is an error; what is computed from such that do wraps at 32 bits instead of 64.
use crate::{Wgpu, WgpuValue, create, device::Gpu};
use firesteel_core::{
    DType, Data, Element, Error, Fused, Meta, Metas, Op, Operand, Outputs, Result, Scalar, TensorData, infer,
};
use smallvec::SmallVec;
use std::{future::Future, sync::Arc};
use wgpu::Features;

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

/// Evaluates an operation on a device that lacks numbers of 64 bits.
pub(crate) fn eval(wgpu: &Wgpu, op: Op<&WgpuValue>, out: &Metas) -> Result<Outputs<WgpuValue>> {
    let mut xs: SmallVec<[WgpuValue; 4]> = SmallVec::new();
    let op = op.map(|x| {
        xs.push(narrow(x));
        xs.len() - 1
    });
    let metas = out.iter().map(|meta| Meta::new(&meta.shape, narrow_dtype(meta.dtype))).collect();
    let results = wgpu.compute(narrow_op(op)?.map(|i| &xs[i]), &metas)?;
    Ok(results.into_iter().zip(out).map(|(result, meta)| labelled(result, meta.dtype)).collect())
}

/// Updates targets on a device that lacks numbers of 64 bits.
pub(crate) fn update(wgpu: &Wgpu, targets: &mut [&mut WgpuValue], op: Op<Operand<&WgpuValue>>) -> Result<()> {
    let out = infer(op.clone().map(|x| match x {
        Operand::Target(i) => &targets[i].meta,
        Operand::Value(v) => &v.meta,
    }))?;
    let mut xs: SmallVec<[WgpuValue; 4]> = SmallVec::new();
    let op = narrow_op(op.map(|x| match x {
        Operand::Target(i) => Operand::Target(i),
        Operand::Value(v) => {
            xs.push(narrow(v));
            Operand::Value(xs.len() - 1)
        }
    }))?;
    let before: SmallVec<[DType; 4]> = targets.iter().map(|target| target.meta.dtype).collect();
    for target in targets.iter_mut() {
        target.meta.dtype = narrow_dtype(target.meta.dtype);
    }
    let done = crate::update::update(
        wgpu,
        targets,
        op.map(|x| match x {
            Operand::Target(i) => Operand::Target(i),
            Operand::Value(i) => Operand::Value(&xs[i]),
        }),
    );
    // they have what was computed, or what they had
    for (i, target) in targets.iter_mut().enumerate() {
        target.meta.dtype = if done.is_ok() { out[i].dtype } else { before[i] };
    }
    done
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
        return Err(lacking(kind.name(), "random numbers of 64 bits are not there".to_owned()));
    }
    if let Op::Full(_, _, dtype) | Op::Arange { dtype, .. } | Op::Cast(_, dtype) = &mut op {
        *dtype = narrow_dtype(*dtype);
    }
    if let Op::Fused(Fused::Chain(program), _) = &mut op {
        let is_wide = |op: &Op<usize>| matches!(op, Op::Full(.., DType::I64) | Op::Cast(_, DType::I64));
        if program.code.iter().any(is_wide) {
            let program = Arc::make_mut(program);
            let code = std::mem::take(&mut program.code);
            program.code = code.into_iter().map(narrow_op).collect::<Result<_>>()?;
        }
    }
    Ok(op)
}

/// The number in 32 bits.
fn fitting(op: &'static str, number: i64) -> Result<i32> {
    i32::try_from(number).map_err(|_| lacking(op, format!("{number} does not fit in 32 bits")))
}

fn lacking(op: &'static str, what: String) -> Error {
    Error::unsupported(
        op,
        format!("{what}, and this device lacks SHADER_INT64: cast to float32, or compute on Cpu"),
    )
}
