// Functions of f64, four numbers at a time, for devices that have it: to 1e-15 or so where nothing else is said. No language
// that GPUs speak has them, so they are made of sums, products, quotients, roots and bits.

fn f64_power_of_two(k: vec4<i64>) -> vec4<f64> {
    return bitcast<vec4<f64>>((k + vec4<i64>(1023li)) << vec4<u32>(52u));
}

fn f64_infinity() -> vec4<f64> {
    return f64_power_of_two(vec4<i64>(1024li));
}

// What infinity lacks to itself.
fn f64_nan() -> vec4<f64> {
    return f64_infinity() - f64_infinity();
}

fn f64_is_nan(x: vec4<f64>) -> vec4<bool> {
    return !(x == x);
}

fn f64_is_infinite(x: vec4<f64>) -> vec4<bool> {
    return abs(x) == f64_infinity();
}

fn f64_is_negative(x: vec4<f64>) -> vec4<bool> {
    return bitcast<vec4<i64>>(x) < vec4<i64>(0li);
}

fn f64_copysign(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    let size = abs(a);
    return select(size, -size, f64_is_negative(b));
}

fn f64_round(x: vec4<f64>) -> vec4<f64> {
    let up = floor(x + 0.5lf);
    let tie = (up - x == vec4<f64>(0.5lf)) & (floor(up * 0.5lf) * 2.0lf != up);
    let y = select(up, up - 1.0lf, tie);
    return select(f64_copysign(y, x), x, !(abs(x) < vec4<f64>(4503599627370496.0lf)));
}

fn f64_sqrt(x: vec4<f64>) -> vec4<f64> {
    return sqrt(x);
}

fn f64_maximum(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    return select(b, a, (a > b) | f64_is_nan(a));
}

fn f64_minimum(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    return select(b, a, (a < b) | f64_is_nan(a));
}

fn f64_to_i64(x: vec4<f64>) -> vec4<i64> {
    let y = vec4<i64>(select(x, vec4<f64>(0.0lf), f64_is_nan(x)));
    return select(y, vec4<i64>(9223372036854775807li), x >= vec4<f64>(9223372036854775808.0lf));
}

fn f64_to_i32(x: vec4<f64>) -> vec4<i32> {
    return vec4<i32>(f64_to_i64(x));
}

fn f64_to_u32(x: vec4<f64>) -> vec4<u32> {
    return vec4<u32>(f64_to_i64(x));
}

// As f32_fmod.
fn f64_fmod(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    let by = abs(b);
    var rest = abs(a);
    let regular = (by > vec4<f64>(0.0lf)) & (rest < f64_infinity());
    for (var i = 0; i < 2200 && any(regular & (rest >= by)); i++) {
        let exponents = (bitcast<vec4<i64>>(rest) >> vec4<u32>(52u)) - (bitcast<vec4<i64>>(by) >> vec4<u32>(52u));
        let half = exponents / vec4<i64>(2li);
        let step = by * f64_power_of_two(half) * f64_power_of_two(exponents - half);
        rest = select(rest, rest - select(step, 0.5lf * step, step > rest), regular & (rest >= by));
    }
    let y = f64_copysign(rest, a);
    let finite = select(y, f64_nan(), (by == vec4<f64>(0.0lf)) | f64_is_infinite(a) | f64_is_nan(a) | f64_is_nan(b));
    return select(finite, a, f64_is_infinite(b) & (abs(a) < f64_infinity()));
}

fn f64_remainder(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    let rest = f64_fmod(a, b);
    let other = (rest != vec4<f64>(0.0lf)) & ((rest < vec4<f64>(0.0lf)) != (b < vec4<f64>(0.0lf)));
    return select(rest, rest + b, other & !f64_is_nan(rest));
}

