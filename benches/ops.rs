//! Operations over backends in one table: `cargo bench --bench ops [-- FILTER]`.
//!
//! Each number is the least time of a run in milliseconds, over at least three runs and `SECONDS` for each cell. A row
//! whose name does not contain the filter is left out; a cell that fails is `-`, with the reason below the table.
use firesteel::{Autodiff, Conv, Fused, Gelu, Op, Pool, Shape, prelude::*};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// How long a cell is repeated.
const SECONDS: f64 = 0.3;

/// How long a batch of runs takes at least, unless that were more than a thousand.
const BATCH: Duration = Duration::from_micros(100);

/// An operation of some operands, which are made of normal numbers of these shapes.
struct Row<B: Backend> {
    name: &'static str,
    shapes: &'static [&'static [usize]],
    make: fn(Tensor<B>, usize) -> Result<Tensor<B>>,
    run: fn(&[Tensor<B>]) -> Result<Tensor<B>>,
}

impl<B: Backend> Row<B> {
    /// The same row, whose operand number `i` is `make(numbers, i)`.
    fn of(self, make: fn(Tensor<B>, usize) -> Result<Tensor<B>>) -> Self {
        Row { make, ..self }
    }
}

fn rows<B: Backend>() -> Vec<Row<B>> {
    let row = |name, shapes, run| Row { name, shapes, make: |x, _| Ok(x), run };
    vec![
        row("add 1", &[&[1], &[1]], |x| &x[0] + &x[1]),
        row("add 1e7", &[&[10_000_000], &[10_000_000]], |x| &x[0] + &x[1]),
        row("add 1000x10000 + 10000", &[&[1000, 10_000], &[10_000]], |x| &x[0] + &x[1]),
        row("exp 1e7", &[&[10_000_000]], |x| x[0].exp()),
        row("(2x + 1).tanh() x + 3, 1e7", &[&[10_000_000]], |x| {
            ((2.0 * x[0].lazy() + 1.0).tanh() * &x[0] + 3.0).eval()
        }),
        row("gelu 1e7", &[&[10_000_000]], |x| x[0].gelu(Gelu::Exact)),
        row("gelu by tanh 1e7", &[&[10_000_000]], |x| x[0].gelu(Gelu::Tanh)),
        row("sum 1e7", &[&[10_000_000]], |x| x[0].sum(..)),
        row("sum dim 0, 4096x4096", &[&[4096, 4096]], |x| x[0].sum(0)),
        row("sum dim 1, 4096x4096", &[&[4096, 4096]], |x| x[0].sum(1)),
        row("softmax dim 1, 4096x4096", &[&[4096, 4096]], |x| fused(Fused::Softmax(1), x)),
        row("argmax dim 1, 4096x4096", &[&[4096, 4096]], |x| x[0].argmax(1)),
        row("cumsum dim 1, 4096x4096", &[&[4096, 4096]], |x| x[0].cumsum(1)),
        row("transpose 4096x4096", &[&[4096, 4096]], |x| {
            Tensor::one(Op::Reshape(&x[0].t()?, Shape::from([4096 * 4096])))
        }),
        row("sort 1e6", &[&[1_000_000]], |x| Tensor::one(Op::Sort { x: &x[0], axis: 0, descending: false })),
        row("topk 100 of 1e6", &[&[1_000_000]], |x| fused(Fused::TopK { k: 100, axis: 0, largest: true }, x)),
        row("embedding 8192 of 50000x512", &[&[50_000, 512], &[8192]], |x| {
            Tensor::one(Op::IndexSelect { x: &x[0], index: &x[1], axis: 0 })
        })
        .of(|x, i| if i == 0 { Ok(x) } else { (x.abs()? * 1e6)?.remainder(50_000.0)?.to(DType::I64) }),
        row("layer_norm 4096x1024", &[&[4096, 1024], &[1024], &[1024]], |x| {
            fused(Fused::LayerNorm { dims: 1, eps: 1e-5 }, x)
        }),
        row("batch_norm 32x64x56x56", &[&[32, 64, 56, 56], &[64], &[64]], |x| {
            fused(Fused::BatchNorm { eps: 1e-5 }, x)
        }),
        row("matmul 128", &[&[128, 128], &[128, 128]], matmul),
        row("matmul 512", &[&[512, 512], &[512, 512]], matmul),
        row("matmul 1024", &[&[1024, 1024], &[1024, 1024]], matmul),
        row("matmul 2048", &[&[2048, 2048], &[2048, 2048]], matmul),
        row("matmul bf16 1024", &[&[1024, 1024], &[1024, 1024]], matmul).of(|x, _| x.to(DType::BF16)),
        row("matmul f16 1024", &[&[1024, 1024], &[1024, 1024]], matmul).of(|x, _| x.to(DType::F16)),
        row("matmul 32 x 128x64x128", &[&[32, 128, 64], &[32, 64, 128]], matmul),
        row("matmul 4096x4096x1", &[&[4096, 4096], &[4096, 1]], matmul),
        row("linear 1024x512x2048", &[&[1024, 512], &[2048, 512], &[2048]], |x| fused(Fused::Linear, x)),
        row("attention 4x8x512x64", &[&[4, 8, 512, 64], &[4, 8, 512, 64], &[4, 8, 512, 64]], |x| {
            fused(Fused::Attention { scale: 0.125, causal: false }, x)
        }),
        row("conv2d 32x64x56x56, 64 3x3", &[&[32, 64, 56, 56], &[64, 64, 3, 3]], |x| conv(x, 1, 1, 1)),
        row("conv2d 1x3x224x224, 64 7x7 / 2", &[&[1, 3, 224, 224], &[64, 3, 7, 7]], |x| conv(x, 2, 3, 1)),
        row("conv2d 32x128x28x28, depthwise 3x3", &[&[32, 128, 28, 28], &[128, 1, 3, 3]], |x| {
            conv(x, 1, 1, 128)
        }),
        row("conv2d 32x256x14x14, 64 1x1", &[&[32, 256, 14, 14], &[64, 256, 1, 1]], |x| conv(x, 1, 0, 1)),
        row("max_pool2d 32x64x112x112, 3x3 / 2", &[&[32, 64, 112, 112]], |x| {
            fused(Fused::MaxPool(window([55, 55]).into()), x)
        }),
        row("avg_pool2d 32x64x112x112, 3x3 / 2", &[&[32, 64, 112, 112]], |x| {
            fused(Fused::AvgPool(window([55, 55]).into(), firesteel::Divisor::Padded), x)
        }),
    ]
}

