//! How an entry of the table reads the arguments of a case, by PyTorch's signature.
//!
//! ```ignore
//! // torch.cumsum(input, dim, *, dtype=None)
//! let y = a.tensor(0)?.cumsum(a.int((1, "dim"))?)?;
//! // torch.div(input, other, *, rounding_mode=None)
//! let (x, other, mode) = (a.tensor(0)?, a.operand(1)?, a.opt_str("rounding_mode")?);
//! ```
//!
//! Every argument has to be read, so that no option is lost in silence: `finish` names those that were not.
//! It also returns the leaves, the tensors that want a gradient, by the path under which the case has it.
use super::cases::{Case, Gradients, Module, Raw, Value};
use firesteel_core::{DType, Dims, Error, Result, Scalar};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

/// Arguments that say where to compute and how to lay out, which change no number.
const WITHOUT_EFFECT: [&str; 4] = ["device", "layout", "memory_format", "pin_memory"];

/// Which argument is meant: `0` by position, `"dim"` by name, `(1, "dim")` by either.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    position: Option<usize>,
    name: Option<&'static str>,
}

impl From<usize> for Key {
    fn from(position: usize) -> Self {
        Key { position: Some(position), name: None }
    }
}

impl From<&'static str> for Key {
    fn from(name: &'static str) -> Self {
        Key { position: None, name: Some(name) }
    }
}

impl From<(usize, &'static str)> for Key {
    fn from((position, name): (usize, &'static str)) -> Self {
        Key { position: Some(position), name: Some(name) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.position, self.name) {
            (Some(position), Some(name)) => write!(f, "{position} ({name})"),
            (Some(position), None) => write!(f, "{position}"),
            (None, name) => f.write_str(name.unwrap_or_default()),
        }
    }
}

/// A tensor or a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand<T> {
    /// A tensor.
    Tensor(T),
    /// A number.
    Scalar(Scalar),
}

/// Makes a tensor of a case's; the flag says whether it wants a gradient.
pub type Load<'a, T> = &'a dyn Fn(&Raw, bool) -> Result<T>;

/// The tensors that want a gradient, by path.
pub type Leaves<T> = Vec<(String, T)>;

/// The arguments of one call.
pub struct Args<'a, T> {
    name: &'a str,
    variant: &'a str,
    args: &'a [Value],
    kwargs: &'a [(String, Value)],
    wanted: Option<&'a Gradients>,
    load: Load<'a, T>,
    used: RefCell<BTreeSet<String>>,
    leaves: RefCell<Leaves<T>>,
}

