//! Layers, losses and what they are made of: plain structs, generic over the backend.
mod activation;
pub mod init;
mod linear;
mod module;
mod param;
mod sequential;
mod state;

pub use activation::ReLU;
pub use firesteel_derive::Module;
pub use linear::Linear;
pub use module::{Layer, Leaf, LeafMut, Module, Visit, VisitMut, join};
pub use param::{Buffer, Mode, Param};
pub use sequential::Sequential;
pub use state::{Mismatch, State, StateDict};
