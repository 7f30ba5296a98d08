//! Models without their code: what comes out is what the model gives, whatever its file says.
use crate::{done_with, hostile::Dice, memory::peak, temporary};
use firesteel::{
    ConvOptions, Meta, Stream, Trace,
    io::{Graph, Limits, safetensors},
    nn::{
        AttentionMasks, BatchNorm2d, Conv2d, Dropout, Embedding, Flatten, GELU, GRU, LSTM, Linear, MaxPool2d,
        Param, RNN, ReLU, RnnOptions, Sequential, TransformerEncoderLayer, TransformerOptions,
    },
    optim::{Optimizer, SGD},
    prelude::*,
};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Convolutional<B> =
    Sequential<(Conv2d<B>, BatchNorm2d<B>, ReLU, MaxPool2d, Dropout<B>, Flatten, Linear<B>, GELU, Linear<B>)>;

fn convolutional<B: Backend>(device: &B) -> Result<Convolutional<B>> {
    let same = ConvOptions { padding: 1.into(), ..Default::default() };
    Ok(Sequential((
        Conv2d::with_options(1, 4, 3, same, device)?,
        BatchNorm2d::new(4, device)?,
        ReLU,
        MaxPool2d::new(2),
        Dropout::new(0.5)?,
        Flatten::default(),
        Linear::new(64, 12, device)?,
        GELU::default(),
        Linear::new(12, 3, device)?,
    )))
}

/// A language model with all that is hard: positions, a mask of -∞, tied weights, all steps of an LSTM and of a GRU in one
/// operation each, and a loop over time.
#[derive(Module)]
struct Language<B: Backend> {
    embed: Embedding<B>,
    positions: Embedding<B>,
    attention: TransformerEncoderLayer<B>,
    lstm: LSTM<B>,
    gru: GRU<B>,
    rnn: RNN<B>,
    head: Linear<B>,
}

impl<B: Backend> Language<B> {
    fn new(device: &B) -> Result<Self> {
        let options =
            TransformerOptions { dim_feedforward: 16, batch_first: true, dropout: 0., ..Default::default() };
        let recurrent = RnnOptions { batch_first: true, ..Default::default() };
        let mut model = Self {
            embed: Embedding::new(11, 8, device)?,
            positions: Embedding::new(32, 8, device)?,
            attention: TransformerEncoderLayer::new(8, 2, options, device)?,
            lstm: LSTM::with_options(8, 8, recurrent, device)?,
            gru: GRU::with_options(8, 8, recurrent, device)?,
            rnn: RNN::with_options(8, 8, recurrent, device)?,
            head: Linear::new(8, 11, device)?,
        };
        model.head.weight = model.embed.weight.clone();
        Ok(model)
    }

    fn forward(&self, tokens: &Tensor<B>, with_loop: bool) -> Result<Tensor<B>> {
        let (device, time) = (tokens.backend(), tokens.shape()[1]);
        let places = Tensor::arange(0..time, device)?;
        let x = (self.embed.forward(tokens)? + self.positions.forward(&places)?)?;
        let mask = Tensor::full([time, time], f64::NEG_INFINITY, device)?.triu(1)?;
        let masks = AttentionMasks { attn_mask: Some(&mask), ..Default::default() };
        let x = self.lstm.forward(&self.attention.forward(&x, masks)?, None)?.0;
        let mut x = self.gru.forward(&x, None)?.0;
        if with_loop {
            x = self.rnn.forward(&x, None)?.0;
        }
        // an uploaded constant
        let scale = Tensor::new([0.5], device)?;
        self.head.forward(&(x * scale)?)
    }
}

#[track_caller]
fn same<B: Backend>(a: &Tensor<B>, b: &Tensor<B>) {
    assert_eq!(a.meta(), b.meta());
    assert_eq!(a.to_vec::<f32>().unwrap(), b.to_vec::<f32>().unwrap());
}

