//! Checkpoints of PyTorch.
#![no_main]
use firesteel::io::{Limits, pth};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(pth::value_from_bytes(bytes, Limits { memory: Some(1 << 20) }));
});
