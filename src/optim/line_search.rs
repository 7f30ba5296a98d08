//! How far to go in a direction.
use crate::{Backend, Result, Tensor};

/// A point in the direction that is searched.
#[derive(Clone, Debug)]
pub struct Point<B: Backend> {
    /// How far it is.
    pub t: f64,
    /// The loss there.
    pub loss: f64,
    /// The gradient there.
    pub gradient: Tensor<B>,
    /// The derivative of the loss by `t`.
    pub slope: f64,
}

/// By how much of what the slope promises the loss has to fall.
const ENOUGH: f64 = 1e-4;
/// Which part of the first slope may be left.
const FLAT: f64 = 0.9;
/// The shortest way that is searched.
const SHORTEST: f64 = 1e-9;

/// A point that meets Wolfe's strong conditions, `loss ≤ loss₀ + 10⁻⁴ t slope₀` and `|slope| ≤ 0.9 |slope₀|`
/// (Nocedal and Wright, Numerical optimization, algorithms 3.5 and 3.6), or the best of what was found in about
/// `most` evaluations; and how many there were. `size` is the largest number of the direction.
pub fn strong_wolfe<B: Backend>(
    start: Point<B>,
    t: f64,
    size: f64,
    most: usize,
    mut evaluate: impl FnMut(f64) -> Result<Point<B>>,
) -> Result<(Point<B>, usize)> {
    let is_high = |point: &Point<B>| point.loss > start.loss + ENOUGH * point.t * start.slope;
    let is_flat = |point: &Point<B>| point.slope.abs() <= -FLAT * start.slope;

    // forward, until two points enclose what is looked for
    let (mut last, mut point) = (start.clone(), evaluate(t)?);
    let mut tries = 0;
    let mut bracket = loop {
        if tries == most {
            break [start.clone(), point];
        }
        if is_high(&point) || (tries > 1 && point.loss >= last.loss) {
            break [last, point];
        }
        if is_flat(&point) {
            return Ok((point, tries + 1));
        }
        if point.slope >= 0. {
            break [last, point];
        }
        let (nearest, farthest) = (point.t + 0.01 * (point.t - last.t), point.t * 10.);
        let next = evaluate(lowest(&last, &point, nearest, farthest))?;
        last = std::mem::replace(&mut point, next);
        tries += 1;
    };

    // then between the two, whose places are closer with every try
    let places = |bracket: &[Point<B>; 2]| if bracket[0].loss <= bracket[1].loss { (0, 1) } else { (1, 0) };
    let (mut low, mut high) = places(&bracket);
    let mut is_stuck = false;
    while tries < most {
        let (near, far) = (bracket[0].t.min(bracket[1].t), bracket[0].t.max(bracket[1].t));
        if (far - near) * size < SHORTEST {
            break;
        }
        let mut t = lowest(&bracket[0], &bracket[1], near, far);
        // what is too close to an end, for the second time or beyond it, is moved away
        let margin = 0.1 * (far - near);
        if (far - t).min(t - near) < margin {
            if is_stuck || t >= far || t <= near {
                t = if (t - far).abs() < (t - near).abs() { far - margin } else { near + margin };
                is_stuck = false;
            } else {
                is_stuck = true;
            }
        } else {
            is_stuck = false;
        }
        let point = evaluate(t)?;
        tries += 1;
        if is_high(&point) || point.loss >= bracket[low].loss {
            bracket[high] = point;
            (low, high) = places(&bracket);
            continue;
        }
        let is_done = is_flat(&point);
        if !is_done && point.slope * (bracket[high].t - bracket[low].t) >= 0. {
            bracket[high] = bracket[low].clone();
        }
        bracket[low] = point;
        if is_done {
            break;
        }
    }
    let [first, second] = bracket;
    Ok((if low == 0 { first } else { second }, tries + 1))
}

/// Where the cubic through two points with their slopes is lowest, within bounds; between the bounds where it has
/// no lowest point.
fn lowest<B: Backend>(a: &Point<B>, b: &Point<B>, nearest: f64, farthest: f64) -> f64 {
    let d1 = a.slope + b.slope - 3. * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    if square >= 0. {
        let d2 = square.sqrt();
        let (first, second) = if a.t <= b.t { (a, b) } else { (b, a) };
        let part = (second.slope + d2 - d1) / (second.slope - first.slope + 2. * d2);
        (second.t - (second.t - first.t) * part).max(nearest).min(farthest)
    } else {
        (nearest + farthest) / 2.
    }
}
