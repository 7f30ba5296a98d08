//! Layers, losses and what they are made of: plain structs, generic over the backend.
mod activation;
mod conv;
mod dropout;
mod flatten;
pub mod init;
mod linear;
mod loss;
mod module;
mod norm;
mod param;
mod pool;
mod sequential;
mod state;

pub use activation::{Identity, ReLU, SiLU, Sigmoid, Tanh};
pub use conv::{Conv1d, Conv2d, Conv3d};
pub use dropout::Dropout;
pub use firesteel_derive::Module;
pub use flatten::Flatten;
pub use linear::Linear;
pub use loss::CrossEntropyLoss;
pub use module::{Layer, Leaf, LeafMut, Module, Visit, VisitMut, join};
pub use norm::{BatchNorm1d, BatchNorm2d, BatchNorm3d};
pub use param::{Buffer, Mode, Param};
pub use pool::{AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d};
pub use sequential::Sequential;
pub use state::{Mismatch, State, StateDict};
