// Moves the elements of a tile to where their digits go, in the order in which they lie. Elements are taken 128 at a time;
// each sets its bit among those with the same digit, so that the bits below say how many of them go before it.

const WORDS = 4u;
const HALF = 256u * WORDS;

// bits of these 128 elements and, meanwhile cleared, of those before
var<workgroup> bits: array<atomic<u32>, 2u * HALF>;
// where the next element with a digit goes
var<workgroup> next: array<atomic<u32>, 256>;

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let group = w.x + w.y * grid.x;
    if group >= p.groups {
        return;
    }
    let r = group / p.tiles;
    let first = (group % p.tiles) * p.length;
    let end = min(first + p.length, p.n);
    for (var digit = l; digit < 256u; digit += 128u) {
        atomicStore(&next[digit], to_at(group * 256u + digit));
    }
    for (var i = l; i < 2u * HALF; i += 128u) {
        atomicStore(&bits[i], 0u);
    }
    workgroupBarrier();
    let word = l / 32u;
    let bit = 1u << (l % 32u);
    var start = 0u;
    for (var at = first; at < end; at += 128u) {
        let i = at + l;
        var k = 0u;
        if i < end {
            k = key_of(r, i);
            atomicOr(&bits[start + ((k >> SHIFT) & 255u) * WORDS + word], bit);
        }
        workgroupBarrier();
        let digit = (k >> SHIFT) & 255u;
        let mine = start + digit * WORDS;
        let together = atomicLoad(&bits[mine + word]);
        if i < end {
            var to = atomicLoad(&next[digit]) + countOneBits(together & (bit - 1u));
            for (var before = 0u; before < word; before++) {
                to += countOneBits(atomicLoad(&bits[mine + before]));
            }
            put(r, i, k, to);
        }
        workgroupBarrier();
        // the first of a word tidies up for all in it
        if i < end && (together & (bit - 1u)) == 0u {
            atomicAdd(&next[digit], countOneBits(together));
            atomicStore(&bits[mine + word], 0u);
        }
        start = HALF - start;
    }
}
