//! Recurrent nets and their cells.
use super::{Gave, Task};
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::nn::*;
use firesteel::{Backend, Error, Result, Tensor};

/// What goes from step to step.
pub fn recurrent<B: Backend>(t: &Task<B>) -> Result<Option<Gave<B>>> {
    let (s, device) = (&t.s, t.device);
    let sizes = || Ok::<_, Error>((s.size("input_size")?, s.size("hidden_size")?));
    /// A cell with or without biases.
    macro_rules! cell {
        ($cell:ident) => {{
            let (input, hidden) = sizes()?;
            let cell = $cell::new(input, hidden, device)?;
            if s.bool_or("bias", true)? { cell } else { cell.without_bias() }
        }};
    }
    macro_rules! net {
        ($net:ident) => {{
            let (input, hidden) = sizes()?;
            $net::with_options(input, hidden, options(s)?, device)?
        }};
    }
    match t.name {
        "GRU" => t.run(net!(GRU), |net| {
            let (y, h) = net.forward(&t.input()?, t.a.opt_tensor(1)?.as_ref())?;
            Ok(vec![y, h])
        }),
        "GRUCell" => {
            t.run(cell!(GRUCell), |cell| Ok(vec![cell.forward(&t.input()?, t.a.opt_tensor(1)?.as_ref())?]))
        }
        "LSTM" => {
            let (input, hidden) = sizes()?;
            let net = match s.size_or("proj_size", 0)? {
                0 => LSTM::with_options(input, hidden, options(s)?, device)?,
                proj_size => LSTM::with_projection(input, hidden, proj_size, options(s)?, device)?,
            };
            t.run(net, |net| {
                let (y, (h, c)) = net.forward(&t.input()?, pair(t)?.as_ref())?;
                Ok(vec![y, h, c])
            })
        }
        "LSTMCell" => t.run(cell!(LSTMCell), |cell| {
            let (h, c) = cell.forward(&t.input()?, pair(t)?.as_ref())?;
            Ok(vec![h, c])
        }),
        "RNN" => t.run(net!(RNN).nonlinearity(nonlinearity(s)?), |net| {
            let (y, h) = net.forward(&t.input()?, t.a.opt_tensor(1)?.as_ref())?;
            Ok(vec![y, h])
        }),
        "RNNCell" => t.run(cell!(RNNCell).nonlinearity(nonlinearity(s)?), |cell| {
            Ok(vec![cell.forward(&t.input()?, t.a.opt_tensor(1)?.as_ref())?])
        }),
        _ => Ok(None),
    }
}

fn options<T: Clone>(s: &Args<T>) -> Result<RnnOptions> {
    let default = RnnOptions::default();
    Ok(RnnOptions {
        num_layers: s.size_or("num_layers", default.num_layers)?,
        bias: s.bool_or("bias", default.bias)?,
        batch_first: s.bool_or("batch_first", default.batch_first)?,
        dropout: s.float_or("dropout", default.dropout)?,
        bidirectional: s.bool_or("bidirectional", default.bidirectional)?,
    })
}

fn nonlinearity<T: Clone>(s: &Args<T>) -> Result<Nonlinearity> {
    Ok(if s.opt_str("nonlinearity")? == Some("relu") { Nonlinearity::ReLU } else { Nonlinearity::Tanh })
}

/// The state and the cell of an LSTM, where they are given.
fn pair<B: Backend>(t: &Task<B>) -> Result<Option<(Tensor<B>, Tensor<B>)>> {
    if t.a.len() < 2 || matches!(t.a.value(1), Some((_, Value::Null))) {
        return Ok(None);
    }
    let [h, c] = <[Tensor<B>; 2]>::try_from(t.a.tensors(1)?)
        .map_err(|_| Error::value("LSTM", "its states are two"))?;
    Ok(Some((h, c)))
}
