//! Parameters that are functions of others, norms over several processes, and averaged statistics, beside the numbers of
//! PyTorch 2.15, which `tests/torch/parametrize.py` prints.
#![allow(clippy::unwrap_used)] // a test says what is wrong by panicking
use firesteel::{
    BagMode, ConvTransposeOptions, Gradients,
    nn::{
        BatchNorm1d, BatchNorm2d, ConvTranspose1d, Embedding, EmbeddingBag, Linear, Param, ProcessGroup,
        Sequential, StateDict, SyncBatchNorm,
        parametrize::{
            OrthogonalMap, OrthogonalOptions, SpectralNormOptions, lora, orthogonal, spectral_norm,
            weight_norm,
        },
    },
    optim::{Optimizer, SGD, update_bn},
    prelude::*,
    with_gradient,
};
use std::sync::{Arc, Barrier, Mutex};

type Stack = Autodiff<Cpu>;

#[track_caller]
fn near<B: Backend>(got: &Tensor<B>, want: &[f32]) {
    let got = got.to_vec::<f32>().unwrap();
    let close =
        got.len() == want.len() && got.iter().zip(want).all(|(a, b)| (a - b).abs() <= 2e-5 * (1. + b.abs()));
    assert!(close, "{got:?} is not {want:?}");
}

fn linear() -> Result<Linear<Stack>> {
    let device = Stack::default();
    let mut layer = Linear::new(3, 2, &device)?;
    layer.weight = Param::new(Tensor::new([[1.0, 2.0, -1.0], [0.5, -0.5, 3.0]], &device)?)?;
    layer.bias = Some(Param::new(Tensor::new([0.1, -0.2], &device)?)?);
    Ok(layer)
}

fn input() -> Result<Tensor<Stack>> {
    Tensor::new([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]], &Stack::default())
}

/// The state with one entry changed.
fn with(
    mut state: StateDict,
    name: &str,
    change: impl Fn(Tensor<Cpu>) -> Result<Tensor<Cpu>>,
) -> Result<StateDict> {
    let changed = change(Tensor::from_data(state[name].clone(), &Cpu)?)?.to_data()?;
    state.insert(name.to_owned(), changed);
    Ok(state)
}

/// The gradient of the parameter of this name.
fn gradient(model: &impl Module<Stack>, gradients: &Gradients<Cpu>, name: &str) -> Result<Tensor<Cpu>> {
    let parameters = model.named_parameters();
    let (_, parameter) = parameters.iter().find(|(path, _)| path == name).unwrap();
    gradients.get(parameter).cloned()
}

#[test]
fn lengths_and_directions() -> Result<()> {
    let [length, direction] = ["parametrizations.weight.original0", "parametrizations.weight.original1"];
    let y = [-5.15, 4.3, 4.3, -5.45];
    for (dim, shape, g0, g1) in [
        (
            Some(0),
            vec![2, 1],
            vec![24.547968, 20.748121],
            [-26.6125, 9.865004, -6.882503, 2.946316, -32.196316, -5.857106],
        ),
        (
            Some(1),
            vec![1, 3],
            vec![-4.52133, 31.847353, 20.074139],
            [-5.513999, -6.414707, -12.393003, 11.028, -25.658825, -4.130998],
        ),
        (None, vec![], vec![31.516354], [-23.587742, 15.914516, -9.907259, 1.99113, -31.241127, -11.588226]),
    ] {
        let mut model = weight_norm(linear()?, "weight", dim)?;
        let state = model.state_dict()?;
        assert_eq!(state.keys().collect::<Vec<_>>(), ["bias", length, direction]);
        assert_eq!(state[length].shape().to_vec(), shape);
        model.load_state_dict(&with(state, length, |g| g * 1.5)?)?;
        let result = model.forward(&input()?)?;
        near(&result, &y);
        let gradients = result.square()?.sum(..)?.backward()?;
        near(&gradient(&model, &gradients, length)?, &g0);
        near(&gradient(&model, &gradients, direction)?, &g1);

        // a step goes through to what the weight is made of, and elsewhere it is the same
        let before = model.module()?.weight.to_vec::<f32>()?;
        SGD::new(0.01).step(&mut model, &gradients)?;
        assert_ne!(model.module()?.weight.to_vec::<f32>()?, before);
        let moved = model.to(&Cpu)?;
        near(&moved.remove_parametrizations()?.weight, &model.module()?.weight.to_vec::<f32>()?);
    }
    let error = weight_norm(linear()?, "wait", 0).unwrap_err().to_string();
    assert!(error.contains("no parameter \"wait\" among weight, bias"), "{error}");
    assert!(weight_norm(linear()?, "weight", 2).is_err());
    Ok(())
}

