//! The names of Python that a checkpoint may use. What is not here is not read, whatever it is.
use super::{PTH, broken};
use crate::{DType, Error, Result};

/// Something of Python's that stands in a pickle by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    OrderedDict,
    Set,
    /// `bytes`, which protocol 2 makes by `bytes()` where they are empty, and else by `encode(text, "latin1")`.
    Bytes,
    Encode,
    Size,
    Device,
    RebuildTensor,
    /// With a dtype beside an untyped storage.
    RebuildTensorV3,
    RebuildParameter,
    /// For tensors with attributes of their own: another of these functions, a class, arguments, the attributes.
    RebuildFromType,
    /// A class of tensors, as an argument of the last.
    Class,
    DType(DType),
    Storage(DType),
    UntypedStorage,
}

const GLOBALS: &[(&str, &str, Global)] = &[
    ("collections", "OrderedDict", Global::OrderedDict),
    ("builtins", "set", Global::Set),
    ("builtins", "bytes", Global::Bytes),
    ("_codecs", "encode", Global::Encode),
    ("torch", "Size", Global::Size),
    ("torch", "device", Global::Device),
    ("torch", "Tensor", Global::Class),
    ("torch.nn.parameter", "Parameter", Global::Class),
    ("torch._utils", "_rebuild_tensor", Global::RebuildTensor),
    ("torch._utils", "_rebuild_tensor_v2", Global::RebuildTensor),
    ("torch._utils", "_rebuild_tensor_v3", Global::RebuildTensorV3),
    ("torch._utils", "_rebuild_parameter", Global::RebuildParameter),
    ("torch._utils", "_rebuild_parameter_with_state", Global::RebuildParameter),
    ("torch._tensor", "_rebuild_from_type_v2", Global::RebuildFromType),
    ("torch", "DoubleStorage", Global::Storage(DType::F64)),
    ("torch", "FloatStorage", Global::Storage(DType::F32)),
    ("torch", "BFloat16Storage", Global::Storage(DType::BF16)),
    ("torch", "HalfStorage", Global::Storage(DType::F16)),
    ("torch", "LongStorage", Global::Storage(DType::I64)),
    ("torch", "IntStorage", Global::Storage(DType::I32)),
    ("torch", "CharStorage", Global::Storage(DType::I8)),
    ("torch", "ByteStorage", Global::Storage(DType::U8)),
    ("torch", "BoolStorage", Global::Storage(DType::Bool)),
    ("torch.storage", "UntypedStorage", Global::UntypedStorage),
];

/// Types of PyTorch's that no tensor of ours has.
const OTHER_DTYPES: &[&str] = &[
    "int16",
    "uint16",
    "uint64",
    "complex32",
    "complex64",
    "complex128",
    "quint8",
    "qint8",
    "qint32",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
];

impl Global {
    /// What stands in a pickle as `module.name`.
    pub fn find(module: &str, name: &str) -> Result<Self> {
        // Python 2's name, which protocol 2 uses to this day, and storages of tensors that were on a GPU
        let module = match module {
            "__builtin__" => "builtins",
            "torch.cuda" if name.ends_with("Storage") => "torch",
            module => module,
        };
        if let Some((.., global)) = GLOBALS.iter().find(|(m, n, _)| (*m, *n) == (module, name)) {
            return Ok(*global);
        }
        if let Some(dtype) = DType::ALL.iter().find(|dtype| module == "torch" && dtype.name() == name) {
            return Ok(Self::DType(*dtype));
        }
        if module == "torch" && (OTHER_DTYPES.contains(&name) || name.ends_with("Storage")) {
            let why =
                format!("torch.{name} is of no dtype that tensors have here: cast it before it is saved");
            return Err(Error::dtype(PTH, why));
        }
        let why = format!(
            "the file names {module}.{name}, which is neither a tensor nor a container, and could run code in Python: \
             nothing was run. Save `model.state_dict()` instead of the model, and numbers as tensors or Python's own"
        );
        Err(broken(why))
    }

    /// The name that stands in a pickle before a storage of this dtype; nothing where such a storage is untyped.
    pub fn storage(dtype: DType) -> Option<&'static str> {
        GLOBALS.iter().find(|(.., global)| *global == Self::Storage(dtype)).map(|(_, name, _)| *name)
    }
}
