//! What a model does with an input: shapes, parameters and arithmetic, without running it.
mod rows;
mod sketch;

pub use sketch::Sketch;

use super::{Layer, Leaf, Module};
use crate::{Backend, DType, Meta, Result, Shape, Tensor};
use std::{
    collections::{HashMap, HashSet},
    fmt,
};

/// A layer, or an operation that belongs to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The path of the layer, or the name of the operation.
    pub name: String,
    /// The shape of what it gives.
    pub output: Shape,
    /// How many numbers it learns; of what was counted in a row before, none.
    pub parameters: usize,
    /// The operations of its products, two for each multiplication and addition.
    pub flops: u64,
}

/// What a model does with an input; `Display` writes it as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The layers that have parameters, and the operations between them, in order.
    pub rows: Vec<Row>,
    /// How many numbers the model holds as parameters; what is shared counts once.
    pub parameters: usize,
    /// How many of them are learned.
    pub trainable: usize,
    /// The operations of all matrix products, convolutions and attention, two for each multiplication and addition,
    /// as [`torch.utils.flop_counter`](https://docs.pytorch.org/docs/stable/torch.html) counts them.
    pub flops: u64,
}

/// What a layer does with an F32 input of this shape.
///
/// ```
/// use firesteel::{nn::{Linear, ReLU, Sequential, summary}, prelude::*};
/// let net = Sequential((Linear::new(4, 8, &Cpu)?, ReLU, Linear::new(8, 2, &Cpu)?));
/// let summary = summary(&net, [16, 4])?;
/// assert_eq!((summary.parameters, summary.flops), (58, 2 * 16 * (4 * 8 + 8 * 2)));
/// let rows: Vec<_> = summary.rows.iter().map(|row| (&row.name[..], row.output.to_vec())).collect();
/// assert_eq!(rows, [("0", vec![16, 8]), ("relu", vec![16, 8]), ("2", vec![16, 2])]);
/// println!("{summary}");
/// # Ok::<(), firesteel::Error>(())
/// ```
pub fn summary<B: Backend, M: Module<B>>(model: &M, input: impl Into<Shape>) -> Result<Summary>
where
    M::Over<Sketch>: Layer<Sketch>,
{
    let input = Meta::new(input, DType::F32);
    summary_with(model, &[input], |model, inputs| model.forward(&inputs[0]))
}

/// [`summary`] of a model with any inputs and any way to run it.
///
/// ```
/// use firesteel::{Meta, nn::{Embedding, Layer, summary_with}, prelude::*};
/// let model = Embedding::new(100, 8, &Cpu)?;
/// let tokens = Meta::new([2, 5], DType::I64);
/// let summary = summary_with(&model, &[tokens], |model, inputs| model.forward(&inputs[0]))?;
/// assert_eq!((summary.parameters, summary.rows[0].output.to_vec()), (800, vec![2, 5, 8]));
/// # Ok::<(), firesteel::Error>(())
/// ```
pub fn summary_with<B: Backend, M: Module<B>>(
    model: &M,
    inputs: &[Meta],
    forward: impl FnOnce(&M::Over<Sketch>, &[Tensor<Sketch>]) -> Result<Tensor<Sketch>>,
) -> Result<Summary> {
    let sketch = Sketch::default();
    let drawn = model.to(&sketch)?;

    let (mut owners, mut sizes, mut seen) = (HashMap::new(), HashMap::new(), HashSet::new());
    let (mut parameters, mut trainable) = (0, 0);
    drawn.read(|path, leaf| {
        let owner = path.rsplit_once('.').map_or("", |(owner, _)| owner).to_owned();
        match leaf {
            Leaf::Param(param) => {
                if seen.insert(param.id()) {
                    *sizes.entry(owner.clone()).or_insert(0) += param.numel();
                    parameters += param.numel();
                    trainable += if param.is_trainable() { param.numel() } else { 0 };
                }
                owners.insert(param.value().number(), owner);
            }
            Leaf::Buffer(buffer) => {
                owners.insert(buffer.get().value().number(), owner);
            }
            Leaf::Mode(_) => (),
        }
    });
    let inputs: Vec<_> = inputs.iter().map(|meta| sketch.input(meta)).collect();
    forward(&drawn, &inputs)?;
    let rows = rows::of(&sketch.lines(), owners, sizes);
    let flops = rows.iter().map(|row| row.flops).fold(0, u64::saturating_add);
    Ok(Summary { rows, parameters, trainable, flops })
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["layer", "output", "parameters", "flops"].map(str::to_owned);
        let cells = |row: &Row| {
            let name = if row.name.is_empty() { "(model)" } else { &row.name };
            [name.to_owned(), row.output.to_string(), row.parameters.to_string(), row.flops.to_string()]
        };
        let table: Vec<_> = [head].into_iter().chain(self.rows.iter().map(cells)).collect();
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d] = [0, 1, 2, 3].map(width);
        for [name, output, parameters, flops] in &table {
            writeln!(f, "{name:a$}  {output:b$}  {parameters:>c$}  {flops:>d$}")?;
        }
        write!(f, "{} parameters, {} of them learned; {} flops", self.parameters, self.trainable, self.flops)
    }
}