#[test]
fn the_largest_singular_value_is_one() -> Result<()> {
    let options = SpectralNormOptions { n_power_iterations: 2, ..Default::default() };
    let mut model = spectral_norm(linear()?, "weight", options)?;
    let [u, v] = ["parametrizations.weight.0._u", "parametrizations.weight.0._v"];
    let state = model.state_dict()?;
    assert_eq!(state.keys().collect::<Vec<_>>(), ["bias", u, v, "parametrizations.weight.original"]);
    let state = with(state, u, |_| Tensor::new([0.6, 0.8], &Cpu))?;
    model.load_state_dict(&with(state, v, |_| Tensor::new([1.0, 0.0, 0.0], &Cpu))?)?;
    let result = model.forward(&input()?)?;
    near(&result, &[-1.571648, 1.232841, 1.437318, -1.871648]);
    let gradients = result.square()?.sum(..)?.backward()?;
    let wanted = [-5.638438, -3.384825, -1.794332, -0.696667, -5.768091, 2.692681];
    near(&gradient(&model, &gradients, "parametrizations.weight.original")?, &wanted);
    let number = |name: &str| Tensor::from_data(model.state_dict()?[name].clone(), &Cpu);
    near(&number(u)?, &[0.959366, 0.282166]);
    near(&number(v)?, &[0.525589, 0.849029, -0.053907]);
    model.eval();
    near(&model.forward(&input()?)?, &[-1.571648, 1.232841, 1.437318, -1.871648]);

    // what comes out of a transposed convolution is counted by dim 1
    let device = Stack::default();
    let mut conv = ConvTranspose1d::with_options(2, 3, 2, ConvTransposeOptions::default(), &device)?;
    conv.bias = None;
    conv.weight = Param::new(((Tensor::arange(0.0..12.0, &device)? / 6)? - 1)?.reshape([2, 3, 2])?)?;
    let mut model = spectral_norm(conv, "weight", SpectralNormOptions { dim: 1, ..Default::default() })?;
    let state = with(model.state_dict()?, u, |_| Tensor::new([0.6, 0.8, 0.0], &Cpu))?;
    model.load_state_dict(&with(state, v, |_| Tensor::full([4], 0.5, &Cpu))?)?;
    let wanted =
        [-0.899294, -2.098352, -1.648705, 0.299765, -0.599529, -1.348941, 1.498823, 0.899294, -1.049176];
    near(&model.forward(&Tensor::new([[[1.0, 2.0], [3.0, -1.0]]], &device)?)?, &wanted);
    Ok(())
}

#[test]
fn low_ranks_of_a_whole_model() -> Result<()> {
    let device = Stack::default();
    let model = Sequential((Linear::new(6, 5, &device)?, Linear::new(5, 4, &device)?));
    let mut adapted = lora(model.clone(), |name| name == "1.weight", 2, 4.0)?;
    let names: Vec<_> = adapted.named_parameters().into_iter().map(|(name, _)| name).collect();
    let place = "1.parametrizations.weight";
    let own = ["original", "0.lora_A", "0.lora_B"].map(|name| format!("{place}.{name}"));
    assert_eq!(names, [&["0.weight", "0.bias", "1.bias"].map(str::to_owned)[..], &own].concat());
    let x = Tensor::randn([3, 6], &device)?;
    let mut optimizer = SGD::new(0.1);
    let before = model.state_dict()?;
    for _ in 0..3 {
        let loss = adapted.forward(&x)?.square()?.mean(..)?;
        optimizer.step(&mut adapted, &loss.backward()?)?;
    }
    let after = adapted.state_dict()?;
    assert_eq!((&after["0.weight"], &after[&own[0]]), (&before["0.weight"], &before["1.weight"]));
    assert!(after[&own[2]].to_vec::<f32>().iter().any(|x| *x != 0.));
    let change = (&adapted.remove_parametrizations()?.0.1.weight.detach() - &*model.0.1.weight)?;
    let product = [&own[2], &own[1]].map(|name| Tensor::from_data(after[name].clone(), &Cpu));
    let [b, a] = product;
    near(&change, &(b?.matmul(&a?)? * 2.0)?.to_vec::<f32>()?);
    assert!(lora(model.clone(), |name| name == "1.bias", 2, 4.0).is_err());
    assert!(lora(model.clone(), |name| name.ends_with("weight"), 0, 4.0).is_err());
    assert!(lora(model, |_| false, 2, 4.0).is_err());
    Ok(())
}