// (e^r - 1) / r for |r| < 0.35, by its series.
fn f64_expm1_ratio(r: vec4<f64>) -> vec4<f64> {
    var q = vec4<f64>(7.647163731819816e-13lf);
    q = q * r + 1.1470745597729725e-11lf;
    q = q * r + 1.6059043836821613e-10lf;
    q = q * r + 2.08767569878681e-09lf;
    q = q * r + 2.505210838544172e-08lf;
    q = q * r + 2.755731922398589e-07lf;
    q = q * r + 2.7557319223985893e-06lf;
    q = q * r + 2.48015873015873e-05lf;
    q = q * r + 0.0001984126984126984lf;
    q = q * r + 0.001388888888888889lf;
    q = q * r + 0.008333333333333333lf;
    q = q * r + 0.041666666666666664lf;
    q = q * r + 0.16666666666666666lf;
    q = q * r + 0.5lf;
    q = q * r + 1.0lf;
    return q;
}

// e^r for |r| <= ln 2 / 2.
fn f64_exp_reduced(r: vec4<f64>) -> vec4<f64> {
    return f64_expm1_ratio(r) * r + 1.0lf;
}

fn f64_exp(x: vec4<f64>) -> vec4<f64> {
    let y = select(clamp(x, vec4<f64>(-746.0lf), vec4<f64>(710.0lf)), vec4<f64>(0.0lf), f64_is_nan(x));
    let k = f64_round(y * 1.4426950408889634lf);
    let r = (y - k * 6.93147180369123816490e-01lf) - k * 1.90821492927058770002e-10lf;
    let whole = vec4<i64>(k);
    let half = whole >> vec4<u32>(1u);
    let z = f64_exp_reduced(r) * f64_power_of_two(half) * f64_power_of_two(whole - half);
    return select(z, x, f64_is_nan(x));
}

fn f64_exp2(x: vec4<f64>) -> vec4<f64> {
    let y = select(clamp(x, vec4<f64>(-1080.0lf), vec4<f64>(1025.0lf)), vec4<f64>(0.0lf), f64_is_nan(x));
    let k = f64_round(y);
    let whole = vec4<i64>(k);
    let half = whole >> vec4<u32>(1u);
    let z = f64_exp_reduced((y - k) * 0.6931471805599453lf) * f64_power_of_two(half) * f64_power_of_two(whole - half);
    return select(z, x, f64_is_nan(x));
}

fn f64_expm1(x: vec4<f64>) -> vec4<f64> {
    return select(f64_exp(x) - 1.0lf, f64_expm1_ratio(x) * x, abs(x) < vec4<f64>(0.35lf));
}

fn f64_sigmoid(x: vec4<f64>) -> vec4<f64> {
    let e = f64_exp(-abs(x));
    return select(vec4<f64>(1.0lf), e, x < vec4<f64>(0.0lf)) / (1.0lf + e);
}

fn f64_tanh(x: vec4<f64>) -> vec4<f64> {
    let t = f64_expm1(-2.0lf * abs(x));
    return f64_copysign(-t / (t + 2.0lf), x);
}

fn f64_sinh(x: vec4<f64>) -> vec4<f64> {
    let root = f64_exp(0.5lf * abs(x));
    let half = 0.5lf * root * root;
    let large = f64_copysign(half - 0.25lf / half, x);
    let z = x * x;
    var q = vec4<f64>(8.22063524662433e-18lf);
    q = q * z + 2.8114572543455206e-15lf;
    q = q * z + 7.647163731819816e-13lf;
    q = q * z + 1.6059043836821613e-10lf;
    q = q * z + 2.505210838544172e-08lf;
    q = q * z + 2.7557319223985893e-06lf;
    q = q * z + 0.0001984126984126984lf;
    q = q * z + 0.008333333333333333lf;
    q = q * z + 0.16666666666666666lf;
    q = q * z + 1.0lf;
    return select(large, q * x, abs(x) < vec4<f64>(1.0lf));
}

