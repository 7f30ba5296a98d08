//! Tensors of safetensors.
#![no_main]
use firesteel::io::safetensors;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(safetensors::from_bytes(bytes)));
