// Four vectors as the four of their elements.
fn turned(v: array<vec4<T>, 4>) -> array<vec4<T>, 4> {
    return array<vec4<T>, 4>(
        vec4<T>(v[0].x, v[1].x, v[2].x, v[3].x),
        vec4<T>(v[0].y, v[1].y, v[2].y, v[3].y),
        vec4<T>(v[0].z, v[1].z, v[2].z, v[3].z),
        vec4<T>(v[0].w, v[1].w, v[2].w, v[3].w),
    );
}
