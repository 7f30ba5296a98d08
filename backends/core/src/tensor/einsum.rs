//! Einstein's summation: products over named dims, made of matrix products wherever something is summed.
use crate::{Axes, Backend, Dims, Error, Op, Reduce, Result, Shape, Tensor};
use std::panic::Location;

/// The name of a dim: a letter, or which of the dims of `...` counted from the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    /// Before all letters, and the first dims before the last.
    Dots(std::cmp::Reverse<usize>),
    Letter(char),
}

/// A tensor whose dims have names.
#[derive(Clone)]
struct Term<B: Backend> {
    x: Tensor<B>,
    labels: Vec<Label>,
}

impl<B: Backend> Tensor<B> {
    /// Sums of products by names of dims: `"ij,jk->ik"` is the product of two matrices, `"ii->i"` a diagonal,
    /// `"...ij->...ji"` a transposition. Names that are not on the right are summed over; without `->` the
    /// names that come once, in alphabetical order, are on the right. Dims of size one broadcast. Operands
    /// are joined from left to right.
    /// [`torch.einsum`](https://docs.pytorch.org/docs/stable/generated/torch.einsum.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(Tensor::einsum("ij,jk->ik", &[&x, &x])?.to_vec::<f32>()?, [7., 10., 15., 22.]);
    /// assert_eq!(Tensor::einsum("ii->i", &[&x])?.to_vec::<f32>()?, [1., 4.]);
    /// assert_eq!(Tensor::einsum("ij,i", &[&x, &x.index(0)?])?.to_vec::<f32>()?, [7., 10.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[&Self]) -> Result<Self> {
        let here = Location::caller();
        einsum(equation, operands).map_err(|e| e.within("einsum").at(here))
    }
}

fn einsum<B: Backend>(equation: &str, operands: &[&Tensor<B>]) -> Result<Tensor<B>> {
    let (terms, output) = parse(equation, operands)?;
    let mut rest = terms.into_iter();
    let Some(first) = rest.next() else {
        return Err(Error::value("einsum", "needs at least one tensor"));
    };
    let mut product = first.diagonals()?;
    while let Some(term) = rest.next() {
        let later = || rest.as_slice().iter().flat_map(|t| &t.labels);
        let needed = |label: &Label| output.contains(label) || later().any(|other| other == label);
        product = product.times(term.diagonals()?, needed)?;
    }
    let product = product.sum_but(|label| output.contains(label))?;
    product.x.ordered(product.axes(&output)?)
}

impl<B: Backend> Term<B> {
    /// Names that come twice belong to a diagonal.
    fn diagonals(mut self) -> Result<Self> {
        let twice = |labels: &[Label]| {
            labels
                .iter()
                .enumerate()
                .find_map(|(j, label)| Some((labels[..j].iter().position(|l| l == label)?, j)))
        };
        while let Some((i, j)) = twice(&self.labels) {
            let (a, b) = (self.x.shape()[i], self.x.shape()[j]);
            if a != b {
                let why = format!("a name has the sizes {a} and {b} in one operand {}", self.x.shape());
                return Err(Error::shape("einsum", why));
            }
            self.x = self.x.diagonal(0, i as isize, j as isize)?;
            let label = self.labels.remove(j);
            self.labels.remove(i);
            self.labels.push(label);
        }
        Ok(self)
    }

    /// The product with another, summed over all that is not needed any more.
    fn times(self, other: Self, needed: impl Fn(&Label) -> bool) -> Result<Self> {
        let a = self.sum_but(|label| needed(label) || other.labels.contains(label))?;
        let b = other.sum_but(|label| needed(label) || a.labels.contains(label))?;
        let shared = |label: &&Label| a.labels.contains(label) && b.labels.contains(label);
        let (batch, inner): (Vec<_>, Vec<_>) =
            a.labels.iter().filter(shared).partition(|label| needed(label));
        let left: Vec<_> = a.labels.iter().filter(|label| !shared(label)).copied().collect();
        let right: Vec<_> = b.labels.iter().filter(|label| !shared(label)).copied().collect();
        let a = a.stretched(&b)?;
        let b = b.stretched(&a)?;
        let sizes =
            |term: &Self, labels: &[Label]| labels.iter().map(|label| term.size(label)).collect::<Shape>();
        let (batches, m, k, n) = (sizes(&a, &batch), sizes(&a, &left), sizes(&a, &inner), sizes(&b, &right));
        let labels = [&batch[..], &left, &right].concat();
        let shape = [&batches[..], &m, &n].concat();
        let x = a.x.ordered(a.axes(&[&batch[..], &left, &inner].concat())?)?;
        let y = b.x.ordered(b.axes(&[&batch[..], &inner, &right].concat())?)?;
        let (batches, m, k, n) = (batches.numel(), m.numel(), k.numel(), n.numel());
        let product = if inner.is_empty() {
            // nothing is summed, so that it is a product element by element
            x.shaped([batches, m, 1].into())?.mul(&y.shaped([batches, 1, n].into())?)?
        } else if batch.is_empty() {
            Tensor::one(Op::MatMul(&x.shaped([m, k].into())?, &y.shaped([k, n].into())?))?
        } else {
            Tensor::one(Op::MatMul(&x.shaped([batches, m, k].into())?, &y.shaped([batches, k, n].into())?))?
        };
        Ok(Term { x: product.shaped(shape.into())?, labels })
    }

