//! Models without their code, read and checked.
#![no_main]
use firesteel::{
    Cpu,
    io::{Graph, Limits},
};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(Graph::from_bytes(bytes, &Cpu, Limits { memory: Some(1 << 20) }));
});
