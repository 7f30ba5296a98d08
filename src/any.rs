//! The machine that was chosen when the program started.
use crate::{
    Backend, Device, Error, Generator, MemoryStats, Meta, Metas, Op, Outputs, Result, TensorData, Update,
    ValueOf,
};
use std::{fmt, str::FromStr};

/// Declares the enum of machines, and forwards to whichever it is.
macro_rules! machines {
    ($($(#[$feature:meta])* $machine:ident $name:literal $open:expr;)*) => {
        /// A machine that is chosen at run time, at the bottom of a stack: `Autodiff<Any>`.
        ///
        /// ```
        /// use firesteel::{Any, prelude::*};
        /// let device: Any = "cpu".parse()?;
        /// assert_eq!(Tensor::ones([2], &device)?.sum(..)?.item::<f32>()?, 2.);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Any {
            $($(#[$feature])* #[doc = concat!("`", $name, "`")] $machine(crate::$machine)),*
        }

        /// A value on whichever machine it is.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum AnyValue {
            $($(#[$feature])* #[doc = concat!("A value of `", $name, "`")] $machine(ValueOf<crate::$machine>)),*
        }

        impl Any {
            /// The names that [`FromStr`] takes, of the machines that this build knows.
            pub const NAMES: &[&str] = &[$($(#[$feature])* $name),*];

            /// How many devices each machine of this build has here.
            pub fn device_counts() -> Vec<(&'static str, usize)> {
                vec![$($(#[$feature])* ($name, crate::$machine::device_count())),*]
            }
        }

        impl FromStr for Any {
            type Err = Error;
            /// `"cpu"`, or with an index `"cpu:0"`.
            fn from_str(text: &str) -> Result<Self> {
                let (name, index) = text.split_once(':').unwrap_or((text, "0"));
                let index: usize = index.parse().map_err(|_| {
                    Error::value("backend", format!("{index:?} is not the index of a device"))
                })?;
                match name {
                    $($(#[$feature])* $name => {
                        let count = crate::$machine::device_count();
                        if index >= count {
                            let why = format!("there is no {name}:{index}: {count} of them are here");
                            return Err(Error::device("backend", why));
                        }
                        Ok(Any::$machine($open(index)?))
                    })*
                    _ => Err(Error::device(
                        "backend",
                        format!("{name:?} is not one of the machines of this build: {}", Any::NAMES.join(", ")),
                    )),
                }
            }
        }

        $($(#[$feature])* impl From<crate::$machine> for Any {
            fn from(machine: crate::$machine) -> Self {
                Any::$machine(machine)
            }
        })*

        impl Backend for Any {
            type Value = AnyValue;

            fn device(&self) -> Device {
                match self { $($(#[$feature])* Any::$machine(b) => b.device()),* }
            }
            fn meta(v: &AnyValue) -> &Meta {
                match v { $($(#[$feature])* AnyValue::$machine(v) => crate::$machine::meta(v)),* }
            }
            fn upload(&self, data: TensorData) -> Result<AnyValue> {
                match self { $($(#[$feature])* Any::$machine(b) => b.upload(data).map(AnyValue::$machine)),* }
            }
            async fn download(&self, v: &AnyValue) -> Result<TensorData> {
                match (self, v) {
                    $($(#[$feature])* (Any::$machine(b), AnyValue::$machine(v)) => b.download(v).await,)*
                    #[allow(unreachable_patterns)]
                    _ => Err(foreign("download")),
                }
            }
            fn memory(&self) -> MemoryStats {
                match self { $($(#[$feature])* Any::$machine(b) => b.memory()),* }
            }
            fn empty_cache(&self) {
                match self { $($(#[$feature])* Any::$machine(b) => b.empty_cache()),* }
            }
            fn synchronize(&self) -> Result<()> {
                match self { $($(#[$feature])* Any::$machine(b) => b.synchronize()),* }
            }
            fn generator(&self) -> &Generator {
                match self { $($(#[$feature])* Any::$machine(b) => b.generator()),* }
            }
            fn fuses(&self, op: &Op<&Meta>) -> bool {
                match self { $($(#[$feature])* Any::$machine(b) => b.fuses(op)),* }
            }
            fn eval(&self, op: Op<&AnyValue>, out: &Metas) -> Result<Outputs<AnyValue>> {
                let name = op.name();
                match self {
                    $($(#[$feature])* Any::$machine(b) => {
                        let op = op.try_map(|v| match v {
                            AnyValue::$machine(v) => Ok(v),
                            #[allow(unreachable_patterns)]
                            _ => Err(foreign(name)),
                        })?;
                        Ok(b.eval(op, out)?.into_iter().map(AnyValue::$machine).collect())
                    })*
                }
            }
            fn update(&self, updates: Vec<Update<'_, AnyValue>>) -> Result<()> {
                match self {
                    $($(#[$feature])* Any::$machine(b) => {
                        let own = updates.into_iter().map(|update| {
                            let name = update.op.name();
                            update.try_map(
                                |target| match target {
                                    AnyValue::$machine(v) => Ok(v),
                                    #[allow(unreachable_patterns)]
                                    _ => Err(foreign(name)),
                                },
                                |value| match value {
                                    AnyValue::$machine(v) => Ok(v),
                                    #[allow(unreachable_patterns)]
                                    _ => Err(foreign(name)),
                                },
                            )
                        });
                        b.update(own.collect::<Result<_>>()?)
                    })*
                }
            }
        }
    };
}

machines! {
    #[cfg(feature = "cpu")]
    Cpu "cpu" |_| Ok::<_, Error>(crate::Cpu);
    #[cfg(feature = "wgpu")]
    Wgpu "wgpu" crate::Wgpu::new;
}

impl fmt::Display for Any {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(&self.device(), f)
    }
}

#[cfg(feature = "cpu")]
impl Default for Any {
    fn default() -> Self {
        Any::Cpu(crate::Cpu)
    }
}

fn foreign(op: &'static str) -> Error {
    Error::device(op, "the operands are on different machines: move one with `.to(&device)`")
}
