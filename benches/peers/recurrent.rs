//! Recurrent nets over a batch of sequences.
use crate::{harness::Harness, training::DEVICE};
use firesteel::{
    nn::{GRU, LSTM, RnnOptions},
    prelude::*,
};
use std::hint::black_box;

const OPTIONS: RnnOptions =
    RnnOptions { num_layers: 1, bias: true, batch_first: true, dropout: 0., bidirectional: false };

/// Declares a net's cases: forwards, and forwards and back.
macro_rules! nets {
    ($($net:ident $cases:ident;)*) => {$(
        pub fn $cases(h: &Harness) {
            h.case(concat!(stringify!($cases), "_fwd"), || {
                let net = $net::with_options(128, 256, OPTIONS, &Cpu)?;
                let x = Tensor::randn([32, 64, 128], &Cpu)?;
                Ok(move || {
                    black_box(net.forward(&x, None)?);
                    Ok(())
                })
            });
            h.case(concat!(stringify!($cases), "_train"), || {
                let net = $net::with_options(128, 256, OPTIONS, &DEVICE)?;
                let x = Tensor::randn([32, 64, 128], &DEVICE)?;
                Ok(move || {
                    let (y, _) = net.forward(&x, None)?;
                    black_box(y.sum(..)?.backward()?);
                    Ok(())
                })
            });
        }
    )*};
}

nets! {
    LSTM lstm;
    GRU gru;
}
