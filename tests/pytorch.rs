//! Firesteel against PyTorch's own test cases.
//!
//! `cargo test --release --test pytorch -- --nocapture` runs them all. `PYTORCH_CASES=folder` takes another
//! export, `PYTORCH_BACKENDS=cpu,autodiff-cpu` chooses the stacks, `PYTORCH_ONLY=regex` the ids, and
//! `PYTORCH_DUMP=folder` writes what each case gave.

mod pytorch {
    // Until the runner that uses them is here.
    #![allow(dead_code)]

    pub mod args;
    pub mod cases;
    pub mod compare;
    pub mod judge;
    pub mod random;
    pub mod report;
    pub mod scope;
    pub mod settings;
}
