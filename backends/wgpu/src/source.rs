//! The text of a shader: what its family says, after declarations of what it reads and writes.
use crate::{
    kernel::{Parts, Read, Write},
    storage::Storage,
};
use std::{fmt::Write as _, sync::LazyLock};
use wgpu::Features;

/// Where the elements of an operand are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nowhere: one number, in the parameters, is all of them.
    Same,
    /// Row-major from an offset; `wide` where that is a multiple of four, so that four are one load.
    Rows { wide: bool },
    /// At strides along so many axes; `wide` where each four of a row are one load.
    Strided { rank: u8, wide: bool },
    /// Where the family says.
    Places { wide: bool },
}

impl Form {
    /// Each form as a number.
    pub fn code(self) -> u32 {
        match self {
            Form::Same => 0,
            Form::Rows { wide } => 1 + u32::from(wide),
            Form::Places { wide } => 3 + u32::from(wide),
            Form::Strided { rank, wide } => 8 + 2 * u32::from(rank) + u32::from(wide),
        }
    }

    /// Whether four elements are one load.
    pub fn is_wide(self) -> bool {
        match self {
            Form::Same => false,
            Form::Rows { wide } | Form::Strided { wide, .. } | Form::Places { wide } => wide,
        }
    }
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In groups of four elements, which are whole words.
    Groups,
    /// Element by element.
    Single,
    /// By adding to elements, each of which is a word.
    Counts,
}

/// Functions that shaders may call; only what one calls becomes part of it.
static LIBRARIES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let integer = |number: &str, is_signed: &str| {
        include_str!("../shaders/integer.wgsl").replace("TYPE", number).replace("IS_SIGNED", is_signed)
    };
    vec![
        include_str!("../shaders/storage.wgsl").to_owned(),
        include_str!("../shaders/math.wgsl").to_owned(),
        include_str!("../shaders/math64.wgsl").to_owned(),
        include_str!("../shaders/draw.wgsl").to_owned(),
        integer("i32", "1"),
        integer("u32", "0"),
        integer("i64", "1"),
    ]
});

/// The whole shader.
pub(crate) fn compose(parts: &Parts, body: &str) -> String {
    let mut text = String::new();
    // what a device has, the language's extension has to be asked for; naga needs no asking for subgroups
    if body.contains("f16(") && parts.features.contains(Features::SHADER_F16) {
        text += "enable f16;\n";
    }
    for (name, value) in parts.consts {
        let _ = writeln!(text, "const {name}: u32 = {value}u;");
    }
    for (name, dtype) in parts.types {
        let _ = writeln!(text, "alias {name} = {};", Storage::of(*dtype).number);
    }
    let mut binding = 0;
    let mut bound = |text: &mut String, space: &str, name: &str, ty: &str| {
        let _ = writeln!(text, "@group(0) @binding({binding}) var<{space}> {name}: {ty};");
        binding += 1;
    };
    for read in parts.reads.iter().filter(|read| read.form != Form::Same) {
        let word = words(read.dtype, read.form.is_wide(), parts.long);
        bound(&mut text, "storage, read", &format!("{}_words", read.name), &format!("array<{word}>"));
    }
    for write in parts.writes {
        let word = match (write.mode, Storage::of(write.dtype).lanes) {
            (Mode::Groups, _) => words(write.dtype, true, parts.long),
            (Mode::Single, 1) => words(write.dtype, false, parts.long),
            (Mode::Single | Mode::Counts, _) => "atomic<u32>".to_owned(),
        };
        bound(&mut text, "storage, read_write", &format!("{}_words", write.name), &format!("array<{word}>"));
    }
    if parts.checks {
        bound(&mut text, "storage, read_write", "flags", "array<atomic<u32>, 4>");
    }
    if !parts.params.is_empty() {
        text += &params(parts);
        if parts.uniforms {
            bound(&mut text, "uniform", "p", "Params");
        } else {
            text += "var<immediate> p: Params;\n";
        }
    }
    parts.reads.iter().for_each(|r| text += &reading(r, parts.long));
    parts.writes.iter().for_each(|w| text += &writing(w, parts.long));
    parts.places.iter().for_each(|p| text += &strided_index(p.name, p.name, p.rank()));
    if parts.checks {
        text += FAIL;
    }
    text += body;
    link(text)
}