fn f64_cosh(x: vec4<f64>) -> vec4<f64> {
    let root = f64_exp(0.5lf * abs(x));
    let half = 0.5lf * root * root;
    return half + 0.25lf / half;
}

// The exponent e of x = (1 + f) 2^e, with 1 + f from sqrt(1/2) to sqrt 2, for normal x > 0.
fn f64_exponent(x: vec4<f64>) -> vec4<i64> {
    return (bitcast<vec4<i64>>(x) - vec4<i64>(0x3fe6a09e667f3bcdli)) >> vec4<u32>(52u);
}

// ln(1 + f): 2 atanh(f / (2 + f)), minimax.
fn f64_log_mantissa(f: vec4<f64>) -> vec4<f64> {
    let s = f / (2.0lf + f);
    let z = s * s;
    var q = vec4<f64>(0.1682821168303052lf);
    q = q * z + 0.18122972959151762lf;
    q = q * z + 0.22223391402401402lf;
    q = q * z + 0.28571416868788165lf;
    q = q * z + 0.40000000053763lf;
    q = q * z + 0.666666666665845lf;
    return s * (q * z + 2.0lf);
}

struct Split64 {
    e: vec4<f64>,
    f: vec4<f64>,
}

// x = (1 + f) 2^e, for any positive x.
fn f64_split(x: vec4<f64>) -> Split64 {
    let tiny = x < vec4<f64>(2.2250738585072014e-308lf);
    let y = select(x, x * 18014398509481984.0lf, tiny);
    let e = f64_exponent(y);
    let f = y * f64_power_of_two(-e) - 1.0lf;
    return Split64(vec4<f64>(e) - select(vec4<f64>(0.0lf), vec4<f64>(54.0lf), tiny), f);
}

// The logarithm y of x by any formula, at the edges of its domain what it has to be.
fn f64_log_edges(x: vec4<f64>, y: vec4<f64>) -> vec4<f64> {
    let inside = select(y, x, f64_is_infinite(x));
    let outside = select(f64_nan(), -f64_infinity(), x == vec4<f64>(0.0lf));
    return select(outside, inside, x > vec4<f64>(0.0lf));
}

fn f64_log(x: vec4<f64>) -> vec4<f64> {
    let s = f64_split(x);
    return f64_log_edges(x, s.e * 0.6931471805599453lf + f64_log_mantissa(s.f));
}

fn f64_log2(x: vec4<f64>) -> vec4<f64> {
    let s = f64_split(x);
    return f64_log_edges(x, s.e + f64_log_mantissa(s.f) * 1.4426950408889634lf);
}

fn f64_log10(x: vec4<f64>) -> vec4<f64> {
    let s = f64_split(x);
    return f64_log_edges(x, s.e * 0.30102999566398120lf + f64_log_mantissa(s.f) * 0.43429448190325182lf);
}

fn f64_log1p(x: vec4<f64>) -> vec4<f64> {
    let exponent = f64_exponent(1.0lf + x);
    let scale = f64_power_of_two(clamp(-exponent, vec4<i64>(-1000li), vec4<i64>(1000li)));
    let y = vec4<f64>(exponent) * 0.6931471805599453lf + f64_log_mantissa(x * scale + (scale - 1.0lf));
    let finite = select(select(y, f64_log(x), x > vec4<f64>(1e200lf)), x, abs(x) < vec4<f64>(1e-16lf));
    let outside = select(f64_nan(), -f64_infinity(), x == vec4<f64>(-1.0lf));
    return select(outside, select(finite, x, f64_is_infinite(x)), x > vec4<f64>(-1.0lf));
}

fn f64_asinh(x: vec4<f64>) -> vec4<f64> {
    let a = abs(x);
    let b = min(a, vec4<f64>(1e100lf));
    let near = f64_log1p(b + b * b / (1.0lf + sqrt(b * b + 1.0lf)));
    let far = f64_log(a) + 0.6931471805599453lf;
    return select(f64_copysign(select(near, far, a > vec4<f64>(1e100lf)), x), x, f64_is_nan(x));
}

