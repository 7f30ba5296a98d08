//! Indices of every kind mixed, products by names and edges of views, against what NumPy and PyTorch give.
#![allow(clippy::unwrap_used)]
use firesteel::{Accumulate, Index, Reduce, ScatterReduce, prelude::*};

type Numbers = Tensor<Cpu>;

/// `0, 1, 2, ..` in this shape.
fn count(shape: &[usize]) -> Numbers {
    let n: usize = shape.iter().product();
    Tensor::new((0..n as i64).collect::<Vec<_>>(), &Cpu).unwrap().reshape(shape.to_vec()).unwrap()
}

fn numbers(x: &Numbers) -> (Vec<usize>, Vec<i64>) {
    (x.shape().to_vec(), x.to_vec().unwrap())
}

fn tensor(data: impl firesteel::ToData) -> Numbers {
    Tensor::new(data, &Cpu).unwrap()
}

#[test]
fn indexed_dims_stay_in_place_where_they_are_neighbours() -> Result<()> {
    let x = count(&[2, 3, 4, 5]);
    let (i, j) = (tensor([0, 2]), tensor([[1], [-1]]));
    assert_eq!(x.index((.., &i, &j))?.shape(), &[2, 2, 2, 5]);
    assert_eq!(x.index((.., &i, &j))?.index((1, 1, 0, 0))?.item::<i64>()?, 60 + 3 * 5);
    assert_eq!(x.index((&i.remainder(2)?, .., &j))?.shape(), &[2, 2, 3, 5]);
    assert_eq!(x.index((&i.remainder(2)?, .., &j))?.index((1, 1, 2, 4))?.item::<i64>()?, 2 * 20 + 3 * 5 + 4);
    Ok(())
}

#[test]
fn integers_take_dims_away_before_tensors_have_a_say() -> Result<()> {
    let x = count(&[2, 3, 4]);
    assert_eq!(x.index((1, .., [0, 3]))?.shape(), &[3, 2]);
    assert_eq!(x.index((&tensor(1), .., [0, 3]))?.shape(), &[3, 2]);
    assert_eq!(numbers(&x.index((1, 1.., &tensor([3])))?), (vec![2, 1], vec![19, 23]));
    Ok(())
}

#[test]
fn masks_take_as_many_dims_as_they_have() -> Result<()> {
    let x = count(&[2, 2, 3]);
    let mask = tensor([[true, false], [false, true]]);
    assert_eq!(numbers(&x.index(&mask)?), (vec![2, 3], vec![0, 1, 2, 9, 10, 11]));
    assert_eq!(numbers(&x.index((&mask, &tensor([0, 2])))?), (vec![2], vec![0, 11]));
    assert_eq!(x.index(tensor(true))?.shape(), &[1, 2, 2, 3]);
    assert_eq!(x.index(tensor(false))?.shape(), &[0, 2, 2, 3]);
    assert!(x.index(tensor([true])).is_err());
    Ok(())
}

#[test]
fn ellipsis_and_new_dims() -> Result<()> {
    let x = count(&[2, 3, 4]);
    assert_eq!(x.index((Index::Ellipsis, None, -1))?.shape(), &[2, 3, 1]);
    assert_eq!(x.index((None, Index::Ellipsis, ..=-2, None))?.shape(), &[1, 2, 3, 3, 1]);
    assert_eq!(x.index((0, 1, 2, Index::Ellipsis))?.item::<i64>()?, 6);
    assert_eq!(x.index((5.., .., slice(None, None, 3)))?.shape(), &[0, 3, 2]);
    for bad in [x.index((0, 0, 0, 0)), x.index(2), x.index([7]), x.index((Index::Ellipsis, Index::Ellipsis))]
    {
        assert!(bad.is_err());
    }
    Ok(())
}

#[test]
fn what_is_put_is_what_is_read() -> Result<()> {
    let x = count(&[3, 4]);
    let mut y = x.clone();
    y.assign((1.., [0, 3]), tensor([[-1, -2], [-3, -4]]))?;
    assert_eq!(y.to_vec::<i64>()?, [0, 1, 2, 3, -1, 5, 6, -2, -3, 9, 10, -4]);
    assert_eq!(x.to_vec::<i64>()?, (0..12).collect::<Vec<i64>>());
    y.assign((.., 1), 7)?;
    assert_eq!(y.index((.., 1))?.to_vec::<i64>()?, [7, 7, 7]);
    y.assign(&x.gt(5)?, 0)?;
    assert_eq!(y.to_vec::<i64>()?, [0, 7, 2, 3, -1, 7, 0, 0, 0, 0, 0, 0]);
    let z = x.index_put((.., [1, 1]), 10, Accumulate::Yes)?;
    assert_eq!(z.index((.., 1))?.to_vec::<i64>()?, [21, 25, 29]);
    let z = count(&[2, 2, 2]).index_put(([0, 1], .., [1, 0]), -1, Accumulate::No)?;
    assert_eq!(z.to_vec::<i64>()?, [0, -1, 2, -1, -1, 5, -1, 7]);
    assert!(y.assign(0, tensor([1, 2, 3])).is_err());
    Ok(())
}

