//! Element-wise operations give what the processor gives.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::gpu;
use firesteel_core::{Backend, Binary, Compare, DType, Op, Tensor, TensorData, Unary};
use firesteel_cpu::Cpu;

/// Numbers that show what a function does: of every size and sign, and those that are none.
const NUMBERS: [f32; 32] = [
    0.,
    -0.,
    1.,
    -1.,
    0.5,
    -0.5,
    2.,
    -2.,
    3.75,
    -3.25,
    10.,
    -10.,
    0.1,
    -0.3,
    1e-3,
    -1e-5,
    25.5,
    -25.5,
    88.,
    -88.,
    1e3,
    -1e3,
    2e4,
    1e6,
    -3e9,
    1e20,
    0.999,
    -0.999,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1.5,
];

fn on<B: Backend>(b: &B, op: Op<&Tensor<B>>) -> Vec<f64> {
    let y = b.run(op.map(|x| x.value())).unwrap().remove(0);
    firesteel_core::block_on(b.download(&y)).unwrap().to_vec()
}

fn close(name: &str, x: &[f64], got: &[f64], want: &[f64], rtol: f64, atol: f64) -> Vec<String> {
    assert_eq!(got.len(), want.len(), "{name}");
    let wrong = (0..got.len()).filter(|&i| {
        let (g, w) = (got[i], want[i]);
        !(g == w || g.is_nan() && w.is_nan() || (g - w).abs() <= atol + rtol * w.abs())
    });
    wrong.map(|i| format!("{name}({:?}) = {}, not {}", x.get(i), got[i], want[i])).collect()
}

#[test]
fn functions_of_one_number() {
    let gpu = gpu();
    let mut wrong = vec![];
    for &dtype in
        [DType::F64, DType::F32, DType::F16, DType::BF16, DType::I32, DType::U32, DType::I8, DType::U8].iter()
    {
        let host: Vec<f32> =
            NUMBERS.iter().map(|&x| if dtype.is_float() { x } else { x.clamp(-100., 100.) }).collect();
        let data = TensorData::new([host.len()], firesteel_core::Data::F32(host)).unwrap().cast(dtype);
        let (x, y) =
            (Tensor::from_data(data.clone(), &gpu).unwrap(), Tensor::from_data(data.clone(), &Cpu).unwrap());
        for &kind in Unary::ALL {
            if firesteel_core::infer(Op::Unary(kind, x.meta())).is_err() {
                continue;
            }
            let (rtol, atol) = match dtype {
                DType::F64 => (1e-12, 1e-13),
                DType::F16 | DType::BF16 => (1e-2, 1e-6),
                _ => (2e-6, 1e-6),
            };
            let name = format!("{} {dtype}", kind.name());
            let (got, want) = (on(&gpu, Op::Unary(kind, &x)), on(&Cpu, Op::Unary(kind, &y)));
            wrong.extend(close(&name, &data.to_vec::<f64>(), &got, &want, rtol, atol));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn functions_of_two_numbers() {
    let gpu = gpu();
    let mut wrong = vec![];
    for &dtype in
        [DType::F64, DType::F32, DType::I32, DType::U32, DType::I8, DType::U8, DType::I64, DType::Bool].iter()
    {
        let fit = |x: f32| if dtype.is_float() { x } else { x.clamp(-100., 100.) };
        let host =
            |f: &dyn Fn(usize) -> usize| -> Vec<f32> { (0..1024).map(|i| fit(NUMBERS[f(i)])).collect() };
        let make =
            |host: Vec<f32>| TensorData::new([1024], firesteel_core::Data::F32(host)).unwrap().cast(dtype);
        let (a, b) = (make(host(&|i| i / 32)), make(host(&|i| i % 32)));
        let up = |data: &TensorData| {
            (Tensor::from_data(data.clone(), &gpu).unwrap(), Tensor::from_data(data.clone(), &Cpu).unwrap())
        };
        let ((ga, ca), (gb, cb)) = (up(&a), up(&b));
        for &kind in Binary::ALL {
            let divides = matches!(kind, Binary::Div | Binary::Remainder | Binary::Fmod) && !dtype.is_float();
            if divides
                || kind == Binary::Zeta
                || firesteel_core::infer(Op::Binary(kind, ga.meta(), gb.meta())).is_err()
            {
                continue;
            }
            let name = format!("{} {dtype}", kind.name());
            let pairs: Vec<f64> = (0..1024).collect::<Vec<_>>().iter().map(|i| *i as f64).collect();
            let (got, want) = (on(&gpu, Op::Binary(kind, &ga, &gb)), on(&Cpu, Op::Binary(kind, &ca, &cb)));
            wrong.extend(close(&name, &pairs, &got, &want, 2e-6, 1e-6));
        }
        for &kind in Compare::ALL {
            let (got, want) = (on(&gpu, Op::Compare(kind, &ga, &gb)), on(&Cpu, Op::Compare(kind, &ca, &cb)));
            wrong.extend(close(kind.name(), &[], &got, &want, 0., 0.));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn casts_of_large_numbers() {
    let large =
        [0., 1., 127., 128., 255., 256., 3e9, 4_294_967_295., -1., -129., -2_147_483_648., 0.4, -0.6, 1e6];
    let host = TensorData::new([large.len()], firesteel_core::Data::F64(large.to_vec())).unwrap();
    for source in common::DTYPES {
        for to in common::DTYPES {
            // what a whole number of few bits makes of a number beyond them is not specified
            common::agree(vec![Op::Cast(0, to)], &[host.clone().cast(DType::I64).cast(source)], 0., 0.);
        }
    }
}
