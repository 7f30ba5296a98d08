//! Values as pickles that `torch.load(weights_only=True)` reads.
use super::{PTH, Value, global::Global, object::DEEPEST};
use crate::{Error, Result, TensorData, nn::StateDict};

/// What is written, without a copy of it.
pub enum Tree<'v> {
    Value(&'v Value),
    State(&'v StateDict),
    Dict(Vec<(&'v str, Tree<'v>)>),
}

/// The pickle of a tree, and its tensors in the order of their storages' keys.
pub fn pickle(tree: Tree<'_>) -> Result<(Vec<u8>, Vec<&TensorData>)> {
    let mut pickler = Pickler { out: vec![0x80, 2], tensors: vec![] };
    pickler.tree(tree)?;
    pickler.out.push(b'.');
    Ok((pickler.out, pickler.tensors))
}

/// Protocol 2, whose operations are all that PyTorch's careful reader knows.
struct Pickler<'v> {
    out: Vec<u8>,
    tensors: Vec<&'v TensorData>,
}

impl<'v> Pickler<'v> {
    fn tree(&mut self, tree: Tree<'v>) -> Result<()> {
        match tree {
            Tree::Value(value) => self.value(value, 0),
            Tree::State(state) => self.dict(state, |pickler, tensor| pickler.tensor(tensor)),
            Tree::Dict(entries) => self.dict(entries, Self::tree),
        }
    }

    /// A dictionary whose keys are texts.
    fn dict<K: AsRef<str>, V>(
        &mut self,
        entries: impl IntoIterator<Item = (K, V)>,
        mut write: impl FnMut(&mut Self, V) -> Result<()>,
    ) -> Result<()> {
        self.out.extend(b"}(");
        for (key, value) in entries {
            self.text(key.as_ref())?;
            write(self, value)?;
        }
        self.out.push(b'u');
        Ok(())
    }

    fn value(&mut self, value: &'v Value, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::value(PTH, format!("containers lie more than {DEEPEST} deep in each other")));
        }
        match value {
            Value::None => self.out.push(b'N'),
            Value::Bool(x) => self.bool(*x),
            Value::Int(x) => self.int(*x),
            Value::Float(x) => {
                self.out.push(b'G');
                self.out.extend(x.to_be_bytes());
            }
            Value::String(x) => self.text(x)?,
            Value::Bytes(x) => {
                let characters: String = x.iter().map(|&byte| char::from(byte)).collect();
                self.global("_codecs", "encode");
                self.text(&characters)?;
                self.text("latin1")?;
                // a tuple of two, and the call
                self.out.extend([0x86, b'R']);
            }
            Value::List(items) => {
                self.out.extend(b"](");
                self.values(items, depth)?;
                self.out.push(b'e');
            }
            Value::Tuple(items) => {
                self.out.push(b'(');
                self.values(items, depth)?;
                self.out.push(b't');
            }
            Value::Set(items) => {
                items.iter().try_for_each(hashable)?;
                self.global("__builtin__", "set");
                self.out.extend(b"](");
                self.values(items, depth)?;
                self.out.extend([b'e', 0x85, b'R']);
            }
            Value::Dict(entries) => {
                self.out.extend(b"}(");
                for (key, value) in entries {
                    hashable(key)?;
                    self.value(key, depth + 1)?;
                    self.value(value, depth + 1)?;
                }
                self.out.push(b'u');
            }
            Value::Tensor(tensor) => self.tensor(tensor)?,
        }
        Ok(())
    }

    fn values(&mut self, items: &'v [Value], depth: usize) -> Result<()> {
        items.iter().try_for_each(|item| self.value(item, depth + 1))
    }

    fn bool(&mut self, x: bool) {
        self.out.push(if x { 0x88 } else { 0x89 });
    }

    fn int(&mut self, x: i128) {
        match i32::try_from(x) {
            Ok(x) => {
                self.out.push(b'J');
                self.out.extend(x.to_le_bytes());
            }
            Err(_) => {
                self.out.extend([0x8a, 16]);
                self.out.extend(x.to_le_bytes());
            }
        }
    }

    fn text(&mut self, x: &str) -> Result<()> {
        let len = u32::try_from(x.len())
            .map_err(|_| Error::value(PTH, format!("a text of {} bytes is too long", x.len())))?;
        self.out.push(b'X');
        self.out.extend(len.to_le_bytes());
        self.out.extend(x.as_bytes());
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) {
        self.out.extend(format!("c{module}\n{name}\n").as_bytes());
    }

    /// `_rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict())`, where the storage has a class of its own
    /// for the dtype; else `_rebuild_tensor_v3` with one of bytes, and the dtype at the end.
    fn tensor(&mut self, tensor: &'v TensorData) -> Result<()> {
        let (dtype, class) = (tensor.dtype(), Global::storage(tensor.dtype()));
        let version = if class.is_some() { "_rebuild_tensor_v2" } else { "_rebuild_tensor_v3" };
        self.global("torch._utils", version);
        self.out.push(b'(');
        self.storage(tensor, class)?;
        self.int(0);
        self.sizes(tensor.shape().iter().map(|&size| size as i128));
        self.sizes(tensor.shape().strides().iter().map(|&step| step as i128));
        self.bool(false);
        self.global("collections", "OrderedDict");
        self.out.extend(b")R");
        if class.is_none() {
            self.global("torch", dtype.name());
        }
        self.out.extend(b"tR");
        Ok(())
    }

    /// `("storage", class, key, "cpu", numel)`, of which PyTorch finds the storage itself.
    fn storage(&mut self, tensor: &'v TensorData, class: Option<&'static str>) -> Result<()> {
        self.out.push(b'(');
        self.text("storage")?;
        match class {
            Some(class) => self.global("torch", class),
            None => self.global("torch.storage", "UntypedStorage"),
        }
        self.text(&self.tensors.len().to_string())?;
        self.text("cpu")?;
        self.int(if class.is_some() {
            tensor.data().len() as i128
        } else {
            tensor.data().bytes().len() as i128
        });
        self.out.extend(b"tQ");
        self.tensors.push(tensor);
        Ok(())
    }

    fn sizes(&mut self, sizes: impl Iterator<Item = i128>) {
        self.out.push(b'(');
        sizes.for_each(|size| self.int(size));
        self.out.push(b't');
    }
}

/// An error for what Python does not take as a key.
fn hashable(key: &Value) -> Result<()> {
    match key {
        Value::List(_) | Value::Set(_) | Value::Dict(_) => Err(Error::value(
            PTH,
            format!("{key} cannot be a key of a dict or an element of a set in Python"),
        )),
        Value::Tuple(items) => items.iter().try_for_each(hashable),
        _ => Ok(()),
    }
}