/// Declares for a type `opt_name(key)`, which is nothing where the argument is absent or None, and where they are
/// used `name(key)`, which is then an error, and `name_or(key, default)`.
macro_rules! readers {
    ($($(#[$doc:meta])* $opt:ident $(, $name:ident $(, $name_or:ident)?)?: $t:ty, $what:literal, $read:expr;)*) => {$(
        $(#[$doc])*
        pub fn $opt(&self, key: impl Into<Key>) -> Result<Option<$t>> {
            let Some((path, value)) = self.find(key.into()) else { return Ok(None) };
            let read: fn(&'a Value) -> Option<$t> = $read;
            match value {
                Value::Null => Ok(None),
                Value::Tensor(_) if self.is_wanted(&path) => Err(self.error(format!("{path} wants a gradient"))),
                _ => read(value).map(Some).ok_or_else(|| self.mistyped(&path, value, $what)),
            }
        }

        $(
            #[doc = concat!("As [`", stringify!($opt), "`](Self::", stringify!($opt), "), and there has to be one.")]
            pub fn $name(&self, key: impl Into<Key>) -> Result<$t> {
                let key = key.into();
                self.$opt(key)?.ok_or_else(|| self.missing(key))
            }

            $(
                #[doc = concat!("As [`", stringify!($opt), "`](Self::", stringify!($opt), "), or the default.")]
                pub fn $name_or(&self, key: impl Into<Key>, default: $t) -> Result<$t> {
                    Ok(self.$opt(key)?.unwrap_or(default))
                }
            )?
        )?
    )*};
}

impl<'a, T: Clone> Args<'a, T> {
    /// The arguments of a case's call.
    pub fn new(case: &'a Case, load: Load<'a, T>) -> Self {
        Self {
            name: &case.name,
            variant: &case.variant,
            args: &case.args,
            kwargs: &case.kwargs,
            wanted: Some(&case.grads),
            load,
            used: RefCell::default(),
            leaves: RefCell::default(),
        }
    }

    /// The arguments of a module's constructor, all by name.
    pub fn constructor(name: &'a str, module: &'a Module, load: Load<'a, T>) -> Self {
        Self::named(name, &module.settings, load)
    }

    /// Arguments that all have names, as an optimizer's.
    pub fn named(name: &'a str, kwargs: &'a [(String, Value)], load: Load<'a, T>) -> Self {
        let (used, leaves) = (RefCell::default(), RefCell::default());
        Self { name, variant: "", args: &[], kwargs, wanted: None, load, used, leaves }
    }

    /// The variant of the operator, or nothing.
    pub fn variant(&self) -> &'a str {
        self.variant
    }

    /// How many arguments stand by position.
    pub fn len(&self) -> usize {
        self.args.len()
    }

    /// Whether the argument is there and not None.
    pub fn has(&self, key: impl Into<Key>) -> bool {
        self.peek(key.into()).is_some_and(|(_, value)| *value != Value::Null)
    }

    /// A tensor.
    pub fn tensor(&self, key: impl Into<Key>) -> Result<T> {
        let key = key.into();
        self.opt_tensor(key)?.ok_or_else(|| self.missing(key))
    }

    /// A tensor, or nothing where it is absent or None.
    pub fn opt_tensor(&self, key: impl Into<Key>) -> Result<Option<T>> {
        match self.find(key.into()) {
            None | Some((_, Value::Null)) => Ok(None),
            Some((path, value)) => self.tensor_at(&path, value).map(Some),
        }
    }

    /// A list or tuple of tensors.
    pub fn tensors(&self, key: impl Into<Key>) -> Result<Vec<T>> {
        let key = key.into();
        let (path, value) = self.find(key).ok_or_else(|| self.missing(key))?;
        let items = items(value).ok_or_else(|| self.mistyped(&path, value, "a list of tensors"))?;
        items.iter().enumerate().map(|(i, item)| self.tensor_at(&format!("{path}.{i}"), item)).collect()
    }

    /// All tensors from a position on: `broadcast_tensors(a, b, c)`.
    pub fn tensors_from(&self, position: usize) -> Result<Vec<T>> {
        (position..self.args.len()).map(|i| self.tensor(i)).collect()
    }

    /// The sizes from a position on, or the one list there: `sum_to_size(2, 3)`, `sum_to_size((2, 3))`.
    pub fn sizes_from(&self, position: usize) -> Result<Vec<usize>> {
        let each = (position..self.args.len()).map(|i| self.sizes(i)).collect::<Result<Vec<_>>>()?;
        Ok(each.concat())
    }

    /// A tensor or a number.
    pub fn operand(&self, key: impl Into<Key>) -> Result<Operand<T>> {
        let key = key.into();
        self.opt_operand(key)?.ok_or_else(|| self.missing(key))
    }

    /// A tensor or a number, or nothing where it is absent or None.
    pub fn opt_operand(&self, key: impl Into<Key>) -> Result<Option<Operand<T>>> {
        let key = key.into();
        Ok(match self.peek(key) {
            Some((_, Value::Tensor(_))) => self.opt_tensor(key)?.map(Operand::Tensor),
            _ => self.opt_scalar(key)?.map(Operand::Scalar),
        })
    }

    readers! {
        /// An int, or an integer tensor of one element.
        opt_int, int, int_or: i64, "an int", whole;
        /// A dim, which can count from the end.
        opt_dim, dim, dim_or: isize, "a dim", |v| isize::try_from(whole(v)?).ok();
        /// An int that is not negative.
        opt_size, size, size_or: usize, "a size", |v| usize::try_from(whole(v)?).ok();
        /// A float or an int, or a tensor of one element.
        opt_float, float, float_or: f64, "a number", real;
        /// A bool.
        opt_bool, bool, bool_or: bool, "a bool", |v| if let Value::Bool(b) = v { Some(*b) } else { None };
        /// A number of any kind, which it keeps.
        opt_scalar, scalar, scalar_or: Scalar, "a number", scalar;
        /// A string.
        opt_str, str: &'a str, "a string", |v| if let Value::Str(s) = v { Some(s) } else { None };
        /// A dtype that Firesteel has.
        opt_dtype, dtype, dtype_or: DType, "a dtype of ours", dtype;
        /// An int, a list or tuple of them, or an integer tensor of rank one.
        opt_ints, ints: Vec<i64>, "ints", |v| listed(v, whole);
        /// An int or a list or tuple of them, none negative.
        opt_sizes, sizes: Vec<usize>, "sizes", |v| listed(v, |v| usize::try_from(whole(v)?).ok());
        /// A number, or a list or tuple of them.
        opt_floats: Vec<f64>, "numbers", |v| listed(v, real);
        /// Ints among which there can be None, as `adaptive_avg_pool2d` takes.
        opt_gaps, gaps: Vec<Option<i64>>, "ints or None",
            |v| listed(v, |v| if *v == Value::Null { Some(None) } else { whole(v).map(Some) });
    }

    /// The dims to reduce over, all of them where there are none, and whether they stay.
    pub fn dims(&self, dims: impl Into<Key>, keepdim: impl Into<Key>) -> Result<Dims> {
        let dims = self.opt_ints(dims)?.map_or_else(|| (..).into(), Dims::from);
        Ok(Dims { keepdim: self.bool_or(keepdim, false)?, ..dims })
    }

    /// `N` ints: as many as there are, or one for all; the default for all where it is absent, None or empty.
    pub fn each<const N: usize>(&self, key: impl Into<Key>, default: i64) -> Result<[i64; N]> {
        let key = key.into();
        let ints = self.opt_ints(key)?.unwrap_or_default();
        match ints[..] {
            [] => Ok([default; N]),
            [one] => Ok([one; N]),
            _ => <[i64; N]>::try_from(ints)
                .map_err(|ints| self.error(format!("argument {key} is {ints:?}, not {N} ints"))),
        }
    }

    /// The value as it stands, with its path, for what the other readers do not cover: indices, modules.
    pub fn value(&self, key: impl Into<Key>) -> Option<(String, &'a Value)> {
        self.find(key.into())
    }

    /// The tensor that a value is, at a path such as `args.1.2`.
    pub fn tensor_at(&self, path: &str, value: &Value) -> Result<T> {
        let Value::Tensor(tensor) = value else {
            return Err(self.mistyped(path, value, "a tensor"));
        };
        if let Some((_, leaf)) = self.leaves.borrow().iter().find(|(p, _)| p == path) {
            return Ok(leaf.clone());
        }
        let wanted = self.is_wanted(path);
        let loaded = (self.load)(tensor.raw()?, wanted)?;
        if wanted {
            self.leaves.borrow_mut().push((path.into(), loaded.clone()));
        }
        Ok(loaded)
    }

    /// Marks an argument as read that has no effect here.
    pub fn ignore(&self, key: impl Into<Key>) {
        self.find(key.into());
    }

    /// The leaves, in the order in which they were read; an error that names each argument that was not.
    pub fn finish(self) -> Result<Leaves<T>> {
        let used = self.used.borrow();
        let positions = (0..self.args.len()).map(|i| (i.to_string(), format!("args.{i}"), &self.args[i]));
        let names = self.kwargs.iter().map(|(name, value)| (name.clone(), format!("kwargs.{name}"), value));
        let silent =
            |(_, path, value): &(String, String, &Value)| !used.contains(path) && has_effect(path, value);
        let unused: Vec<_> = positions.chain(names).filter(silent).map(|(name, ..)| name).collect();
        if unused.is_empty() {
            return Ok(self.leaves.take());
        }
        Err(self.error(format!("argument {} not used", unused.join(", "))))
    }

    /// The argument and its path, marked as read.
    fn find(&self, key: Key) -> Option<(String, &'a Value)> {
        let (path, value) = self.peek(key)?;
        self.used.borrow_mut().insert(path.clone());
        Some((path, value))
    }

    fn peek(&self, key: Key) -> Option<(String, &'a Value)> {
        let by_position = key.position.and_then(|i| Some((format!("args.{i}"), self.args.get(i)?)));
        by_position.or_else(|| {
            let (name, value) = self.kwargs.iter().find(|(name, _)| Some(&name[..]) == key.name)?;
            Some((format!("kwargs.{name}"), value))
        })
    }

    fn is_wanted(&self, path: &str) -> bool {
        self.wanted.is_some_and(|grads| grads.contains_key(path))
    }

    fn missing(&self, key: Key) -> Error {
        self.error(format!("argument {key} is missing"))
    }

    fn mistyped(&self, path: &str, value: &Value, what: &str) -> Error {
        self.error(format!("argument {path} is {value:?}, not {what}"))
    }

    fn error(&self, message: String) -> Error {
        Error::value(self.name.to_string(), message)
    }
}

/// Whether an argument that nobody read can change the result.
fn has_effect(path: &str, value: &Value) -> bool {
    let kwarg = path.strip_prefix("kwargs.").unwrap_or_default();
    let untracked = kwarg == "requires_grad" && *value == Value::Bool(false);
    !(matches!(value, Value::Ignored(_)) || WITHOUT_EFFECT.contains(&kwarg) || untracked)
}

/// The elements of a list or tuple.
fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) | Value::Tuple(items) => Some(items),
        _ => None,
    }
}