#[test]
fn a_layer_takes_batches_of_any_size() -> Result<()> {
    let model = convolutional(&Cpu)?;
    // running statistics that are not those of the start
    model.forward(&Tensor::randn([8, 1, 8, 8], &Cpu)?)?;
    model.eval();
    let path = temporary("convolutional.safetensors");
    Graph::of(&model, [1, 8, 8], &Cpu)?.save(&path)?;
    let graph = Graph::load(&path, &Cpu)?;
    assert_eq!(graph.signature(), "float32 [batch, 1, 8, 8]");
    assert_eq!(graph.num_parameters(), model.num_parameters());
    for batch in [2, 1, 7, 64] {
        let x = Tensor::randn([batch, 1, 8, 8], &Cpu)?;
        same(&graph.forward(&x)?, &model.forward(&x)?);
    }
    // the weights are there by their names, for whoever wants them alone
    assert_eq!(safetensors::load(&path)?, model.state_dict()?);
    done_with(&path);
    Ok(())
}

#[test]
fn several_sizes_stay_open_where_nothing_loops_over_them() -> Result<()> {
    let device = Autodiff::new(Cpu);
    let model = Language::new(&device)?;
    let tokens = |[batch, time]: [usize; 2]| vec![Meta::new([batch, time], DType::I64)];
    let forward = |model: &Language<Trace>, x: &[Tensor<Trace>]| Ok(vec![model.forward(&x[0], false)?]);
    let graph = Graph::trace(&model, [("batch", 2), ("time", 3)], tokens, forward, &device)?;
    let bytes = graph.to_bytes()?;
    let mut graph = Graph::from_bytes(&bytes, &device, Limits::default())?;
    // the same graph is the same file
    assert_eq!(graph.to_bytes()?, bytes);
    for (batch, time) in [(1, 1), (3, 32), (2, 17)] {
        let x = (Tensor::rand([batch, time], &device)? * 11.0)?.to(DType::I64)?;
        same(&graph.call(&[&x])?[0], &model.forward(&x, false)?);
    }
    // it is trained further, with tied weights as one
    assert_eq!(graph.num_parameters(), model.num_parameters());
    let x = Tensor::zeros([2, 4], (DType::I64, &device))?;
    let loss = |graph: &Graph<_>| graph.call(&[&x])?[0].square()?.mean(..);
    let before = loss(&graph)?;
    SGD::new(0.1).step(&mut graph, &before.backward()?)?;
    assert!(loss(&graph)?.item::<f32>()? < before.item::<f32>()?);

    // a loop over time is as long as it was
    let forward = |model: &Language<Trace>, x: &[Tensor<Trace>]| Ok(vec![model.forward(&x[0], true)?]);
    let error = Graph::trace(&model, [("batch", 2), ("time", 3)], tokens, forward, &device).unwrap_err();
    assert!(error.to_string().contains("does not grow evenly with batch and time"), "{error}");
    let fixed = |[batch]: [usize; 1]| vec![Meta::new([batch, 5], DType::I64)];
    let graph = Graph::trace(&model, [("batch", 2)], fixed, forward, &device)?;
    let x = Tensor::ones([6, 5], (DType::I64, &device))?;
    same(&graph.call(&[&x])?[0], &model.forward(&x, true)?);
    Ok(())
}

