//! Layers, losses and what they are made of: plain structs, generic over the backend.
mod activation;
mod bilinear;
mod containers;
mod conv;
mod conv_transpose;
mod distance;
mod dropout;
mod embedding;
mod flatten;
mod fold;
mod fractional_pool;
pub mod init;
mod kv_cache;
mod lazy;
mod linear;
mod loss;
mod module;
mod multihead_attention;
mod norm;
mod padding;
mod param;
pub mod parametrize;
mod pool;
mod print;
pub mod rnn;
mod sequential;
mod state;
mod stateless;
mod summary;
mod transformer;
mod vector;
mod vision;

pub use activation::{
    CELU, ELU, GELU, GLU, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, Identity, LeakyReLU, LogSigmoid,
    LogSoftmax, Mish, PReLU, RReLU, ReLU, ReLU6, SELU, SiLU, Sigmoid, Softmax, Softmax2d, Softmin, Softplus,
    Softshrink, Softsign, Tanh, Tanhshrink, Threshold,
};
pub use bilinear::Bilinear;
pub use containers::{ModuleDict, ModuleList, ParameterDict, ParameterList};
pub use conv::{Conv1d, Conv2d, Conv3d};
pub use conv_transpose::{ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
pub use distance::{CosineSimilarity, PairwiseDistance};
pub use dropout::{AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout};
pub use embedding::{Embedding, EmbeddingBag};
pub use firesteel_derive::Module;
pub use flatten::{Flatten, Unflatten};
pub use fold::{Fold, Unfold};
pub use fractional_pool::{FractionalMaxPool2d, FractionalMaxPool3d};
pub use kv_cache::KvCache;
pub use lazy::*;
pub use linear::Linear;
pub use loss::*;
pub use module::{Layer, Leaf, LeafMut, Module, Visit, VisitModules, VisitMut, join};
pub use multihead_attention::{AttentionMasks, MultiheadAttention, MultiheadOptions};
pub use norm::*;
pub use padding::*;
pub use param::{Buffer, Mode, Param};
pub use pool::*;
pub use print::Printer;
pub use rnn::{GRU, GRUCell, LSTM, LSTMCell, Nonlinearity, RNN, RNNCell, RnnOptions};
pub use sequential::Sequential;
pub use state::{Mismatch, State, StateDict};
pub use summary::{Row, Sketch, Summary, summary, summary_with};
pub use transformer::*;
pub use vector::{parameters_to_vector, vector_to_parameters};
pub use vision::{
    ChannelShuffle, PixelShuffle, PixelUnshuffle, Upsample, UpsamplingBilinear2d, UpsamplingNearest2d,
};
