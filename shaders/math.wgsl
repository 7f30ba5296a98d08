// Functions of f32, four numbers at a time. WebGPU's own are too coarse for some of them, and promise nothing of
// infinities and NaN; these are as accurate as the processor's but for a few units in the last place. Polynomials are
// those of `cpu/src/math`, minimax. Drivers may reorder sums, so nothing here relies on what a rounding lost: where more
// than 24 bits count, numbers are cut to fewer bits, whose products are exact.

// Of a variable, since a constant may be neither infinite nor NaN.
fn f32_infinity() -> vec4<f32> {
    var bits = vec4<u32>(0x7f800000u);
    return bitcast<vec4<f32>>(bits);
}

fn f32_nan() -> vec4<f32> {
    var bits = vec4<u32>(0x7fc00000u);
    return bitcast<vec4<f32>>(bits);
}

// By its bits, as a driver may take `x != x` to be false.
fn f32_is_nan(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}

fn f32_is_infinite(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) == vec4<u32>(0x7f800000u);
}

fn f32_is_negative(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) >> vec4<u32>(31u)) == vec4<u32>(1u);
}

fn f32_copysign(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let size = bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu);
    return bitcast<vec4<f32>>(size | (bitcast<vec4<u32>>(b) & vec4<u32>(0x80000000u)));
}

// The upper 12 bits of the mantissa.
fn f32_upper(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) & vec4<u32>(0xfffff000u));
}

fn f32_round(x: vec4<f32>) -> vec4<f32> {
    return select(round(x), x, abs(x) >= vec4<f32>(8388608.0));
}

fn f32_sqrt(x: vec4<f32>) -> vec4<f32> {
    // one step of Newton's, for drivers whose root is an estimate; the ends stay
    let y = sqrt(x);
    let refined = 0.5 * (y + x / y);
    let regular = (x > vec4<f32>(1e-30)) & (x < vec4<f32>(1e30));
    return select(select(y, f32_nan(), x < vec4<f32>(0.0)), refined, regular);
}

fn f32_maximum(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return select(b, a, (a > b) | f32_is_nan(a));
}

fn f32_minimum(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return select(b, a, (a < b) | f32_is_nan(a));
}

// To whole numbers as by way of 64 bits, of which the lower ones stay: those from 2^31 on are multiples of 2^8, so that taking
// multiples of 2^32 away is exact.
fn f32_to_i32(x: vec4<f32>) -> vec4<i32> {
    let whole = select(x, vec4<f32>(0.0), f32_is_nan(x));
    let wrapped = whole - floor(whole * 2.3283064365386963e-10) * 4294967296.0;
    let large = select(bitcast<vec4<i32>>(vec4<u32>(wrapped)), vec4<i32>(-1), whole >= vec4<f32>(9223372036854775808.0));
    return select(vec4<i32>(whole), large, abs(whole) >= vec4<f32>(2147483648.0));
}

fn f32_to_u32(x: vec4<f32>) -> vec4<u32> {
    return bitcast<vec4<u32>>(f32_to_i32(x));
}

fn f32_to_i64(x: vec4<f32>) -> vec4<i64> {
    let y = vec4<i64>(select(x, vec4<f32>(0.0), f32_is_nan(x)));
    return select(y, vec4<i64>(9223372036854775807li), x >= vec4<f32>(9223372036854775808.0));
}

// Exact: from `a` is taken the largest b 2^k that is not above it, a difference without rounding, until less than `b` is
// left.
fn f32_fmod(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let by = abs(b);
    var rest = abs(a);
    let regular = (by > vec4<f32>(0.0)) & (rest < f32_infinity());
    for (var i = 0; i < 300 && any(regular & (rest >= by)); i++) {
        let exponents = (bitcast<vec4<i32>>(rest) >> vec4<u32>(23u)) - (bitcast<vec4<i32>>(by) >> vec4<u32>(23u));
        let half = exponents / 2;
        let step = by * f32_power_of_two(half) * f32_power_of_two(exponents - half);
        rest = select(rest, rest - select(step, 0.5 * step, step > rest), regular & (rest >= by));
    }
    let y = f32_copysign(rest, a);
    let finite = select(y, f32_nan(), (by == vec4<f32>(0.0)) | f32_is_infinite(a) | f32_is_nan(a) | f32_is_nan(b));
    return select(finite, a, f32_is_infinite(b) & (abs(a) < f32_infinity()));
}

// With the sign of `b`.
fn f32_remainder(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let rest = f32_fmod(a, b);
    let other = (rest != vec4<f32>(0.0)) & ((rest < vec4<f32>(0.0)) != (b < vec4<f32>(0.0)));
    return select(rest, rest + b, other & !f32_is_nan(rest));
}

