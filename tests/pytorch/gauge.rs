//! Decompositions are unique only up to the signs of vectors, rotations among those of no singular value, and the order of
//! complex eigenvalues. PyTorch's choice is made ours before both are compared, gradients included; what is multiplied by
//! for that is orthogonal, and a constant.
use super::cases::{Case, Value};
use super::judge::Output;
use super::run::upload;
use firesteel::{Backend, Result, Tensor, keepdim};

/// The outputs, with PyTorch's choice of what is free.
pub fn aligned<B: Backend>(
    device: &B,
    case: &Case,
    outputs: Vec<Output<Tensor<B>>>,
) -> Result<Vec<Output<Tensor<B>>>> {
    let (Some(ours), Some(theirs)) = (tensors(&outputs), wanted(device, case)?) else {
        return Ok(outputs);
    };
    let fits = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| a.shape() == b.shape());
    if !fits {
        return Ok(outputs);
    }
    let aligned = match (&case.name[..], &ours[..], &theirs[..]) {
        ("linalg.eigh", [w, v], [_, t]) => vec![w.clone(), v.mul(signs(v, t)?)?],
        ("svd", [u, s, v], [t, _, r]) => {
            let [u, v] = vectors([u, v], [t, r], s.size(-1)?)?;
            vec![u, s.clone(), v]
        }
        ("linalg.svd", [u, s, vt], [t, _, r]) => {
            let [u, v] = vectors([u, &vt.mt()?], [t, &r.mt()?], s.size(-1)?)?;
            vec![u, s.clone(), v.mt()?]
        }
        ("linalg.eigvals", [w], [t]) => vec![ordered(w, &order(w, t)?)?],
        ("linalg.eig", [w, v], [t, r]) => {
            let order = order(w, t)?;
            let v = ordered(&v.transpose(-2, -3)?, &order)?.transpose(-2, -3)?;
            vec![ordered(w, &order)?, turned(&v, r)?]
        }
        _ => return Ok(outputs),
    };
    Ok(aligned.into_iter().map(Output::Tensor).collect())
}

fn tensors<B: Backend>(outputs: &[Output<Tensor<B>>]) -> Option<Vec<Tensor<B>>> {
    let tensor =
        |output: &Output<_>| if let Output::Tensor(t) = output { Some(Tensor::clone(t)) } else { None };
    outputs.iter().map(tensor).collect()
}

fn wanted<B: Backend>(device: &B, case: &Case) -> Result<Option<Vec<Tensor<B>>>> {
    if !["svd", "linalg.svd", "linalg.eigh", "linalg.eig", "linalg.eigvals"].contains(&&case.name[..]) {
        return Ok(None);
    }
    let tensor = |value: &Value| match value {
        Value::Tensor(t) => Some(t.raw().and_then(|raw| upload(device, raw))),
        _ => None,
    };
    case.outputs.iter().map(tensor).collect::<Option<Result<Vec<_>>>>().transpose()
}

/// For each column, 1 or -1: whether it points the other way.
fn signs<B: Backend>(ours: &Tensor<B>, theirs: &Tensor<B>) -> Result<Tensor<B>> {
    let along = ours.detach().mul(theirs)?.sum(keepdim(-2))?;
    along.ge(0)?.where_(along.full_like(1)?, -1)
}

/// Columns of both sides: a pair that belongs to a singular value has one sign, and the others may be turned.
fn vectors<B: Backend>(ours: [&Tensor<B>; 2], theirs: [&Tensor<B>; 2], k: usize) -> Result<[Tensor<B>; 2]> {
    let first = |x: &Tensor<B>| x.narrow(-1, 0, k);
    let sign = signs(&first(ours[0])?, &first(theirs[0])?)?;
    let side = |ours: &Tensor<B>, theirs: &Tensor<B>| {
        let rest = ours.size(-1)? - k;
        let pairs = first(ours)?.mul(&sign)?;
        if rest == 0 {
            return Ok(pairs);
        }
        let (beyond, wanted) = (ours.narrow(-1, k, rest)?, theirs.narrow(-1, k, rest)?);
        let turn = beyond.detach().mt()?.matmul(&wanted)?;
        Tensor::cat(&[&pairs, &beyond.matmul(&turn)?], -1)
    };
    Ok([side(ours[0], theirs[0])?, side(ours[1], theirs[1])?])
}

/// For each batch of complex numbers `(.., n, 2)`, which of ours is nearest to each of theirs, each once.
fn order<B: Backend>(ours: &Tensor<B>, theirs: &Tensor<B>) -> Result<Vec<Vec<usize>>> {
    let n = ours.size(-2)?;
    let (ours, theirs) = (ours.to_vec::<f64>()?, theirs.to_vec::<f64>()?);
    let batches = ours.chunks((2 * n).max(1)).zip(theirs.chunks((2 * n).max(1)));
    let orders = batches.map(|(ours, theirs)| {
        let mut free: Vec<usize> = (0..n).collect();
        let mut order = vec![];
        for want in theirs.chunks(2) {
            let gap = |&i: &usize| (ours[2 * i] - want[0]).hypot(ours[2 * i + 1] - want[1]);
            let nearest = (0..free.len()).min_by(|&a, &b| gap(&free[a]).total_cmp(&gap(&free[b])));
            order.extend(nearest.map(|place| free.remove(place)));
        }
        order
    });
    Ok(orders.collect())
}

/// The complex numbers, or rows of them, `(batch.., n, ..)` in these orders.
fn ordered<B: Backend>(x: &Tensor<B>, orders: &[Vec<usize>]) -> Result<Tensor<B>> {
    let (data, shape) = (x.to_vec::<f64>()?, x.shape().clone());
    let places = orders.concat().len();
    if places == 0 {
        return Ok(x.clone());
    }
    let size = data.len() / places;
    let n = orders[0].len();
    let row = |batch: usize, i: usize| &data[(batch * n + i) * size..][..size];
    let moved =
        orders.iter().enumerate().flat_map(|(b, order)| order.iter().flat_map(move |&i| row(b, i).to_vec()));
    let moved = firesteel::TensorData::new(shape, firesteel::Data::F64(moved.collect()))?;
    Tensor::from_data(moved.cast(x.dtype()), x.backend())
}

/// Complex columns `(.., n, k, 2)` turned by one phase each, so that they point where theirs do.
fn turned<B: Backend>(ours: &Tensor<B>, theirs: &Tensor<B>) -> Result<Tensor<B>> {
    let part = |x: &Tensor<B>, i: i64| x.select(-1, i);
    let (a, b, c, d) = (part(ours, 0)?, part(ours, 1)?, part(theirs, 0)?, part(theirs, 1)?);
    // the phase of Σ conj(ours) theirs
    let re = (a.lazy() * &c + b.lazy() * &d).eval()?.sum(keepdim(-2))?;
    let im = (a.lazy() * &d - b.lazy() * &c).eval()?.sum(keepdim(-2))?;
    let size = (re.lazy().square() + im.lazy().square()).sqrt().eval()?;
    let (p, q) = (re.div(&size)?, im.div(&size)?);
    let real = (a.lazy() * &p - b.lazy() * &q).eval()?;
    real.complex(&(a.lazy() * &q + b.lazy() * &p).eval()?)
}
