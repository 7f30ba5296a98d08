//! All steps of a recurrent net at once.
use super::float;
use crate::{Error, Meta, Metas, Result};
use smallvec::smallvec;

pub fn lstm(name: &'static str, xs: &[&Meta], with_gates: bool) -> Result<Metas> {
    let [x, w, u, h0, c0, bias @ ..] = xs else {
        return Err(Error::internal(name, format!("takes five or six operands, not {}", xs.len())));
    };
    let [steps, rows, inputs] = x.shape[..] else {
        return Err(Error::shape(name, format!("takes (steps, rows, inputs), not {}", x.shape)));
    };
    let states = states(name, u, c0, [steps, rows])?;
    let all = gates(&states);
    let fits = w.shape == [all[2], inputs] && bias.len() < 2 && bias.iter().all(|b| b.shape == [all[2]]);
    if !fits || h0 != c0 || [x, w].iter().chain(&bias.iter().collect::<Vec<_>>()).any(|m| m.dtype != u.dtype)
    {
        let why = format!("inputs {x}, weights {w} and {u} and states {h0} and {c0} do not fit");
        return Err(Error::shape(name, why));
    }
    let mut out: Metas = smallvec![states.clone(), states];
    if with_gates {
        out.push(Meta::new(all, u.dtype));
    }
    Ok(out)
}

pub fn lstm_grad(name: &'static str, xs: &[&Meta]) -> Result<Metas> {
    let [w, c0, c, gates_, dy, dc, rest @ ..] = xs else {
        return Err(Error::internal(name, format!("takes six or seven operands, not {}", xs.len())));
    };
    let [steps, rows, _] = c.shape[..] else {
        return Err(Error::shape(name, format!("takes cells (steps, rows, hidden), not {}", c.shape)));
    };
    let states = states(name, w, c0, [steps, rows])?;
    let all = Meta::new(gates(&states), w.dtype);
    if [c, dy, dc].iter().any(|x| ***x != states)
        || rest.len() > 1
        || rest.iter().chain([gates_]).any(|x| **x != all)
    {
        return Err(Error::shape(
            name,
            format!("cells {c}, gates {gates_} and gradients {dy} and {dc} do not fit"),
        ));
    }
    Ok(smallvec![all, (*c0).clone(), (*c0).clone()])
}

/// What the states of all steps look like, by the weight and the first of them.
fn states(name: &'static str, w: &Meta, first: &Meta, [steps, rows]: [usize; 2]) -> Result<Meta> {
    float(name, w)?;
    let fits = match (&w.shape[..], &first.shape[..]) {
        (&[gates, hidden], &[n, h]) => Some(gates) == hidden.checked_mul(4) && n == rows && h == hidden,
        _ => false,
    };
    if !fits || first.dtype != w.dtype {
        let why = format!(
            "a weight {w} and a state {first} do not fit {rows} rows: they are (4 h, h) and (rows, h)"
        );
        return Err(Error::shape(name, why));
    }
    if steps == 0 {
        return Err(Error::value(name, "needs one step or more"));
    }
    Ok(Meta::new([steps, rows, first.shape[1]], w.dtype))
}

/// The sizes of the gates of such states.
fn gates(states: &Meta) -> [usize; 3] {
    [states.shape[0], states.shape[1], states.shape[2] * 4]
}