/// What an array of elements of a dtype is made of, where each four of them are loaded together or not, and words may be
/// `long`.
fn words(dtype: firesteel_core::DType, wide: bool, long: bool) -> String {
    let storage = Storage::of(dtype);
    match storage.lanes {
        1 if wide && long && storage.bits() == 32 => "vec2<u64>".to_owned(),
        1 if wide => format!("vec4<{}>", storage.word),
        2 if wide => "vec2<u32>".to_owned(),
        _ => storage.word.to_owned(),
    }
}

/// The structure of the parameters: 64 bits first, so that all are aligned. Those of operands have no name yet.
fn params(parts: &Parts) -> String {
    let places = parts.places.iter().flat_map(|places| strided_fields(places.name, places.rank()));
    let mut unnamed = parts.reads.iter().flat_map(fields).chain(places);
    let named = parts.params.iter().map(|param| match param.name {
        "" => (unnamed.next().unwrap_or_default(), param),
        name => (name.to_owned(), param),
    });
    let named: Vec<_> = named.collect();
    let mut text = "struct Params {\n".to_owned();
    for wide in [true, false] {
        for (name, param) in named.iter().filter(|(_, param)| param.is_wide() == wide) {
            let _ = writeln!(text, "    {name}: {},", param.ty);
        }
    }
    text + "}\n"
}

/// The names of an operand's parameters, in the order in which a kernel adds them.
fn fields(read: &Read) -> Vec<String> {
    let name = read.name;
    match read.form {
        Form::Same => vec![format!("{name}_value")],
        Form::Places { .. } => vec![],
        Form::Rows { .. } => vec![format!("{name}_offset")],
        Form::Strided { rank, .. } => strided_fields(name, rank.into()),
    }
}

fn strided_fields(name: &str, rank: usize) -> Vec<String> {
    let sizes = (1..rank).map(|axis| format!("{name}_size{axis}"));
    let strides = (0..rank).map(|axis| format!("{name}_stride{axis}"));
    [format!("{name}_offset")].into_iter().chain(sizes).chain(strides).collect()
}

/// The function from the number of an element to its place, along so many axes.
fn strided_index(function: &str, name: &str, rank: usize) -> String {
    let mut text =
        format!("fn {function}(i: u32) -> u32 {{\n    var rest = i;\n    var k = p.{name}_offset;\n");
    for axis in (1..rank).rev() {
        let _ = writeln!(
            text,
            "    {{ let q = rest / p.{name}_size{axis}; \
             k += (rest - q * p.{name}_size{axis}) * p.{name}_stride{axis}; rest = q; }}"
        );
    }
    if rank > 0 {
        let _ = writeln!(text, "    k += rest * p.{name}_stride0;");
    }
    text + "    return k;\n}\n"
}

