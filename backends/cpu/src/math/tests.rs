//! Every f32 function against its f64 counterpart, over all of f32, under every instruction set.

use super::Math;
use crate::simd::dispatch;
use crate::simd::{Isa, available};

/// Every so many-th of the 2^32 bit patterns is tried: a prime, so that mantissas differ.
const STRIDE: usize = 4099;

/// The numbers that functions go wrong at.
const SPECIAL: [f32; 26] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    2.5,
    1.5,
    -1.5,
    0.999_999_94,
    -0.999_999_94,
    1e-45,
    -1e-45,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    88.722_84,
    -103.972,
    1e8,
];

/// All of f32 coarsely, from -4 to 4 finely, and what is special.
fn inputs() -> Vec<f32> {
    let all = (0..=u32::MAX).step_by(STRIDE).map(f32::from_bits);
    let middle = (-400_000..400_000).map(|i| i as f32 * 1.000_01e-5);
    all.chain(middle).chain(SPECIAL).collect()
}

/// How far `got` is from `want`, in units of the last place that an f32 near `want` has.
fn ulps(got: f32, want: f64) -> f64 {
    if f64::from(got) == want || got.is_nan() && want.is_nan() {
        return 0.0;
    }
    // An overflow is off by as much as the next power of two is.
    let got = if got.is_infinite() { 2f64.powi(128).copysign(got.into()) } else { f64::from(got) };
    let want = want.clamp(-(2f64.powi(128)), 2f64.powi(128));
    let exponent = want.abs().log2().floor().clamp(-126.0, 127.0);
    let error = (got - want).abs() / (exponent - 23.0).exp2();
    if error.is_nan() { f64::INFINITY } else { error }
}

/// Runs a function on slices under every instruction set and bounds its error.
fn check(name: &str, limit: f64, run: impl Fn(Isa, &[f32], &mut [f32]), want: impl Fn(f64) -> f64) {
    let xs = inputs();
    let wants: Vec<f64> = xs.iter().map(|x| want(f64::from(*x))).collect();
    for isa in available() {
        let mut ys = vec![0.0; xs.len()];
        run(isa, &xs, &mut ys);
        let (mut worst, mut at) = (0.0, 0);
        for (i, (y, want)) in ys.iter().zip(&wants).enumerate() {
            let error = ulps(*y, *want);
            if error > worst {
                (worst, at) = (error, i);
            }
            assert!(
                *y != 0.0 || *want != 0.0 || y.is_sign_positive() == want.is_sign_positive(),
                "{name}(±0)"
            );
        }
        println!("{name:8} {worst:5.2} ulp at {:e} {isa:.8?}", xs[at]);
        let (x, y, want) = (xs[at], ys[at], wants[at]);
        assert!(worst <= limit, "{name}({x:e}) = {y:e}, not {want:e}: {worst} ulp under {isa:?}");
    }
}

macro_rules! agree {
    ($($name:ident within $limit:literal of $want:expr;)*) => {$(
        #[test]
        fn $name() {
            let run = |isa: Isa, xs: &[f32], ys: &mut [f32]| {
                dispatch!(isa, |L| xs.iter().zip(&mut *ys).for_each(|(x, y)| *y = <f32 as Math>::$name::<L>(*x)))
            };
            check(stringify!($name), $limit, run, $want);
        }
    )*};
}

macro_rules! slices_agree {
    ($($name:ident by $slices:ident within $limit:literal of $want:expr;)*) => {$(
        #[test]
        fn $name() {
            let run = |isa: Isa, xs: &[f32], ys: &mut [f32]| dispatch!(isa, |L| f32::$slices::<L>(xs, ys));
            check(stringify!($name), $limit, run, $want);
        }
    )*};
}

slices_agree! {
    sin by sin_slice within 2.0 of f64::sin;
    cos by cos_slice within 2.0 of f64::cos;
    tan by tan_slice within 2.0 of f64::tan;
}

/// The f64 side needs no level.
type Any = crate::simd::Baseline;

