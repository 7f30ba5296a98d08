// Windows over the last axes of x: the largest element of each and its place in these axes, or the mean. An invocation makes
// four results. What visits the elements of a window is written for the number of axes, and calls `seen(value, place)`.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let g = (w.x + w.y * grid.x) * 256u + l;
    if g >= p.groups {
        return;
    }
    var values: vec4<T>;
    var places: vec4<i32>;
    for (var c = 0u; c < 4u; c++) {
        let found = window(min(4u * g + c, p.results - 1u));
        values[c] = found.value;
        places[c] = found.place;
    }
    store(g, values, places);
}

struct Found {
    value: T,
    // of none -1
    place: i32,
    // elements that a mean counts
    count: i32,
}

// The largest, NaN before all, and the first of equals.
fn largest(best: Found, value: T, place: i32) -> Found {
    let better = value > best.value || (is_nan(value) && !is_nan(best.value)) || best.place < 0;
    if better {
        return Found(value, place, 1);
    }
    return best;
}
