// The first `keep` of each run of 2048 elements of a row, in the order in which they lie: the last key that is among them is
// found digit by digit, from the highest.

const TILE = 2048u;
// elements of an invocation
const EACH = TILE / 256u;

var<workgroup> keys: array<u32, TILE>;
var<workgroup> counts: array<atomic<u32>, 256>;
var<workgroup> sums: array<u32, 512>;
// the digit, and how many of the elements with it are kept
var<workgroup> found: array<u32, 2>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let group = w.x + w.y * grid.x;
    if group >= p.groups {
        return;
    }
    let r = group / p.runs;
    let run = group % p.runs;
    let first = run * TILE;
    let count = min(TILE, p.n - first);
    let start = row(r) + first * p.stride;
    for (var i = l; i < count; i += 256u) {
        keys[i] = key(x_at(start + i * p.stride));
    }
    var last = 0u;
    var known = 0u;
    var left = min(p.keep, count);
    for (var shift = (BITS - 1u) / 8u * 8u;; shift -= 8u) {
        atomicStore(&counts[l], 0u);
        workgroupBarrier();
        for (var i = l; i < count; i += 256u) {
            let k = keys[i];
            if (k & known) == last {
                atomicAdd(&counts[(k >> shift) & 255u], 1u);
            }
        }
        workgroupBarrier();
        let here = atomicLoad(&counts[l]);
        let before = summed_before(l, here);
        if before < left && left <= before + here {
            found[0] = l;
            found[1] = left - before;
        }
        workgroupBarrier();
        last |= found[0] << shift;
        known |= 255u << shift;
        left = found[1];
        if shift == 0u {
            break;
        }
    }
    // keys below the last in the low half of a word, its equals in the high one
    var mine = 0u;
    for (var i = l * EACH; i < min(l * EACH + EACH, count); i++) {
        let k = keys[i];
        mine += select(0u, 1u, k < last) + select(0u, 0x10000u, k == last);
    }
    var seen = summed_before(l, mine);
    for (var i = l * EACH; i < min(l * EACH + EACH, count); i++) {
        let k = keys[i];
        let equals = seen >> 16u;
        if k < last || (k == last && equals < left) {
            let at = r * p.kept + run * p.keep + (seen & 0xffffu) + min(equals, left);
            y_set(at, x_at(start + i * p.stride));
            source_set(at, I(origin(r, first + i)));
        }
        seen += select(0u, 1u, k < last) + select(0u, 0x10000u, k == last);
    }
}