agree! {
    exp within 1.2 of f64::exp;
    exp2 within 1.25 of f64::exp2;
    expm1 within 2.0 of f64::exp_m1;
    ln within 1.0 of f64::ln;
    log2 within 2.0 of f64::log2;
    log10 within 2.0 of f64::log10;
    log1p within 2.0 of f64::ln_1p;
    asin within 2.0 of f64::asin;
    acos within 2.0 of f64::acos;
    atan within 2.0 of f64::atan;
    sinh within 2.0 of f64::sinh;
    cosh within 2.0 of f64::cosh;
    tanh within 3.0 of f64::tanh;
    asinh within 1.0 of libm::asinh;
    acosh within 1.0 of <f64 as Math>::acosh::<Any>;
    atanh within 1.0 of libm::atanh;
    sigmoid within 2.0 of <f64 as Math>::sigmoid::<Any>;
    erf within 2.0 of libm::erf;
    erfc within 1.0 of libm::erfc;
    erfinv within 1.0 of <f64 as Math>::erfinv::<Any>;
    rsqrt within 1.5 of |x| 1.0 / x.sqrt();
    round within 0.0 of f64::round_ties_even;
}

/// [`check`] for a function of two operands: each special value against each, and many others.
fn check_pairs(
    name: &str,
    limit: f64,
    run: impl Fn(Isa, &[[f32; 2]], &mut [f32]),
    want: fn(f64, f64) -> f64,
) {
    let hash = |i: u32| f32::from_bits(i.wrapping_mul(2_654_435_761));
    let wild = (0..400_000).map(|i| [hash(2 * i), hash(2 * i + 1)]);
    let tame = (0..400_000).map(|i| [(i % 977) as f32 * 0.01, (i % 1009) as f32 * 0.1 - 50.0]);
    let special = SPECIAL.iter().flat_map(|x| SPECIAL.iter().map(|y| [*x, *y]));
    let pairs: Vec<[f32; 2]> = special.chain(wild).chain(tame).collect();
    for isa in available() {
        let mut results = vec![0.0; pairs.len()];
        run(isa, &pairs, &mut results);
        let mut worst: f64 = 0.0;
        for ([x, y], got) in pairs.iter().zip(&results) {
            let want = want(f64::from(*x), f64::from(*y));
            let error = ulps(*got, want);
            assert!(error <= limit, "{name}({x:e}, {y:e}) = {got:e}, not {want:e}: {error} ulp");
            let signs = got.is_sign_positive() == want.is_sign_positive();
            assert!(*got != 0.0 || want != 0.0 || signs, "{name}({x:e}, {y:e}) = {got}, not {want}");
            worst = worst.max(error);
        }
        println!("{name:8} {worst:5.2} ulp {isa:.8?}");
    }
}

#[test]
fn pow() {
    let run = |isa: Isa, xs: &[[f32; 2]], ys: &mut [f32]| {
        dispatch!(isa, |L| xs.iter().zip(&mut *ys).for_each(|(x, y)| *y = super::pow::<L>(x[0], x[1])))
    };
    check_pairs("pow", 1.0, run, f64::powf);
}

#[test]
fn atan2() {
    let run = |isa: Isa, xs: &[[f32; 2]], ys: &mut [f32]| {
        dispatch!(isa, |L| xs.iter().zip(&mut *ys).for_each(|(x, y)| *y = super::atan2::<L>(x[0], x[1])))
    };
    check_pairs("atan2", 2.0, run, f64::atan2);
}

#[test]
fn circular_functions_of_slices_take_huge_numbers_too() {
    let xs = inputs();
    let mut ys = vec![0.0; xs.len()];
    let check = |ys: &[f32], want: fn(f64) -> f64| {
        for (x, y) in xs.iter().zip(ys) {
            assert!(ulps(*y, want(f64::from(*x))) <= 2.0, "f({x:e}) = {y}");
        }
    };
    dispatch!(|L| f32::sin_slice::<L>(&xs, &mut ys));
    check(&ys, f64::sin);
    dispatch!(|L| f32::cos_slice::<L>(&xs, &mut ys));
    check(&ys, f64::cos);
    dispatch!(|L| f32::tan_slice::<L>(&xs, &mut ys));
    check(&ys, f64::tan);
}

