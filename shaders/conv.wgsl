// What the windows of a convolution see of b [images, channels, size..]: the matrix with a row for each window and a column
// for each channel and place in a window, no part of which is ever written out. For the gradient of the input windows are
// places of the input, which see what their elements went to.

// A window, or an element of one: where it stands along the last three axes, and what it adds to a place in b: all of it, or
// where IS_STRIDED what the first axes do.
struct Place {
    at: vec3<i32>,
    place: u32,
}

const KERNEL = vec3<u32>(KERNEL0, KERNEL1, KERNEL2);
const TAPS = KERNEL0 * KERNEL1 * KERNEL2;
const STRIDE = vec3<i32>(i32(STRIDE0), i32(STRIDE1), i32(STRIDE2));
const PADDING = vec3<i32>(i32(PADDING0), i32(PADDING1), i32(PADDING2));
const IS_STRIDED = IS_INPUT == 1u && STRIDE0 * STRIDE1 * STRIDE2 != 1u;
const DILATION = vec3<i32>(i32(DILATION0), i32(DILATION1), i32(DILATION2));

// Where number `i` stands along three axes, the last two of which have these sizes.
fn coordinates(i: u32, b: u32, c: u32) -> vec3<i32> {
    let row = i / c;
    return vec3<i32>(vec3<u32>(row / b, row % b, i - row * c));
}

// What three coordinates add to a place in b.
fn inner(at: vec3<i32>) -> u32 {
    return u32((at.x * i32(p.size1) + at.y) * i32(p.size2) + at.z);
}

fn window(i: u32) -> Place {
    let image = i / p.windows;
    var at = coordinates(i - image * p.windows, p.view1, p.view2);
    if IS_INPUT == 1u {
        at += PADDING;
    } else {
        at = at * STRIDE - PADDING;
    }
    return Place(at, image * p.image + select(inner(at), 0u, IS_STRIDED));
}

fn tap(k: u32) -> Place {
    let channel = k / TAPS;
    var at = coordinates(k - channel * TAPS, KERNEL1, KERNEL2) * DILATION;
    if IS_INPUT == 1u {
        at = -at;
    }
    return Place(at, channel * p.plane + select(inner(at), 0u, IS_STRIDED));
}

// What a window sees at an element of it, zero beyond the edges: there what is negative is a large number.
fn seen(group: u32, w: Place, t: Place) -> T {
    var at = w.at + t.at;
    var place = group * p.group + w.place + t.place;
    var is_there = true;
    if IS_STRIDED {
        let far = at;
        at = far / STRIDE;
        is_there = all(far >= vec3<i32>(0)) && all(at * STRIDE == far);
        place += inner(at);
    }
    let c = vec3<u32>(at);
    is_there = is_there && c.z < p.size2 && c.y < p.size1 && (IS_FLAT == 1u || c.x < p.size0);
    return select(T(0), b_at(select(0u, place, is_there)), is_there);
}

// Where in the other operand the factors of column `k` begin.
fn factors(group: u32, k: u32) -> u32 {
    if IS_RUN == 1u {
        return group * p.a_group + k;
    }
    let far = k / p.a_run;
    return group * p.a_group + far * p.a_jump + k - far * p.a_run;
}
