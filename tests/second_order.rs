//! Derivatives of whole models beyond the first: Hessian-vector products against central differences.
use firesteel::{
    AttentionOptions, CrossEntropyOptions, EmbeddingOptions, Gelu, grad, hvp,
    nn::{AvgPool2d, BatchNorm2d, Conv2d, Flatten, LeafMut, Linear, MaxPool2d, Param, Sequential, SiLU},
    prelude::*,
};

/// A loss that depends on nothing but a model's weights.
trait Model {
    type On<B: Backend>: Module<B>;
    fn new<B: Backend>(device: &B) -> Result<Self::On<B>>;
    fn loss<B: Backend>(model: &Self::On<B>) -> Result<Tensor<B>>;

    /// The loss of the model that has these numbers `(weights,)` for its weights, one parameter after another.
    fn of_weights<B: Backend>(weights: &Tensor<B>) -> Result<Tensor<B>> {
        let mut model = Self::new(weights.backend())?;
        let mut start = 0;
        model.visit_mut("", &mut |_, leaf| {
            if let LeafMut::Param(param) = leaf {
                let (shape, len) = (param.shape().clone(), param.numel());
                *param.tensor_mut() = weights.narrow(0, start, len)?.reshape(shape)?;
                start += len;
            }
            Ok(())
        })?;
        Self::loss(&model)
    }
}

/// `H v` by two passes of differentiation is `(∇(w + ε v) - ∇(w - ε v)) / 2ε` by one.
fn holds_in_second_order<M: Model>() -> Result<()> {
    let cpu = Cpu;
    let len = M::new(&cpu)?.num_parameters();
    // numbers without a pattern, the same in every run
    let waves = |frequency: f64, size: f64| -> Result<Tensor<Cpu>> {
        let numbers = (0..len).map(|i| size * (frequency * (i * i + 1) as f64).sin()).collect();
        Tensor::from_vec::<f64>(numbers, len, &cpu)
    };
    let (weights, v) = (waves(0.7, 0.6)?, waves(1.3, 1.)?);
    let product = hvp(|weights| M::of_weights(weights), &weights, &v)?.to_vec::<f64>()?;

    let gradient = |step: f64| -> Result<Vec<f64>> {
        let moved = (&weights + (&v * step)?)?;
        let moved = Tensor::lift(&Autodiff::new(cpu), moved).requires_grad()?;
        grad(&M::of_weights(&moved)?, &[&moved])?.swap_remove(0).to_vec()
    };
    let eps = 1e-5;
    let (up, down) = (gradient(eps)?, gradient(-eps)?);
    let largest = product.iter().fold(0., |largest: f64, x| largest.max(x.abs()));
    assert!(largest > 1e-3, "the loss curves, and so the product is not zero: {largest}");
    for (i, (&exact, (up, down))) in product.iter().zip(up.iter().zip(&down)).enumerate() {
        let difference = (up - down) / (2. * eps);
        assert!(
            (exact - difference).abs() < 1e-6 * largest,
            "weight {i}: {exact}, and {difference} by differences"
        );
    }
    Ok(())
}

/// Numbers in `[-1, 1]` without a pattern.
fn input<B: Backend>(shape: &[usize], device: &B) -> Result<Tensor<B>> {
    let numbers = (0..shape.iter().product()).map(|i: usize| (1.7 * (i * i) as f64).cos()).collect();
    Tensor::from_vec::<f64>(numbers, shape, device)
}

struct Convolutional;

impl Model for Convolutional {
    type On<B: Backend> = Sequential<(
        Conv2d<B>,
        BatchNorm2d<B>,
        SiLU,
        MaxPool2d,
        Conv2d<B>,
        SiLU,
        AvgPool2d,
        Flatten,
        Linear<B>,
    )>;

    fn new<B: Backend>(device: &B) -> Result<Self::On<B>> {
        Ok(Sequential((
            Conv2d::new(2, 3, 3, device)?,
            BatchNorm2d::new(3, device)?.without_running_stats(),
            SiLU,
            MaxPool2d::new(2),
            Conv2d::new(3, 4, 2, device)?,
            SiLU,
            AvgPool2d::new(2),
            Flatten::default(),
            Linear::new(4, 3, device)?,
        )))
    }

    fn loss<B: Backend>(model: &Self::On<B>) -> Result<Tensor<B>> {
        let device = model.0.0.weight.backend();
        let logits = model.forward(&input(&[3, 2, 8, 8], device)?)?;
        logits.cross_entropy(&Tensor::new([2, 0, 1], device)?, CrossEntropyOptions::default())
    }
}