#[test]
fn what_does_not_fit_is_told() -> Result<()> {
    let model = convolutional(&Cpu)?;
    let error = Graph::of(&model, [1, 8, 8], &Cpu).unwrap_err().to_string();
    assert!(error.contains("draws random numbers") && error.contains("`eval`"), "{error}");
    model.eval();
    let graph = Graph::of(&model, [1, 8, 8], &Cpu)?;
    for (wrong, words) in [
        (Tensor::zeros([2, 1, 8, 9], &Cpu)?, "takes float32 [batch, 1, 8, 8], not float32 [2, 1, 8, 9]"),
        (Tensor::zeros([2, 1, 8, 8], (DType::F64, &Cpu))?, "not float64 [2, 1, 8, 8]"),
        (Tensor::zeros((), &Cpu)?, "not float32 []"),
    ] {
        let error = graph.forward(&wrong).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(graph.call(&[]).is_err());
    // no open size is told by a dim that is a multiple of it
    let doubled = |[n]: [usize; 1]| vec![Meta::new([2 * n], DType::F32)];
    let param = Param::new(Tensor::zeros((), &Cpu)?)?;
    let error = Graph::trace(&param, [("n", 2)], doubled, |_, x| Ok(vec![x[0].exp()?]), &Cpu).unwrap_err();
    assert!(error.to_string().contains("no input has a dim that is `n` itself"), "{error}");
    // numbers that no JSON has
    let shape = |[]: [usize; 0]| vec![Meta::new([1], DType::F32)];
    let infinite = |_: &Param<Trace>, x: &[Tensor<Trace>]| {
        Ok(vec![x[0].maximum(f64::NEG_INFINITY)?, (&x[0] * f64::NAN)?])
    };
    let graph = Graph::trace(&param, [], shape, infinite, &Cpu)?;
    let graph = Graph::from_bytes(&graph.to_bytes()?, &Cpu, Limits::default())?;
    let results = graph.call(&[&Tensor::new([3.0], &Cpu)?])?;
    assert_eq!(results[0].to_vec::<f32>()?, [3.0]);
    assert!(results[1].item::<f32>()?.is_nan());
    let nan = Param::new(Tensor::full((), f64::NAN, &Cpu)?)?;
    let vector = |[n]: [usize; 1]| vec![Meta::new([n], DType::F32)];
    Graph::trace(&nan, [("n", 2)], vector, |nan, x| Ok(vec![(&x[0] * &**nan)?]), &Cpu)?;
    Ok(())
}

/// A file, and an input that it takes.
fn seeds() -> Result<Vec<(Vec<u8>, Meta)>> {
    let net = convolutional(&Cpu)?;
    net.eval();
    let language = Language::new(&Cpu)?;
    let tokens = |[batch, time]: [usize; 2]| vec![Meta::new([batch, time], DType::I64)];
    let attending = |model: &Language<Trace>, x: &[Tensor<Trace>]| Ok(vec![model.forward(&x[0], false)?]);
    let recurrent = |model: &Language<Trace>, x: &[Tensor<Trace>]| Ok(vec![model.forward(&x[0], true)?]);
    let short = |[batch]: [usize; 1]| vec![Meta::new([batch, 3], DType::I64)];
    Ok(vec![
        (Graph::of(&net, [1, 8, 8], &Cpu)?.to_bytes()?, Meta::new([3, 1, 8, 8], DType::F32)),
        (
            Graph::trace(&language, [("batch", 2), ("time", 3)], tokens, attending, &Cpu)?.to_bytes()?,
            Meta::new([1, 6], DType::I64),
        ),
        (
            Graph::trace(&language, [("batch", 2)], short, recurrent, &Cpu)?.to_bytes()?,
            Meta::new([3, 3], DType::I64),
        ),
    ])
}

/// Reads a file and runs what is in it.
fn run(bytes: &[u8], input: &Meta) -> Result<()> {
    let graph = Graph::from_bytes(bytes, &Cpu, Limits { memory: Some(1 << 20) })?;
    graph.call(&[&Tensor::zeros(&input.shape, (input.dtype, &Cpu))?]).map(drop)
}

/// All places in a JSON, by the way to each.
fn places(json: &Value, path: &mut String, found: &mut Vec<String>) {
    found.push(path.clone());
    let len = path.len();
    let mut go = |key: String, value: &Value, path: &mut String| {
        path.push('/');
        path.push_str(&key);
        places(value, path, found);
        path.truncate(len);
    };
    match json {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| go(i.to_string(), item, path)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| go(key.clone(), value, path)),
        _ => (),
    }
}

