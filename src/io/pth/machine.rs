//! Python's [pickle](https://docs.python.org/3/library/pickle.html) machine, as far as data need it: it builds
//! containers and tensors, and calls nothing.
use super::{
    broken,
    call::call,
    global::Global,
    object::{Heap, Id, Object, StorageRef},
};
use crate::{
    Result,
    io::{cursor::Cursor, limits::Budget},
};
use std::{borrow::Cow, collections::HashMap, str};

/// What runs one pickle: a stack of objects, marks in it, and objects to come back to.
pub struct Machine<'m, 'a> {
    heap: &'m mut Heap<'a>,
    budget: &'m mut Budget,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'m, 'a> Machine<'m, 'a> {
    /// A machine that adds to these objects.
    pub fn new(heap: &'m mut Heap<'a>, budget: &'m mut Budget) -> Self {
        Self { heap, budget, stack: vec![], marks: vec![], memo: HashMap::new() }
    }

    /// Runs a pickle to its end, and gives the object that it makes.
    pub fn run(mut self, code: &mut Cursor<'a>) -> Result<Id> {
        loop {
            match code.u8()? {
                b'.' => return self.pop(),
                operation => self.step(operation, code)?,
            }
        }
    }

    fn step(&mut self, operation: u8, code: &mut Cursor<'a>) -> Result<()> {
        match operation {
            // what announces and frames a pickle
            0x80 => match code.u8()? {
                0..=5 => Ok(()),
                version => Err(broken(format!("pickles of protocol {version} are not read"))),
            },
            0x95 => code.u64().map(drop),
            // constants
            b'N' => self.push(Object::None),
            0x88 => self.push(Object::Bool(true)),
            0x89 => self.push(Object::Bool(false)),
            b'J' => self.push(Object::Int(code.i32()?.into())),
            b'K' => self.push(Object::Int(code.u8()?.into())),
            b'M' => self.push(Object::Int(code.u16()?.into())),
            0x8a => self.push(long(sized(code, Cursor::u8)?)?),
            0x8b => self.push(long(sized(code, Cursor::u32)?)?),
            b'G' => self.push(Object::Float(f64::from_be_bytes(code.array()?))),
            // texts, and Python 2's strings, which held names
            0x8c | b'U' => self.push(text(sized(code, Cursor::u8)?)?),
            b'X' | b'T' => self.push(text(sized(code, Cursor::u32)?)?),
            0x8d => self.push(text(sized(code, Cursor::u64)?)?),
            b'C' => self.push(bytes(sized(code, Cursor::u8)?)),
            b'B' => self.push(bytes(sized(code, Cursor::u32)?)),
            0x8e => self.push(bytes(sized(code, Cursor::u64)?)),
            // containers
            b')' => self.push(Object::Tuple(vec![])),
            b']' => self.push(Object::List(vec![])),
            b'}' => self.push(Object::Dict(vec![])),
            0x8f => self.push(Object::Set(vec![])),
            0x85..=0x87 => {
                let items = self.last(usize::from(operation - 0x84))?;
                self.push(Object::Tuple(items))
            }
            b't' => {
                let items = self.since_mark()?;
                self.push(Object::Tuple(items))
            }
            0x91 => {
                let items = self.since_mark()?;
                self.push(Object::Set(items))
            }
            b'a' => self.last(1).and_then(|items| self.append(items)),
            b's' => self.last(2).and_then(|items| self.append(items)),
            b'e' | b'u' | 0x90 => self.since_mark().and_then(|items| self.append(items)),
            // the stack and the memo
            b'(' => {
                self.budget.charge(size_of::<usize>())?;
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'q' => self.remember(code.u8()?.into()),
            b'r' => self.remember(code.u32()?),
            0x94 => self.remember(self.memo.len() as u32),
            b'h' => self.recall(code.u8()?.into()),
            b'j' => self.recall(code.u32()?),
            // what Python would look up and call
            b'c' => {
                let (module, name) = (utf8(code.line()?)?, utf8(code.line()?)?);
                self.push(Object::Global(Global::find(module, name)?))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let global = Global::find(self.heap.text(module)?, self.heap.text(name)?)?;
                self.push(Object::Global(global))
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let made =
                    call(self.heap, self.heap.global(function)?, self.heap.items(arguments)?, self.budget)?;
                self.push(made)
            }
            // attributes, such as the versions of a state_dict's modules, have no place in a value
            b'b' => self.pop().map(drop),
            b'Q' => {
                let id = self.pop()?;
                self.push(Object::Storage(self.storage(id)?))
            }
            other => {
                let at = code.position().saturating_sub(1);
                Err(broken(format!("byte {at} of a pickle is {other:#04x}, an operation that no data needs")))
            }
        }
    }

    fn push(&mut self, object: Object<'a>) -> Result<()> {
        self.stack.push(self.heap.add(object, self.budget)?);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id> {
        self.stack.pop().ok_or_else(underflow)
    }

    /// The last `count` objects, off the stack.
    fn last(&mut self, count: usize) -> Result<Vec<Id>> {
        let from = self.stack.len().checked_sub(count).ok_or_else(underflow)?;
        Ok(self.stack.split_off(from))
    }

    /// The objects since the last mark, off the stack.
    fn since_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or_else(underflow)?;
        Ok(self.stack.split_off(mark))
    }

    /// Adds items, or keys and values by turns, to the container on top of the stack.
    fn append(&mut self, items: Vec<Id>) -> Result<()> {
        let top = *self.stack.last().ok_or_else(underflow)?;
        match self.heap.get_mut(top)? {
            Object::List(list) | Object::Set(list) => list.extend(items),
            Object::Dict(pairs) => {
                let (keys_and_values, rest) = items.as_chunks();
                if !rest.is_empty() {
                    return Err(broken("a key has no value"));
                }
                pairs.extend(keys_and_values.iter().map(|&[key, value]| (key, value)));
            }
            _ => return Err(broken("something is added to what is no container")),
        }
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        self.budget.charge(size_of::<(u32, Id)>())?;
        let top = *self.stack.last().ok_or_else(underflow)?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        self.budget.charge(size_of::<Id>())?;
        let known = self.memo.get(&key).copied();
        self.stack.push(known.ok_or_else(|| broken(format!("object {key} is used before it is made")))?);
        Ok(())
    }

    /// What `("storage", class, key, device, numel)` names; legacy files add `None`, or what was a view once.
    fn storage(&self, id: Id) -> Result<StorageRef<'a>> {
        let &[kind, class, key, _device, _numel, ref view @ ..] = self.heap.items(id)? else {
            return Err(broken("a storage is named by too few things"));
        };
        let kind = self.heap.text(kind)?;
        if kind != "storage" || view.len() > 1 {
            return Err(broken(format!("there is a {kind:?} where a storage has to be")));
        }
        if let [view] = view
            && !matches!(self.heap.get(*view)?, Object::None)
        {
            return Err(broken("views of storages, as PyTorch wrote before 0.4, are not read"));
        }
        let dtype = match self.heap.global(class)? {
            Global::Storage(dtype) => Some(dtype),
            Global::UntypedStorage => None,
            other => return Err(broken(format!("{other:?} is no class of storages"))),
        };
        match self.heap.get(key)? {
            Object::String(Cow::Borrowed(key)) => Ok(StorageRef { key, dtype }),
            _ => Err(broken("the key of a storage is no text")),
        }
    }
}