#[test]
fn a_division_leaves_what_it_leaves_exactly() {
    let special =
        [0.0, -0.0, 1.0, -1.0, 3.0, 0.1, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::INFINITY, f32::NAN];
    let numbers: Vec<f32> = inputs().into_iter().step_by(997).chain(special).collect();
    for isa in available() {
        for shift in (0..numbers.len()).step_by(97) {
            let b: Vec<f32> = (0..numbers.len()).map(|i| numbers[(i + shift) % numbers.len()]).collect();
            // quotients of all sizes, and in other blocks small ones alone
            for a in
                [numbers.clone(), b.iter().enumerate().map(|(i, b)| b * (i as f32 * 1.37 - 90.0)).collect()]
            {
                let mut y = vec![0.0; a.len()];
                dispatch!(isa, |L| f32::fmod_slice::<L>(&a, &b, &mut y));
                for ((a, b), y) in a.iter().zip(&b).zip(&y) {
                    let want = a % b;
                    assert!(
                        y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan(),
                        "{a} % {b}: {y}, not {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn erfinv_of_f64_inverts_erf() {
    let erfinv = <f64 as Math>::erfinv::<Any>;
    // By mpmath, to 50 digits.
    for (x, want) in ERFINV {
        assert!((erfinv(x) / want - 1.0).abs() < 4e-15, "erfinv({x}) = {}, not {want}", erfinv(x));
        assert_eq!(erfinv(-x), -erfinv(x));
    }
    assert!(erfinv(1.0) == f64::INFINITY && erfinv(1.1).is_nan() && erfinv(f64::NAN).is_nan());
    assert!(erfinv(-0.0).is_sign_negative());
}

#[test]
fn digamma_and_lgamma() {
    let digamma = <f64 as Math>::digamma::<Any>;
    for (x, want) in DIGAMMA {
        assert!((digamma(x) - want).abs() <= 4e-15 * want.abs().max(1.0), "digamma({x}) = {}", digamma(x));
    }
    assert_eq!(digamma(0.0), f64::NEG_INFINITY);
    assert_eq!(digamma(-0.0), f64::INFINITY);
    assert_eq!(digamma(f64::INFINITY), f64::INFINITY);
    assert!(digamma(-3.0).is_nan() && digamma(f64::NAN).is_nan());
    assert_eq!(super::digamma::<Any>(1.0), -0.577_215_7);
    assert_eq!(super::lgamma::<Any>(5.0), 24f32.ln());
    assert_eq!(super::lgamma::<Any>(-2.0), f32::INFINITY);
}

#[test]
fn zeta() {
    let zeta = <f64 as Math>::zeta::<Any>;
    for (s, q, want) in ZETA {
        assert!((zeta(s, q) - want).abs() <= 4e-15 * want.abs(), "zeta({s}, {q}) = {}", zeta(s, q));
    }
    assert_eq!(zeta(1.0, 2.0), f64::INFINITY);
    assert_eq!(zeta(2.0, -3.0), f64::INFINITY);
    assert_eq!(zeta(2.0, f64::INFINITY), 0.0);
    assert_eq!(zeta(f64::INFINITY, 2.0), 0.0);
    assert!(zeta(0.5, 2.0).is_nan() && zeta(2.5, -0.5).is_nan() && zeta(f64::NAN, 1.0).is_nan());
    assert!(zeta(2.0, -1e12 - 0.5).is_finite());
}

/// s, q and zeta(s, q).
const ZETA: [(f64, f64, f64); 10] = [
    (2.0, 1.0, 1.6449340668482264),
    (2.0, 0.25, 17.19732915450711),
    (3.0, 1.0, 1.2020569031595942),
    (1.5, 0.5, 4.776537947554833),
    (2.0, 40.0, 0.02531510384129103),
    (4.0, 3.5, 0.011717641469542009),
    (2.0, -0.5, 8.934802200544679),
    (3.0, -2.25, -61.94847488703008),
    (10.0, 0.75, 17.761481181337004),
    (60.0, 2.0, 8.673617380119933e-19),
];

/// x and erfinv x.
const ERFINV: [(f64, f64); 12] = [
    (1e-300, 8.86226925452758e-301),
    (1e-10, 8.862269254527581e-11),
    (1e-05, 8.862269254759594e-06),
    (0.01, 0.008862501280950598),
    (0.3, 0.2724627147267543),
    (0.5, 0.4769362762044699),
    (0.7, 0.7328690779592167),
    (0.9, 1.1630871536766743),
    (0.99, 1.8213863677184494),
    (0.9999, 2.75106390571208),
    (0.9999999990686774, 4.328028275800946),
    (0.9999999999999999, 5.8635847487551676),
];

/// x and digamma x.
const DIGAMMA: [(f64, f64); 15] = [
    (1e-08, -100000000.57721564),
    (0.1, -10.423754940411076),
    (0.5, -1.9635100260214235),
    (1.0, -0.5772156649015329),
    (1.5, 0.03648997397857652),
    (2.0, 0.42278433509846713),
    (5.0, 1.5061176684318005),
    (9.75, 2.225109535044576),
    (30.0, 3.384438132685525),
    (1000000.0, 13.815510057964191),
    (1e+300, 690.7755278982137),
    (-0.5, 0.03648997397857652),
    (-1.3, 2.8825405488661673),
    (-7.9, -7.540007224419479),
    (-100.25, 7.754238959208646),
];