#[test]
#[cfg(feature = "linalg")]
fn orthogonal_weights() -> Result<()> {
    let device = Stack::default();
    let [original, base] = ["parametrizations.weight.original", "parametrizations.weight.0.base"];
    let turn = Tensor::new([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], &Cpu)?;
    for ([rows, columns], map, y, gradients) in [
        (
            [3, 2],
            OrthogonalMap::Householder,
            &[-0.293457, -0.73945, 0.605885, -1.197832, -3.392954, 0.230352][..],
            &[0.0, 0.0, 2.318276, 0.0, -32.85345, 6.269415][..],
        ),
        (
            [2, 3],
            OrthogonalMap::Householder,
            &[-0.367521, 2.204711, -4.034187, 5.708776][..],
            &[0.0, -5.945059, -38.495853, 0.0, 0.0, 3.819204][..],
        ),
        (
            [3, 3],
            OrthogonalMap::MatrixExp,
            &[1.451487, -1.679187, 0.271139, 4.695807, -3.662747, 3.81231][..],
            &[0.0, 0.0, 0.0, 1.895193, 0.0, 0.0, -46.665688, -3.312152, 0.0][..],
        ),
        (
            [3, 2],
            OrthogonalMap::Cayley,
            &[-0.734694, -0.081633, 0.673469, -1.714286, 1.542857, 2.771428][..],
            &[0.0, 0.0, -15.095879, 0.0, -0.194086, 12.318034][..],
        ),
    ] {
        let options = OrthogonalOptions { map: Some(map), ..Default::default() };
        let mut model = orthogonal(Linear::without_bias(columns, rows, &device)?, "weight", options)?;
        let state = model.state_dict()?;
        assert_eq!(state.keys().collect::<Vec<_>>(), [base, original]);
        // at first it is what is orthogonal already
        let weight = model.module()?.weight.lower();
        let short =
            if rows < columns { weight.matmul(&weight.t()?)? } else { weight.t()?.matmul(&weight)? };
        near(&short, &Tensor::eye(rows.min(columns), &Cpu)?.to_vec::<f32>()?);

        let numbers: Vec<f32> = (0..rows * columns)
            .map(|i| match (i / columns, i % columns) {
                (row, column) if row == column => [1., -1.][row % 2],
                _ => 0.3 * i as f32 - 0.7,
            })
            .collect();
        let state = with(state, base, |_| Ok(turn.clone()))?;
        let numbers = Tensor::new(numbers, &Cpu)?.reshape([rows, columns])?;
        model.load_state_dict(&with(state, original, |_| Ok(numbers.clone()))?)?;
        let result =
            model.forward(&Tensor::arange(0.0..2. * columns as f64, &device)?.reshape([2, columns])?)?;
        near(&result, y);
        let factors = Tensor::arange(0.0..2. * rows as f64, &device)?.reshape([2, rows])?;
        near(&gradient(&model, &(result * factors)?.sum(..)?.backward()?, original)?, gradients);
    }

    let reflections = OrthogonalOptions { map: None, use_trivialization: false };
    let mut layer = Linear::without_bias(2, 3, &device)?;
    layer.weight = Param::new(Tensor::new([[0.6, 0.8], [-0.8, 0.6], [0.0, 0.0]], &device)?)?;
    let model = orthogonal(layer, "weight", reflections)?;
    near(model.named_parameters()[0].1, &[-1.0, 0.0, -0.5, -1.0, 0.0, 0.0]);
    near(&model.module()?.weight, &[0.6, 0.8, -0.8, 0.6, 0.0, 0.0]);
    // a weight that is orthogonal stays as it is
    let trained = model.remove_parametrizations()?;
    near(
        &orthogonal(trained, "weight", Default::default())?.module()?.weight,
        &[0.6, 0.8, -0.8, 0.6, 0.0, 0.0],
    );

    assert!(orthogonal(linear()?, "bias", Default::default()).is_err());
    assert!(orthogonal(Linear::new(3, 3, &device)?, "weight", reflections).is_err());
    Ok(())
}