// 2^k, for k from -126 to 127.
fn f32_power_of_two(k: vec4<i32>) -> vec4<f32> {
    return bitcast<vec4<f32>>((k + 127) << vec4<u32>(23u));
}

// x 2^k, in two steps, since 2^k itself may be out of range.
fn f32_ldexp(x: vec4<f32>, k: vec4<i32>) -> vec4<f32> {
    let half = k >> vec4<u32>(1u);
    return x * f32_power_of_two(half) * f32_power_of_two(k - half);
}

// x between two bounds; a NaN stays one.
fn f32_clamp(x: vec4<f32>, low: f32, high: f32) -> vec4<f32> {
    let above = select(x, vec4<f32>(low), x < vec4<f32>(low));
    return select(above, vec4<f32>(high), above > vec4<f32>(high));
}

// e^x 2^shift: by multiples of ln 2, then a polynomial.
fn f32_exp_shifted(x: vec4<f32>, shift: i32) -> vec4<f32> {
    let y = f32_clamp(x, -105.0, 91.0);
    let k = round(y * 1.44269504);
    // ln 2 in two parts, the first of 9 bits
    let r = (y - k * 0.693359375) + k * 2.12194440e-4;
    var q = vec4<f32>(1.3813934e-3);
    q = q * r + 8.369064e-3;
    q = q * r + 4.166842e-2;
    q = q * r + 1.6666518e-1;
    q = q * r + 4.9999994e-1;
    let z = (q * r) * r + r + 1.0;
    return select(f32_ldexp(z, vec4<i32>(k) + shift), x, f32_is_nan(x));
}

fn f32_exp(x: vec4<f32>) -> vec4<f32> {
    return f32_exp_shifted(x, 0);
}

fn f32_exp2(x: vec4<f32>) -> vec4<f32> {
    let y = f32_clamp(x, -151.0, 129.0);
    let k = round(y);
    let r = y - k;
    var q = vec4<f32>(1.5454453e-4);
    q = q * r + 1.3400521e-3;
    q = q * r + 9.61808e-3;
    q = q * r + 5.550327e-2;
    q = q * r + 2.402265e-1;
    q = q * r + 6.931472e-1;
    return select(f32_ldexp(q * r + 1.0, vec4<i32>(k)), x, f32_is_nan(x));
}

// (e^r - 1) 2^k + (2^k - 1), halved where 2^k would be too large.
fn f32_expm1(x: vec4<f32>) -> vec4<f32> {
    let y = f32_clamp(x, -18.0, 89.0);
    let k = round(y * 1.44269504);
    let r = (y - k * 0.693359375) + k * 2.12194440e-4;
    var q = vec4<f32>(1.9891938e-4);
    q = q * r + 1.3941621e-3;
    q = q * r + 8.3333105e-3;
    q = q * r + 4.1666348e-2;
    q = q * r + 1.6666667e-1;
    q = q * r + 0.5;
    let half = f32_power_of_two(vec4<i32>(k) - 1);
    let z = 2.0 * ((r * r * q + r) * half + (half - 0.5));
    return select(z, x, (abs(x) < vec4<f32>(1e-7)) | f32_is_nan(x));
}

fn f32_sigmoid(x: vec4<f32>) -> vec4<f32> {
    let e = f32_exp(-abs(x));
    return select(vec4<f32>(1.0), e, x < vec4<f32>(0.0)) / (1.0 + e);
}

fn f32_tanh(x: vec4<f32>) -> vec4<f32> {
    let t = f32_expm1(-2.0 * abs(x));
    return f32_copysign(-t / (t + 2.0), x);
}

fn f32_sinh(x: vec4<f32>) -> vec4<f32> {
    let half = f32_exp_shifted(abs(x), -1);
    let large = f32_copysign(half - 0.25 / half, x);
    let z = x * x;
    var q = vec4<f32>(2.816951e-6);
    q = q * z + 1.983616e-4;
    q = q * z + 8.33335e-3;
    q = q * z + 1.6666667e-1;
    return select(large, q * z * x + x, abs(x) < vec4<f32>(1.0));
}

fn f32_cosh(x: vec4<f32>) -> vec4<f32> {
    let half = f32_exp_shifted(abs(x), -1);
    return half + 0.25 / half;
}

// The exponent e and f of x = (1 + f) 2^e, with 1 + f from sqrt(1/2) to sqrt 2, for normal x > 0.
fn f32_exponent(x: vec4<f32>) -> vec4<i32> {
    return (bitcast<vec4<i32>>(x) - vec4<i32>(0x3f3504f3)) >> vec4<u32>(23u);
}