#[test]
fn scattered_values_are_reduced() -> Result<()> {
    let (x, index) = (tensor([1, 1, 1]), tensor([0, 0, 2]));
    let alone = |reduce| ScatterReduce { reduce, include_self: false };
    let put =
        |options: ScatterReduce| x.scatter_reduce(0, &index, tensor([-5, 2, 3]), options)?.to_vec::<i64>();
    assert_eq!(put(alone(Reduce::Max))?, [2, 1, 3]);
    assert_eq!(put(alone(Reduce::Min))?, [-5, 1, 3]);
    assert_eq!(put(alone(Reduce::Prod))?, [-10, 1, 3]);
    assert_eq!(put(alone(Reduce::Mean))?, [-2, 1, 3]);
    assert_eq!(put(Reduce::Mean.into())?, [-1, 1, 2]);
    Ok(())
}

#[test]
fn names_of_dims() -> Result<()> {
    let (x, y) = (count(&[2, 3, 4]), count(&[2, 4, 3]));
    let batches = x.bmm(&y)?;
    assert_eq!(numbers(&Tensor::einsum("bij,bjk->bik", &[&x, &y])?), numbers(&batches));
    assert_eq!(numbers(&Tensor::einsum("bij,bjk", &[&x, &y])?), numbers(&batches.sum(0)?));
    assert_eq!(Tensor::einsum("...ij,...jk->...ik", &[&x, &y])?.shape(), &[2, 3, 3]);
    assert_eq!(Tensor::einsum("...i -> i...", &[&x])?.shape(), &[4, 2, 3]);
    assert_eq!(
        Tensor::einsum("ij,jk,kl->il", &[&count(&[2, 3]), &count(&[3, 4]), &count(&[4, 5])])?.shape(),
        &[2, 5]
    );
    assert_eq!(Tensor::einsum("ii", &[&count(&[3, 3])])?.item::<i64>()?, 12);
    assert_eq!(Tensor::einsum("i,i->i", &[&count(&[3]), &count(&[3])])?.to_vec::<i64>()?, [0, 1, 4]);
    assert_eq!(Tensor::einsum("ij,j->i", &[&count(&[2, 3]), &tensor([2])])?.to_vec::<i64>()?, [6, 24]);
    for (bad, operands) in [("ij->k", 1), ("ij", 2), ("i", 1), ("i1", 1), ("ij->ii", 1), ("......", 1)] {
        assert!(Tensor::einsum(bad, &vec![&count(&[2, 3]); operands]).is_err(), "{bad}");
    }
    Ok(())
}

#[test]
fn products_broadcast() -> Result<()> {
    let x = count(&[3]);
    assert_eq!(x.matmul(&x)?.shape(), &[0usize; 0]);
    assert_eq!(x.matmul(&count(&[2, 3, 4]))?.shape(), &[2, 4]);
    assert_eq!(count(&[2, 3, 4]).matmul(&count(&[4]))?.shape(), &[2, 3]);
    assert_eq!(count(&[5, 1, 2, 3]).matmul(&count(&[4, 3, 2]))?.shape(), &[5, 4, 2, 2]);
    assert_eq!(count(&[2, 0]).matmul(&count(&[0, 3]))?.to_vec::<i64>()?, [0; 6]);
    assert_eq!(count(&[2, 2]).kron(&count(&[2]))?.to_vec::<i64>()?, [0, 0, 0, 1, 0, 2, 0, 3]);
    for (a, b) in
        [(vec![3], vec![2]), (vec![2, 3], vec![2, 3]), (vec![2, 1, 3], vec![3, 3, 1]), (vec![], vec![2])]
    {
        assert!(count(&a).matmul(&count(&b)).is_err());
    }
    Ok(())
}

#[test]
fn edges_of_views() -> Result<()> {
    let (single, empty) = (tensor(5), count(&[2, 0, 3]));
    assert_eq!(single.flatten(0, -1)?.shape(), &[1]);
    assert_eq!(single.unfold(0, 1, 1)?.shape(), &[1]);
    assert_eq!(single.squeeze(0)?.shape(), &[0usize; 0]);
    assert!(empty.reshape([0, -1]).is_err());
    assert_eq!(empty.flip([0, 1])?.shape(), &[2, 0, 3]);
    assert_eq!(empty.chunk(3, 1)?.len(), 3);
    assert_eq!(empty.diagonal(0, 0, 1)?.shape(), &[3, 0]);
    assert_eq!(count(&[2, 3]).diagonal(-1, 1, 0)?.to_vec::<i64>()?, [1, 5]);
    assert_eq!(count(&[2]).diag(-1)?.to_vec::<i64>()?, [0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(count(&[2, 3]).tril(i64::MAX)?.to_vec::<i64>()?, (0..6).collect::<Vec<i64>>());
    assert_eq!(count(&[2, 3]).triu(1)?.to_vec::<i64>()?, [0, 1, 2, 0, 0, 5]);
    assert!(single.chunk(usize::MAX, 0).is_err());
    assert!(empty.tensor_split(i64::MAX, 1).is_err());
    assert!(count(&[2]).repeat([i64::MAX, 2]).is_err());
    assert!(count(&[2]).constant_pad_nd([-2, -1], 0).is_err());
    Ok(())
}
