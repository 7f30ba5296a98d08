//! Arrays of MNIST's format.
#![no_main]
use firesteel::io::{Limits, idx};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(idx::read(bytes, Limits { memory: Some(1 << 20) }));
});
