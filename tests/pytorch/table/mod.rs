//! Which call of ours stands for each of PyTorch's: one line for each name, in families.
//!
//! An entry reads its arguments from `a` and gives a tensor, several, or a value. It is written once and is
//! generic over the backend; an entry is compiled once for each stack, so there are few of those.
use super::args::{Args, Key, Operand};
use super::cases::Value;
use super::judge::Output;
use firesteel::{Arg, Backend, PerDim, Result, Shape, Tensor};

/// Declares the entries of a family as a function `family(name, arguments, device)`, which gives nothing for a name that
/// is not in it.
///
/// - `each abs cos: ();` stands for the methods of those names: `a.tensor(0)?.abs()?`.
/// - `"add" => a.tensor(0)?.add(a.operand(1)?)?,` stands for what it says.
/// - `in "nn.functional."` puts a prefix before all names.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $family:ident($a:ident $(, $device:ident)?) $(in $prefix:literal)? {
            $(each $($method:ident)+ : $args:tt;)*
            $($($name:literal)|+ => $call:expr,)*
        }
    ) => {
        $(#[$doc])*
        pub fn $family<B: firesteel::Backend>(
            name: &str,
            $a: &$crate::pytorch::args::Args<firesteel::Tensor<B>>,
            _device: &B,
        ) -> firesteel::Result<Option<$crate::pytorch::table::Outputs<B>>> {
            $(let $device = _device;)?
            $(let Some(name) = name.strip_prefix($prefix) else { return Ok(None) };)?
            match name {
                $($(stringify!($method) => {
                    let call = || firesteel::Result::Ok(($a.tensor(0)?.$method $args?).into());
                    call().map(Some)
                })+)*
                $($($name)|+ => {
                    let call = || firesteel::Result::Ok(($call).into());
                    call().map(Some)
                })*
                _ => Ok(None),
            }
        }
    };
}

/// The results of a call, flattened as PyTorch's are.
pub struct Outputs<B: Backend>(pub Vec<Output<Tensor<B>>>);

impl<B: Backend> From<Tensor<B>> for Outputs<B> {
    fn from(tensor: Tensor<B>) -> Self {
        vec![tensor].into()
    }
}

impl<B: Backend> From<(Tensor<B>, Tensor<B>)> for Outputs<B> {
    fn from((first, second): (Tensor<B>, Tensor<B>)) -> Self {
        vec![first, second].into()
    }
}

impl<B: Backend> From<(Tensor<B>, Tensor<B>, Tensor<B>)> for Outputs<B> {
    fn from((first, second, third): (Tensor<B>, Tensor<B>, Tensor<B>)) -> Self {
        vec![first, second, third].into()
    }
}

impl<B: Backend> From<Vec<Tensor<B>>> for Outputs<B> {
    fn from(tensors: Vec<Tensor<B>>) -> Self {
        Self(tensors.into_iter().map(Output::Tensor).collect())
    }
}

impl<B: Backend> From<bool> for Outputs<B> {
    fn from(value: bool) -> Self {
        Self(vec![Output::Value(Value::Bool(value))])
    }
}

impl<B: Backend> From<Shape> for Outputs<B> {
    fn from(shape: Shape) -> Self {
        let sizes = shape.iter().map(|&size| Value::Int(size as i64)).collect();
        Self(vec![Output::Value(Value::List(sizes))])
    }
}

impl<B: Backend> From<Operand<Tensor<B>>> for Arg<B> {
    fn from(operand: Operand<Tensor<B>>) -> Self {
        match operand {
            Operand::Tensor(tensor) => tensor.into(),
            Operand::Scalar(number) => number.into(),
        }
    }
}

/// As slices of tensors are passed.
fn borrow<T>(tensors: &[T]) -> Vec<&T> {
    tensors.iter().collect()
}

/// The shape at a position.
fn shape<T: Clone>(a: &Args<T>, position: usize) -> Result<Shape> {
    Ok(Shape::from(&a.sizes(position)?[..]))
}

/// In the dtype that is asked for, where one is.
fn typed<B: Backend>(a: &Args<Tensor<B>>, x: Tensor<B>) -> Result<Tensor<B>> {
    a.opt_dtype("dtype")?.map_or(Ok(x.clone()), |dtype| x.to(dtype))
}

/// A size for each dim, or one for all of them.
pub fn each_dim<T: Clone>(a: &Args<T>, key: impl Into<Key>, default: usize) -> Result<PerDim> {
    let sizes = a.opt_sizes(key)?.unwrap_or_default();
    Ok(if sizes.is_empty() { default.into() } else { PerDim::from(&sizes[..]) })
}

mod activation;
mod attention;
mod calculus;
mod compare;
pub mod conv;
mod create;
mod elementwise;
mod fft;
mod index;
mod join;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod random;
mod reduce;
mod special;
mod view;
mod vision;
mod wait;

/// The entries of one family.
type Family<B> = fn(&str, &Args<Tensor<B>>, &B) -> Result<Option<Outputs<B>>>;

/// The results of the call that stands for `name`, or nothing where there is none.
pub async fn call<B: Backend>(device: &B, name: &str, a: &Args<'_, Tensor<B>>) -> Result<Option<Outputs<B>>> {
    let families: &[Family<B>] = &[
        activation::activation,
        activation::softmax,
        attention::attention,
        attention::dropout,
        attention::embedding,
        calculus::calculus,
        compare::compare,
        conv::conv,
        conv::pool,
        create::create,
        create::like,
        elementwise::binary,
        elementwise::convert,
        elementwise::unary,
        fft::fft,
        fft::stft,
        fft::window,
        index::index,
        index::mask,
        join::join,
        join::slice,
        join::split,
        linalg::factors,
        linalg::linalg,
        linalg::norms,
        loss::classes,
        loss::loss,
        matmul::matmul,
        norm::bound,
        norm::distance,
        norm::norm,
        random::like,
        random::random,
        reduce::choose,
        reduce::reduce,
        reduce::scan,
        reduce::sort,
        reduce::spread,
        special::special,
        view::copies,
        view::order,
        view::view,
        vision::pad,
        vision::vision,
    ];
    for family in families {
        if let Some(outputs) = family(name, a, device)? {
            return Ok(Some(outputs));
        }
    }
    wait::wait(name, a).await
}
