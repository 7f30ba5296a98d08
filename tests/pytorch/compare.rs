//! Whether a result is PyTorch's, within the tolerance that a case states, and if not, why.
use super::cases::{Raw, Value};
use firesteel_core::DType;

/// PyTorch's relative tolerance for float32.
const RTOL: f64 = 1.3e-6;

/// Why a result is not PyTorch's, in one line.
pub type Verdict = Result<(), String>;

/// |got - want| <= atol + 1.3e-6 |want| everywhere, NaN equal to NaN, integers and bools exactly, and the dtype
/// and shape the same. Without an absolute tolerance it is that of the dtype, and no less than `rounding` in any case.
pub fn tensor(got: &Raw, want: &Raw, atol: Option<f64>, rounding: f64) -> Verdict {
    same_form(got, want)?;
    if !want.dtype.is_float() {
        return exact(got, want);
    }
    let (gots, wants) = (floats(got)?, floats(want)?);
    let atol = atol.unwrap_or_else(|| default_atol(want.dtype)).max(rounding);
    let off = |i: usize| excess(gots[i], wants[i], atol);
    let bad: Vec<usize> = (0..wants.len()).filter(|&i| off(i) > 0.).collect();
    let Some(&worst) = bad.iter().max_by(|&&i, &&j| off(i).total_cmp(&off(j))) else {
        return Ok(());
    };
    let (g, w) = (gots[worst], wants[worst]);
    Err(format!(
        "{} of {} differ, most at {:?}: got {g:?}, want {w:?}, off by {:.1e} (atol {atol:.1e}, rtol {RTOL:.1e})",
        bad.len(),
        wants.len(),
        position(worst, &want.shape),
        (g - w).abs(),
    ))
}

/// A gradient, where PyTorch has one or not: where it has none, none or zeros are right.
pub fn gradient(got: Option<&Raw>, want: Option<&Raw>, atol: Option<f64>, rounding: f64) -> Verdict {
    match (got, want) {
        (Some(got), Some(want)) => tensor(got, want, atol, rounding),
        (None, Some(want)) => Err(format!("no gradient, want {}", form(want))),
        (None, None) => Ok(()),
        (Some(got), None) => match floats(got)?.iter().find(|x| **x != 0.) {
            Some(x) => Err(format!("a gradient with {x} in it, want none or zeros")),
            None => Ok(()),
        },
    }
}

/// A result that is no tensor: a bool, a number, a size.
pub fn value(got: &Value, want: &Value) -> Verdict {
    let same = match (got, want) {
        (Value::Float(g), Value::Float(w)) => excess(*g, *w, default_atol(DType::F32)) <= 0.,
        (Value::List(g) | Value::Tuple(g), Value::List(w) | Value::Tuple(w)) => g == w,
        _ => got == want,
    };
    if same { Ok(()) } else { Err(format!("got {got:?}, want {want:?}")) }
}

/// The same dtype and shape.
pub fn same_form(got: &Raw, want: &Raw) -> Verdict {
    if (got.dtype, &got.shape) == (want.dtype, &want.shape) {
        return Ok(());
    }
    Err(format!("got {}, want {}", form(got), form(want)))
}

/// The elements as f64, or what is wrong with the bytes.
pub fn floats(raw: &Raw) -> Result<Vec<f64>, String> {
    let values = raw.floats().map_err(|e| e.to_string())?;
    if values.len() != raw.numel() {
        return Err(format!("{} elements in {}", values.len(), form(raw)));
    }
    Ok(values)
}

/// The absolute tolerance of a dtype where a case states none.
fn default_atol(dtype: DType) -> f64 {
    if dtype == DType::F64 { 1e-7 } else { 1e-5 }
}

/// By how much the difference passes the tolerance; infinite where it is no number.
fn excess(got: f64, want: f64, atol: f64) -> f64 {
    if got == want || (got.is_nan() && want.is_nan()) {
        return 0.;
    }
    let excess = (got - want).abs() - (atol + RTOL * want.abs());
    if excess.is_finite() { excess.max(0.) } else { f64::INFINITY }
}

fn exact(got: &Raw, want: &Raw) -> Verdict {
    if got.bytes == want.bytes {
        return Ok(());
    }
    let (gots, wants) = (floats(got)?, floats(want)?);
    let size = want.dtype.size();
    let differs = |i: &usize| got.bytes[i * size..][..size] != want.bytes[i * size..][..size];
    let bad: Vec<usize> = (0..wants.len()).filter(differs).collect();
    let first = bad.first().copied().unwrap_or_default();
    Err(format!(
        "{} of {} differ, first at {:?}: got {}, want {}",
        bad.len(),
        wants.len(),
        position(first, &want.shape),
        gots[first],
        wants[first],
    ))
}

