// Which of two numbers of type K comes first: the lesser, with NaN largest, or where DESCENDING the larger.

fn ahead(a: K, b: K) -> bool {
    let nan_a = is_nan(a);
    let nan_b = is_nan(b);
    if DESCENDING == 1u {
        return !nan_b && (nan_a || a > b);
    }
    return !nan_a && (nan_b || a < b);
}
