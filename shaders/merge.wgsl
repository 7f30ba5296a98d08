// Each two neighbouring runs of `width` ordered elements of a row to one: an element goes as far into the merged run as it
// stood in its own, and as there are elements in the other that come before it.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let at = (w.x + w.y * grid.x) * 256u + l;
    if at >= p.count {
        return;
    }
    let i = at % p.n;
    let start = at - i;
    let both = i - i % (2u * p.width);
    let middle = min(both + p.width, p.n);
    let is_first = i < middle;
    let value = x_at(at);
    // of equals those of the first run come first
    var low = select(both, middle, is_first);
    let other = low;
    var high = select(middle, min(middle + p.width, p.n), is_first);
    while low < high {
        let half = (low + high) / 2u;
        let x = x_at(start + half);
        if select(!ahead(value, x), ahead(x, value), is_first) {
            low = half + 1u;
        } else {
            high = half;
        }
    }
    let own = i - select(middle, both, is_first);
    let to = start + both + own + low - other;
    y_set(to, value);
    source_set(to, I(place_at(at)));
}
