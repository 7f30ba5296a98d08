// Functions of f64 that need no polynomial.

fn f64_is_nan(x: vec4<f64>) -> vec4<bool> {
    return !(x == x);
}

fn f64_maximum(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    return select(b, a, (a > b) | f64_is_nan(a));
}

fn f64_minimum(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    return select(b, a, (a < b) | f64_is_nan(a));
}