fn f32_mantissa(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(x) - vec4<u32>(0x3f3504f3u);
    return bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) + vec4<u32>(0x3f3504f3u)) - 1.0;
}

// ln(1 + f) - f.
fn f32_log_tail(f: vec4<f32>) -> vec4<f32> {
    var q = vec4<f32>(6.746627e-2);
    q = q * f - 1.1675634e-1;
    q = q * f + 1.1888159e-1;
    q = q * f - 1.2405591e-1;
    q = q * f + 1.4219552e-1;
    q = q * f - 1.6667996e-1;
    q = q * f + 2.000212e-1;
    q = q * f - 2.500001e-1;
    q = q * f + 3.3333313e-1;
    let z = f * f;
    return q * z * f - 0.5 * z;
}

// The logarithm y of x by any formula, at the edges of its domain what it has to be.
fn f32_log_edges(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
    let inside = select(y, x, f32_is_infinite(x));
    let outside = select(f32_nan(), -f32_infinity(), x == vec4<f32>(0.0));
    return select(outside, inside, x > vec4<f32>(0.0));
}

// ln of x 2^-23 n: its parts e and f where x may be subnormal.
fn f32_log_scale(x: vec4<f32>) -> vec4<f32> {
    return select(vec4<f32>(1.0), vec4<f32>(8388608.0), x < vec4<f32>(1.17549435e-38));
}

fn f32_log(x: vec4<f32>) -> vec4<f32> {
    let scale = f32_log_scale(x);
    let e = vec4<f32>(f32_exponent(x * scale)) - select(vec4<f32>(0.0), vec4<f32>(23.0), scale > vec4<f32>(1.0));
    let f = f32_mantissa(x * scale);
    let y = (f32_log_tail(f) - e * 2.12194440e-4) + f;
    return f32_log_edges(x, e * 0.693359375 + y);
}

fn f32_log2(x: vec4<f32>) -> vec4<f32> {
    let scale = f32_log_scale(x);
    let e = vec4<f32>(f32_exponent(x * scale)) - select(vec4<f32>(0.0), vec4<f32>(23.0), scale > vec4<f32>(1.0));
    let f = f32_mantissa(x * scale);
    let tail = f32_log_tail(f);
    // log2 e is 1 and a rest
    let y = (f + tail) * 0.44269504 + tail;
    return f32_log_edges(x, e + (y + f));
}

fn f32_log10(x: vec4<f32>) -> vec4<f32> {
    let scale = f32_log_scale(x);
    let e = vec4<f32>(f32_exponent(x * scale)) - select(vec4<f32>(0.0), vec4<f32>(23.0), scale > vec4<f32>(1.0));
    let f = f32_mantissa(x * scale);
    let y = (f + f32_log_tail(f)) * 0.43429448 + e * 2.4874567e-4;
    return f32_log_edges(x, e * 0.30078125 + y);
}

// The exponent is that of 1 + x, but the mantissa is x's own, scaled.
fn f32_log1p(x: vec4<f32>) -> vec4<f32> {
    let sum = 1.0 + x;
    let exponent = f32_exponent(sum);
    let e = vec4<f32>(exponent);
    let scale = f32_power_of_two(clamp(-exponent, vec4<i32>(-126), vec4<i32>(126)));
    let f = select(f32_mantissa(sum), x * scale + (scale - 1.0), exponent < vec4<i32>(100));
    let y = e * 0.693359375 + ((f32_log_tail(f) - e * 2.12194440e-4) + f);
    let inside = select(select(y, x, abs(x) < vec4<f32>(1e-7)), x, f32_is_infinite(x));
    let outside = select(f32_nan(), -f32_infinity(), x == vec4<f32>(-1.0));
    return select(outside, inside, x > vec4<f32>(-1.0));
}

fn f32_asinh(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let b = min(a, vec4<f32>(1e9));
    let near = f32_log1p(b + b * b / (1.0 + sqrt(b * b + 1.0)));
    let far = f32_log(a) + 0.69314718;
    let y = f32_copysign(select(near, far, a > vec4<f32>(1e9)), x);
    return select(y, x, f32_is_nan(x));
}

fn f32_acosh(x: vec4<f32>) -> vec4<f32> {
    let t = min(x, vec4<f32>(1e9)) - 1.0;
    let near = f32_log1p(t + sqrt(max(t * (t + 2.0), vec4<f32>(0.0))));
    let far = f32_log(x) + 0.69314718;
    return select(f32_nan(), select(near, far, x > vec4<f32>(1e9)), x >= vec4<f32>(1.0));
}

