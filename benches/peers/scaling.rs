//! Cost against size over decades: each case is named by its work, so that a cliff is seen.
use crate::{
    harness::Harness,
    operations::{attention, chain, conv2d, matmul, operation, padded},
};
use firesteel::Order;

pub fn cases(h: &Harness) {
    for n in [16, 32, 64, 128, 256, 512, 1024, 2048] {
        matmul(h, &format!("matmul_{n}"), [n; 3]);
    }
    for n in [4, 8, 16, 32, 64, 128] {
        let (x, w) = ([4, 16, n, n], [16, 16, 3, 3]);
        conv2d(h, &format!("conv2d_{n}"), [&x, &w], padded(1, 1));
    }
    for n in [16, 64, 256, 1024, 4096] {
        attention(h, &format!("attention_{n}"), [1, 4, n, 64], false);
    }
    for n in (2..=7).map(|power| 10usize.pow(power)) {
        operation(h, &format!("add_{n}"), &[&[n], &[n]], |x| &x[0] + &x[1]);
        operation(h, &format!("chain_{n}"), &[&[n]], chain);
        operation(h, &format!("sum_{n}"), &[&[n]], |x| x[0].sum(..));
        operation(h, &format!("sort_{n}"), &[&[n]], |x| x[0].sort(-1, Order::Ascending));
    }
}
