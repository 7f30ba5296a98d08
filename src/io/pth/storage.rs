//! Where the elements of tensors lie, and how the two formats store them.
use super::{
    PTH, broken,
    machine::Machine,
    object::{Heap, Unfold},
};
use crate::{
    DType, Result,
    io::{cursor::Cursor, limits::Budget, pth::Value, strided::ByteOrder, zip::Archive},
};
use std::{borrow::Cow, collections::HashMap};

/// The bytes of storages, by their keys.
#[derive(Debug)]
pub struct Storages<'a> {
    order: ByteOrder,
    loaded: HashMap<String, Cow<'a, [u8]>>,
    /// What holds those that were not loaded yet, and the folder in it.
    archive: Option<(Archive<'a>, String)>,
}

impl<'a> Storages<'a> {
    /// The bytes of a storage, and their order.
    pub fn get(&mut self, key: &str, budget: &mut Budget) -> Result<(&[u8], ByteOrder)> {
        if !self.loaded.contains_key(key) {
            let Some((archive, folder)) = &self.archive else {
                return Err(broken(format!("the storage {key:?} is missing")));
            };
            let bytes = archive.get(&format!("{folder}/data/{key}"), budget)?;
            self.loaded.insert(key.to_owned(), bytes);
        }
        let bytes = self.loaded.get(key).map(|bytes| &**bytes).unwrap_or_default();
        Ok((bytes, self.order))
    }
}

/// Reads an archive: a pickle, and a file for each storage, in one folder.
pub fn read_archive(bytes: &[u8], budget: &mut Budget) -> Result<Value> {
    let archive = Archive::read(PTH, bytes)?;
    let Some(folder) = archive.names().find_map(|name| name.strip_suffix("/data.pkl")) else {
        let why = "the archive holds no data.pkl: is it TorchScript, or something else than a checkpoint?";
        return Err(broken(why));
    };
    let pickle = archive.get(&format!("{folder}/data.pkl"), budget)?;
    let name = format!("{folder}/byteorder");
    let order = match archive.contains(&name).then(|| archive.get(&name, budget)).transpose()?.as_deref() {
        // files from before 2.1 do not say, and were written on machines of this order
        None | Some(b"little") => ByteOrder::Little,
        Some(b"big") => ByteOrder::Big,
        Some(other) => {
            let why = format!("the byte order is {:?}", String::from_utf8_lossy(other));
            return Err(broken(why));
        }
    };
    let mut heap = Heap::default();
    let root = Machine::new(&mut heap, budget).run(&mut Cursor::new(PTH, &pickle))?;
    let archive = Some((archive, folder.to_owned()));
    let mut storages = Storages { order, loaded: HashMap::new(), archive };
    Unfold { heap: &heap, storages: &mut storages, budget }.value(root, 0)
}

/// What a legacy file begins with, as a number.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
/// Its only version.
const PROTOCOL: i128 = 1001;

/// Reads a legacy file: pickles of a magic number, a version, the machine, the value and the keys of the storages, and
/// then the storages, each with its length before it.
pub fn read_legacy(bytes: &[u8], budget: &mut Budget) -> Result<Value> {
    let mut cursor = Cursor::new(PTH, bytes);
    let mut heap = Heap::default();
    let mut next = || Machine::new(&mut heap, budget).run(&mut cursor);
    let [magic, protocol] = [next()?, next()?];
    let [machine, root, keys] = [next()?, next()?, next()?];
    let mut storages = Storages { order: ByteOrder::Little, loaded: HashMap::new(), archive: None };
    let mut value = |id| Unfold { heap: &heap, storages: &mut storages, budget: &mut *budget }.value(id, 0);
    if (value(magic)?, value(protocol)?) != (Value::Int(MAGIC), Value::Int(PROTOCOL)) {
        return Err(broken("this is a pickle, but none of torch.save"));
    }
    let (machine, keys) = (value(machine)?, value(keys)?);
    if machine.get("little_endian").and_then(Value::as_bool) == Some(false) {
        storages.order = ByteOrder::Big;
    }
    let dtypes: HashMap<&str, Option<DType>> = heap.storages().map(|s| (s.key, s.dtype)).collect();
    for key in keys.items().unwrap_or_default() {
        let Some((key, dtype)) = key.as_str().and_then(|key| Some((key, dtypes.get(key)?))) else {
            return Err(broken(format!("{key} is the key of a storage that no tensor has")));
        };
        let count = cursor.array()?;
        let count = match storages.order {
            ByteOrder::Little => u64::from_le_bytes(count),
            ByteOrder::Big => u64::from_be_bytes(count),
        };
        let len = count.saturating_mul(dtype.map_or(1, DType::size) as u64);
        storages.loaded.insert(key.to_owned(), cursor.take(len)?.into());
    }
    Unfold { heap: &heap, storages: &mut storages, budget }.value(root, 0)
}