fn f32_atanh(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let y = 0.5 * f32_log1p(2.0 * a / (1.0 - a));
    let edge = select(f32_nan(), f32_infinity(), a == vec4<f32>(1.0));
    return f32_copysign(select(edge, y, a < vec4<f32>(1.0)), x);
}

// x = k pi/2 + r, |r| <= pi/4: (r, k in the low bits) of each.
struct Reduced {
    r: vec4<f32>,
    k: vec4<u32>,
}

fn f32_reduce(x: vec4<f32>) -> Reduced {
    let k = round(x * 0.63661977);
    // pi/2 in parts of 8, 11, 11 and 24 bits, so that products with k of up to 13 bits are exact
    var r = x - k * 1.5703125;
    r = r - k * 4.837512969970703e-4;
    r = r - k * 7.549533620476723e-8;
    r = r - k * 2.563344068257089e-12;
    var y = Reduced(r, bitcast<vec4<u32>>(vec4<i32>(k)));
    let far = !(abs(x) < vec4<f32>(8192.0));
    if any(far) {
        for (var i = 0u; i < 4u; i++) {
            if far[i] {
                let one = f32_reduce_far(x[i]);
                y.r[i] = one.x;
                y.k[i] = bitcast<u32>(one.y);
            }
        }
    }
    return y;
}

// The product of two words: low, high.
fn f32_product(a: u32, b: u32) -> vec2<u32> {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let cross = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return vec2<u32>((cross << 16u) | (low & 0xffffu), (a >> 16u) * (b >> 16u) + (middle >> 16u) + (cross >> 16u));
}

// Word i of 2/pi, after a word of zeros.
fn f32_two_over_pi(i: u32) -> u32 {
    let words = array<u32, 8>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
    return words[min(i, 7u)];
}

// The same of a large number: its mantissa times those 96 bits of 2/pi that matter to the fraction of a turn, of which
// higher ones are whole turns (Payne and Hanek's way). (r, k as bits.)
fn f32_reduce_far(x: f32) -> vec2<f32> {
    let bits = bitcast<u32>(x) & 0x7fffffffu;
    if bits >= 0x7f800000u {
        return vec2<f32>(f32_nan().x, 0.0);
    }
    // x = m 2^(e - 31), and the product is wanted modulo 4: of the words above, so from bit e - 1 on
    let m = ((bits & 0x7fffffu) | 0x800000u) << 8u;
    let start = (bits >> 23u) - 128u;
    let first = start >> 5u;
    let by = start & 31u;
    let a = f32_two_over_pi(first);
    let b = f32_two_over_pi(first + 1u);
    let c = f32_two_over_pi(first + 2u);
    let d = f32_two_over_pi(first + 3u);
    let high = select((a << by) | (b >> (32u - by)), a, by == 0u);
    let mid = select((b << by) | (c >> (32u - by)), b, by == 0u);
    let low = select((c << by) | (d >> (32u - by)), c, by == 0u);
    // the upper 64 bits of what is left of the product, in units of 2^-62 quarters
    let p0 = f32_product(m, low).y;
    let p1 = f32_product(m, mid);
    let w0 = p0 + p1.x;
    var w1 = m * high + p1.y + select(0u, 1u, w0 < p0);
    var k = w1 >> 30u;
    w1 = w1 & 0x3fffffffu;
    var signed = bitcast<i32>(w1);
    if w1 >= 0x20000000u {
        signed = signed - 0x40000000;
        k = k + 1u;
    }
    var r = (f32(signed) * 4294967296.0 + f32(w0)) * 3.4061215800304767e-19;
    if bitcast<u32>(x) >= 0x80000000u {
        r = -r;
        k = 0u - k;
    }
    return vec2<f32>(r, bitcast<f32>(k & 3u));
}

fn f32_sin_reduced(r: vec4<f32>) -> vec4<f32> {
    let z = r * r;
    var q = vec4<f32>(2.718084e-6);
    q = q * z - 1.9839309e-4;
    q = q * z + 8.333329e-3;
    q = q * z - 1.6666667e-1;
    return q * z * r + r;
}

fn f32_cos_reduced(r: vec4<f32>) -> vec4<f32> {
    let z = r * r;
    var q = vec4<f32>(2.4432786e-5);
    q = q * z - 1.3887313e-3;
    q = q * z + 4.1666646e-2;
    return q * z * z - 0.5 * z + 1.0;
}

fn f32_turned(y: Reduced) -> vec4<f32> {
    let odd = (y.k & vec4<u32>(1u)) == vec4<u32>(1u);
    let z = select(f32_sin_reduced(y.r), f32_cos_reduced(y.r), odd);
    let sign = (y.k & vec4<u32>(2u)) << vec4<u32>(30u);
    return select(bitcast<vec4<f32>>(bitcast<vec4<u32>>(z) ^ sign), f32_nan(), f32_is_nan(y.r));
}