/// The functions that read an operand.
fn reading(read: &Read, long: bool) -> String {
    let Storage { number, lanes, decode, .. } = Storage::of(read.dtype);
    let (x, wide, bits) = (read.name, read.form.is_wide(), Storage::of(read.dtype).bits());
    let long = long && bits == 32;
    if read.form == Form::Same {
        return format!(
            "fn {x}(i: u32) -> {number} {{ return p.{x}_value; }}\n\
             fn {x}4(g: u32) -> vec4<{number}> {{ return vec4<{number}>(p.{x}_value); }}\n"
        );
    }
    let word = match (lanes, wide) {
        (1, true) if long => format!("bitcast<{number}>(long_part({x}_words[k >> 2u], k & 3u))"),
        (1, true) => format!("{x}_words[k >> 2u][k & 3u]"),
        (2, true) => format!("{x}_words[k >> 2u][(k >> 1u) & 1u]"),
        (1, false) => format!("{x}_words[k]"),
        (2, false) => format!("{x}_words[k >> 1u]"),
        _ => format!("{x}_words[k >> 2u]"),
    };
    let element = match lanes {
        1 => word,
        _ => format!("{decode}({word} >> ((k & {}u) * {bits}u))", lanes - 1),
    };
    let mut text = format!("fn {x}_at(k: u32) -> {number} {{ return {element}; }}\n");
    let group = match lanes {
        _ if !wide && lanes != 4 => format!(
            "return vec4<{number}>({x}_at(4u * g), {x}_at(4u * g + 1u), {x}_at(4u * g + 2u), {x}_at(4u * g + 3u));"
        ),
        1 if long => format!("return bitcast<vec4<{number}>>(long_parts({x}_words[g]));"),
        1 => format!("return {x}_words[g];"),
        2 => format!(
            "let w = {x}_words[g]; \
                 return vec4<{number}>({decode}(w.x), {decode}(w.x >> 16u), {decode}(w.y), {decode}(w.y >> 16u));"
        ),
        _ => format!(
            "let w = {x}_words[g]; \
                 return vec4<{number}>({decode}(w), {decode}(w >> 8u), {decode}(w >> 16u), {decode}(w >> 24u));"
        ),
    };
    let _ = writeln!(text, "fn {x}_at4(g: u32) -> vec4<{number}> {{ {group} }}");
    let index = format!("{x}_index");
    match read.form {
        Form::Same | Form::Places { .. } => return text,
        Form::Rows { .. } => {
            let _ = writeln!(text, "fn {index}(i: u32) -> u32 {{ return p.{x}_offset + i; }}");
        }
        Form::Strided { rank, .. } => text += &strided_index(&index, x, rank.into()),
    }
    let _ = writeln!(text, "fn {x}(i: u32) -> {number} {{ return {x}_at({x}_index(i)); }}");
    let four = if wide {
        format!("{x}_at4({x}_index(4u * g) >> 2u)")
    } else {
        format!("vec4<{number}>({x}(4u * g), {x}(4u * g + 1u), {x}(4u * g + 2u), {x}(4u * g + 3u))")
    };
    let _ = writeln!(text, "fn {x}4(g: u32) -> vec4<{number}> {{ return {four}; }}");
    text
}

