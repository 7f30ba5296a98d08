// What the windows of a convolution see of b [images, channels, size..]: the matrix with a row for each window and a column
// for each channel and place in a window, no part of which is ever written out. For the gradient of the input windows are
// places of the input, which see what their elements went to.

// A window, or an element of one: where its first axes begin in b, and where it stands along the last three.
struct Place {
    base: u32,
    at: vec3<i32>,
}

const KERNEL = vec3<u32>(KERNEL0, KERNEL1, KERNEL2);
const TAPS = KERNEL0 * KERNEL1 * KERNEL2;
const STRIDE = vec3<i32>(i32(STRIDE0), i32(STRIDE1), i32(STRIDE2));
const PADDING = vec3<i32>(i32(PADDING0), i32(PADDING1), i32(PADDING2));
const DILATION = vec3<i32>(i32(DILATION0), i32(DILATION1), i32(DILATION2));

// Where number `i` stands along three axes, the last two of which have these sizes.
fn coordinates(i: u32, b: u32, c: u32) -> vec3<i32> {
    let row = i / c;
    return vec3<i32>(vec3<u32>(row / b, row % b, i - row * c));
}

fn window(i: u32) -> Place {
    let image = i / p.windows;
    let at = coordinates(i - image * p.windows, p.view1, p.view2);
    if IS_INPUT == 1u {
        return Place(image * p.image, at + PADDING);
    }
    return Place(image * p.image, at * STRIDE - PADDING);
}

fn tap(k: u32) -> Place {
    let channel = k / TAPS;
    return Place(channel * p.plane, coordinates(k - channel * TAPS, KERNEL1, KERNEL2) * DILATION);
}

// What a window sees at an element of it, zero beyond the edges: there what is negative is a large number. The first of three
// axes is nothing but a name where the sizes along it are one.
fn seen(group: u32, w: Place, t: Place) -> T {
    var at = w.at + t.at;
    if IS_INPUT == 1u {
        let far = w.at - t.at;
        at = far / STRIDE;
        if any(far < vec3<i32>(0)) || any(at * STRIDE != far) {
            return T(0);
        }
    }
    let place = vec3<u32>(at);
    if place.z >= p.size2 || place.y >= p.size1 || (IS_FLAT == 0u && place.x >= p.size0) {
        return T(0);
    }
    let row = select(place.x * p.size1 + place.y, place.y, IS_FLAT == 1u);
    return b_at(group * p.group + w.base + t.base + row * p.size2 + place.z);
}

// Where in the other operand the factors of column `k` begin.
fn factors(group: u32, k: u32) -> u32 {
    let far = k / p.a_run;
    return group * p.a_group + far * p.a_jump + k - far * p.a_run;
}