fn f32_sin(x: vec4<f32>) -> vec4<f32> {
    return select(f32_turned(f32_reduce(x)), x, x == vec4<f32>(0.0));
}

fn f32_cos(x: vec4<f32>) -> vec4<f32> {
    var y = f32_reduce(x);
    y.k = y.k + vec4<u32>(1u);
    return f32_turned(y);
}

fn f32_tan(x: vec4<f32>) -> vec4<f32> {
    let y = f32_reduce(x);
    let z = y.r * y.r;
    var q = vec4<f32>(4.3816813e-3);
    q = q * z + 7.88497e-5;
    q = q * z + 1.0844022e-2;
    q = q * z + 2.1279108e-2;
    q = q * z + 5.40605e-2;
    q = q * z + 1.3332659e-1;
    q = q * z + 3.333335e-1;
    let tan = q * z * y.r + y.r;
    let odd = (y.k & vec4<u32>(1u)) == vec4<u32>(1u);
    let turned = select(select(tan, -1.0 / tan, odd), f32_nan(), f32_is_nan(y.r));
    return select(turned, x, x == vec4<f32>(0.0));
}

// asin s - s, over s. Takes s^2.
fn f32_asin_tail(z: vec4<f32>) -> vec4<f32> {
    var q = vec4<f32>(3.751671e-2);
    q = q * z + 1.4438395e-2;
    q = q * z + 3.180778e-2;
    q = q * z + 4.4516947e-2;
    q = q * z + 7.500504e-2;
    q = q * z + 1.666666e-1;
    return q * z;
}

fn f32_asin(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let far = a > vec4<f32>(0.5);
    let z = select(a * a, 0.5 - 0.5 * a, far);
    let s = select(a, -2.0 * sqrt(max(z, vec4<f32>(0.0))), far);
    let turn = select(vec4<f32>(0.0), vec4<f32>(1.57079637), far);
    let low = select(vec4<f32>(0.0), vec4<f32>(-4.371139e-8), far);
    let y = (turn + s) + (s * f32_asin_tail(z) + low);
    return select(f32_nan(), f32_copysign(y, x), a <= vec4<f32>(1.0));
}

fn f32_acos(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let far = a > vec4<f32>(0.5);
    let z = select(a * a, 0.5 - 0.5 * a, far);
    let s = select(a, sqrt(max(z, vec4<f32>(0.0))), far);
    let y = s * f32_asin_tail(z) + s;
    let beyond = select(2.0 * y, 3.14159274 - (2.0 * y + 8.742278e-8), x < vec4<f32>(0.0));
    let near = 1.57079637 - (f32_copysign(y, x) + 4.371139e-8);
    return select(f32_nan(), select(near, beyond, far), a <= vec4<f32>(1.0));
}

// atan(b / a) for a, b >= 0, not both 0 or infinite; steep quotients are turned first, in the same one division.
fn f32_atan_quotient(over: vec4<f32>, under: vec4<f32>) -> vec4<f32> {
    let great = max(over, under);
    let unit = select(
        select(vec4<f32>(1.0), vec4<f32>(1099511627776.0), great < vec4<f32>(1e-30)),
        vec4<f32>(0.25),
        great > vec4<f32>(1e30),
    );
    let a = under * unit;
    let b = over * unit;
    let turned = b > 0.41421356 * a;
    let steep = a < 0.41421356 * b;
    let top = select(select(b, b - a, turned), -a, steep);
    let bottom = select(select(a, b + a, turned), b, steep);
    let turn = select(select(vec4<f32>(0.0), vec4<f32>(0.5), turned), vec4<f32>(1.0), steep);
    let t = top / bottom;
    let z = t * t;
    var q = vec4<f32>(-6.055207e-2);
    q = q * z + 1.0585116e-1;
    q = q * z - 1.4242414e-1;
    q = q * z + 1.9998416e-1;
    q = q * z - 3.3333313e-1;
    return turn * 1.57079637 + (t + (q * z * t - turn * 4.371139e-8));
}

fn f32_atan(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let y = select(f32_atan_quotient(a, vec4<f32>(1.0)), vec4<f32>(1.57079637), f32_is_infinite(x));
    return select(f32_copysign(y, x), x, f32_is_nan(x) | (x == vec4<f32>(0.0)));
}

