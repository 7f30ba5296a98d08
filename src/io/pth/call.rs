//! What the functions make that a checkpoint may name. None is called: each is a form of data.
use super::{
    broken,
    global::Global,
    object::{Heap, Id, Object, View},
};
use crate::{DType, Layout, Result, io::limits::Budget};

/// The most axes that a tensor may have; PyTorch's own limit.
const MOST_AXES: usize = 64;

/// What `function(*arguments)` is.
pub fn call<'a>(
    heap: &Heap<'a>,
    function: Global,
    arguments: &[Id],
    budget: &mut Budget,
) -> Result<Object<'a>> {
    match (function, arguments) {
        (Global::OrderedDict, []) => Ok(Object::Dict(vec![])),
        (Global::OrderedDict, &[pairs]) => {
            let pairs = copied(heap, pairs, budget)?;
            let pair = |id: Id| match heap.items(id)? {
                &[key, value] => Ok((key, value)),
                items => Err(broken(format!("a key and its value are {} things", items.len()))),
            };
            Ok(Object::Dict(pairs.into_iter().map(pair).collect::<Result<_>>()?))
        }
        (Global::Set, []) => Ok(Object::Set(vec![])),
        (Global::Set, &[items]) => Ok(Object::Set(copied(heap, items, budget)?)),
        (Global::Size, &[sizes]) => Ok(Object::Tuple(copied(heap, sizes, budget)?)),
        (Global::Bytes, []) => Ok(Object::Bytes(vec![].into())),
        (Global::Encode, &[text, encoding]) => encode(heap.text(text)?, heap.text(encoding)?, budget),
        (Global::Device, &[kind]) => Ok(Object::String(heap.text(kind)?.to_owned().into())),
        (Global::Device, &[kind, index]) => {
            let (kind, index) = (heap.text(kind)?, heap.size(index)?);
            budget.charge(kind.len())?;
            Ok(Object::String(format!("{kind}:{index}").into()))
        }
        (Global::RebuildTensor, &[storage, offset, size, stride, ..]) => {
            tensor(heap, storage, [offset, size, stride], None, budget)
        }
        (Global::RebuildTensorV3, &[storage, offset, size, stride, _, _, dtype, ..]) => {
            let Global::DType(dtype) = heap.global(dtype)? else {
                return Err(broken("a tensor's dtype is none"));
            };
            tensor(heap, storage, [offset, size, stride], Some(dtype), budget)
        }
        (Global::RebuildParameter, &[data, ..]) => match heap.get(data)? {
            Object::Tensor(view) => {
                budget.charge(cost(view.layout.shape.rank()))?;
                Ok(Object::Tensor(view.clone()))
            }
            _ => Err(broken("a parameter is made of something else than a tensor")),
        },
        (Global::RebuildFromType, &[function, _class, arguments, ..]) => match heap.global(function)? {
            // one in another would recurse as deep as a file likes
            Global::RebuildFromType => Err(broken("a tensor's type is wrapped twice")),
            function => call(heap, function, heap.items(arguments)?, budget),
        },
        (function, arguments) => Err(broken(format!("{function:?} takes no {} arguments", arguments.len()))),
    }
}

fn copied(heap: &Heap, id: Id, budget: &mut Budget) -> Result<Vec<Id>> {
    let items = heap.items(id)?;
    budget.charge(size_of_val(items))?;
    Ok(items.to_vec())
}

/// Bytes as protocol 2 writes them: each as the character with its number.
fn encode(text: &str, encoding: &str, budget: &mut Budget) -> Result<Object<'static>> {
    budget.charge(text.len())?;
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    match bytes {
        Some(bytes) if encoding == "latin1" => Ok(Object::Bytes(bytes.into())),
        _ => Err(broken("bytes are written in another way than as latin1")),
    }
}

fn tensor<'a>(
    heap: &Heap<'a>,
    storage: Id,
    [offset, size, stride]: [Id; 3],
    dtype: Option<DType>,
    budget: &mut Budget,
) -> Result<Object<'a>> {
    let Object::Storage(storage) = heap.get(storage)? else {
        return Err(broken("a tensor has no storage"));
    };
    // bytes without a dtype beside them are bytes
    let dtype = dtype.or(storage.dtype).unwrap_or(DType::U8);
    let (sizes, steps) = (heap.items(size)?, heap.items(stride)?);
    if sizes.len() != steps.len() || sizes.len() > MOST_AXES {
        return Err(broken(format!("a tensor has {} sizes and {} strides", sizes.len(), steps.len())));
    }
    budget.charge(cost(sizes.len()))?;
    let strides = steps.iter().map(|&id| heap.size(id).map(|step| step as isize));
    let layout = Layout {
        shape: sizes.iter().map(|&id| heap.size(id)).collect::<Result<_>>()?,
        strides: strides.collect::<Result<_>>()?,
        offset: heap.size(offset)?,
    };
    Ok(Object::Tensor(Box::new(View { key: storage.key, dtype, layout })))
}

/// The bytes that a view of so many axes takes.
fn cost(axes: usize) -> usize {
    size_of::<View>() + axes * size_of::<[usize; 2]>()
}
