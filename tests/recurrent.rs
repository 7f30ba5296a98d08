//! Recurrent nets: sequences of different lengths, steps one by one, and what does not fit.
use firesteel::nn::rnn::{PadOptions, pack_padded_sequence, pad_packed_sequence};
use firesteel::nn::{GRU, GRUCell, LSTM, LSTMCell, Module, RnnOptions, State};
use firesteel::{Autodiff, Cpu, Result, Tensor};

fn near<B: firesteel::Backend>(a: &Tensor<B>, b: &Tensor<B>) -> Result<()> {
    assert_eq!(a.shape(), b.shape());
    let far = (a - b)?.abs()?.amax(..)?.item::<f32>()?;
    assert!(far < 1e-6, "{far}");
    Ok(())
}

const OPTIONS: RnnOptions =
    RnnOptions { num_layers: 2, bias: true, batch_first: true, dropout: 0., bidirectional: true };

#[test]
fn a_packed_sequence_gives_what_it_gives_alone() -> Result<()> {
    let (lengths, pad) = ([2, 5, 3], PadOptions { batch_first: true, ..Default::default() });
    let x = Tensor::randn([3, 5, 4], &Cpu)?;
    let from = (Tensor::randn([4, 3, 6], &Cpu)?, Tensor::randn([4, 3, 6], &Cpu)?);
    let net = LSTM::with_options(4, 6, OPTIONS, &Cpu)?;
    let packed = pack_padded_sequence(&x, &lengths, pad)?;
    assert_eq!((packed.batch_sizes(), packed.lengths()), (&[3, 3, 2, 1, 1][..], lengths.to_vec()));
    let (y, (h, c)) = net.forward_packed(&packed, Some(&from))?;
    let (y, back) = pad_packed_sequence(&y, pad)?;
    assert_eq!(back, lengths);
    for (i, &length) in lengths.iter().enumerate() {
        let alone = |state: &Tensor<Cpu>| state.narrow(1, i, 1);
        let x = x.narrow(0, i, 1)?.narrow(1, 0, length)?;
        let (y_alone, (h_alone, c_alone)) = net.forward(&x, Some(&(alone(&from.0)?, alone(&from.1)?)))?;
        near(&y.narrow(0, i, 1)?.narrow(1, 0, length)?, &y_alone)?;
        assert!(
            y.select(0, i as i64)?.narrow(0, length, 5 - length)?.to_vec::<f32>()?.iter().all(|&y| y == 0.)
        );
        near(&alone(&h)?, &h_alone)?;
        near(&alone(&c)?, &c_alone)?;
    }
    Ok(())
}

/// A cell with the weights of a layer.
fn cell_of<C: Module<Cpu>>(mut cell: C, net: &impl Module<Cpu>) -> Result<C> {
    let state = net.state_dict()?.into_iter();
    cell.load_state_dict(&state.map(|(name, value)| (name.replace("_l0", ""), value)).collect())?;
    Ok(cell)
}

#[test]
fn a_cell_step_by_step_is_a_layer() -> Result<()> {
    let net = LSTM::new(4, 6, &Cpu)?;
    let cell = cell_of(LSTMCell::new(4, 6, &Cpu)?, &net)?;
    let x = Tensor::randn([7, 3, 4], &Cpu)?;
    let (y, (h, c)) = net.forward(&x, None)?;
    let mut states = None;
    for (step, x) in x.unbind(0)?.iter().enumerate() {
        let next = cell.forward(x, states.as_ref())?;
        near(&y.select(0, step as i64)?, &next.0)?;
        states = Some(next);
    }
    let (h_last, c_last) = states.ok_or_else(|| firesteel::Error::value("test", "no steps"))?;
    near(&h.select(0, 0)?, &h_last)?;
    near(&c.select(0, 0)?, &c_last)?;

    let net = GRU::new(4, 6, &Cpu)?;
    let cell = cell_of(GRUCell::new(4, 6, &Cpu)?, &net)?;
    let mut last = Tensor::randn([3, 6], &Cpu)?;
    let (y, h) = net.forward(&x, Some(&last.unsqueeze(0)?))?;
    for (step, x) in x.unbind(0)?.iter().enumerate() {
        last = cell.forward(x, Some(&last))?;
        near(&y.select(0, step as i64)?, &last)?;
    }
    near(&h.select(0, 0)?, &last)
}

/// Sequences of one length go through one operation, and with one that is longer step by step.
#[test]
fn all_steps_at_once_learn_what_steps_one_by_one_do() -> Result<()> {
    let device = Autodiff::new(Cpu);
    for bias in [true, false] {
        let net = GRU::with_options(4, 6, RnnOptions { bias, ..OPTIONS }, &device)?;
        let x = Tensor::randn([3, 5, 4], &device)?.requires_grad()?;
        let longer = Tensor::cat(&[&x, &x.narrow(1, 0, 1)?], 1)?;
        let longer = Tensor::cat(&[&longer, &Tensor::randn([1, 6, 4], &device)?], 0)?;
        let pad = PadOptions { batch_first: true, ..Default::default() };
        let packed = pack_padded_sequence(&longer, &[5, 5, 5, 6], pad)?;
        let (at_once, h) = net.forward(&x, None)?;
        let (by_steps, h_by_steps) = net.forward_packed(&packed, None)?;
        let by_steps = pad_packed_sequence(&by_steps, pad)?.0.narrow(0, 0, 3)?.narrow(1, 0, 5)?;
        near(&at_once, &by_steps)?;
        near(&h, &h_by_steps.narrow(1, 0, 3)?)?;
        // every number of a result counts otherwise
        let counts = Tensor::randn(at_once.shape(), &device)?;
        let [a, b] = [at_once, by_steps].map(|y| (y * &counts)?.mean(..)?.backward());
        let (a, b) = (a?, b?);
        near(a.get(&x)?, b.get(&x)?)?;
        for parameter in net.parameters() {
            near(a.get(parameter)?, b.get(parameter)?)?;
        }
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_an_error() -> Result<()> {
    let net = GRU::with_options(4, 6, OPTIONS, &Cpu)?;
    let x = |shape: &[usize]| Tensor::zeros(shape, &Cpu);
    for shape in [&[][..], &[4], &[5, 3], &[2, 0, 4], &[2, 5, 3], &[1, 2, 3, 4]] {
        assert!(net.forward(&x(shape)?, None).is_err(), "{shape:?}");
    }
    for shape in [&[][..], &[4, 6], &[4, 3, 6], &[4, 2, 5], &[2, 2, 6]] {
        assert!(net.forward(&x(&[2, 5, 4])?, Some(&x(shape)?)).is_err(), "{shape:?}");
    }
    assert!(net.forward(&x(&[2, 5, 4])?, Some(&x(&[4, 2, 6])?)).is_ok());
    for lengths in [&[][..], &[5], &[5, 0], &[5, 6], &[1, 2, 3]] {
        let options = PadOptions { batch_first: true, ..Default::default() };
        assert!(pack_padded_sequence(&x(&[2, 5, 4])?, lengths, options).is_err(), "{lengths:?}");
    }
    assert!(GRU::with_options(4, 0, OPTIONS, &Cpu).is_err());
    assert!(LSTM::with_projection(4, 6, 6, OPTIONS, &Cpu).is_err());
    assert!(GRU::with_options(4, 6, RnnOptions { dropout: f64::NAN, ..OPTIONS }, &Cpu).is_err());
    Ok(())
}