fn f64_acosh(x: vec4<f64>) -> vec4<f64> {
    let t = min(x, vec4<f64>(1e100lf)) - 1.0lf;
    let near = f64_log1p(t + sqrt(max(t * (t + 2.0lf), vec4<f64>(0.0lf))));
    let far = f64_log(x) + 0.6931471805599453lf;
    return select(f64_nan(), select(near, far, x > vec4<f64>(1e100lf)), x >= vec4<f64>(1.0lf));
}

fn f64_atanh(x: vec4<f64>) -> vec4<f64> {
    let a = abs(x);
    let y = 0.5lf * f64_log1p(2.0lf * a / (1.0lf - a));
    let edge = select(f64_nan(), f64_infinity(), a == vec4<f64>(1.0lf));
    return f64_copysign(select(edge, y, a < vec4<f64>(1.0lf)), x);
}

struct Reduced64 {
    r: vec4<f64>,
    k: vec4<i64>,
}

// x = k pi/2 + r, |r| <= pi/4, with pi/2 in parts of 27, 27 and 53 bits, the first two of which have exact products with k.
fn f64_reduce(x: vec4<f64>) -> Reduced64 {
    let near = select(x, vec4<f64>(0.0lf), !(abs(x) < vec4<f64>(5e7lf)));
    let k = f64_round(near * 0.6366197723675814lf);
    let r = ((near - k * 1.570796325802803lf) - k * 9.920935739593517e-10lf) - k * 5.721188726109832e-18lf;
    var y = Reduced64(r, vec4<i64>(k));
    for (var i = 0u; i < 4u; i++) {
        if abs(x[i]) >= 5e7lf && abs(x[i]) <= 1.7976931348623157e308lf {
            let far = f64_reduce_far(x[i]);
            y.r[i] = far.r.x;
            y.k[i] = far.k.x;
        }
    }
    return y;
}

// Word i of 2/pi, after two of zeros.
fn f64_two_over_pi(i: u32) -> u32 {
    var words = array<u32, 38>(
        0x00000000u, 0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u,
        0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu, 0xfe1deb1cu, 0xb129a73eu,
        0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u, 0x835339f4u, 0x9c845f8bu, 0xbdf9283bu,
        0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu, 0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du,
        0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u, 0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u,
    );
    return words[min(i, 37u)];
}

// The same of one large number: its mantissa times those 160 bits of 2/pi that matter to the fraction of a turn, of which
// higher ones are whole turns (Payne and Hanek's way).
fn f64_reduce_far(x: f64) -> Reduced64 {
    // |x| = m 2^(e - 63), and the product is wanted modulo 4: of the words above, so from bit e - 1 on
    let bits = bitcast<i64>(abs(x));
    let start = u32(bits >> 52u) - 1024u;
    let m = ((bits & 0xfffffffffffffli) | 0x10000000000000li) << 11u;
    let halves = vec2<u32>(u32(m), u32(m >> 32u));
    let by = start & 31u;
    // the product's lower 160 bits, the lowest word first
    var product = array<u32, 5>();
    for (var i = 0u; i < 5u; i++) {
        let at = (start >> 5u) + 4u - i;
        var word = f64_two_over_pi(at);
        if by > 0u {
            word = (word << by) | (f64_two_over_pi(at + 1u) >> (32u - by));
        }
        for (var j = 0u; j < 2u; j++) {
            let part = f32_product(word, halves[j]);
            var carry = 0u;
            for (var k = i + j; k < 5u; k++) {
                var add = carry;
                if k == i + j { add = part.x; }
                if k == i + j + 1u { add = part.y + carry; }
                // what is carried beyond the upper word of a product is never more than it has room for
                let sum = product[k] + add;
                carry = select(0u, 1u, sum < add);
                product[k] = sum;
            }
        }
    }
    var k = i64(product[4] >> 30u);
    var top = i64(product[4] & 0x3fffffffu);
    if top >= 0x20000000li {
        top = top - 0x40000000li;
        k = k + 1li;
    }
    let fraction = (f64(top) * 4294967296.0lf + f64(product[3])) * 4294967296.0lf + f64(product[2]);
    // pi/2 2^-94
    let r = fraction * 7.930494798548879e-29lf;
    if x < 0.0lf {
        return Reduced64(vec4<f64>(-r), vec4<i64>(-k));
    }
    return Reduced64(vec4<f64>(r), vec4<i64>(k));
}

