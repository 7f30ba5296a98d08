// Rows in order, or runs of SIZE elements of each: a workgroup sorts 1024 elements of one row or of several, by Batcher's
// bitonic network, and writes the first `keep` of each run. Beside each element goes the place that it came from, which
// decides between equals.

const NONE = 0xffffffffu;

var<workgroup> values: array<K, 1024>;
var<workgroup> places: array<u32, 1024>;

// Whether what is at `b` comes before what is at `a`; what is beyond the end comes last.
fn swapped(a: u32, b: u32) -> bool {
    if places[a] == NONE || places[b] == NONE {
        return places[b] != NONE;
    }
    if ahead(values[a], values[b]) {
        return false;
    }
    return ahead(values[b], values[a]) || places[b] < places[a];
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let first = (w.x + w.y * grid.x) * (1024u / SIZE);
    for (var slot = l; slot < 1024u; slot += 256u) {
        let run = first + slot / SIZE;
        let i = (run % p.runs) * SIZE + slot % SIZE;
        places[slot] = NONE;
        if run / p.runs < p.rows && i < p.n {
            places[slot] = i;
            values[slot] = x_at(row(run / p.runs) + i * p.stride);
        }
    }
    workgroupBarrier();
    for (var size = 2u; size <= SIZE; size *= 2u) {
        for (var apart = size / 2u; apart > 0u; apart /= 2u) {
            for (var pair = l; pair < 512u; pair += 256u) {
                let a = 2u * pair - (pair & (apart - 1u));
                let b = a + apart;
                let is_up = ((a % SIZE) & size) == 0u;
                if swapped(a, b) == is_up {
                    let value = values[a];
                    let place = places[a];
                    values[a] = values[b];
                    places[a] = places[b];
                    values[b] = value;
                    places[b] = place;
                }
            }
            workgroupBarrier();
        }
    }
    for (var slot = l; slot < 1024u; slot += 256u) {
        let run = first + slot / SIZE;
        let i = (run % p.runs) * SIZE + slot % SIZE;
        if run / p.runs < p.rows && i < p.n && slot % SIZE < p.keep {
            let r = run / p.runs;
            let at = r * p.kept + (run % p.runs) * p.keep + slot % SIZE;
            y_set(at, values[slot]);
            source_set(at, I(origin(r, places[slot])));
        }
    }
}
