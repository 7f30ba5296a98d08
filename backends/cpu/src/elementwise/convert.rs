//! From one type of numbers to another: floats round to nearest, and reach whole numbers by way of i64.
use super::number::{Number, map};
use crate::{
    simd::{dispatch, dispatch_v3},
    value::Native,
};
use half::{bf16, f16};

/// A type that tensors hold, and the one that its arithmetic is done in.
pub(crate) trait Stored: Native {
    type Number: Number;

    /// Elements to numbers.
    fn widen(x: &[Self], y: &mut [Self::Number]);

    /// Numbers to elements.
    fn narrow(x: &[Self::Number], y: &mut [Self]);
}

macro_rules! stored {
    (as they are: $($t:ty)*) => {$(
        impl Stored for $t {
            type Number = $t;
            fn widen(x: &[$t], y: &mut [$t]) {
                y.copy_from_slice(x);
            }
            fn narrow(x: &[$t], y: &mut [$t]) {
                y.copy_from_slice(x);
            }
        }
    )*};
    (by way of f32: $($t:ident $widen:ident $narrow:ident)*) => {$(
        impl Stored for $t {
            type Number = f32;
            fn widen(x: &[$t], y: &mut [f32]) {
                dispatch!(|L| map(x, y, |x: $t| $widen(x.to_bits())))
            }
            fn narrow(x: &[f32], y: &mut [$t]) {
                dispatch!(|L| map(x, y, |x: f32| $t::from_bits($narrow(x))))
            }
        }
    )*};
}

stored! { as they are: f64 f32 i64 i32 i8 u32 u8 }
stored! { by way of f32: bf16 widen_bf16 narrow_bf16 f16 widen_f16 narrow_f16 }

// The conversions of half precision without branches, so that they become vector code.

#[inline(always)]
fn widen_bf16(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

#[inline(always)]
fn narrow_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    // half of what is cut off, less where the even neighbour is below
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    // a NaN stays one, and becomes quiet
    (if x.is_nan() { bits >> 16 | 0x40 } else { rounded }) as u16
}

#[inline(always)]
fn widen_f16(x: u16) -> f32 {
    /// 2^112: the exponents of f16 and f32 differ by as much.
    const SCALE: f32 = f32::from_bits((112 + 127) << 23);
    let (sign, size) = (u32::from(x & 0x8000) << 16, u32::from(x & 0x7fff) << 13);
    // what the product makes of the largest exponent is finite: that of f32 goes in its place
    let scaled = (f32::from_bits(size) * SCALE).to_bits();
    let infinite = size >= 0x7c00 << 13;
    f32::from_bits(sign | if infinite { size | 0x7f80_0000 } else { scaled })
}

#[inline(always)]
fn narrow_f16(x: f32) -> u16 {
    let bits = x.to_bits();
    let (sign, size) = (bits >> 16 & 0x8000, bits & 0x7fff_ffff);
    // normal: the exponent shifted by 112, then rounded as above
    let normal = size.wrapping_sub(112 << 23).wrapping_add(0x0fff + (size >> 13 & 1)) >> 13;
    // subnormal: the sum with 1/2 has its last bit at 2^-24, so that the addition rounds
    let subnormal = (f32::from_bits(size) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let finite = if size < 113 << 23 { subnormal } else { normal };
    // 65520 and above round to infinity
    let large = if size > 0x7f80_0000 { 0x7e00 | (size >> 13 & 0x1ff) } else { 0x7c00 };
    (sign | if size >= 0x477f_f000 { large } else { finite }) as u16
}

/// One number as another, as [`Element`](firesteel_core::Element) converts.
pub(crate) trait To<T> {
    fn to(self) -> T;
}

macro_rules! to {
    (float $from:ident: $($narrow:ident)*) => {
        to! { @ $from: x x as f64; f64, x x as f32; f32, x x as i64; i64 }
        $(to! { @ $from: x x as i64 as $narrow; $narrow })*
    };
    (integer $from:ident: $($to:ident)*) => {$(
        to! { @ $from: x x as $to; $to }
    )*};
    (@ $from:ident: $($x:ident $e:expr; $to:ident),*) => {$(
        impl To<$to> for $from {
            #[inline(always)]
            fn to(self) -> $to {
                let $x = self;
                $e
            }
        }
    )*};
}

to! { float f64: i32 i8 u32 u8 }
to! { float f32: i32 i8 u32 u8 }
to! { integer i64: f64 f32 i64 i32 i8 u32 u8 }
to! { integer i32: f64 f32 i64 i32 i8 u32 u8 }
to! { integer i8: f64 f32 i64 i32 i8 u32 u8 }
to! { integer u32: f64 f32 i64 i32 i8 u32 u8 }
to! { integer u8: f64 f32 i64 i32 i8 u32 u8 }

/// `y[i] = x[i]` in another type.
pub(crate) fn convert<T: Number + To<U>, U: Number>(x: &[T], y: &mut [U]) {
    if T::IS_FLOAT || U::IS_FLOAT { dispatch_v3!(|L| map(x, y, T::to)) } else { map(x, y, T::to) }
}

/// `y[i] = x[i]`, rounded to what the narrower `U` can hold.
pub(crate) fn round<T: Number + To<f32>, U: Stored<Number = f32>>(x: &[T], y: &mut [f32]) {
    let mut narrow = [U::default(); 256];
    convert(x, y);
    for y in y.chunks_mut(256) {
        let narrow = &mut narrow[..y.len()];
        U::narrow(y, narrow);
        U::widen(narrow, y);
    }
}
