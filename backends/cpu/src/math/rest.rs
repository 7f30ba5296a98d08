//! What divisions leave.
use crate::simd::Level;
use std::ops::Rem;

/// Of quotients below 2^29 the whole part is found by a division in f64: such a quotient of two f32 is at least 2^-24 from a
/// whole number, or is one, and f64 is nearer than that.
const FAR: f64 = 536_870_912.0;

/// `y = a - trunc(a / b) b`, exact, as far as all go. Its sign is that of `a`.
#[inline(always)]
pub fn fmod_slice<L: Level>(a: &[f32], b: &[f32], y: &mut [f32]) {
    const BLOCK: usize = 64;
    for ((a, b), y) in a.chunks(BLOCK).zip(b.chunks(BLOCK)).zip(y.chunks_mut(BLOCK)) {
        let mut is_near = true;
        for ((a, b), y) in a.iter().zip(b).zip(&mut *y) {
            let (wide, by) = (f64::from(*a), f64::from(*b));
            let whole = (wide / by).trunc();
            is_near &= whole.abs() < FAR;
            // both terms are exact, and so is what is left, which has no more digits than `b`
            let rest = (wide - whole * by) as f32;
            *y = if whole == 0.0 { *a } else { rest.copysign(*a) };
        }
        if !is_near {
            fmod_each(a, b, y);
        }
    }
}

/// The same by the division of each alone, which is slow and takes all of them.
#[inline(always)]
pub fn fmod_each<T: Copy + Rem<Output = T>>(a: &[T], b: &[T], y: &mut [T]) {
    a.iter().zip(b).zip(y).for_each(|((a, b), y)| *y = *a % *b);
}
