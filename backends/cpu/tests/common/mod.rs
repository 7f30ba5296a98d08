//! Fused kernels against their decompositions.
use firesteel_core::{
    Axes, Backend, DType, Device, Distribution, Fused, Generator, MemoryStats, Meta, Metas, Op, Outputs,
    Result as Fallible, Shape, Span, Stream, Tensor, TensorData,
};
use firesteel_cpu::{Cpu, CpuValue};
use std::future::Future;

pub type Result<T = ()> = Fallible<T>;

/// The Cpu without fused kernels.
#[derive(Clone, Debug)]
pub struct Parts;

impl Backend for Parts {
    type Value = CpuValue;

    fn device(&self) -> Device {
        Cpu.device()
    }
    fn meta(v: &CpuValue) -> &Meta {
        Cpu::meta(v)
    }
    fn upload(&self, data: TensorData) -> Result<CpuValue> {
        Cpu.upload(data)
    }
    fn download(&self, v: &CpuValue) -> impl Future<Output = Result<TensorData>> + Send {
        Cpu.download(v)
    }
    fn eval(&self, op: Op<&CpuValue>, out: &Metas) -> Result<Outputs<CpuValue>> {
        Cpu.eval(op, out)
    }
    fn memory(&self) -> MemoryStats {
        Cpu.memory()
    }
    fn empty_cache(&self) {
        Cpu.empty_cache();
    }
    fn synchronize(&self) -> Result {
        Cpu.synchronize()
    }
    fn generator(&self) -> &Generator {
        Cpu.generator()
    }
    fn fuses(&self, _: &Op<&Meta>) -> bool {
        false
    }
}

pub const FLOATS: [DType; 4] = [DType::F64, DType::F32, DType::BF16, DType::F16];

pub fn normal(shape: &[usize], dtype: DType, seed: u64) -> Result<Tensor<Cpu>> {
    let stream = Stream { seed, offset: 0 };
    Tensor::make(&Cpu, Op::Random(Distribution::Normal, stream, Shape::from(shape), dtype))
}

/// The same shape, lying in memory otherwise: as it is, backwards, and last axis outermost.
fn lay(x: &Tensor<Cpu>, kind: usize) -> Result<Tensor<Cpu>> {
    let rank = x.rank();
    match kind {
        0 => Ok(x.clone()),
        1 => {
            let backwards = x.shape().iter().map(|&n| Span { start: n.max(1) - 1, step: -1, len: n });
            Tensor::one(Op::Slice(x, backwards.collect()))
        }
        _ => {
            let turned: Axes = (0..rank).rev().collect();
            let y = Tensor::one(Op::Permute(x, turned.clone()))?;
            let y = Tensor::from_value(Cpu, Cpu.upload(y.to_data()?)?);
            Tensor::one(Op::Permute(&y, turned))
        }
    }
}

fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-12,
        DType::F32 => 2e-5,
        DType::F16 => 1e-2,
        DType::BF16 => 8e-2,
        _ => 0.0,
    }
}

/// The kernel's results are those of the decomposition, however the operands lie in memory.
pub fn check(fused: &Fused, xs: &[Tensor<Cpu>]) -> Result {
    for kind in 0..3 {
        let xs = xs.iter().map(|x| lay(x, kind)).collect::<Result<Vec<_>>>()?;
        let whole = Tensor::apply(Op::Fused(fused.clone(), xs.iter().collect()))?;
        let parts: Vec<_> = xs.iter().map(|x| Tensor::from_value(Parts, x.value().clone())).collect();
        let parts = Tensor::apply(Op::Fused(fused.clone(), parts.iter().collect()))?;
        assert_eq!(whole.len(), parts.len());
        for (i, (got, want)) in whole.iter().zip(&parts).enumerate() {
            let shapes: Vec<_> = xs.iter().map(|x| x.meta().to_string()).collect();
            let what = format!("result {i} of {fused:?} of {shapes:?}, laid out as {kind}");
            assert_eq!(got.meta(), want.meta(), "{what}");
            let (got, want) = (got.to_data()?.to_vec::<f64>(), want.to_data()?.to_vec::<f64>());
            for (at, (got, want)) in got.iter().zip(&want).enumerate() {
                let close = (got - want).abs() <= tolerance(whole[i].dtype()) * (1.0 + want.abs());
                assert!(
                    got == want || close || got.is_nan() && want.is_nan(),
                    "{what}: {got}, not {want} at {at}"
                );
            }
        }
    }
    Ok(())
}