// With the special cases of C: a zero or an infinity has the sign and the quadrant that it says.
fn f32_atan2(y: vec4<f32>, x: vec4<f32>) -> vec4<f32> {
    let both = f32_is_infinite(x) & f32_is_infinite(y);
    let none = (x == vec4<f32>(0.0)) & (y == vec4<f32>(0.0));
    let a = select(select(abs(x), vec4<f32>(1.0), none), vec4<f32>(1.0), both);
    let b = select(abs(y), vec4<f32>(1.0), both);
    let flat = select(f32_atan_quotient(b, a), vec4<f32>(0.0), f32_is_infinite(a));
    let angle = select(flat, vec4<f32>(1.57079637), f32_is_infinite(b));
    let turned = select(angle, 3.14159274 - (angle + 8.742278e-8), f32_is_negative(x));
    return select(f32_copysign(turned, y), f32_nan(), f32_is_nan(x) | f32_is_nan(y));
}

fn f32_erf(x: vec4<f32>) -> vec4<f32> {
    let z = x * x;
    var p = vec4<f32>(8.298795e-5);
    p = p * z - 8.125683e-4;
    p = p * z + 5.199518e-3;
    p = p * z - 2.6858782e-2;
    p = p * z + 1.12836845e-1;
    p = p * z - 3.7612632e-1;
    p = p * z + 1.2837917e-1;
    let a = min(abs(x), vec4<f32>(4.0));
    var q = vec4<f32>(-2.0965446e-5);
    q = q * a + 4.3296715e-4;
    q = q * a - 4.1638333e-3;
    q = q * a + 2.5100438e-2;
    q = q * a - 1.082508e-1;
    q = q * a - 6.3337344e-1;
    q = q * a - 1.1295018;
    q = q * a + 1.7197442e-4;
    let large = f32_copysign(1.0 - f32_exp(q), x);
    return select(select(large, p * x + x, a < vec4<f32>(0.92)), x, f32_is_nan(x));
}

// e^(-x^2) p((x - 2) / (x + 2)) / (1 + 2x) for positive x, and 2 less that for negative ones.
fn f32_erfc(x: vec4<f32>) -> vec4<f32> {
    let a = min(abs(x), vec4<f32>(10.25));
    let t = (a - 2.0) / (a + 2.0);
    var p = vec4<f32>(7.953467e-5);
    p = p * t + 1.6968556e-4;
    p = p * t - 4.0058704e-4;
    p = p * t - 1.4209868e-3;
    p = p * t + 1.2524918e-3;
    p = p * t + 8.709115e-3;
    p = p * t - 8.030797e-3;
    p = p * t - 5.421782e-2;
    p = p * t + 1.6405103e-1;
    p = p * t - 1.6603052e-1;
    p = p * t - 9.276382e-2;
    p = p * t + 1.2769784;
    // the square in two parts, as its rounding would count a hundredfold
    let upper = f32_upper(a);
    let lower = (a - upper) * (a + upper);
    let y = f32_exp(-upper * upper) * f32_exp(-lower) * p / (1.0 + 2.0 * a);
    return select(select(y, 2.0 - y, x < vec4<f32>(0.0)), x, f32_is_nan(x));
}

// x times a polynomial in w = -ln(1 - x^2), or in its root where w is beyond 6 (Giles' way).
fn f32_erfinv(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let w = -f32_log1p(-min(a * a, vec4<f32>(0.99999994)));
    let far = -f32_log((1.0 - a) * (1.0 + a));
    let v = select(w, far, a > vec4<f32>(0.5));
    let n = v - 3.0;
    var p = vec4<f32>(3.5334387e-11);
    p = p * n + 6.79544e-10;
    p = p * n - 6.304551e-9;
    p = p * n - 1.9524615e-8;
    p = p * n + 4.5542576e-7;
    p = p * n - 1.7667273e-6;
    p = p * n - 1.27340948e-5;
    p = p * n + 1.9509944e-4;
    p = p * n - 8.361568e-4;
    p = p * n - 5.7381635e-3;
    p = p * n + 2.416304e-1;
    p = p * n + 1.623542;
    let s = sqrt(max(v, vec4<f32>(0.0))) - 3.2;
    var q = vec4<f32>(9.634294e-5);
    q = q * s - 8.3656857e-5;
    q = q * s - 3.552745e-4;
    q = q * s + 1.1147745e-3;
    q = q * s - 1.9943087e-3;
    q = q * s + 2.9430747e-3;
    q = q * s - 4.294008e-3;
    q = q * s + 5.9737542e-3;
    q = q * s + 1.0046924;
    q = q * s + 3.0336366;
    let y = x * select(p, q, v >= vec4<f32>(6.0));
    let edge = select(f32_nan(), f32_copysign(f32_infinity(), x), a == vec4<f32>(1.0));
    return select(edge, y, a < vec4<f32>(1.0));
}