/// The functions that write a result, and read what is there.
fn writing(write: &Write, long: bool) -> String {
    let Storage { number, lanes, decode, encode, .. } = Storage::of(write.dtype);
    let (y, bits) = (write.name, Storage::of(write.dtype).bits());
    let long = long && bits == 32;
    let mask = if lanes == 2 { "0xffffu" } else { "0xffu" };
    match (write.mode, lanes) {
        (Mode::Groups, 1) if long => format!(
            "fn {y}4(g: u32) -> vec4<{number}> {{ return bitcast<vec4<{number}>>(long_parts({y}_words[g])); }}\n\
             fn {y}_set4(g: u32, v: vec4<{number}>) {{ {y}_words[g] = long_words(bitcast<vec4<u32>>(v)); }}\n"
        ),
        (Mode::Groups, 1) => format!(
            "fn {y}4(g: u32) -> vec4<{number}> {{ return {y}_words[g]; }}\n\
             fn {y}_set4(g: u32, v: vec4<{number}>) {{ {y}_words[g] = v; }}\n"
        ),
        (Mode::Groups, 2) => format!(
            "fn {y}4(g: u32) -> vec4<{number}> {{ let w = {y}_words[g]; \
             return vec4<{number}>({decode}(w.x), {decode}(w.x >> 16u), {decode}(w.y), {decode}(w.y >> 16u)); }}\n\
             fn {y}_set4(g: u32, v: vec4<{number}>) {{ {y}_words[g] = vec2<u32>(\
             {encode}(v.x) | ({encode}(v.y) << 16u), {encode}(v.z) | ({encode}(v.w) << 16u)); }}\n"
        ),
        (Mode::Groups, _) => format!(
            "fn {y}4(g: u32) -> vec4<{number}> {{ let w = {y}_words[g]; \
             return vec4<{number}>({decode}(w), {decode}(w >> 8u), {decode}(w >> 16u), {decode}(w >> 24u)); }}\n\
             fn {y}_set4(g: u32, v: vec4<{number}>) {{ {y}_words[g] = {encode}(v.x) | \
             ({encode}(v.y) << 8u) | ({encode}(v.z) << 16u) | ({encode}(v.w) << 24u); }}\n"
        ),
        (Mode::Counts, _) => {
            format!("fn {y}_add(i: u32, n: u32) {{ atomicAdd(&{y}_words[i], n); }}\n")
        }
        (Mode::Single, 1) => format!(
            "fn {y}_at(i: u32) -> {number} {{ return {y}_words[i]; }}\n\
             fn {y}_set(i: u32, v: {number}) {{ {y}_words[i] = v; }}\n"
        ),
        (Mode::Single, _) => {
            let (shift, last) = (lanes.ilog2(), lanes - 1);
            format!(
                "fn {y}_at(i: u32) -> {number} {{ \
                 return {decode}(atomicLoad(&{y}_words[i >> {shift}u]) >> ((i & {last}u) * {bits}u)); }}\n\
                 fn {y}_set(i: u32, v: {number}) {{ let s = (i & {last}u) * {bits}u; \
                 atomicAnd(&{y}_words[i >> {shift}u], ~({mask} << s)); \
                 atomicOr(&{y}_words[i >> {shift}u], {encode}(v) << s); }}\n"
            )
        }
    }
}

/// Says that a check failed, on which number and of what: the first that does is kept.
const FAIL: &str = "\
fn fail(check: u32, number: i32) {
    loop {
        let r = atomicCompareExchangeWeak(&flags[0], 0u, check);
        if r.exchanged {
            atomicStore(&flags[1], bitcast<u32>(number));
            atomicStore(&flags[2], p.check_size);
            atomicStore(&flags[3], p.check_dim);
        }
        if r.exchanged || r.old_value != 0u { break; }
    }
}
";

/// The text with those functions of the libraries that it calls, and those that these call.
fn link(mut text: String) -> String {
    let mut rest: Vec<(&str, &str)> = LIBRARIES.iter().flat_map(|library| functions(library)).collect();
    loop {
        let called = |name: &str| text.contains(&format!("{name}("));
        let (wanted, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(name, _)| called(name));
        if wanted.is_empty() {
            return text;
        }
        wanted.iter().for_each(|(_, function)| text += function);
        rest = others;
    }
}

/// The functions and structures of a library, by name. Each begins at the start of a line, and ends before the next.
fn functions(library: &str) -> Vec<(&str, &str)> {
    let heads = ["\nfn ", "\nstruct "];
    let mut starts: Vec<usize> =
        heads.iter().flat_map(|head| library.match_indices(head)).map(|(at, _)| at).collect();
    starts.sort_unstable();
    starts.push(library.len());
    let named = starts.windows(2).map(|range| {
        let item = &library[range[0]..range[1]];
        let name = item.split([' ', '(']).nth(1).unwrap_or_default();
        (name, item)
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_called_is_linked() {
        let linked = link("fn main() { let x = bf16_decode(3u); }".into());
        assert!(linked.contains("fn bf16_decode(") && !linked.contains("fn f16_encode("), "{linked}");
    }

    #[test]
    fn forms_have_codes_of_their_own() {
        let wide = [false, true];
        let strided = (0..9).flat_map(|rank| wide.map(|wide| Form::Strided { rank, wide }));
        let rows = wide.iter().map(|&wide| Form::Rows { wide });
        let places = wide.iter().map(|&wide| Form::Places { wide });
        let mut codes: Vec<_> =
            strided.chain(rows).chain(places).chain([Form::Same]).map(Form::code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
