//! Recurrent nets, their cells, and sequences of different lengths (`torch.nn.utils.rnn`).
mod cell;
mod layers;
mod packed;
mod stack;
mod step;

pub use cell::{GRUCell, LSTMCell, RNNCell};
pub use layers::{GRU, LSTM, RNN};
pub use packed::{
    PackedSequence, PadOptions, pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence,
    unpack_sequence, unpad_sequence,
};
pub use stack::RnnOptions;
pub use step::Nonlinearity;
