//! What went wrong, in which operation, where in the caller's program, and what to do about it.
use std::{borrow::Cow, error, fmt, panic::Location, sync::Arc};

/// The result of anything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of a failure, for programs that react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes, ranks or axes that do not fit.
    Shape,
    /// A dtype that does not fit.
    DType,
    /// An index out of range.
    Index,
    /// An argument outside its domain.
    Value,
    /// Operands on different devices, or a device that is not there.
    Device,
    /// Memory that could not be had.
    Memory,
    /// Something that this device or this version does not do.
    Unsupported,
    /// A gradient that does not exist.
    Gradient,
    /// Files and streams.
    Io,
    /// Data that breaks its format.
    Format,
    /// A broken promise inside Firesteel: a bug.
    Internal,
}

/// One error for everything: its kind, the operation, the message, and the line that called.
///
/// ```
/// use firesteel_core::{Error, ErrorKind};
/// let error = Error::shape("matmul", "the inner sizes 3 and 4 differ");
/// assert_eq!(error.kind(), ErrorKind::Shape);
/// assert_eq!(error.to_string(), "matmul: the inner sizes 3 and 4 differ");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    op: Cow<'static, str>,
    message: String,
    location: &'static Location<'static>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $kind:ident)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(op: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
            Self::new(ErrorKind::$kind, op, message)
        }
    )*};
}

impl Error {
    /// An error of any kind.
    #[track_caller]
    pub fn new(kind: ErrorKind, op: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (op, message, location) = (op.into(), message.into(), Location::caller());
        Self(Box::new(Inner { kind, op, message, location, source: None }))
    }

    constructors! {
        /// Shapes, ranks or axes that do not fit.
        shape Shape
        /// A dtype that does not fit.
        dtype DType
        /// An index out of range.
        index Index
        /// An argument outside its domain.
        value Value
        /// Operands on different devices, or a device that is not there.
        device Device
        /// Memory that could not be had.
        memory Memory
        /// Something that this device or this version does not do.
        unsupported Unsupported
        /// A gradient that does not exist.
        gradient Gradient
        /// Files and streams.
        io Io
        /// Data that breaks its format.
        format Format
        /// A broken promise inside Firesteel.
        internal Internal
    }

    /// The same error with what caused it.
    pub fn because(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same error as seen from another line: that of the user's call.
    pub fn at(mut self, location: &'static Location<'static>) -> Self {
        self.0.location = location;
        self
    }

    /// The same error named after the operation that the user called.
    pub fn within(mut self, op: impl Into<Cow<'static, str>>) -> Self {
        self.0.op = op.into();
        self
    }

    /// Its class.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed.
    pub fn op(&self) -> &str {
        &self.0.op
    }

    /// What is wrong, without the operation's name.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The line of the program that called.
    pub fn location(&self) -> &'static Location<'static> {
        self.0.location
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.0.op, self.0.message)
    }
}

/// What `main() -> Result<()>` prints: the message, then the line it came from.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self}\n  at {}", self.0.location)?;
        match &self.0.source {
            Some(source) => write!(f, "\n  because {source}"),
            None => Ok(()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_ref().map(|s| &**s as _)
    }
}

impl From<std::io::Error> for Error {
    #[track_caller]
    fn from(source: std::io::Error) -> Self {
        Error::io("io", source.to_string()).because(source)
    }
}