/// Each element of a list, tuple or tensor of rank one, or the one value.
fn listed<V>(value: &Value, read: fn(&Value) -> Option<V>) -> Option<Vec<V>> {
    match value {
        Value::Tensor(tensor) => {
            let raw = tensor.raw().ok().filter(|raw| raw.shape.len() == 1)?;
            let whole = !raw.dtype.is_float();
            let number = |x: &f64| if whole { Value::Int(*x as i64) } else { Value::Float(*x) };
            raw.floats().ok()?.iter().map(|x| read(&number(x))).collect()
        }
        _ => match items(value) {
            Some(items) => items.iter().map(read).collect(),
            None => Some(vec![read(value)?]),
        },
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Tensor(_) => single(value).filter(|(dtype, _)| dtype.is_integer()).map(|(_, x)| x as i64),
        _ => None,
    }
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(x) => Some(*x),
        Value::Tensor(_) => single(value).map(|(_, x)| x),
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Int(i) => Some(Scalar::Int(*i)),
        Value::Float(x) => Some(Scalar::Float(*x)),
        Value::Bool(b) => Some(Scalar::Bool(*b)),
        _ => None,
    }
}

fn dtype(value: &Value) -> Option<DType> {
    if let Value::DType(name) = value { name.parse().ok() } else { None }
}

