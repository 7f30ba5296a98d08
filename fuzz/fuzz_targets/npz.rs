//! Archives of NumPy's arrays.
#![no_main]
use firesteel::io::{Limits, npz};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(npz::from_bytes(bytes, Limits { memory: Some(1 << 20) }));
});
