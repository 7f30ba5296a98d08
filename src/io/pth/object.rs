//! What a pickle builds: objects that refer to each other by number, since lists may hold themselves.
use super::{PTH, broken, global::Global, storage::Storages};
use crate::{
    DType, Error, Layout, Result,
    io::{limits::Budget, pth::Value, strided::gather},
};
use std::borrow::Cow;

/// The number of an object.
pub type Id = usize;

/// An object of Python's.
#[derive(Debug)]
pub enum Object<'a> {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    String(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(StorageRef<'a>),
    Tensor(Box<View<'a>>),
}

/// A storage by its key; without a dtype it is bytes.
#[derive(Clone, Copy, Debug)]
pub struct StorageRef<'a> {
    pub key: &'a str,
    pub dtype: Option<DType>,
}

/// A tensor: elements of a storage.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub key: &'a str,
    pub dtype: DType,
    pub layout: Layout,
}

/// All objects of a pickle.
#[derive(Debug, Default)]
pub struct Heap<'a>(Vec<Object<'a>>);

impl<'a> Heap<'a> {
    /// Adds an object.
    pub fn add(&mut self, object: Object<'a>, budget: &mut Budget) -> Result<Id> {
        // the places on the stack and in the memo are counted with the object
        budget.charge(size_of::<Object>() + 32)?;
        self.0.push(object);
        Ok(self.0.len() - 1)
    }

    /// The object with this number.
    pub fn get(&self, id: Id) -> Result<&Object<'a>> {
        self.0.get(id).ok_or_else(|| Error::internal(PTH, "an object was lost"))
    }

    /// The object with this number, to be changed.
    pub fn get_mut(&mut self, id: Id) -> Result<&mut Object<'a>> {
        self.0.get_mut(id).ok_or_else(|| Error::internal(PTH, "an object was lost"))
    }

    /// The elements of a list or a tuple.
    pub fn items(&self, id: Id) -> Result<&[Id]> {
        match self.get(id)? {
            Object::List(items) | Object::Tuple(items) => Ok(items),
            _ => Err(broken("there is something else where a list or a tuple has to be")),
        }
    }

    /// A text.
    pub fn text(&self, id: Id) -> Result<&str> {
        match self.get(id)? {
            Object::String(text) => Ok(text),
            _ => Err(broken("there is something else where a text has to be")),
        }
    }

    /// A size, an offset or a stride.
    pub fn size(&self, id: Id) -> Result<usize> {
        match self.get(id)? {
            Object::Int(x) => {
                let size = isize::try_from(*x).ok().and_then(|x| usize::try_from(x).ok());
                size.ok_or_else(|| broken(format!("{x} is no size, offset or stride")))
            }
            _ => Err(broken("there is something else where a whole number has to be")),
        }
    }

    /// Something of Python's by its name.
    pub fn global(&self, id: Id) -> Result<Global> {
        match self.get(id)? {
            Object::Global(global) => Ok(*global),
            _ => Err(broken("there is something else where a function or a class has to be")),
        }
    }

    /// All storages that are named.
    pub fn storages(&self) -> impl Iterator<Item = StorageRef<'a>> {
        self.0.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some(*storage),
            _ => None,
        })
    }
}

/// How deep containers may hold containers.
pub const DEEPEST: usize = 100;

/// Turns objects to values, with the elements of the tensors.
pub struct Unfold<'h, 's, 'a> {
    pub heap: &'h Heap<'a>,
    pub storages: &'s mut Storages<'a>,
    pub budget: &'s mut Budget,
}

impl Unfold<'_, '_, '_> {
    /// The value of an object that `depth` containers hold. An object that is held twice is counted twice.
    pub fn value(&mut self, id: Id, depth: usize) -> Result<Value> {
        if depth > DEEPEST {
            let why = format!("containers lie more than {DEEPEST} deep in each other");
            return Err(broken(why));
        }
        self.budget.charge(size_of::<Value>())?;
        Ok(match self.heap.get(id)? {
            Object::None => Value::None,
            Object::Bool(x) => Value::Bool(*x),
            Object::Int(x) => Value::Int(*x),
            Object::Float(x) => Value::Float(*x),
            Object::String(text) => {
                self.budget.charge(text.len())?;
                Value::String(text.as_ref().to_owned())
            }
            Object::Bytes(bytes) => {
                self.budget.charge(bytes.len())?;
                Value::Bytes(bytes.to_vec())
            }
            Object::List(ids) => Value::List(self.values(ids, depth)?),
            Object::Tuple(ids) => Value::Tuple(self.values(ids, depth)?),
            Object::Set(ids) => Value::Set(self.values(ids, depth)?),
            Object::Dict(pairs) => {
                let pair = |&(key, value): &(Id, Id)| {
                    Ok((self.value(key, depth + 1)?, self.value(value, depth + 1)?))
                };
                Value::Dict(pairs.iter().map(pair).collect::<Result<_>>()?)
            }
            Object::Global(Global::DType(dtype)) => Value::String(format!("torch.{dtype}")),
            Object::Tensor(view) => {
                let (bytes, order) = self.storages.get(view.key, self.budget)?;
                Value::Tensor(gather(PTH, (bytes, order), view.dtype, view.layout.clone(), self.budget)?)
            }
            object @ (Object::Global(_) | Object::Storage(_)) => {
                let why = format!("there is a {object:?} where a value has to be");
                return Err(broken(why));
            }
        })
    }

    fn values(&mut self, ids: &[Id], depth: usize) -> Result<Vec<Value>> {
        ids.iter().map(|&id| self.value(id, depth + 1)).collect()
    }
}
