// Whole numbers of a type TYPE, four at a time. Sums and products wrap by themselves; these are what needs care.

fn TYPE_abs(x: vec4<TYPE>) -> vec4<TYPE> {
    return max(x, vec4<TYPE>(0) - x) * vec4<TYPE>(IS_SIGNED) + x * vec4<TYPE>(1 - IS_SIGNED);
}

fn TYPE_sign(x: vec4<TYPE>) -> vec4<TYPE> {
    return vec4<TYPE>(x > vec4<TYPE>(0)) - vec4<TYPE>(x < vec4<TYPE>(0));
}

// Towards zero; what is divided by zero is reported elsewhere.
fn TYPE_div(a: vec4<TYPE>, b: vec4<TYPE>) -> vec4<TYPE> {
    return a / select(b, vec4<TYPE>(1), b == vec4<TYPE>(0));
}

fn TYPE_fmod(a: vec4<TYPE>, b: vec4<TYPE>) -> vec4<TYPE> {
    let by = select(b, vec4<TYPE>(1), b == vec4<TYPE>(0));
    return a - (a / by) * by;
}

// With the sign of `b`.
fn TYPE_remainder(a: vec4<TYPE>, b: vec4<TYPE>) -> vec4<TYPE> {
    let rest = TYPE_fmod(a, b);
    return select(rest, rest + b, (rest != vec4<TYPE>(0)) & ((rest < vec4<TYPE>(0)) != (b < vec4<TYPE>(0))));
}

// By squaring. Of the whole numbers only 1 and -1 have whole inverses; the others give 0.
fn TYPE_pow(a: vec4<TYPE>, b: vec4<TYPE>) -> vec4<TYPE> {
    var power = vec4<TYPE>(1);
    var factor = a;
    var left = select(b, vec4<TYPE>(0), b < vec4<TYPE>(0));
    for (var i = 0; i < 64 && any(left != vec4<TYPE>(0)); i++) {
        power = select(power, power * factor, (left & vec4<TYPE>(1)) == vec4<TYPE>(1));
        factor *= factor;
        left = left / vec4<TYPE>(2);
    }
    let odd = (b & vec4<TYPE>(1)) == vec4<TYPE>(1);
    let minus = vec4<TYPE>(0) - vec4<TYPE>(1);
    let inverse = select(vec4<TYPE>(a == vec4<TYPE>(1)), select(vec4<TYPE>(1), minus, odd), a == minus);
    return select(power, inverse, b < vec4<TYPE>(0));
}

// By Euclid, in no more steps than Fibonacci's numbers take.
fn TYPE_gcd(a: vec4<TYPE>, b: vec4<TYPE>) -> vec4<TYPE> {
    var greater = TYPE_abs(a);
    var less = TYPE_abs(b);
    for (var i = 0; i < 92 && any(less != vec4<TYPE>(0)); i++) {
        let rest = TYPE_fmod(greater, less);
        let done = less == vec4<TYPE>(0);
        greater = select(less, greater, done);
        less = select(rest, less, done);
    }
    return greater;
}

// Zero where `b` is not in `[0, bits)`.
fn TYPE_shl(a: vec4<TYPE>, b: vec4<TYPE>, bits: u32) -> vec4<TYPE> {
    let inside = (b >= vec4<TYPE>(0)) & (b < vec4<TYPE>(TYPE(bits)));
    return select(vec4<TYPE>(0), a << vec4<u32>(select(vec4<TYPE>(0), b, inside)), inside);
}

// All sign where `b` is not in `[0, bits)`.
fn TYPE_shr(a: vec4<TYPE>, b: vec4<TYPE>, bits: u32) -> vec4<TYPE> {
    let inside = (b >= vec4<TYPE>(0)) & (b < vec4<TYPE>(TYPE(bits)));
    return select(select(vec4<TYPE>(0), vec4<TYPE>(0) - vec4<TYPE>(1), a < vec4<TYPE>(0)), a >> vec4<u32>(select(vec4<TYPE>(0), b, inside)), inside);
}