    /// The sum over all dims but those.
    fn sum_but(self, stays: impl Fn(&Label) -> bool) -> Result<Self> {
        let gone: Vec<usize> = (0..self.labels.len()).filter(|&axis| !stays(&self.labels[axis])).collect();
        if gone.is_empty() {
            return Ok(self);
        }
        let labels = self.labels.into_iter().filter(|label| stays(label)).collect();
        Ok(Term { x: self.x.reduce(Reduce::Sum, Dims::from(gone))?, labels })
    }

    /// Dims of size one stretched to what they are in another term.
    fn stretched(self, other: &Self) -> Result<Self> {
        let mut shape = self.x.shape().clone();
        for (size, label) in shape.iter_mut().zip(&self.labels) {
            if let Some(axis) = other.labels.iter().position(|l| l == label) {
                let theirs = other.x.shape()[axis];
                if *size != theirs && *size != 1 && theirs != 1 {
                    return Err(Error::shape(
                        "einsum",
                        format!("one name has the sizes {size} and {theirs}"),
                    ));
                }
                *size = if *size == 1 { theirs } else { *size };
            }
        }
        Ok(Term { x: self.x.broadcast_to(shape)?, labels: self.labels })
    }

    fn size(&self, label: &Label) -> usize {
        self.labels.iter().position(|l| l == label).map_or(1, |axis| self.x.shape()[axis])
    }

    /// Where these names stand.
    fn axes(&self, labels: &[Label]) -> Result<Axes> {
        let axis = |label| self.labels.iter().position(|l| l == label);
        labels
            .iter()
            .map(|label| axis(label).ok_or_else(|| Error::internal("einsum", "lost a name on the way")))
            .collect()
    }
}

/// The names of each operand's dims, and of the result's.
fn parse<B: Backend>(equation: &str, operands: &[&Tensor<B>]) -> Result<(Vec<Term<B>>, Vec<Label>)> {
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (inputs, output) = match equation.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (&equation[..], None),
    };
    let inputs: Vec<&str> = inputs.split(',').collect();
    if inputs.len() != operands.len() {
        let why = format!("{:?} names {} operands, and {} are given", equation, inputs.len(), operands.len());
        return Err(Error::value("einsum", why));
    }
    let mut terms = Vec::with_capacity(operands.len());
    for (input, x) in inputs.into_iter().zip(operands) {
        let letters = input.replacen("...", "", 1).chars().count();
        let dots = if input.contains("...") { x.rank().checked_sub(letters) } else { Some(0) };
        let labels = match dots {
            Some(dots) => labels(input, dots)?,
            None => vec![],
        };
        if dots.is_none() || labels.len() != x.rank() {
            let why = format!("{input:?} does not name the {} dims of {}", x.rank(), x.shape());
            return Err(Error::shape("einsum", why));
        }
        terms.push(Term { x: (*x).clone(), labels });
    }
    let mut all: Vec<Label> = terms.iter().flat_map(|term| &term.labels).copied().collect();
    all.sort_unstable();
    let is_dots = |label: &&Label| matches!(label, Label::Dots(_));
    let mut dots: Vec<Label> = all.iter().filter(is_dots).copied().collect();
    dots.dedup();
    let output = match output {
        Some(output) => labels(output, dots.len())?,
        None => {
            let once = |label: &&Label| all.iter().filter(|other| other == label).count() == 1;
            let letters = all.iter().filter(|label| !is_dots(label));
            dots.iter().chain(letters.filter(once)).copied().collect()
        }
    };
    for (i, label) in output.iter().enumerate() {
        if !all.contains(label) || output[..i].contains(label) {
            let why =
                format!("on the right of {equation:?} each name comes once, and is one of those on the left");
            return Err(Error::value("einsum", why));
        }
    }
    Ok((terms, output))
}

/// The names in one part of an equation, in which `...` stands for this many dims.
fn labels(part: &str, dots: usize) -> Result<Vec<Label>> {
    let letters = |part: &str| {
        let letter = |c: char| match c.is_ascii_alphabetic() {
            true => Ok(Label::Letter(c)),
            false => {
                Err(Error::value("einsum", format!("{c:?} is no name: those are letters, and one `...`")))
            }
        };
        part.chars().map(letter).collect::<Result<Vec<_>>>()
    };
    let Some((before, after)) = part.split_once("...") else {
        return letters(part);
    };
    let mut labels = letters(before)?;
    labels.extend((0..dots).rev().map(|from_last| Label::Dots(std::cmp::Reverse(from_last))));
    labels.extend(letters(after)?);
    Ok(labels)
}