#[test]
fn bags_of_bounded_length_and_gradients_by_frequency() -> Result<()> {
    let device = Stack::default();
    let table = Tensor::new([[3.0, 4.0], [0.3, -0.4], [-1.0, 2.0]], &device)?;
    let (numbers, offsets) = (Tensor::new([0, 1, 0, 2, 0], &device)?, Tensor::new([0, 2], &device)?);
    let factors = Tensor::arange(1.0..5.0, &device)?.reshape([2, 2])?;
    for (mode, norm, y, rows, gradients) in [
        (
            BagMode::Sum,
            2.0,
            [0.9, 0.4, 0.752787, 2.494427],
            [0.6, 0.8, 0.3, -0.4, -0.447214, 0.894427],
            [2.333333, 3.333333, 1.0, 2.0, 3.0, 4.0],
        ),
        (
            BagMode::Mean,
            1.0,
            [0.364286, 0.085714, 0.174603, 0.603175],
            [0.428571, 0.571429, 0.3, -0.4, -0.333333, 0.666667],
            [0.833333, 1.222222, 0.5, 1.0, 1.0, 1.333333],
        ),
        (
            BagMode::Max,
            2.0,
            [0.6, 0.8, 0.6, 0.894427],
            [0.6, 0.8, 0.3, -0.4, -0.447214, 0.894427],
            [4.0, 2.0, 0.0, 0.0, 0.0, 4.0],
        ),
    ] {
        let bag = EmbeddingBag::from_pretrained(table.clone())?.mode(mode).max_norm(1.0).norm_type(norm);
        let mut bag = bag.scale_grad_by_freq(mode != BagMode::Max);
        let result = bag.forward_offsets(&numbers, &offsets, None)?;
        near(&result, &y);
        near((result * &factors)?.sum(..)?.backward()?.get(&bag.weight)?, &gradients);
        bag.renorm(&numbers)?;
        near(&bag.weight, &rows);
    }
    let bag = EmbeddingBag::from_pretrained(table)?.mode(BagMode::Max).scale_grad_by_freq(true);
    assert!(bag.forward_offsets(&numbers, &offsets, None).is_err());

    let layer = Embedding::new(3, 2, &device)?.scale_grad_by_freq(true);
    let y = layer.forward(&Tensor::new([[0, 1], [0, 2]], &device)?)?;
    let factors = Tensor::arange(0.0..8.0, &device)?.reshape([2, 2, 2])?;
    near((y * factors)?.sum(..)?.backward()?.get(&layer.weight)?, &[2.0, 3.0, 2.0, 3.0, 6.0, 7.0]);
    Ok(())
}

#[test]
fn embeddings_of_bounded_length() -> Result<()> {
    let device = Stack::default();
    let table = Tensor::new([[3.0, 4.0], [0.3, -0.4], [-1.0, 2.0]], &device)?;
    let numbers = Tensor::new([[0, 1], [0, 2]], &device)?;
    for (norm, rows) in [
        (2.0, [0.6, 0.8, 0.3, -0.4, -0.447214, 0.894427]),
        (1.0, [0.428571, 0.571429, 0.3, -0.4, -0.333333, 0.666667]),
        (f64::INFINITY, [0.75, 1.0, 0.3, -0.4, -0.5, 1.0]),
    ] {
        let mut layer = Embedding::from_pretrained(table.clone())?.max_norm(1.0).norm_type(norm);
        let y = layer.forward(&numbers)?;
        near(&y, &[&rows[..4], &rows[..2], &rows[4..]].concat());
        let factors = Tensor::arange(0.0..8.0, &device)?.reshape([2, 2, 2])?;
        let gradients = (y * factors)?.sum(..)?.backward()?;
        near(gradients.get(&layer.weight)?, &[4.0, 6.0, 2.0, 3.0, 6.0, 7.0]);
        layer.renorm(&numbers)?;
        near(&layer.weight, &rows);
    }
    Ok(())
}

