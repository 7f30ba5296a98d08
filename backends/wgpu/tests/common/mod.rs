//! What the tests share: a GPU, and the processor to compare it with.
mod driver;

use firesteel_core::{
    Backend, DType, Data, Distribution, ErrorKind, Op, Program, Result, Shape, Stream, TensorData, block_on,
};
use firesteel_cpu::Cpu;
use firesteel_wgpu::{Wgpu, wgpu};
use std::sync::LazyLock;

/// The first GPU.
pub fn gpu() -> Wgpu {
    static DRIVER: LazyLock<()> = LazyLock::new(driver::install);
    LazyLock::force(&DRIVER);
    Wgpu::best().unwrap()
}

/// A device of the same GPU with nothing beyond plain WebGPU: no 64 bits, no immediates, its smallest limits. Shaders are
/// validated as WebGPU's are.
pub fn plain() -> Wgpu {
    static PLAIN: LazyLock<Wgpu> = LazyLock::new(another);
    *PLAIN
}

/// One more such device.
pub fn another() -> Wgpu {
    gpu();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let opened = block_on(async {
        let adapter = instance.request_adapter(&Default::default()).await.unwrap();
        Ok(adapter.request_device(&Default::default()).await.unwrap())
    });
    let (device, queue) = opened.unwrap();
    Wgpu::from_wgpu(device, queue)
}

/// Runs operations on the processor, on the GPU and as plain WebGPU: the operands of an operation are the numbers of
/// inputs, then those of the results before it. Every result has to agree, up to tolerances.
#[allow(dead_code)] // not every test binary compares
pub fn agree(code: Vec<Op<usize>>, inputs: &[TensorData], rtol: f64, atol: f64) {
    let count = inputs.len();
    let results = (count..count + code.iter().map(Op::outputs).sum::<usize>()).collect();
    let program = Program { inputs: count, code, results };
    let want = run(&program, &Cpu, inputs).unwrap();
    let got = run(&program, &gpu(), inputs).unwrap();
    for (got, want) in got.iter().zip(&want) {
        assert_eq!(got.meta(), want.meta(), "in {:?}", program.code);
    }
    same(&program, &got, &want, rtol, atol);
    match run(&program, &plain(), inputs) {
        Ok(got) => same(&program, &got, &want, rtol, atol),
        // numbers of 64 bits are not there
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error} in {:?}", program.code),
    }
}

fn same(program: &Program, got: &[TensorData], want: &[TensorData], rtol: f64, atol: f64) {
    for (n, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.shape(), want.shape(), "result {n} of {:?}", program.code);
        let (x, y) = (got.to_vec::<f64>(), want.to_vec::<f64>());
        let same =
            |x: f64, y: f64| x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= atol + rtol * y.abs();
        if let Some(i) = (0..x.len()).find(|&i| !same(x[i], y[i])) {
            let (x, y, count) = (x[i], y[i], (0..x.len()).filter(|&i| !same(x[i], y[i])).count());
            panic!(
                "element {i} is {x}, not {y} ({count} differ) in result {n}, {}, of {:?}",
                want.meta(),
                program.code
            );
        }
    }
}

fn run<B: Backend>(program: &Program, b: &B, inputs: &[TensorData]) -> Result<Vec<TensorData>> {
    let inputs = inputs.iter().map(|data| b.upload(data.clone()).map(Some)).collect::<Result<_>>()?;
    program.replay(b, inputs)?.iter().map(|y| block_on(b.download(y))).collect()
}

/// Numbers of all signs for a shape: small whole ones for integers.
#[allow(dead_code)]
pub fn numbers(shape: &[usize], dtype: DType, seed: u64) -> TensorData {
    let kind = if dtype.is_float() { Distribution::Normal } else { Distribution::Bits };
    let drawn = if dtype == DType::Bool { DType::U8 } else { dtype };
    let stream = Stream { seed, offset: 0 };
    let x = Cpu.run(Op::Random(kind, stream, Shape::from(shape), drawn)).unwrap().remove(0);
    let data = block_on(Cpu.download(&x)).unwrap();
    let small: Vec<f64> = data.to_vec::<f64>();
    let small = small.into_iter().map(|x| {
        if dtype.is_float() { x } else { x.rem_euclid(19.) - if drawn.is_signed() { 9. } else { 0. } }
    });
    let small = small.map(|x| if dtype == DType::Bool { f64::from(u8::from(x > 9.)) } else { x }).collect();
    TensorData::new(Shape::from(shape), Data::F64(small)).unwrap().cast(dtype)
}

/// Every dtype.
#[allow(dead_code)]
pub const DTYPES: [DType; 10] = [
    DType::F64,
    DType::F32,
    DType::F16,
    DType::BF16,
    DType::I64,
    DType::I32,
    DType::I8,
    DType::U32,
    DType::U8,
    DType::Bool,
];