fn f64_turned(y: Reduced64) -> vec4<f64> {
    let z = y.r * y.r;
    var s = vec4<f64>(2.8114572543455206e-15lf);
    s = s * z - 7.647163731819816e-13lf;
    s = s * z + 1.6059043836821613e-10lf;
    s = s * z - 2.505210838544172e-08lf;
    s = s * z + 2.7557319223985893e-06lf;
    s = s * z - 0.0001984126984126984lf;
    s = s * z + 0.008333333333333333lf;
    s = s * z - 0.16666666666666666lf;
    s = s * z + 1.0lf;
    var c = vec4<f64>(-1.5619206968586225e-16lf);
    c = c * z + 4.779477332387385e-14lf;
    c = c * z - 1.1470745597729725e-11lf;
    c = c * z + 2.08767569878681e-09lf;
    c = c * z - 2.755731922398589e-07lf;
    c = c * z + 2.48015873015873e-05lf;
    c = c * z - 0.001388888888888889lf;
    c = c * z + 0.041666666666666664lf;
    c = c * z - 0.5lf;
    c = c * z + 1.0lf;
    let odd = (y.k & vec4<i64>(1li)) == vec4<i64>(1li);
    let v = select(s * y.r, c, odd);
    return select(v, -v, (y.k & vec4<i64>(2li)) == vec4<i64>(2li));
}

fn f64_sin(x: vec4<f64>) -> vec4<f64> {
    let y = f64_turned(f64_reduce(x));
    return select(select(f64_nan(), y, abs(x) < f64_infinity()), x, x == vec4<f64>(0.0lf));
}

fn f64_cos(x: vec4<f64>) -> vec4<f64> {
    var y = f64_reduce(x);
    y.k = y.k + vec4<i64>(1li);
    return select(f64_nan(), f64_turned(y), abs(x) < f64_infinity());
}

fn f64_tan(x: vec4<f64>) -> vec4<f64> {
    return select(f64_sin(x) / f64_cos(x), x, x == vec4<f64>(0.0lf));
}

// The angle of the point (a, b) of the first quadrant: of the lesser over the greater, halved twice, by its series.
fn f64_angle(b: vec4<f64>, a: vec4<f64>) -> vec4<f64> {
    let steep = b > a;
    let t = select(b, a, steep) / select(a, b, steep);
    let h = t / (1.0lf + sqrt(1.0lf + t * t));
    let s = h / (1.0lf + sqrt(1.0lf + h * h));
    let z = s * s;
    var q = vec4<f64>(-0.043478260869565216lf);
    q = q * z + 0.047619047619047616lf;
    q = q * z - 0.05263157894736842lf;
    q = q * z + 0.058823529411764705lf;
    q = q * z - 0.06666666666666667lf;
    q = q * z + 0.07692307692307693lf;
    q = q * z - 0.09090909090909091lf;
    q = q * z + 0.1111111111111111lf;
    q = q * z - 0.14285714285714285lf;
    q = q * z + 0.2lf;
    q = q * z - 0.3333333333333333lf;
    q = q * z + 1.0lf;
    let y = 4.0lf * s * q;
    return select(y, 1.5707963267948966lf - y, steep);
}

