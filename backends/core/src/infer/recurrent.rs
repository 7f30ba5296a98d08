//! All steps of a recurrent net at once.
use super::float;
use crate::{Error, Meta, Metas, Result};
use smallvec::smallvec;

/// What nets differ in.
#[derive(Clone, Copy)]
pub struct Net {
    /// How many products with a state a step has, for each of its numbers.
    products: usize,
    /// How many states go from step to step.
    states: usize,
    /// How many biases there are, if any.
    biases: usize,
}

pub const LSTM: Net = Net { products: 4, states: 2, biases: 1 };
pub const GRU: Net = Net { products: 3, states: 1, biases: 2 };

/// Gates of a step, for each number of a state.
const GATES: usize = 4;

/// `(x, w, u, states.., biases..?) -> (states.., gates?)`
pub fn all_steps(name: &'static str, xs: &[&Meta], net: Net, with_gates: bool) -> Result<Metas> {
    let least = 3 + net.states;
    let ([x, w, u, rest @ ..], true) = (xs, [least, least + net.biases].contains(&xs.len())) else {
        let most = least + net.biases;
        return Err(Error::internal(name, format!("takes {least} or {most} operands, not {}", xs.len())));
    };
    let (first, biases) = rest.split_at(net.states);
    let [steps, rows, inputs] = x.shape[..] else {
        return Err(Error::shape(name, format!("takes (steps, rows, inputs), not {}", x.shape)));
    };
    let states = states(name, net, u, first[0], [steps, rows])?;
    let all = u.shape[0];
    let fits = w.shape == [all, inputs]
        && biases.iter().all(|b| b.shape == [all])
        && first.iter().all(|state| *state == first[0])
        && [x, w].into_iter().chain(biases).all(|m| m.dtype == u.dtype);
    if !fits {
        let why =
            format!("inputs {x}, weights {w} and {u}, states {first:?} and biases {biases:?} do not fit");
        return Err(Error::shape(name, why));
    }
    let gates = gates(&states);
    let mut out: Metas = smallvec![states; net.states];
    if with_gates {
        out.push(gates);
    }
    Ok(out)
}

/// `(u, first, all, gates, gradients of states.., dgates?) -> (ds, gradients of the first states..)`
pub fn way_back(name: &'static str, xs: &[&Meta], net: Net) -> Result<Metas> {
    let least = 4 + net.states;
    let ([u, first, all, gates_, rest @ ..], true) = (xs, [least, least + 1].contains(&xs.len())) else {
        let why = format!("takes {least} or {} operands, not {}", least + 1, xs.len());
        return Err(Error::internal(name, why));
    };
    let (down, dgates) = rest.split_at(net.states);
    let [steps, rows, _] = all.shape[..] else {
        return Err(Error::shape(name, format!("takes states (steps, rows, hidden), not {}", all.shape)));
    };
    let states = states(name, net, u, first, [steps, rows])?;
    let ds = gates(&states);
    let fits = [all].into_iter().chain(down).all(|x| **x == states);
    if !fits || [gates_].into_iter().chain(dgates).any(|x| **x != ds) {
        let why = format!("states {all}, gates {gates_} and gradients {rest:?} do not fit");
        return Err(Error::shape(name, why));
    }
    let mut out: Metas = smallvec![(*first).clone(); net.states];
    out.insert(0, ds);
    Ok(out)
}

/// What the states of all steps look like, by the weight and the first of them.
fn states(name: &'static str, net: Net, u: &Meta, first: &Meta, [steps, rows]: [usize; 2]) -> Result<Meta> {
    float(name, u)?;
    let count = net.products;
    let fits = match (&u.shape[..], &first.shape[..]) {
        (&[all, hidden], &[n, h]) => Some(all) == hidden.checked_mul(count) && n == rows && h == hidden,
        _ => false,
    };
    if !fits || first.dtype != u.dtype {
        let why = format!(
            "a weight {u} and a state {first} do not fit {rows} rows: they are ({count} h, h) and (rows, h)"
        );
        return Err(Error::shape(name, why));
    }
    if steps == 0 {
        return Err(Error::value(name, "needs one step or more"));
    }
    Ok(Meta::new([steps, rows, first.shape[1]], u.dtype))
}

/// What the gates of such states look like.
fn gates(states: &Meta) -> Meta {
    Meta::new([states.shape[0], states.shape[1], states.shape[2].saturating_mul(GATES)], states.dtype)
}
