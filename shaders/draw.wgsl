// How the words of a stream become numbers, as `core/src/random.rs` says: `words(b)` are the four of block b.

fn rand_f32(block: u32) -> vec4<f32> {
    return vec4<f32>(words(block) >> vec4<u32>(8u)) * 5.9604644775390625e-8;
}

// Of the bits of each word that half precision holds as they are.
fn rand_half(block: u32, kept: u32) -> vec4<f32> {
    return vec4<f32>(words(block) & vec4<u32>(kept)) * 2.3283064365386963e-10;
}

// Box and Muller's, of each pair of even numbers.
fn randn_f32(block: u32) -> vec4<f32> {
    let even = rand_f32(block);
    let radius = sqrt(-2.0 * f32_log(1.0 - even.xxzz));
    let angle = 6.2831853 * even.yyww;
    let cosine = f32_cos(angle);
    let sine = f32_sin(angle);
    return radius * vec4<f32>(cosine.x, sine.y, cosine.z, sine.w);
}

fn rand_f64(block: u32) -> vec4<f64> {
    let a = words(2u * block);
    let b = words(2u * block + 1u);
    let low = vec4<u32>(a.x, a.z, b.x, b.z) >> vec4<u32>(11u);
    let high = vec4<u32>(a.y, a.w, b.y, b.w);
    // 53 bits: 32 and 21
    return (vec4<f64>(high) * 2097152.0lf + vec4<f64>(low)) * 1.1102230246251565e-16lf;
}

fn randn_f64(block: u32) -> vec4<f64> {
    let even = rand_f64(block);
    let radius = sqrt(-2.0lf * f64_log(1.0lf - even.xxzz));
    let angle = 6.283185307179586lf * even.yyww;
    let cosine = f64_cos(angle);
    let sine = f64_sin(angle);
    return radius * vec4<f64>(cosine.x, sine.y, cosine.z, sine.w);
}

fn random_u32(block: u32) -> vec4<u32> {
    return words(block);
}

fn random_i32(block: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(words(block));
}

fn random_i64(block: u32) -> vec4<i64> {
    let a = words(2u * block);
    let b = words(2u * block + 1u);
    let low = vec4<u32>(a.x, a.z, b.x, b.z);
    let high = vec4<u32>(a.y, a.w, b.y, b.w);
    return (vec4<i64>(high) << vec4<u32>(32u)) | u32_to_i64(low);
}