fn f64_atan(x: vec4<f64>) -> vec4<f64> {
    let y = select(f64_angle(abs(x), vec4<f64>(1.0lf)), vec4<f64>(1.5707963267948966lf), f64_is_infinite(x));
    return select(f64_copysign(y, x), x, f64_is_nan(x) | (x == vec4<f64>(0.0lf)));
}

fn f64_asin(x: vec4<f64>) -> vec4<f64> {
    let y = f64_copysign(f64_angle(abs(x), sqrt(max((1.0lf - x) * (1.0lf + x), vec4<f64>(0.0lf)))), x);
    return select(f64_nan(), select(y, x, x == vec4<f64>(0.0lf)), abs(x) <= vec4<f64>(1.0lf));
}

fn f64_acos(x: vec4<f64>) -> vec4<f64> {
    let y = 2.0lf * f64_angle(sqrt(max(1.0lf - x, vec4<f64>(0.0lf))), sqrt(max(1.0lf + x, vec4<f64>(0.0lf))));
    return select(f64_nan(), y, abs(x) <= vec4<f64>(1.0lf));
}

fn f64_atan2(y: vec4<f64>, x: vec4<f64>) -> vec4<f64> {
    let both = f64_is_infinite(x) & f64_is_infinite(y);
    let none = (x == vec4<f64>(0.0lf)) & (y == vec4<f64>(0.0lf));
    let a = select(select(abs(x), vec4<f64>(1.0lf), none), vec4<f64>(1.0lf), both);
    let b = select(abs(y), vec4<f64>(1.0lf), both);
    let flat = select(f64_angle(b, a), vec4<f64>(0.0lf), f64_is_infinite(a));
    let angle = select(flat, vec4<f64>(1.5707963267948966lf), f64_is_infinite(b));
    let turned = select(angle, 3.141592653589793lf - angle, f64_is_negative(x));
    return select(f64_copysign(turned, y), f64_nan(), f64_is_nan(x) | f64_is_nan(y));
}

// erf x for |x| < 2.5: 2/sqrt(pi) x e^(-x^2) times the sum of (2 x^2)^n / (1 3 5 .. (2n + 1)), of positive terms.
fn f64_erf_series(x: vec4<f64>) -> vec4<f64> {
    var term = vec4<f64>(1.0lf);
    var sum = vec4<f64>(1.0lf);
    for (var n = 1; n < 60; n++) {
        term *= 2.0lf * x * x / f64(2 * n + 1);
        sum += term;
    }
    return 1.1283791670955126lf * x * f64_exp(-x * x) * sum;
}

// erfc x for x >= 2.5: e^(-x^2) / sqrt(pi) times Laplace's continued fraction 1 / (x + (1/2) / (x + 1 / (x + (3/2) / ..))).
fn f64_erfc_fraction(x: vec4<f64>) -> vec4<f64> {
    var rest = x;
    for (var n = 60; n > 0; n--) {
        rest = x + 0.5lf * f64(n) / rest;
    }
    return 0.5641895835477563lf * f64_exp(-x * x) / rest;
}

fn f64_erf(x: vec4<f64>) -> vec4<f64> {
    let a = abs(x);
    let large = 1.0lf - f64_erfc_fraction(clamp(a, vec4<f64>(2.5lf), vec4<f64>(30.0lf)));
    let y = select(f64_copysign(large, x), f64_erf_series(clamp(x, vec4<f64>(-2.5lf), vec4<f64>(2.5lf))), a < vec4<f64>(2.5lf));
    return select(y, x, f64_is_nan(x));
}

fn f64_erfc(x: vec4<f64>) -> vec4<f64> {
    let y = select(1.0lf - f64_erf(x), f64_erfc_fraction(clamp(x, vec4<f64>(2.5lf), vec4<f64>(30.0lf))), x >= vec4<f64>(2.5lf));
    return select(y, x, f64_is_nan(x));
}