/// The number of a tensor that holds one.
fn single(value: &Value) -> Option<(DType, f64)> {
    let Value::Tensor(tensor) = value else { return None };
    let raw = tensor.raw().ok()?;
    if let [x] = raw.floats().ok()?[..] { Some((raw.dtype, x)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Detail, Kind, load, own_folder};
    use super::*;
    use std::collections::HashMap;

    fn ops() -> HashMap<String, Case> {
        load(&own_folder(), Kind::Op).unwrap().into_iter().map(|case| (case.id.clone(), case)).collect()
    }

    /// A stand-in for a tensor: its shape, and whether it is tracked.
    type Fake = (Vec<usize>, bool);

    fn fake(raw: &Raw, tracked: bool) -> Result<Fake> {
        Ok((raw.shape.clone(), tracked))
    }

    #[test]
    fn arguments_are_read_by_position_or_name() {
        let ops = ops();
        let a = Args::new(&ops["nn.functional.conv2d/0"], &fake);
        assert_eq!(a.tensor(0).unwrap(), (vec![1, 3, 4, 4], true));
        assert_eq!(a.tensor((1, "weight")).unwrap().0.len(), 4);
        assert!(a.opt_tensor((2, "bias")).unwrap().is_some());
        assert_eq!(a.each::<2>("stride", 1).unwrap(), [2, 2]);
        assert_eq!(a.each::<2>((4, "padding"), 0).unwrap(), [2, 2]);
        assert_eq!(a.int_or("groups", 7).unwrap(), 1);
        assert_eq!(a.int_or("none", 7).unwrap(), 7);
        let error = a.int("none").unwrap_err();
        assert_eq!(error.to_string(), "nn.functional.conv2d: argument none is missing");
        assert!(a.bool("groups").is_err());
        let paths: Vec<_> = a.finish().unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["args.0", "args.1", "args.2"]);
    }

    #[test]
    fn an_argument_that_nobody_read_is_an_error() {
        let ops = ops();
        let case = &ops["nn.functional.conv2d/0"];
        let a = Args::new(case, &fake);
        (0..3).for_each(|i| drop(a.tensor(i)));
        let error = a.finish().unwrap_err().to_string();
        assert_eq!(error, "nn.functional.conv2d: argument stride, padding, groups not used");
        let a = Args::new(&ops["ones/0"], &fake);
        a.ignore(0);
        a.ignore("dtype");
        assert!(a.finish().is_ok(), "a device has no effect");
    }

    #[test]
    fn a_leaf_in_a_list_has_its_path_and_is_made_once() {
        let ops = ops();
        let a = Args::new(&ops["einsum/4"], &fake);
        assert!(a.tensors(0).unwrap().iter().all(|(_, tracked)| *tracked));
        a.tensors(0).unwrap();
        assert!(a.str(1).is_ok());
        let paths: Vec<_> = a.finish().unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["args.0.0", "args.0.1"]);
        let a = Args::new(&ops["abs/int64/0"], &fake);
        assert!(!a.tensor(0).unwrap().1);
        assert!(a.finish().unwrap().is_empty());
    }

    #[test]
    fn numbers_keep_their_kind() {
        let ops = ops();
        let a = Args::new(&ops["full/0"], &fake);
        assert_eq!(
            (a.scalar(1).unwrap(), a.opt_dtype("dtype").unwrap()),
            (Scalar::Float(-8.478373527526855), Some(DType::F32))
        );
        let whole = |id: &str| Args::new(&ops[id], &fake).scalar(1).unwrap();
        assert_eq!((whole("full/int64/0"), whole("full/bool/0")), (Scalar::Int(-8), Scalar::Bool(true)));
        let sizes = |id: &str| Args::new(&ops[id], &fake).sizes_from(1).unwrap();
        assert_eq!((sizes("sum_to_size/0"), sizes("sum_to_size/9")), (vec![], vec![1, 5]));
        assert_eq!(sizes("sum_to_size/int64/8"), [1, 5]);
    }

    #[test]
    fn a_constructor_has_only_names() {
        let modules = load(&own_folder(), Kind::Module).unwrap();
        let linear = modules.iter().find(|case| case.name == "Linear").unwrap();
        let Detail::Module(module) = &linear.detail else { panic!("no module") };
        let a = Args::constructor(&linear.name, module, &fake);
        assert_eq!((a.size("in_features").unwrap(), a.size("out_features").unwrap()), (10, 8));
        assert!(a.bool_or("bias", true).unwrap());
        assert!(a.finish().is_ok());
    }
}
