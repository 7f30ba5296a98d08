//! What a checkpoint holds.
use crate::{Error, Result, TensorData, nn::StateDict};
use std::fmt;

/// What Python has in a checkpoint: tensors, and containers and numbers around them.
///
/// ```
/// use firesteel::{Data, TensorData, io::pth::Value};
/// let weight = TensorData::new([2], Data::F32(vec![1., 2.]))?;
/// let checkpoint = Value::dict([("epoch", 3.into()), ("model", Value::dict([("weight", weight.into())]))]);
/// assert_eq!(checkpoint.get("epoch").and_then(Value::as_i64), Some(3));
/// let state = checkpoint.get("model").unwrap_or(&Value::None).state_dict()?;
/// assert_eq!(state["weight"].to_vec::<f32>(), [1., 2.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int`, of up to 128 bits.
    Int(i128),
    /// A `float`.
    Float(f64),
    /// A `str`, a `torch.device`, or the name of a `torch.dtype` (`torch.float32`).
    String(String),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// A `list`.
    List(Vec<Value>),
    /// A `tuple` or a `torch.Size`.
    Tuple(Vec<Value>),
    /// A `set`.
    Set(Vec<Value>),
    /// A `dict` or an `OrderedDict`: keys with their values, in their order.
    Dict(Vec<(Value, Value)>),
    /// A `torch.Tensor` or a `torch.nn.Parameter`, row-major, whatever its strides were.
    Tensor(TensorData),
}

impl Value {
    /// A dictionary with these keys.
    pub fn dict<K: Into<Value>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Dict(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The value with this key; nothing where it is missing, or where this is no dictionary.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Dict(entries) = self else {
            return None;
        };
        // of two with one key the later holds, as in Python
        entries.iter().rev().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// The elements of a list, a tuple or a set.
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => Some(items),
            _ => None,
        }
    }

    /// The text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(x) = self { Some(*x) } else { None }
    }

    /// The whole number, where it fits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(x) = self { (*x).try_into().ok() } else { None }
    }

    /// The number, rounded.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(x) => Some(*x as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// The tensor.
    pub fn as_tensor(&self) -> Option<&TensorData> {
        if let Self::Tensor(tensor) = self { Some(tensor) } else { None }
    }

    /// The tensors of a dictionary that holds nothing else, as a module's `state_dict()` does.
    #[track_caller]
    pub fn state_dict(&self) -> Result<StateDict> {
        self.clone().into_state_dict()
    }

    /// [`state_dict`](Self::state_dict) without a copy.
    #[track_caller]
    pub fn into_state_dict(self) -> Result<StateDict> {
        let Self::Dict(entries) = self else {
            return Err(Error::value(
                "state_dict",
                format!("a dict of tensors is needed, and this is {self}"),
            ));
        };
        let mut state = StateDict::new();
        for (key, value) in entries {
            match (key, value) {
                (Self::String(name), Self::Tensor(tensor)) => {
                    state.insert(name, tensor);
                }
                (key, value) => {
                    let why = format!(
                        "a dict of tensors is needed, and under {key} there is {value}: take the part that you \
                         want by `load_value(path)?.get(\"model_state_dict\")`, or whatever its key is"
                    );
                    return Err(Error::value("state_dict", why));
                }
            }
        }
        Ok(state)
    }
}

/// Its kind, and numbers and texts themselves: for messages.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(x) => write!(f, "{x}"),
            Self::Int(x) => write!(f, "{x}"),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::String(x) => write!(f, "{x:?}"),
            Self::Bytes(x) => write!(f, "{} bytes", x.len()),
            Self::List(x) => write!(f, "a list of {}", x.len()),
            Self::Tuple(x) => write!(f, "a tuple of {}", x.len()),
            Self::Set(x) => write!(f, "a set of {}", x.len()),
            Self::Dict(x) => {
                let keys: Vec<_> = x.iter().take(8).map(|(key, _)| key.to_string()).collect();
                let more = if x.len() > keys.len() { ", ..." } else { "" };
                write!(f, "a dict with the keys {}{more}", keys.join(", "))
            }
            Self::Tensor(x) => write!(f, "a tensor ({})", x.meta()),
        }
    }
}

macro_rules! from {
    ($($t:ty, $variant:ident;)*) => {$(
        impl From<$t> for Value {
            fn from(x: $t) -> Self {
                Self::$variant(x.into())
            }
        }
    )*};
}

from! {
    bool, Bool; i32, Int; i64, Int; u32, Int; u64, Int; f32, Float; f64, Float; &str, String; String, String;
    TensorData, Tensor;
}

impl From<StateDict> for Value {
    fn from(state: StateDict) -> Self {
        Self::dict(state.into_iter().map(|(name, tensor)| (name, tensor.into())))
    }
}

impl<V: Into<Value>> FromIterator<V> for Value {
    /// A list.
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
