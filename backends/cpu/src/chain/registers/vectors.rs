//! Lines on groups of vectors.
use super::{Ahead, Comparison, GROUP, Kind, Numbers, OfOne, OfTwo, Operand, Step};
use pulp::{Simd, WithSimd};

/// A group of vectors, or of what there is one of for each.
type Group<V> = [V; GROUP];

/// What is to be computed of a tile.
pub(super) struct Groups<'a> {
    pub steps: &'a [Step],
    pub ahead: Ahead<'a>,
    pub tile: usize,
    pub len: usize,
}

impl WithSimd for Groups<'_> {
    /// How many elements were computed.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let size = GROUP * S::F32_LANES;
        let whole = self.len / size * size;
        for at in (0..whole).step_by(size) {
            self.ahead.fetch(self.tile, [at / size, whole / size]);
            let mut numbers = [simd.splat_f32s(0.0); GROUP];
            for step in self.steps {
                // SAFETY: the promise to `run`, and a group lies within the tile.
                numbers = unsafe { step.run(simd, numbers, self.tile, at) };
            }
        }
        whole
    }
}

// Whatever is called below has to be inlined: by itself it would be compiled for other vectors.

impl Step {
    /// What it gives for a group of vectors from element `from` of a tile on.
    ///
    /// # Safety
    /// The promise to `run`.
    #[inline(always)]
    unsafe fn run<S: Simd>(
        &self,
        simd: S,
        before: Group<S::f32s>,
        tile: usize,
        from: usize,
    ) -> Group<S::f32s> {
        let [a, b, yes, no] = self.operands;
        // SAFETY: the caller's promise.
        let y = unsafe {
            let a = a.load(simd, before, tile, from);
            match self.kind {
                Kind::OfOne(kind) => kind.of(simd, a),
                Kind::OfTwo(kind) => kind.of(simd, a, b.load(simd, before, tile, from)),
                Kind::Choose(kind) => {
                    let holds = kind.of(simd, a, b.load(simd, before, tile, from));
                    let (mut y, no) = (yes.load(simd, before, tile, from), no.load(simd, before, tile, from));
                    for i in 0..GROUP {
                        y[i] = select(simd, holds[i], y[i], no[i]);
                    }
                    y
                }
            }
        };
        if let Some(part) = self.y {
            let to = part.at(tile).cast::<f32>().wrapping_add(from).cast::<S::f32s>();
            for (i, y) in y.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { to.add(i).write_unaligned(*y) };
            }
        }
        y
    }
}

impl Operand {
    /// # Safety
    /// That of `Step::run`.
    #[inline(always)]
    unsafe fn load<S: Simd>(
        self,
        simd: S,
        before: Group<S::f32s>,
        tile: usize,
        from: usize,
    ) -> Group<S::f32s> {
        let mut x = before;
        match self.numbers {
            Numbers::Before => (),
            Numbers::Many(part) => {
                let lies = part.at(tile).cast::<f32>().wrapping_add(from).cast::<S::f32s>();
                for (i, x) in x.iter_mut().enumerate() {
                    // SAFETY: the caller's promise.
                    *x = unsafe { lies.add(i).read_unaligned() };
                }
            }
            Numbers::One(one) => x = [simd.splat_f32s(one); GROUP],
        }
        if self.times != 1.0 {
            let times = simd.splat_f32s(self.times);
            x = map(
                x,
                #[inline(always)]
                |x| simd.mul_f32s(x, times),
            );
        }
        x
    }
}

impl OfOne {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: Group<S::f32s>) -> Group<S::f32s> {
        let (zero, sign) = (simd.splat_f32s(0.0), simd.splat_f32s(-0.0));
        match self {
            OfOne::Neg => map(
                x,
                #[inline(always)]
                |x| simd.xor_f32s(x, sign),
            ),
            OfOne::Abs => map(
                x,
                #[inline(always)]
                |x| simd.and_f32s(simd.not_f32s(sign), x),
            ),
            OfOne::Relu => map(
                x,
                #[inline(always)]
                |x| select(simd, simd.less_than_f32s(x, zero), zero, x),
            ),
            OfOne::Sqrt => map(
                x,
                #[inline(always)]
                |x| simd.sqrt_f32s(x),
            ),
        }
    }
}

/// `f(x[i])`.
#[inline(always)]
fn map<V: Copy>(mut x: Group<V>, f: impl Fn(V) -> V) -> Group<V> {
    for x in &mut x {
        *x = f(*x);
    }
    x
}

/// `f(a[i], b[i])`.
#[inline(always)]
fn zip<V: Copy>(mut a: Group<V>, b: Group<V>, f: impl Fn(V, V) -> V) -> Group<V> {
    for i in 0..GROUP {
        a[i] = f(a[i], b[i]);
    }
    a
}

impl OfTwo {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: Group<S::f32s>, b: Group<S::f32s>) -> Group<S::f32s> {
        match self {
            OfTwo::Add => zip(
                a,
                b,
                #[inline(always)]
                |a, b| simd.add_f32s(a, b),
            ),
            OfTwo::Sub => zip(
                a,
                b,
                #[inline(always)]
                |a, b| simd.sub_f32s(a, b),
            ),
            OfTwo::Mul => zip(
                a,
                b,
                #[inline(always)]
                |a, b| simd.mul_f32s(a, b),
            ),
            OfTwo::Div => zip(
                a,
                b,
                #[inline(always)]
                |a, b| simd.div_f32s(a, b),
            ),
            OfTwo::Maximum => zip(
                a,
                b,
                #[inline(always)]
                |a, b| {
                    let larger = select(simd, simd.less_than_f32s(b, a), a, b);
                    // only NaN differs from itself
                    select(simd, simd.equal_f32s(a, a), larger, a)
                },
            ),
            OfTwo::Minimum => zip(
                a,
                b,
                #[inline(always)]
                |a, b| {
                    let smaller = select(simd, simd.less_than_f32s(a, b), a, b);
                    select(simd, simd.equal_f32s(a, a), smaller, a)
                },
            ),
        }
    }
}

impl Comparison {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: Group<S::f32s>, b: Group<S::f32s>) -> Group<S::m32s> {
        let mut holds = [simd.equal_f32s(a[0], b[0]); GROUP];
        for i in 0..GROUP {
            holds[i] = match self {
                Comparison::Eq => simd.equal_f32s(a[i], b[i]),
                Comparison::Lt => simd.less_than_f32s(a[i], b[i]),
                Comparison::Le => simd.less_than_or_equal_f32s(a[i], b[i]),
            };
        }
        holds
    }
}

/// `yes` where it holds, else `no`.
#[inline(always)]
fn select<S: Simd>(simd: S, holds: S::m32s, yes: S::f32s, no: S::f32s) -> S::f32s {
    simd.transmute_f32s_u32s(simd.select_u32s(
        holds,
        simd.transmute_u32s_f32s(yes),
        simd.transmute_u32s_f32s(no),
    ))
}