/// Numbers, names and whole parts are changed for others.
fn bend(json: &mut Value, places: &[String], dice: &mut Dice) {
    const NUMBERS: [i64; 12] = [0, 1, 2, 3, 5, 64, -1, 1 << 20, 1 << 31, i64::MAX, i64::MIN, i64::MAX - 1];
    const NAMES: [&str; 8] = ["MatMul", "Reshape", "Div", "I64", "Bool", "F64", "Softmax", "Broadcast"];
    let [place, other] = std::array::from_fn(|_| &places[dice.below(places.len())]);
    let other = json.pointer(other).cloned().unwrap_or_default();
    let Some(part) = json.pointer_mut(place) else { return };
    match part {
        Value::Number(number) if dice.below(3) > 0 => {
            let near = number.as_i64().unwrap_or(0).wrapping_add(dice.below(3) as i64 - 1);
            *part = if dice.below(2) == 0 { near.into() } else { NUMBERS[dice.below(NUMBERS.len())].into() };
        }
        Value::String(name) if dice.below(3) > 0 => *name = NAMES[dice.below(NAMES.len())].into(),
        Value::Array(items) if dice.below(2) == 0 && !items.is_empty() => {
            let at = dice.below(items.len());
            if dice.below(2) == 0 { drop(items.remove(at)) } else { items.insert(at, other) }
        }
        Value::Object(entries) if dice.below(2) == 0 => {
            if let Some(key) = entries.keys().next().cloned() {
                let value = entries.remove(&key).unwrap_or_default();
                entries.insert(NAMES[dice.below(NAMES.len())].into(), value);
            }
        }
        part => *part = other,
    }
}

#[test]
fn bent_graphs_give_values_or_errors() -> Result<()> {
    let seeds = seeds()?;
    let parts: Vec<_> =
        seeds.iter().map(|(bytes, _)| safetensors::from_bytes(bytes)).collect::<Result<_>>()?;
    let (mut good, mut bad, mut worst) = (0, 0, vec![]);
    for number in 0..crate::hostile::iterations() / 4 {
        let mut dice = Dice::new(Stream { seed: 2, offset: number << 32 });
        let chosen = dice.below(seeds.len());
        let (state, mut strings) = parts[chosen].clone();
        let mut json: Value = serde_json::from_str(&strings["graph"]).unwrap();
        let mut found = vec![];
        places(&json, &mut String::new(), &mut found);
        for _ in 0..=dice.below(2) {
            bend(&mut json, &found, &mut dice);
        }
        strings.insert("graph".into(), json.to_string());
        let bytes = safetensors::to_bytes(&state, strings)?;
        let call = || peak(|| run(&bytes, &seeds[chosen].1));
        let Ok((result, most)) = catch_unwind(AssertUnwindSafe(call)) else {
            worst.push(number);
            continue;
        };
        assert!(most < (16 << 20) + 64 * bytes.len(), "graph {number} takes {most} bytes");
        if result.is_ok() { good += 1 } else { bad += 1 }
    }
    assert!(worst.is_empty(), "graphs {worst:?} make their reader panic");
    assert!(good > 100 && bad > 1000, "{good} ran, {bad} were refused");
    Ok(())
}

#[test]
fn other_files_are_refused() -> Result<()> {
    let (bytes, input) = seeds()?.remove(0);
    let (state, strings) = safetensors::from_bytes(&bytes)?;
    let refused = |key: &str, value: &str, words: &str| {
        let mut strings = strings.clone();
        strings.insert(key.into(), value.into());
        let error = run(&safetensors::to_bytes(&state, strings).unwrap(), &input).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused("format", "pt", "no graph of Firesteel's");
    refused("version", "2", "reads up to 1");
    refused("graph", "{}", "missing field");
    refused("graph", &format!("{{\"call\": {}", "[".repeat(1000)), "recursion limit");
    refused("graph", &strings["graph"].replace("MaxPool", "Launch"), "Launch");
    refused("graph", &strings["graph"].replace("\"8.weight\",", "\"9.weight\","), "\"9.weight\" is missing");
    // a window over nothing, of which every place would be remembered
    let huge = "\"kernel\":[65536,65536]";
    refused("graph", &strings["graph"].replace("\"kernel\":[2,2]", huge), "unfolds to more than");
    let mut fewer = state.clone();
    fewer.remove("0.weight");
    assert!(run(&safetensors::to_bytes(&fewer, strings.clone())?, &input).is_err());
    Ok(())
}
