//! Single operations.
use crate::harness::Harness;
use firesteel::{AttentionOptions, ConvOptions, Gelu, MaxPoolOptions, Order, prelude::*};
use std::hint::black_box;

/// Times an operation of normal numbers of these shapes.
pub fn operation<Y>(
    harness: &Harness,
    case: &str,
    shapes: &[&[usize]],
    run: impl Fn(&[Tensor<Cpu>]) -> Result<Y>,
) {
    prepared(harness, case, shapes, Ok, run);
}

/// [`operation`] of what `prepare` makes of the numbers.
pub fn prepared<Y>(
    harness: &Harness,
    case: &str,
    shapes: &[&[usize]],
    prepare: impl FnOnce(Vec<Tensor<Cpu>>) -> Result<Vec<Tensor<Cpu>>>,
    run: impl Fn(&[Tensor<Cpu>]) -> Result<Y>,
) {
    harness.case(case, || {
        let x = shapes.iter().map(|&shape| Tensor::randn(shape, &Cpu)).collect::<Result<_>>()?;
        let x = prepare(x)?;
        Ok(move || {
            black_box(run(&x)?);
            Ok(())
        })
    });
}

pub fn cases(h: &Harness) {
    products(h);
    elementwise(h);
    reductions(h);
    movement(h);
    windows(h);
    attention(h, "attention", [4, 8, 512, 64], false);
}

fn products(h: &Harness) {
    for n in [128, 512, 1024, 2048] {
        matmul(h, &format!("matmul_{n}"), [n, n, n]);
    }
    operation(h, "bmm_32x128x64x128", &[&[32, 128, 64], &[32, 64, 128]], |x| x[0].bmm(&x[1]));
    operation(h, "matvec_4096", &[&[4096, 4096], &[4096]], |x| x[0].mv(&x[1]));
    for (name, dtype) in [("bf16", DType::BF16), ("f16", DType::F16)] {
        let half = |x: Vec<Tensor<Cpu>>| x.iter().map(|x| x.to(dtype)).collect();
        let case = format!("matmul_{name}_1024");
        prepared(h, &case, &[&[1024, 1024], &[1024, 1024]], half, |x| x[0].matmul(&x[1]));
    }
}

/// `(m, k) @ (k, n)`
pub fn matmul(h: &Harness, case: &str, [m, k, n]: [usize; 3]) {
    operation(h, case, &[&[m, k], &[k, n]], |x| x[0].matmul(&x[1]));
}

fn elementwise(h: &Harness) {
    const N: &[usize] = &[10_000_000];
    operation(h, "add_1e7", &[N, N], |x| &x[0] + &x[1]);
    h.case("add_out_1e7", || {
        let [x, y, mut out] = [Tensor::randn(N, &Cpu)?, Tensor::randn(N, &Cpu)?, Tensor::zeros(N, &Cpu)?];
        Ok(move || Expr::update([&mut out], |[_]| [x.lazy() + &y]))
    });
    operation(h, "add_bcast_1000x10000", &[&[1000, 10_000], &[10_000]], |x| &x[0] + &x[1]);
    operation(h, "gelu_1e7", &[N], |x| x[0].gelu(Gelu::Exact));
    operation(h, "gelu_tanh_1e7", &[N], |x| x[0].gelu(Gelu::Tanh));
    operation(h, "exp_1e7", &[N], |x| x[0].exp());
    operation(h, "chain_1e7", &[N], chain);
}

/// `tanh(2x + 1) x + 3`, in one pass
pub fn chain(x: &[Tensor<Cpu>]) -> Result<Tensor<Cpu>> {
    ((x[0].lazy() * 2.0 + 1.0).tanh() * &x[0] + 3.0).eval()
}

fn reductions(h: &Harness) {
    const SQUARE: &[usize] = &[4096, 4096];
    operation(h, "sum_all_1e7", &[&[10_000_000]], |x| x[0].sum(..));
    operation(h, "sum_dim0_4096", &[SQUARE], |x| x[0].sum(0));
    operation(h, "sum_dim1_4096", &[SQUARE], |x| x[0].sum(1));
    operation(h, "softmax_dim1_4096", &[SQUARE], |x| x[0].softmax(1));
    operation(h, "layer_norm_4096x1024", &[&[4096, 1024], &[1024], &[1024]], layer_norm);
    operation(h, "cumsum_dim1_4096", &[SQUARE], |x| x[0].cumsum(1));
    operation(h, "argmax_dim1_4096", &[SQUARE], |x| x[0].argmax(1));
}

/// Over the last dim, with weight and bias.
pub fn layer_norm(x: &[Tensor<Cpu>]) -> Result<Tensor<Cpu>> {
    x[0].layer_norm(x[1].shape(), Some(&x[1]), Some(&x[2]), 1e-5)
}

fn movement(h: &Harness) {
    operation(h, "transpose_4096", &[&[4096, 4096]], transposed);
    embedding(h, "embedding_50kx512_8192", [50_000, 512], 8192);
    operation(h, "sort_1e6", &[&[1_000_000]], |x| x[0].sort(-1, Order::Ascending));
    operation(h, "topk100_1e6", &[&[1_000_000]], |x| x[0].topk(100, -1, Order::Descending));
}

/// Of a matrix, row-major.
pub fn transposed(x: &[Tensor<Cpu>]) -> Result<Tensor<Cpu>> {
    x[0].t()?.flatten(0, -1)
}

/// Random rows of a table.
pub fn embedding(h: &Harness, case: &str, table: [usize; 2], rows: usize) {
    h.case(case, || {
        let x = Tensor::randn(table, &Cpu)?;
        let index = Tensor::randint(0..table[0] as i64, [rows], &Cpu)?;
        Ok(move || {
            black_box(x.index_select(0, &index)?);
            Ok(())
        })
    });
}

fn windows(h: &Harness) {
    conv2d(h, "conv2d_resnet", [&[32, 64, 56, 56], &[64, 64, 3, 3]], padded(1, 1));
    conv2d(h, "conv2d_stem", [&[1, 3, 224, 224], &[64, 3, 7, 7]], padded(3, 2));
    let depthwise = ConvOptions { groups: 128, ..padded(1, 1) };
    conv2d(h, "conv2d_depthwise", [&[32, 128, 28, 28], &[128, 1, 3, 3]], depthwise);
    operation(h, "maxpool2d", &[&[32, 64, 112, 112]], |x| x[0].max_pool2d(3, strided(2)));
}

/// Zeros on both sides, and a distance between windows.
pub fn padded(padding: usize, stride: usize) -> ConvOptions {
    ConvOptions { padding: padding.into(), stride: stride.into(), ..Default::default() }
}

/// A distance between windows.
pub fn strided(stride: usize) -> MaxPoolOptions {
    MaxPoolOptions { stride: Some(stride.into()), ..Default::default() }
}

pub fn conv2d(h: &Harness, case: &str, shapes: [&[usize]; 2], options: ConvOptions) {
    operation(h, case, &shapes, |x| x[0].conv2d(&x[1], None, options.clone()));
}

/// Queries, keys and values `(batch, heads, length, width)`.
pub fn attention(h: &Harness, case: &str, shape: [usize; 4], is_causal: bool) {
    operation(h, case, &[&shape, &shape, &shape], |x| {
        let options = AttentionOptions { is_causal, ..Default::default() };
        x[0].scaled_dot_product_attention(&x[1], &x[2], options)
    });
}