// Log2 of a mantissa from sqrt(1/2) to sqrt 2 in two parts: the first of few bits, the second what is missing.
struct Parts {
    high: vec4<f32>,
    low: vec4<f32>,
}

// 2 atanh(s) / ln 2 with s = f / (2 + f): s in parts whose products are exact.
fn f32_log2_parts(f: vec4<f32>) -> Parts {
    let sum = 2.0 + f;
    let s = f32_upper(f / sum);
    // what s lacks: (f - s (2 + f)) / (2 + f), of which s 2 and s times the parts of f are exact
    let upper = f32_upper(f);
    let rest = (f - 2.0 * s - s * upper - s * (f - upper)) / sum;
    let whole = s + rest;
    let z = whole * whole;
    var q = vec4<f32>(0.2622117);
    q = q * z + 0.32059893;
    q = q * z + 0.41219858;
    q = q * z + 0.57707802;
    q = q * z + 0.96179669;
    // 2 / ln 2 in two parts, the first of 11 bits
    let high = f32_upper(s * 2.884765625);
    let low = (s * 2.884765625 - high) + (s * 6.2445678e-4 + rest * 2.8853901) + q * z * whole;
    return Parts(high, low);
}

// 2^(b log2 |a|), with the special cases of C.
fn f32_pow(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let size = abs(a);
    let scale = f32_log_scale(size);
    let e = vec4<f32>(f32_exponent(size * scale)) - select(vec4<f32>(0.0), vec4<f32>(23.0), scale > vec4<f32>(1.0));
    let log = f32_log2_parts(f32_mantissa(size * scale));
    let upper = f32_upper(b);
    let lower = b - upper;
    // n is the whole part of the product, and what is left is small
    let estimate = b * (e + (log.high + log.low));
    let n = round(f32_clamp(estimate, -300.0, 300.0));
    let left = ((upper * e - n) + upper * log.high) + (lower * (e + log.high) + b * log.low);
    let inside = f32_exp2(clamp(left, vec4<f32>(-2.0), vec4<f32>(2.0)));
    let k = vec4<i32>(n);
    let half = clamp(k >> vec4<u32>(1u), vec4<i32>(-126), vec4<i32>(127));
    var y = inside * f32_power_of_two(half) * f32_power_of_two(clamp(k - half, vec4<i32>(-126), vec4<i32>(127)));
    y = select(y, vec4<f32>(0.0), estimate < vec4<f32>(-160.0));
    y = select(y, f32_infinity(), estimate > vec4<f32>(130.0));
    // of 0 and infinity, and to the power of infinity
    let positive = b > vec4<f32>(0.0);
    let zero = vec4<f32>(0.0);
    y = select(y, select(f32_infinity(), zero, positive), size == zero);
    y = select(y, select(zero, f32_infinity(), positive), f32_is_infinite(a));
    let grows = (size > vec4<f32>(1.0)) == positive;
    y = select(y, select(select(zero, f32_infinity(), grows), vec4<f32>(1.0), size == vec4<f32>(1.0)), f32_is_infinite(b));
    // whole powers of negative numbers
    let whole = (floor(b) == b) | (abs(b) >= vec4<f32>(8388608.0));
    let odd = whole & (floor(b * 0.5) * 2.0 != b) & (abs(b) < vec4<f32>(16777216.0));
    y = select(y, -y, odd & f32_is_negative(a));
    y = select(y, f32_nan(), (a < zero) & !f32_is_infinite(a) & !whole);
    y = select(y, f32_nan(), f32_is_nan(a) | f32_is_nan(b));
    return select(y, vec4<f32>(1.0), (a == vec4<f32>(1.0)) | (b == zero));
}