// Winitzki's closed form, good to 2e-3, then three steps of Halley's method.
fn f64_erfinv(x: vec4<f64>) -> vec4<f64> {
    let a = abs(x);
    let w = -f64_log((1.0lf - a) * (1.0lf + a));
    let u = 4.330746750799873lf - 0.5lf * w;
    var y = sqrt(sqrt(u * u + w / 0.147lf) - u);
    for (var i = 0; i < 3; i++) {
        let error = select((1.0lf - a) - f64_erfc(y), f64_erf(y) - a, a < vec4<f64>(0.5lf));
        let step = error / (1.1283791670955126lf * f64_exp(-y * y));
        y -= step / (1.0lf + y * step);
    }
    let inside = f64_copysign(select(y, a / 1.1283791670955126lf, a < vec4<f64>(1e-8lf)), x);
    let edge = select(f64_nan(), f64_copysign(f64_infinity(), x), a == vec4<f64>(1.0lf));
    return select(edge, inside, a < vec4<f64>(1.0lf));
}

// e^(b ln |a|), but small whole powers by squaring, with the special cases of C. To 1e-13.
fn f64_pow(a: vec4<f64>, b: vec4<f64>) -> vec4<f64> {
    let size = abs(a);
    var y = f64_exp(b * f64_log(size));
    let whole = (floor(b) == b) | (abs(b) >= vec4<f64>(4503599627370496.0lf));
    let few = whole & (abs(b) < vec4<f64>(64.0lf));
    if any(few) {
        var left = vec4<i64>(select(vec4<f64>(0.0lf), abs(b), few));
        var factor = size;
        var power = vec4<f64>(1.0lf);
        for (var i = 0; i < 6; i++) {
            power = select(power, power * factor, (left & vec4<i64>(1li)) == vec4<i64>(1li));
            factor *= factor;
            left = left >> vec4<u32>(1u);
        }
        y = select(y, select(power, 1.0lf / power, b < vec4<f64>(0.0lf)), few);
    }
    let positive = b > vec4<f64>(0.0lf);
    let zero = vec4<f64>(0.0lf);
    y = select(y, select(f64_infinity(), zero, positive), size == zero);
    y = select(y, select(zero, f64_infinity(), positive), f64_is_infinite(a));
    let grows = (size > vec4<f64>(1.0lf)) == positive;
    y = select(y, select(select(zero, f64_infinity(), grows), vec4<f64>(1.0lf), size == vec4<f64>(1.0lf)), f64_is_infinite(b));
    let odd = whole & (floor(b * 0.5lf) * 2.0lf != b) & (abs(b) < vec4<f64>(9007199254740992.0lf));
    y = select(y, -y, odd & f64_is_negative(a));
    y = select(y, f64_nan(), (a < zero) & !f64_is_infinite(a) & !whole);
    y = select(y, f64_nan(), f64_is_nan(a) | f64_is_nan(b));
    return select(y, vec4<f64>(1.0lf), (a == vec4<f64>(1.0lf)) | (b == zero));
}

// By Stirling's series, raised above 12 by the product of what was skipped; below 1/2 by reflection.
fn f64_lgamma(x: vec4<f64>) -> vec4<f64> {
    let reflected = x < vec4<f64>(0.5lf);
    var a = select(x, 1.0lf - x, reflected);
    var product = vec4<f64>(1.0lf);
    for (var i = 0; i < 12; i++) {
        let small = a < vec4<f64>(12.0lf);
        product = select(product, product * a, small);
        a = select(a, a + 1.0lf, small);
    }
    let z = 1.0lf / (a * a);
    var q = vec4<f64>(-0.029550653594771242lf);
    q = q * z + 0.00641025641025641lf;
    q = q * z - 0.0019175269175269176lf;
    q = q * z + 0.0008417508417508417lf;
    q = q * z - 0.0005952380952380953lf;
    q = q * z + 0.0007936507936507937lf;
    q = q * z - 0.002777777777777778lf;
    q = q * z + 0.08333333333333333lf;
    var y = ((a - 0.5lf) * f64_log(a) - a) + 0.9189385332046727lf + q / a - f64_log(product);
    y = select(y, f64_infinity(), f64_is_infinite(a));
    // ln |gamma(x)| = ln (pi / |sin pi x|) - ln gamma(1 - x)
    let fraction = abs(x) - floor(abs(x));
    let sine = f64_sin(3.141592653589793lf * select(fraction, 1.0lf - fraction, fraction > vec4<f64>(0.5lf)));
    let mirrored = f64_log(3.141592653589793lf / abs(sine)) - y;
    let pole = (fraction == vec4<f64>(0.0lf)) & (x <= vec4<f64>(0.0lf));
    y = select(y, select(mirrored, f64_infinity(), pole), reflected);
    return select(select(y, f64_infinity(), f64_is_infinite(x)), x, f64_is_nan(x));
}