#[test]
fn statistics_of_all_batches() -> Result<()> {
    let mut norm = BatchNorm1d::new(2, &Cpu)?.momentum(Some(0.3));
    norm.running_mean.iter().for_each(|mean| mean.set(&Tensor::full([2], 7.0, &Cpu).unwrap()));
    norm.eval();
    let batches = [
        Tensor::new([[1.0, 2.0], [3.0, 5.0]], &Cpu)?,
        Tensor::new([[-1.0, 0.0], [2.0, 8.0], [4.0, 4.0]], &Cpu)?,
    ];
    update_bn(&mut norm, &batches, |norm, x| norm.forward(x).map(drop))?;
    near(&norm.running_mean.as_ref().unwrap().get(), &[1.833333, 3.75]);
    near(&norm.running_var.as_ref().unwrap().get(), &[4.166667, 10.25]);
    // all else is as it was
    assert_eq!(norm.momentum, Some(0.3));
    let x = Tensor::zeros([1, 2], &Cpu)?;
    assert!(norm.forward(&x).is_ok(), "it is in evaluation, where one example is enough");
    let failed = update_bn(&mut norm, [x], |_, _| Err(Error::value("test", "no")));
    assert!(failed.is_err() && norm.momentum == Some(0.3));
    Ok(())
}

/// Two threads that add up what they have.
#[derive(Debug)]
struct Pair {
    parts: [Mutex<Vec<f32>>; 2],
    meet: Barrier,
}

#[derive(Clone, Debug)]
struct Half(Arc<Pair>, usize);

impl Half {
    fn sum(&self, x: &Tensor<Cpu>) -> Result<Tensor<Cpu>> {
        let Half(pair, own) = self;
        *pair.parts[*own].lock().unwrap() = x.to_vec()?;
        pair.meet.wait();
        let [a, b] = [0, 1].map(|i| pair.parts[i].lock().unwrap().clone());
        pair.meet.wait();
        Tensor::new(a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f32>>(), &Cpu)
    }
}

impl ProcessGroup<Stack> for Half {
    fn world_size(&self) -> usize {
        2
    }
    fn all_reduce(&self, x: &Tensor<Stack>) -> Result<Tensor<Stack>> {
        let group = self.clone();
        with_gradient(&[x], |xs| {
            Ok((self.sum(&xs[0])?, move |g: &Tensor<Cpu>| Ok(vec![Some(group.sum(g)?)])))
        })
    }
}

/// What a norm makes of its inputs, the gradients of these and of its factors, and its running statistics.
fn trained(norm: impl Layer<Stack>, x: &Tensor<Stack>, factors: &Tensor<Stack>) -> Result<[Tensor<Cpu>; 5]> {
    let x = x.clone().requires_grad()?;
    let y = norm.forward(&x)?;
    let gradients = (&y * factors)?.sum(..)?.backward()?;
    let state = norm.state_dict()?;
    let running = |name: &str| Tensor::from_data(state[name].clone(), &Cpu);
    let weight = gradient(&norm, &gradients, "weight")?;
    Ok([y.lower(), gradients.get(&x)?.clone(), weight, running("running_mean")?, running("running_var")?])
}

#[test]
fn a_norm_over_two_processes_is_one_over_their_batches_together() -> Result<()> {
    let device = Stack::default();
    let shape = [5, 3, 2, 2];
    let wave = |seed: f64| ((Tensor::arange(0.0..60.0, &device)? * 0.7)? + seed)?.sin()?.reshape(shape);
    let (x, factors) = (((wave(1.)? * 2.0)? + 100.0)?, wave(4.)?);
    let [y, gx, gw, mean, var] = trained(BatchNorm2d::new(3, &device)?, &x, &factors)?;

    let pair = Arc::new(Pair { parts: Default::default(), meet: Barrier::new(2) });
    // parts of different sizes
    let halves: Vec<_> = std::thread::scope(|scope| {
        let run = |own: usize, start: usize, len: usize| {
            let (pair, x, factors) = (pair.clone(), x.narrow(0, start, len), factors.narrow(0, start, len));
            scope.spawn(move || {
                let norm = SyncBatchNorm::new(3, &Stack::default())?.group(Arc::new(Half(pair, own)));
                trained(norm, &x?, &factors?)
            })
        };
        let threads = [run(0, 0, 2), run(1, 2, 3)];
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Result<_>>()
    })?;
    let whole = |i: usize| Tensor::cat(&[&halves[0][i], &halves[1][i]], 0);
    let close = |a: &Tensor<Cpu>, b: &Tensor<Cpu>| -> Result<()> {
        let far = (a - b)?.abs()?.amax(..)?.item::<f32>()?;
        assert!(far < 2e-4, "{a} is not {b}");
        Ok(())
    };
    close(&whole(0)?, &y)?;
    close(&whole(1)?, &gx)?;
    close(&(&halves[0][2] + &halves[1][2])?, &gw)?;
    for half in &halves {
        close(&half[3], &mean)?;
        close(&half[4], &var)?;
    }
    Ok(())
}
