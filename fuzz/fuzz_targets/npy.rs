//! Arrays of NumPy.
#![no_main]
use firesteel::io::npy;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(npy::from_bytes(bytes)));