// As f32_digamma.
fn f64_digamma(x: vec4<f64>) -> vec4<f64> {
    let zero = vec4<f64>(0.0lf);
    let negative = x < zero;
    var a = select(x, 1.0lf - x, negative);
    var sum = zero;
    for (var i = 0; i < 12; i++) {
        let small = a < vec4<f64>(12.0lf);
        sum = select(sum, sum - 1.0lf / a, small);
        a = select(a, a + 1.0lf, small);
    }
    let z = 1.0lf / (a * a);
    var q = vec4<f64>(0.08333333333333333lf);
    q = q * z - 0.021092796092796094lf;
    q = q * z + 0.007575757575757576lf;
    q = q * z - 0.004166666666666667lf;
    q = q * z + 0.003968253968253968lf;
    q = q * z - 0.008333333333333333lf;
    q = q * z + 0.08333333333333333lf;
    var y = sum + f64_log(a) - 0.5lf / a - q * z;
    let fraction = x - trunc(x);
    let mirrored = y - 3.141592653589793lf / f64_tan(3.141592653589793lf * fraction);
    y = select(y, select(mirrored, f64_nan(), fraction == zero), negative);
    y = select(y, f64_copysign(f64_infinity(), -x), x == zero);
    let none = f64_is_nan(x) | (f64_is_infinite(x) & negative);
    return select(select(y, f64_infinity(), f64_is_infinite(x) & !negative), f64_nan(), none);
}

// As f32_zeta.
fn f64_zeta(s: vec4<f64>, q: vec4<f64>) -> vec4<f64> {
    let zero = vec4<f64>(0.0lf);
    var a = q;
    var sum = zero;
    for (var i = 0; i < 1000 && any(a < vec4<f64>(12.0lf)); i++) {
        let small = a < vec4<f64>(12.0lf);
        sum = select(sum, sum + f64_pow(a, -s), small);
        a = select(a, a + 1.0lf, small);
    }
    let power = f64_pow(a, -s);
    var coefficients = array<f64, 8>(0.08333333333333333lf, -0.001388888888888889lf, 3.306878306878307e-05lf, -8.267195767195768e-07lf, 2.08767569878681e-08lf, -5.284190138687493e-10lf, 1.3382536530684679e-11lf, -3.3896802963225827e-13lf);
    var factor = s / a;
    var series = zero;
    for (var k = 0; k < 8; k++) {
        series += coefficients[k] * factor;
        let n = f64(2 * k + 1);
        factor *= (s + n) * (s + n + 1.0lf) / (a * a);
    }
    let y = sum + select(power * (a / (s - 1.0lf) + 0.5lf + series), f64_pow(a, 1.0lf - s) / (s - 1.0lf), power == zero);
    let pole = (s == vec4<f64>(1.0lf)) | ((q <= zero) & (q == floor(q)));
    let outside = (s < vec4<f64>(1.0lf)) | ((q < zero) & (s != floor(s))) | f64_is_nan(s) | f64_is_nan(q);
    return select(select(y, f64_infinity(), pole), f64_nan(), outside);
}
