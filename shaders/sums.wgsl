// The sum of what the invocations before this one of 256 bring.
fn summed_before(l: u32, n: u32) -> u32 {
    var sum = n;
    var from_half = 0u;
    sums[l] = sum;
    workgroupBarrier();
    for (var apart = 1u; apart < 256u; apart *= 2u) {
        if l >= apart {
            sum += sums[from_half + l - apart];
        }
        from_half = 256u - from_half;
        sums[from_half + l] = sum;
        workgroupBarrier();
    }
    return sum - n;
}
