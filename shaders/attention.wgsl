// y = softmax(scale q kᵀ + mask) v over blocks of keys, so that no row of scores is ever whole, and lse, the logarithm of the
// softmax's denominators: https://arxiv.org/abs/2205.14135. A workgroup of 128 takes QUERIES rows; TEAM = 128 / QUERIES of its
// invocations share a row, and each keeps every TEAM-th group of four of its results in registers. D and E are the groups of
// four in a query and in a value.

const TEAM = 128u / QUERIES;
const MINE = (E + TEAM - 1u) / TEAM;
const WIDEST = max(D, E);

var<workgroup> queries: array<vec4<T>, QUERIES * D>;
// keys, then values
var<workgroup> block: array<vec4<T>, KEYS * WIDEST>;
var<workgroup> scores: array<T, QUERIES * KEYS>;
var<workgroup> shares: array<T, 128>;

// The larger, NaN where one is.
fn larger(a: T, b: T) -> T {
    return $maximum(vec4<T>(a), vec4<T>(b)).x;
}

fn exponential(x: T) -> T {
    return $exp(vec4<T>(x)).x;
}

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let group = w.x + w.y * grid.x;
    let batch = group / p.blocks;
    let first = (group % p.blocks) * QUERIES;
    let q0 = q_start(batch);
    let k0 = k_start(batch);
    let v0 = v_start(batch);
    let row = l / TEAM;
    let member = l % TEAM;
    let query = first + row;

    for (var i = l; i < QUERIES * D; i += 128u) {
        queries[i] = q_load(q0, first + i / D, 4u * (i % D)) * p.scale;
    }
    var acc: array<vec4<T>, MINE>;
    for (var c = 0u; c < MINE; c++) {
        acc[c] = vec4<T>(T(0));
    }
    var most = p.lowest;
    var sum = T(0);
    // of a causal row no key after the query counts
    var end = p.keys;
    if IS_CAUSAL == 1u {
        end = min(p.keys, first + QUERIES);
    }
    for (var at = 0u; at < end; at += KEYS) {
        workgroupBarrier();
        for (var i = l; i < KEYS * D; i += 128u) {
            block[i] = k_load(k0, at + i / D, 4u * (i % D));
        }
        workgroupBarrier();
        var top = p.lowest;
        for (var j = member; j < KEYS; j += TEAM) {
            var dots = vec4<T>(T(0));
            for (var d = 0u; d < D; d++) {
                dots += queries[row * D + d] * block[j * D + d];
            }
            let key = at + j;
            var score = dots.x + dots.y + dots.z + dots.w;
            if key >= end || query >= p.queries || (IS_CAUSAL == 1u && key > query) {
                score = p.lowest;
            } else {
                score = masked(score, batch, query, key);
            }
            scores[row * KEYS + j] = score;
            top = larger(top, score);
        }
        shares[l] = top;
        workgroupBarrier();
        for (var j = 0u; j < TEAM; j++) {
            top = larger(top, shares[row * TEAM + j]);
        }
        let before = most;
        most = larger(most, top);
        // a row that has kept nothing yet is shifted by nothing
        let shift = select(most, T(0), most == p.lowest);
        let factor = exponential(before - shift);
        workgroupBarrier();
        var added = T(0);
        for (var j = member; j < KEYS; j += TEAM) {
            let e = exponential(scores[row * KEYS + j] - shift);
            scores[row * KEYS + j] = e;
            added += e;
        }
        shares[l] = added;
        for (var i = l; i < KEYS * E; i += 128u) {
            block[i] = v_load(v0, at + i / E, 4u * (i % E));
        }
        workgroupBarrier();
        sum *= factor;
        for (var j = 0u; j < TEAM; j++) {
            sum += shares[row * TEAM + j];
        }
        for (var c = 0u; c < MINE; c++) {
            let e = min(c * TEAM + member, E - 1u);
            var total = acc[c] * factor;
            for (var j = 0u; j < KEYS; j++) {
                total += scores[row * KEYS + j] * block[j * E + e];
            }
            acc[c] = total;
        }
    }

    if query >= p.queries {
        return;
    }
    let out = batch * p.queries + query;
    let by = select(sum, T(1), sum == T(0));
    for (var c = 0u; c < MINE; c++) {
        let e = 4u * (c * TEAM + member);
        if e < p.e {
            store(out * p.e, e, acc[c] / by);
        }
    }
    if member == 0u {
        let shift = select(most, T(0), most == p.lowest);
        lse_set(out, $log(vec4<T>(sum)).x + shift);
    }
}