/// Along each axis, the index of the element that lies at `offset`.
fn position(offset: usize, shape: &[usize]) -> Vec<usize> {
    let step = |rest: &mut usize, size: &usize| {
        let index = *rest % size;
        *rest /= size;
        Some(index)
    };
    let mut index: Vec<_> = shape.iter().rev().scan(offset, step).collect();
    index.reverse();
    index
}

fn form(raw: &Raw) -> String {
    format!("{} {:?}", raw.dtype, raw.shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firesteel_core::Data;

    fn f32s(values: &[f32]) -> Raw {
        Raw::new(&[values.len()], &Data::F32(values.to_vec()))
    }

    #[test]
    fn a_right_number_passes_and_a_wrong_one_fails() {
        let right = [1., f32::NAN, f32::INFINITY, -0., 100.];
        let want = f32s(&right);
        assert_eq!(tensor(&want, &want, None, 0.), Ok(()));
        assert_eq!(
            tensor(&f32s(&[1.000_01, f32::NAN, f32::INFINITY, 0., 100.000_1]), &want, None, 0.),
            Ok(())
        );
        for (i, wrong) in [(0, 1.000_1), (1, 1.), (2, 1.), (2, f32::NEG_INFINITY), (4, f32::NAN), (4, 100.5)]
        {
            let mut got = right;
            got[i] = wrong;
            let reason = tensor(&f32s(&got), &want, None, 0.).unwrap_err();
            let start = format!(
                "1 of 5 differ, most at [{i}]: got {:?}, want {:?}",
                f64::from(wrong),
                f64::from(right[i])
            );
            assert!(reason.starts_with(&start), "{reason}");
        }
    }

    #[test]
    fn the_tolerance_is_that_of_the_case_or_the_dtype() {
        let double = |x| Raw::new(&[], &Data::F64(vec![x]));
        assert!(tensor(&f32s(&[0.001]), &f32s(&[0.]), Some(0.01), 0.).is_ok());
        assert!(tensor(&f32s(&[0.001]), &f32s(&[0.]), None, 0.).is_err());
        assert!(tensor(&double(2e-7), &double(0.), None, 0.).is_err());
        assert!(tensor(&double(5e-8), &double(0.), None, 0.).is_ok());
    }

    #[test]
    fn integers_are_exact_whatever_the_tolerance() {
        let whole = |x: &[i64]| Raw::new(&[2, 2], &Data::I64(x.to_vec()));
        let (want, got) = (whole(&[1, 2, 3, i64::MAX]), whole(&[1, 2, 3, i64::MAX - 1]));
        assert_eq!(tensor(&want, &want, None, 0.), Ok(()));
        let reason = tensor(&got, &want, Some(10.), 0.).unwrap_err();
        assert!(reason.starts_with("1 of 4 differ, first at [1, 1]"), "{reason}");
    }

    #[test]
    fn shape_and_dtype_count() {
        let want = f32s(&[1., 2.]);
        let row = Raw::new(&[1, 2], &Data::F32(vec![1., 2.]));
        let wide = Raw::new(&[2], &Data::F64(vec![1., 2.]));
        assert_eq!(tensor(&row, &want, None, 0.), Err("got float32 [1, 2], want float32 [2]".into()));
        assert_eq!(tensor(&wide, &want, None, 0.), Err("got float64 [2], want float32 [2]".into()));
        let short = Raw { bytes: vec![0; 4], ..want.clone() };
        assert!(tensor(&short, &want, None, 0.).is_err());
    }

    #[test]
    fn no_gradient_and_zeros_are_the_same_where_pytorch_has_none() {
        let (zero, one) = (f32s(&[0.]), f32s(&[1.]));
        assert!(gradient(None, None, None, 0.).is_ok());
        assert!(gradient(Some(&zero), None, None, 0.).is_ok());
        assert!(gradient(Some(&one), None, None, 0.).is_err());
        assert!(gradient(None, Some(&zero), None, 0.).is_err());
        assert!(gradient(Some(&zero), Some(&one), None, 0.).is_err());
    }

    #[test]
    fn values_that_are_no_tensors() {
        let size = |n| Value::List(vec![Value::Int(n)]);
        assert!(value(&Value::Bool(true), &Value::Bool(true)).is_ok());
        assert!(value(&Value::Bool(true), &Value::Bool(false)).is_err());
        assert!(value(&size(2), &size(2)).is_ok());
        assert!(value(&size(2), &size(3)).is_err());
        assert!(value(&Value::Float(1.), &Value::Float(1.1)).is_err());
    }
}
