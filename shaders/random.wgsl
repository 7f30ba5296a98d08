// Random numbers from a counter: Philox 4x32-10, as `core/src/random.rs` defines it. An invocation makes four numbers.
// Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011.

// The 64 bits of a product, low word first, from products of 16 bits.
fn product(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 16u);
    let cross = a0 * b1 + (middle & 0xffffu);
    return vec2<u32>((cross << 16u) | (low & 0xffffu), a1 * b1 + (middle >> 16u) + (cross >> 16u));
}

// The four words of a block, counted from the stream's start.
fn words(block: u32) -> vec4<u32> {
    let low = p.offset_low + block;
    var c = vec4<u32>(low, p.offset_high + select(0u, 1u, low < block), 0u, 0u);
    var key = vec2<u32>(p.seed_low, p.seed_high);
    for (var round = 0; round < 10; round++) {
        let x = product(c.x, 0xD2511F53u);
        let y = product(c.z, 0xCD9E8D57u);
        c = vec4<u32>(y.y ^ c.y ^ key.x, y.x, x.y ^ c.w ^ key.y, x.x);
        key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let g = (w.x + w.y * grid.x) * 256u + l;
    if g < p.groups {
        y_set4(g, draw(g));
    }
}
