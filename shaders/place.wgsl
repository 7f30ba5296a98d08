// Where along the axis a number of an index leads, or nowhere, which is reported.

const NOWHERE = 0xffffffffu;

fn place(i: I) -> u32 {
    if i < I(0) || i >= p.size {
        fail(p.check, reported(i));
        return NOWHERE;
    }
    return u32(i);
}
