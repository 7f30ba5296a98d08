//! A second set of sizes, so that nothing is tuned to one shape: odd, prime, skinny and large ones.
use crate::{
    harness::Harness,
    operations::{
        attention, chain, conv2d, embedding, layer_norm, matmul, operation, padded, prepared, strided,
        transposed,
    },
    recurrent,
};
use firesteel::{Cpu, DType, Order, Result, Tensor};

pub fn cases(h: &Harness) {
    for [m, k, n] in [
        [127, 127, 127],
        [509, 521, 523],
        [1, 1021, 1031],
        [7, 4099, 13],
        [4099, 7, 4099],
        [100_003, 16, 16],
        [33, 2000, 3000],
    ] {
        matmul(h, &format!("matmul_{m}x{k}x{n}"), [m, k, n]);
    }
    matmul(h, "matmul_3001", [3001; 3]);
    int_mm(h, "int_mm_1024", [1024; 3]);
    int_mm(h, "int_mm_512", [512; 3]);
    int_mm(h, "int_mm_1x4096x4096", [1, 4096, 4096]);
    operation(h, "bmm_509x17x19x23", &[&[509, 17, 19], &[509, 19, 23]], |x| x[0].bmm(&x[1]));
    operation(h, "matvec_10007x511", &[&[10_007, 511], &[511]], |x| x[0].mv(&x[1]));
    for n in [1009, 99_991, 33_554_467] {
        operation(h, &format!("add_{n}"), &[&[n], &[n]], |x| &x[0] + &x[1]);
        operation(h, &format!("exp_{n}"), &[&[n]], |x| x[0].exp());
        operation(h, &format!("chain_{n}"), &[&[n]], chain);
        operation(h, &format!("sum_{n}"), &[&[n]], |x| x[0].sum(..));
    }
    operation(h, "add_bcast_3001x1_1x3001", &[&[3001, 1], &[1, 3001]], |x| &x[0] + &x[1]);
    for shape in [[1_000_003, 3], [3, 1_000_003], [2999, 3001]] {
        let [m, n] = shape;
        operation(h, &format!("sum_dim0_{m}x{n}"), &[&shape], |x| x[0].sum(0));
        operation(h, &format!("sum_dim1_{m}x{n}"), &[&shape], |x| x[0].sum(1));
        operation(h, &format!("softmax_dim1_{m}x{n}"), &[&shape], |x| x[0].softmax(1));
        operation(h, &format!("argmax_dim1_{m}x{n}"), &[&shape], |x| x[0].argmax(1));
        operation(h, &format!("transpose_{m}x{n}"), &[&shape], transposed);
    }
    operation(h, "layer_norm_10007x257", &[&[10_007, 257], &[257], &[257]], layer_norm);
    operation(h, "cumsum_dim0_2999x3001", &[&[2999, 3001]], |x| x[0].cumsum(0));
    embedding(h, "embedding_1009x33_100003", [1009, 33], 100_003);
    operation(h, "sort_1000003", &[&[1_000_003]], |x| x[0].sort(-1, Order::Ascending));
    operation(h, "sort_10007x101", &[&[10_007, 101]], |x| x[0].sort(-1, Order::Ascending));
    operation(h, "topk3_1000x10007", &[&[1000, 10_007]], |x| x[0].topk(3, -1, Order::Descending));
    conv2d(h, "conv2d_3x17x61x67_19_5x3", [&[3, 17, 61, 67], &[19, 17, 5, 3]], padded(1, 1));
    conv2d(h, "conv2d_16x256x14x14_256_1x1", [&[16, 256, 14, 14], &[256, 256, 1, 1]], padded(0, 1));
    conv2d(h, "conv2d_2x512x7x7_512_3x3", [&[2, 512, 7, 7], &[512, 512, 3, 3]], padded(1, 1));
    conv2d(h, "conv2d_8x64x57x57_128_3x3_s2", [&[8, 64, 57, 57], &[128, 64, 3, 3]], padded(1, 2));
    operation(h, "maxpool2d_5_7x31x101x103", &[&[7, 31, 101, 103]], |x| x[0].max_pool2d(5, strided(3)));
    attention(h, "attention_2x3x1021x40", [2, 3, 1021, 40], false);
    attention(h, "attention_causal_1x8x2048x64", [1, 8, 2048, 64], true);
    attention(h, "attention_64x4x33x32", [64, 4, 33, 32], false);
    recurrent::gru(h);
}

/// `(m, k) @ (k, n)` of I8 in I32
fn int_mm(h: &Harness, case: &str, [m, k, n]: [usize; 3]) {
    let bytes = |x: Vec<Tensor<Cpu>>| -> Result<_> { x.iter().map(|x| (x * 20.0)?.to(DType::I8)).collect() };
    prepared(h, case, &[&[m, k], &[k, n]], bytes, |x| x[0].int_mm(&x[1]));
}