// ln gamma by Stirling's series, raised above 8 by the product of what was skipped; below 0 by reflection.
fn f32_lgamma(x: vec4<f32>) -> vec4<f32> {
    let reflected = x < vec4<f32>(0.5);
    var a = select(x, 1.0 - x, reflected);
    var product = vec4<f32>(1.0);
    for (var i = 0; i < 8; i++) {
        let small = a < vec4<f32>(8.0);
        product = select(product, product * a, small);
        a = select(a, a + 1.0, small);
    }
    let z = 1.0 / (a * a);
    let series = (((-5.9523810e-4 * z + 7.9365079e-4) * z - 2.7777778e-3) * z + 8.3333333e-2) / a;
    let log = f32_log(a);
    var y = ((a - 0.5) * log - a) + 0.91893853 + series - f32_log(product);
    // near 1 and 2, where it is zero, by its Taylor series
    let near = select(x, 1.0 - x, reflected);
    let t = near - select(vec4<f32>(2.0), vec4<f32>(1.0), near < vec4<f32>(1.5));
    y = select(y, f32_lgamma_near_one(t), abs(near - 1.0) < vec4<f32>(0.2));
    y = select(y, f32_lgamma_near_one(t) + f32_log1p(t), abs(near - 2.0) < vec4<f32>(0.2));
    y = select(y, f32_infinity(), f32_is_infinite(a));
    // ln |gamma(x)| = ln (pi / |sin pi x|) - ln gamma(1 - x)
    let fraction = abs(x) - floor(abs(x));
    let sine = f32_sin(3.14159265 * select(fraction, 1.0 - fraction, fraction > vec4<f32>(0.5)));
    let mirrored = f32_log(3.14159265 / abs(sine)) - y;
    y = select(y, select(mirrored, f32_infinity(), (fraction == vec4<f32>(0.0)) & (x <= vec4<f32>(0.0))), reflected);
    return select(select(y, f32_infinity(), f32_is_infinite(x)), x, f32_is_nan(x));
}

// ln gamma(1 + t) = -gamma t + sum of zeta(k) (-t)^k / k, for |t| below 0.2.
fn f32_lgamma_near_one(t: vec4<f32>) -> vec4<f32> {
    var q = vec4<f32>(0.1000994);
    q = q * t - 0.11133427;
    q = q * t + 0.12550967;
    q = q * t - 0.14404990;
    q = q * t + 0.16955718;
    q = q * t - 0.20738555;
    q = q * t + 0.27058081;
    q = q * t - 0.40068563;
    q = q * t + 0.82246703;
    q = q * t - 0.57721566;
    return q * t;
}

// Raised above 10 by digamma(x) = digamma(x + 1) - 1/x, then its asymptotic series; below 0 by reflection.
fn f32_digamma(x: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>(0.0);
    let negative = x < zero;
    var a = select(x, 1.0 - x, negative);
    var sum = zero;
    for (var i = 0; i < 10; i++) {
        let small = a < vec4<f32>(10.0);
        sum = select(sum, sum - 1.0 / a, small);
        a = select(a, a + 1.0, small);
    }
    let z = 1.0 / (a * a);
    let series = (((-4.1666667e-3 * z + 3.9682540e-3) * z - 8.3333333e-3) * z + 8.3333333e-2) * z;
    var y = sum + f32_log(a) - 0.5 / a - series;
    let fraction = x - trunc(x);
    // pi / tan(pi f), of f within a half of 0
    let inner = select(select(fraction, fraction + 1.0, fraction < vec4<f32>(-0.5)), fraction - 1.0, fraction > vec4<f32>(0.5));
    let mirrored = y - 3.14159265 / f32_tan(3.14159265 * inner);
    y = select(y, select(mirrored, f32_nan(), fraction == zero), negative);
    y = select(y, f32_copysign(f32_infinity(), -x), x == zero);
    return select(select(y, f32_infinity(), f32_is_infinite(x) & !negative), f32_nan(), f32_is_nan(x) | (f32_is_infinite(x) & negative));
}

// The sum of (q + k)^-s for k from 0: twelve terms, then Euler and Maclaurin's formula.
fn f32_zeta(s: vec4<f32>, q: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>(0.0);
    var a = q;
    var sum = zero;
    // negative arguments reach the positive ones by as many terms more
    for (var i = 0; i < 1000 && any(a < vec4<f32>(9.0)); i++) {
        let small = a < vec4<f32>(9.0);
        sum = select(sum, sum + f32_pow(a, -s), small);
        a = select(a, a + 1.0, small);
    }
    let power = f32_pow(a, -s);
    var factor = s / a;
    var series = factor * 8.3333333e-2;
    factor *= (s + 1.0) * (s + 2.0) / (a * a);
    series += factor * -1.3888889e-3;
    factor *= (s + 3.0) * (s + 4.0) / (a * a);
    series += factor * 3.3068783e-5;
    factor *= (s + 5.0) * (s + 6.0) / (a * a);
    series += factor * -8.2671958e-7;
    let y = sum + select(power * (a / (s - 1.0) + 0.5 + series), f32_pow(a, 1.0 - s) / (s - 1.0), power == zero);
    let pole = (s == vec4<f32>(1.0)) | ((q <= zero) & (q == floor(q)));
    let outside = (s < vec4<f32>(1.0)) | ((q < zero) & (s != floor(s))) | f32_is_nan(s) | f32_is_nan(q);
    return select(select(y, f32_infinity(), pole), f32_nan(), outside);
}