#[test]
fn a_convolutional_network() -> Result<()> {
    holds_in_second_order::<Convolutional>()
}

/// A layer norm's factors and terms.
#[derive(Module)]
struct Norm<B: Backend> {
    weight: Param<B>,
    bias: Param<B>,
}

impl<B: Backend> Norm<B> {
    fn new(device: &B) -> Result<Self> {
        Ok(Self {
            weight: Param::new(Tensor::ones([WIDTH], device)?)?,
            bias: Param::new(Tensor::zeros([WIDTH], device)?)?,
        })
    }

    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.layer_norm([WIDTH], Some(&self.weight), Some(&self.bias), 1e-5)
    }
}

const WIDTH: usize = 6;
const HEADS: usize = 2;
const WORDS: usize = 5;

/// A causal language model of one block.
#[derive(Module)]
struct Block<B: Backend> {
    embedding: Param<B>,
    before_attention: Norm<B>,
    query_key_value: Linear<B>,
    projection: Linear<B>,
    before_mlp: Norm<B>,
    up: Linear<B>,
    down: Linear<B>,
    head: Linear<B>,
}

impl<B: Backend> Block<B> {
    /// `(batch, words, width) -> (batch, words, width)`
    fn attend(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let (batch, words) = (x.shape()[0], x.shape()[1]);
        let joint = self.query_key_value.forward(x)?;
        let heads = |i: usize| {
            let own = joint.narrow(-1, i * WIDTH, WIDTH)?;
            own.reshape([batch, words, HEADS, WIDTH / HEADS])?.transpose(1, 2)
        };
        let options = AttentionOptions { is_causal: true, ..Default::default() };
        let seen = heads(0)?.scaled_dot_product_attention(&heads(1)?, &heads(2)?, options)?;
        self.projection.forward(&seen.transpose(1, 2)?.reshape([batch, words, WIDTH])?)
    }
}

struct Transformer;

impl Model for Transformer {
    type On<B: Backend> = Block<B>;

    fn new<B: Backend>(device: &B) -> Result<Block<B>> {
        Ok(Block {
            embedding: Param::new(Tensor::zeros([WORDS, WIDTH], device)?)?,
            before_attention: Norm::new(device)?,
            query_key_value: Linear::new(WIDTH, 3 * WIDTH, device)?,
            projection: Linear::new(WIDTH, WIDTH, device)?,
            before_mlp: Norm::new(device)?,
            up: Linear::new(WIDTH, 2 * WIDTH, device)?,
            down: Linear::new(2 * WIDTH, WIDTH, device)?,
            head: Linear::without_bias(WIDTH, WORDS, device)?,
        })
    }

    fn loss<B: Backend>(model: &Block<B>) -> Result<Tensor<B>> {
        let device = model.embedding.backend();
        let words = Tensor::new([[0, 3, 1, 3], [4, 2, 2, 0]], device)?;
        let next = Tensor::new([3, 1, 3, 2, 2, 2, 0, 1], device)?;
        let x = words.embedding(&model.embedding, EmbeddingOptions::default())?;
        let x = (&x + model.attend(&model.before_attention.forward(&x)?)?)?;
        let inside = model.up.forward(&model.before_mlp.forward(&x)?)?.gelu(Gelu::Exact)?;
        let x = (&x + model.down.forward(&inside)?)?;
        model.head.forward(&x)?.reshape([8, WORDS])?.cross_entropy(&next, CrossEntropyOptions::default())
    }
}

#[test]
fn a_transformer() -> Result<()> {
    holds_in_second_order::<Transformer>()
}

/// `x⁴` has the derivatives `4 x³`, `12 x²` and `24 x`.
#[test]
fn third_order() -> Result<()> {
    let device = Autodiff::new(Autodiff::new(Autodiff::new(Cpu)));
    let x = Tensor::new(1.5, (DType::F64, &device))?.requires_grad()?;
    let y = x.pow(4)?;
    let first = grad(&y, &[&x])?.swap_remove(0);
    let x = x.lower();
    let second = grad(&first, &[&x])?.swap_remove(0);
    let third = grad(&second, &[&x.lower()])?.swap_remove(0);
    assert_eq!((first.item::<f64>()?, second.item::<f64>()?, third.item::<f64>()?), (13.5, 27., 36.));
    Ok(())
}
