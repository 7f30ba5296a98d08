//! What settings alone make: layers without parameters, and so without a backend of their own.

/// Says that a type holds no parameters, no buffers and no mode.
macro_rules! leafless {
    ($name:ident) => {
        impl<B: $crate::Backend> $crate::nn::Module<B> for $name {
            type Over<C: $crate::Backend> = $name;
            fn visit<'a>(&'a self, _: &str, _: $crate::nn::Visit<'_, 'a, B>) -> $crate::Result<()> {
                Ok(())
            }
            fn visit_mut<'a>(
                &'a mut self,
                _: &str,
                _: $crate::nn::VisitMut<'_, 'a, B>,
            ) -> $crate::Result<()> {
                Ok(())
            }
            fn to<C: $crate::Backend>(&self, _: &C) -> $crate::Result<Self> {
                Ok(self.clone())
            }
        }
    };
}

/// Makes a layer of a type without parameters, given what it makes of its input.
macro_rules! stateless {
    ($name:ident |$layer:ident, $x:ident| $forward:expr) => {
        $crate::nn::stateless::leafless! { $name }

        impl<B: $crate::Backend> $crate::nn::Layer<B> for $name {
            fn forward(&self, $x: &$crate::Tensor<B>) -> $crate::Result<$crate::Tensor<B>> {
                let $layer = self;
                $forward
            }
        }
    };
}

pub(super) use {leafless, stateless};