fn underflow() -> crate::Error {
    broken("a pickle takes more from its stack than it put there")
}

/// Bytes with their length before them.
fn sized<'a, N: TryInto<usize>>(
    code: &mut Cursor<'a>,
    len: impl FnOnce(&mut Cursor<'a>) -> Result<N>,
) -> Result<&'a [u8]> {
    let len = len(code)?;
    code.take(len)
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    str::from_utf8(bytes).map_err(|e| broken("a text is not UTF-8").because(e))
}

fn text(bytes: &[u8]) -> Result<Object<'_>> {
    Ok(Object::String(utf8(bytes)?.into()))
}

fn bytes(bytes: &[u8]) -> Object<'_> {
    Object::Bytes(bytes.into())
}

/// A whole number of any length, little-endian, in two's complement.
fn long(bytes: &[u8]) -> Result<Object<'static>> {
    let negative = bytes.last().is_some_and(|high| high & 0x80 != 0);
    let mut number = [if negative { 0xff } else { 0 }; 16];
    let Some(low) = number.get_mut(..bytes.len()) else {
        return Err(broken(format!("a whole number of {} bytes is too long: 16 are read", bytes.len())));
    };
    low.copy_from_slice(bytes);
    Ok(Object::Int(i128::from_le_bytes(number)))
}
