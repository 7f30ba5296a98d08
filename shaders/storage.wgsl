// Numbers that are packed into words: halves in two, bytes in four. A decoder looks at the low bits alone, and an
// encoder leaves the high ones zero. Halves are rounded to the nearest, the even one of two, as the hardware's own
// packing need not do.

fn bf16_decode(w: u32) -> f32 {
    return bitcast<f32>(w << 16u);
}

fn bf16_encode(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    let rounded = (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
    // a NaN stays one, and becomes quiet
    return select(rounded, (bits >> 16u) | 0x40u, (bits & 0x7fffffffu) > 0x7f800000u);
}

fn f16_decode(w: u32) -> f32 {
    let sign = (w & 0x8000u) << 16u;
    let size = w & 0x7fffu;
    // exponents of f16 and f32 differ by 112; those of infinities and NaN go to the other end
    let normal = (size << 13u) + select(0x38000000u, 0x70000000u, size >= 0x7c00u);
    let subnormal = bitcast<u32>(f32(size) * 5.9604644775390625e-8);
    return bitcast<f32>(sign | select(normal, subnormal, size < 0x400u));
}

fn f16_encode(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    let sign = (bits >> 16u) & 0x8000u;
    let size = bits & 0x7fffffffu;
    // normal: the exponent shifted by 112, then rounded
    let normal = (size - 0x38000000u + 0xfffu + ((size >> 13u) & 1u)) >> 13u;
    // subnormal: in units of 2^-24, rounded by hand
    let subnormal = u32(round(bitcast<f32>(size) * 16777216.0));
    let finite = select(normal, subnormal, size < 0x38800000u);
    let large = select(0x7c00u, 0x7e00u, size > 0x7f800000u);
    return sign | select(finite, large, size >= 0x477ff000u);
}

fn i8_decode(w: u32) -> i32 {
    return bitcast<i32>(w << 24u) >> 24u;
}

fn i8_encode(x: i32) -> u32 {
    return bitcast<u32>(x) & 0xffu;
}

fn u8_decode(w: u32) -> u32 {
    return w & 0xffu;
}

fn u8_encode(x: u32) -> u32 {
    return x & 0xffu;
}

// To half precision and back.
fn f16_round(x: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(
        f16_decode(f16_encode(x.x)),
        f16_decode(f16_encode(x.y)),
        f16_decode(f16_encode(x.z)),
        f16_decode(f16_encode(x.w)),
    );
}

fn bf16_round(x: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(
        bf16_decode(bf16_encode(x.x)),
        bf16_decode(bf16_encode(x.y)),
        bf16_decode(bf16_encode(x.z)),
        bf16_decode(bf16_encode(x.w)),
    );
}

// By way of u64, as naga extends the sign where it should not.
fn u32_to_i64(x: vec4<u32>) -> vec4<i64> {
    return vec4<i64>(vec4<u64>(x));
}

// Two numbers of 32 bits in a word of 64.
fn long_parts(w: vec2<u64>) -> vec4<u32> {
    return vec4<u32>(u32(w.x), u32(w.x >> 32u), u32(w.y), u32(w.y >> 32u));
}

fn long_part(w: vec2<u64>, i: u32) -> u32 {
    return u32(w[i >> 1u] >> ((i & 1u) * 32u));
}

fn long_words(v: vec4<u32>) -> vec2<u64> {
    return vec2<u64>(v.xz) | (vec2<u64>(v.yw) << vec2<u32>(32u));
}
