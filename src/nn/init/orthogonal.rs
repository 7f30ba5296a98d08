//! Matrices with orthogonal rows or columns.
use crate::{Backend, DType, Error, Result, Tensor, nn::Param};

/// How many columns are made orthogonal to the ones before by products of matrices.
const BLOCK: usize = 64;

/// Orthogonal rows or columns of length `gain`, whichever are fewer, of a tensor seen as a matrix
/// `(size of dim 0, all others)` (Saxe, McClelland and Ganguli,
/// [Exact solutions](https://arxiv.org/abs/1312.6120), 2014).
/// <https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_>
///
/// ```
/// use firesteel::{nn::{Param, init}, prelude::*};
/// let mut p = Param::new(Tensor::zeros([3, 5], &Cpu)?)?;
/// init::orthogonal(&mut p, 1.0)?;
/// let difference = (p.matmul(&p.t()?)? - Tensor::eye(3, &Cpu)?)?;
/// assert!(difference.abs()?.amax(..)?.item::<f32>()? < 1e-5);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn orthogonal<B: Backend>(param: &mut Param<B>, gain: f64) -> Result<()> {
    let shape = param.shape().clone();
    if shape.rank() < 2 {
        return Err(Error::shape("orthogonal", format!("{shape} has fewer than two dims")));
    }
    if shape.numel() == 0 {
        return Ok(());
    }
    let (rows, columns) = (shape[0], shape.numel() / shape[0]);
    let dtype = if param.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let tall = Tensor::randn([rows.max(columns), rows.min(columns)], (dtype, param.backend()))?;
    let q = columns_made_orthogonal(&tall)?;
    let q = if rows < columns { q.t()? } else { q };
    param.set(&(q * gain)?.reshape(&shape)?)
}

/// Gram's and Schmidt's way: what each column has in common with those before is taken away, twice against
/// rounding.
fn columns_made_orthogonal<B: Backend>(x: &Tensor<B>) -> Result<Tensor<B>> {
    let mut done: Vec<Tensor<B>> = vec![];
    for mut block in x.split(BLOCK, 1)? {
        for _ in 0..2 {
            for earlier in &done {
                block = apart(&block, earlier)?;
            }
        }
        let mut columns: Vec<Tensor<B>> = vec![];
        for mut column in block.split(1, 1)? {
            if !columns.is_empty() {
                let earlier = Tensor::cat(&columns.iter().collect::<Vec<_>>(), 1)?;
                column = apart(&apart(&column, &earlier)?, &earlier)?;
            }
            let length = column.norm(2, ..)?;
            columns.push((column / length)?);
        }
        done.push(Tensor::cat(&columns.iter().collect::<Vec<_>>(), 1)?);
    }
    Tensor::cat(&done.iter().collect::<Vec<_>>(), 1)
}

/// `x - q qᵀ x`, where the columns of `q` are orthogonal and of length one.
fn apart<B: Backend>(x: &Tensor<B>, q: &Tensor<B>) -> Result<Tensor<B>> {
    x - q.matmul(&q.t()?.matmul(x)?)?
}