fn matmul<B: Backend>(x: &[Tensor<B>]) -> Result<Tensor<B>> {
    Tensor::one(Op::MatMul(&x[0], &x[1]))
}

fn fused<B: Backend>(fused: Fused, x: &[Tensor<B>]) -> Result<Tensor<B>> {
    Tensor::one(Op::Fused(fused, x.iter().collect()))
}

fn conv<B: Backend>(x: &[Tensor<B>], stride: usize, padding: usize, groups: usize) -> Result<Tensor<B>> {
    let both = |n: usize| [n, n].as_slice().into();
    let conv = Conv { stride: both(stride), padding: both(padding), dilation: both(1), groups };
    Tensor::one(Op::Conv(conv.into(), &x[0], &x[1]))
}

/// A window of 3x3, two apart.
fn window(output: [usize; 2]) -> Pool {
    let both = |n: usize| [n, n].as_slice().into();
    Pool {
        kernel: both(3),
        stride: both(2),
        padding: both(0),
        dilation: both(1),
        output: output.as_slice().into(),
    }
}

/// The least time in milliseconds. What takes less than `BATCH` is run so often that the clock does not matter.
fn least(mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    run()?;
    let once = Instant::now();
    run()?;
    let batch = (BATCH.as_nanos() / once.elapsed().as_nanos().max(1)).clamp(1, 1000) as u32;
    let (start, mut least, mut runs) = (Instant::now(), Duration::MAX, 0);
    while runs < 3 || start.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        (0..batch).try_for_each(|_| run())?;
        least = least.min(start.elapsed());
        runs += 1;
    }
    Ok(least.as_secs_f64() * 1e3 / f64::from(batch))
}

fn operands<B: Backend>(row: &Row<B>, backend: &B) -> Result<Vec<Tensor<B>>> {
    let numbers = row.shapes.iter().map(|&shape| Tensor::randn(Shape::from(shape), backend));
    numbers.enumerate().map(|(i, x)| (row.make)(x?, i)).collect()
}

/// The time of the operation alone.
fn forward<B: Backend>(row: &Row<B>, backend: &B) -> Result<f64> {
    let x = operands(row, backend)?;
    least(|| {
        black_box((row.run)(&x)?);
        backend.synchronize()
    })
}

/// The time of the operation and of the gradients of all its operands.
fn both_ways<D: Differentiable>(row: &Row<D>, backend: &D) -> Result<f64> {
    let learned = |x: Tensor<D>| if x.dtype().is_float() { x.requires_grad() } else { Ok(x) };
    let x = operands(row, backend)?.into_iter().map(learned).collect::<Result<Vec<_>>>()?;
    let cotangent = (row.run)(&x)?.lower().ones_like()?;
    least(|| {
        black_box((row.run)(&x)?.backward_with(&cotangent)?);
        backend.synchronize()
    })
}

/// A name, and the time of each row that the filter keeps.
type Column = (&'static str, Vec<Result<f64>>);

fn column<B: Backend>(
    name: &'static str,
    backend: B,
    filter: &str,
    time: fn(&Row<B>, &B) -> Result<f64>,
) -> Column {
    let kept = rows::<B>().into_iter().filter(|row| row.name.contains(filter));
    (name, kept.map(|row| time(&row, &backend)).collect())
}

/// The first GPU, which a bench of GPUs needs.
#[cfg(feature = "wgpu")]
#[expect(clippy::expect_used)]
fn gpu() -> firesteel::Wgpu {
    firesteel::Wgpu::best().expect("a bench with the feature `wgpu` needs a GPU or Mesa's driver")
}

fn main() {
    // cargo passes `--bench`
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let columns: Vec<Column> = vec![
        #[cfg(feature = "cpu")]
        column("Cpu", Cpu, &filter, forward),
        #[cfg(feature = "wgpu")]
        column("Wgpu", gpu(), &filter, forward),
        #[cfg(feature = "cpu")]
        column("Any", Any::from(Cpu), &filter, forward),
        #[cfg(feature = "cpu")]
        column("Autodiff<Cpu>", Autodiff::new(Cpu), &filter, forward),
        #[cfg(feature = "cpu")]
        column("and backward", Autodiff::new(Cpu), &filter, both_ways),
    ];

    let names: Vec<_> =
        rows::<Autodiff<Any>>().iter().map(|row| row.name).filter(|n| n.contains(&filter)).collect();
    print!("{:<36}", "ms");
    columns.iter().for_each(|(name, _)| print!("{name:>16}"));
    println!();
    for (i, name) in names.iter().enumerate() {
        print!("{name:<36}");
        for (_, times) in &columns {
            match &times[i] {
                Ok(ms) => print!("{ms:>16.5}"),
                Err(_) => print!("{:>16}", "-"),
            }
        }
        println!();
    }
    for (column, times) in &columns {
        for (name, time) in names.iter().zip(times) {
            if let Err(e) = time {
                println!("{name} on {column}: {e}");
            }
        }
    }
}
