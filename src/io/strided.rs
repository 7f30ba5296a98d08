//! Elements of a file's bytes, in whatever order they lie there.
use super::limits::Budget;
use crate::{DType, Data, Error, Layout, Result, TensorData};
use std::borrow::Cow;

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// That of this machine.
    const OURS: Self = if cfg!(target_endian = "little") { Self::Little } else { Self::Big };
}

/// The elements at the places of `layout`, whose strides count elements of `bytes`.
pub(super) fn gather(
    format: &'static str,
    (bytes, order): (&[u8], ByteOrder),
    dtype: DType,
    mut layout: Layout,
    budget: &mut Budget,
) -> Result<TensorData> {
    let size = dtype.size();
    check(format, &mut layout, bytes.len() / size)?;
    budget.charge(layout.shape.numel().saturating_mul(size))?;
    let picked = pick(bytes, size, &layout);
    let data = Data::from_bytes(dtype, &in_our_order(picked, size, order));
    let data = data.ok_or_else(|| Error::internal(format, "elements were cut in pieces"))?;
    TensorData::new(layout.shape, data).map_err(|e| e.within(format))
}

/// Whether all elements lie among the first `available`; strides that nobody takes become zero.
fn check(format: &'static str, layout: &mut Layout, available: usize) -> Result<()> {
    if layout.shape.contains(&0) {
        layout.offset = 0;
        return Ok(());
    }
    let mut last = Some(layout.offset);
    for (&size, stride) in layout.shape.iter().zip(&mut layout.strides) {
        if size == 1 {
            *stride = 0;
        }
        let reach = usize::try_from(*stride).ok().and_then(|stride| stride.checked_mul(size - 1));
        last = last.zip(reach).and_then(|(last, reach)| last.checked_add(reach));
    }
    if last.is_some_and(|last| last < available) {
        return Ok(());
    }
    let Layout { shape, strides, offset } = layout;
    let why = format!(
        "a tensor of shape {shape}, with strides {:?} from element {offset} on, does not lie within the {available} \
         elements that are there",
        &strides[..]
    );
    Err(Error::format(format, why))
}

fn pick<'a>(bytes: &'a [u8], size: usize, layout: &Layout) -> Cow<'a, [u8]> {
    // `check` has seen that all of these places are there
    let place = |at: usize, len: usize| bytes.get(at * size..(at + len) * size).unwrap_or_default();
    if layout.is_contiguous() {
        return place(layout.offset, layout.shape.numel()).into();
    }
    let mut picked = Vec::with_capacity(layout.shape.numel() * size);
    for at in layout.offsets() {
        picked.extend_from_slice(place(at, 1));
    }
    picked.into()
}

fn in_our_order(bytes: Cow<'_, [u8]>, size: usize, order: ByteOrder) -> Cow<'_, [u8]> {
    if order == ByteOrder::OURS || size == 1 {
        return bytes;
    }
    let mut swapped = bytes.into_owned();
    swapped.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    swapped.into()
}
