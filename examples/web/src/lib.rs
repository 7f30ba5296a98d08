//! A page that reads the digit one draws on it: the network, what it is shown, and what JavaScript calls.
//!
//! `README.md` says how to build the page, and `examples/train.rs` made its weights.
pub mod drawing;
pub mod net;

#[cfg(target_arch = "wasm32")]
mod page;
