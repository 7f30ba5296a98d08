// Rows in order, or runs of `size` elements of each: a workgroup sorts 1024 elements of one row or of several, by Batcher's
// bitonic network, and writes the first `keep` of each run. Beside each element goes the place that it came from, which
// decides between equals; what is beyond the end has none, and comes last.

const NONE = 0xffffffffu;

var<workgroup> items: array<Item, 1024>;

// Two items in order, or the other way round.
fn pair(a: Item, b: Item, is_up: bool) -> array<Item, 2> {
    if before(b, a) == is_up {
        return array<Item, 2>(b, a);
    }
    return array<Item, 2>(a, b);
}

fn is_up(at: u32, size: u32) -> bool {
    return (at & (p.size - 1u) & size) == 0u;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let first = (w.x + w.y * grid.x) * (1024u / p.size);
    for (var slot = l; slot < 1024u; slot += 256u) {
        let run = first + slot / p.size;
        let i = (run % p.runs) * p.size + slot % p.size;
        if run / p.runs < p.rows && i < p.n {
            items[slot] = item(x_at(row(run / p.runs) + i * p.stride), i);
        } else {
            items[slot] = nothing();
        }
    }
    workgroupBarrier();
    for (var size = 2u; size <= p.size; size *= 2u) {
        var apart = size / 2u;
        // four elements meet twice
        for (; apart > 1u; apart /= 4u) {
            let near = apart / 2u;
            let at = 4u * l - 3u * (l & (near - 1u));
            let up = is_up(at, size);
            let even = pair(items[at], items[at + apart], up);
            let odd = pair(items[at + near], items[at + apart + near], up);
            let low = pair(even[0], odd[0], up);
            let high = pair(even[1], odd[1], up);
            items[at] = low[0];
            items[at + near] = low[1];
            items[at + apart] = high[0];
            items[at + apart + near] = high[1];
            workgroupBarrier();
        }
        if apart == 1u {
            for (var at = 4u * l; at < 4u * l + 4u; at += 2u) {
                let both = pair(items[at], items[at + 1u], is_up(at, size));
                items[at] = both[0];
                items[at + 1u] = both[1];
            }
            workgroupBarrier();
        }
    }
    for (var slot = l; slot < 1024u; slot += 256u) {
        let run = first + slot / p.size;
        let i = (run % p.runs) * p.size + slot % p.size;
        if run / p.runs < p.rows && i < p.n && slot % p.size < p.keep {
            let r = run / p.runs;
            let at = r * p.kept + (run % p.runs) * p.keep + slot % p.size;
            let place = place_of(items[slot]);
            y_set(at, x_at(row(r) + place * p.stride));
            source_set(at, I(origin(r, place)));
        }
    }
}
