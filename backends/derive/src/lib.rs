//! `#[derive(Module)]`: what a module learns and keeps is found by the names of its fields.
//!
//! A field whose type names the backend is a parameter, a buffer or a module; so is one of type `Mode`. Any
//! other field is configuration, and is cloned and printed.
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Error, Field, Fields, GenericParam, Result, parse_macro_input};

/// Implements `firesteel::nn::Module`, and `Debug` in the form of PyTorch's `print(model)`, for a struct whose first
/// type parameter is the backend. With the attribute `#[module(extra_repr)]` a method `extra_repr(&self) -> String`
/// of the struct writes its settings; else they are its fields that are no modules.
#[proc_macro_derive(Module, attributes(module))]
pub fn module(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let Some(GenericParam::Type(backend)) = input.generics.params.first() else {
        return Err(Error::new_spanned(
            name,
            "the first parameter has to be the backend: `struct Net<B: Backend>`",
        ));
    };
    let b = &backend.ident;
    if let Some(second) = input.generics.params.iter().nth(1) {
        return Err(Error::new_spanned(second, "a module has one parameter, its backend"));
    }
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(name, "only a struct can derive Module"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(name, "fields need names: they become the names of the parameters"));
    };
    let (modules, rest): (Vec<&Field>, Vec<&Field>) =
        fields.named.iter().partition(|f| names(f, b) || names(f, &format_ident!("Mode")));
    let part: Vec<_> = modules.iter().filter_map(|f| f.ident.as_ref()).collect();
    let plain: Vec<_> = rest.iter().filter_map(|f| f.ident.as_ref()).collect();
    let ty: Vec<_> = modules.iter().map(|f| &f.ty).collect();
    let key: Vec<_> =
        part.iter().map(|ident| ident.to_string().trim_start_matches("r#").to_owned()).collect();
    let settings = match has_extra_repr(input)? {
        true => quote!(.settings(self.extra_repr())),
        false => {
            let names = plain.iter().map(|ident| ident.to_string());
            quote!(#(.setting(#names, &self.#plain))*)
        }
    };
    Ok(quote! {
        impl<#b: ::firesteel::Backend> ::core::fmt::Debug for #name<#b> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::firesteel::nn::Printer::new(::core::stringify!(#name))
                    #settings
                    #(.part::<#b, #ty>(#key, &self.#part))*
                    .finish(f)
            }
        }

        impl<#b: ::firesteel::Backend> ::firesteel::nn::Module<#b> for #name<#b> {
            type Over<C: ::firesteel::Backend> = #name<C>;

            fn visit<'a>(
                &'a self,
                path: &str,
                visit: &mut dyn FnMut(&str, ::firesteel::nn::Leaf<'a, #b>) -> ::firesteel::Result<()>,
            ) -> ::firesteel::Result<()> {
                #(<#ty as ::firesteel::nn::Module<#b>>::visit(
                    &self.#part, &::firesteel::nn::join(path, #key), visit)?;)*
                Ok(())
            }

            fn visit_mut<'a>(
                &'a mut self,
                path: &str,
                visit: &mut dyn FnMut(&str, ::firesteel::nn::LeafMut<'a, #b>) -> ::firesteel::Result<()>,
            ) -> ::firesteel::Result<()> {
                #(<#ty as ::firesteel::nn::Module<#b>>::visit_mut(
                    &mut self.#part, &::firesteel::nn::join(path, #key), visit)?;)*
                Ok(())
            }

            fn to<C: ::firesteel::Backend>(&self, device: &C) -> ::firesteel::Result<#name<C>> {
                Ok(#name {
                    #(#part: <#ty as ::firesteel::nn::Module<#b>>::to(&self.#part, device)?,)*
                    #(#plain: ::core::clone::Clone::clone(&self.#plain),)*
                })
            }

            fn visit_modules(
                &mut self,
                path: &str,
                visit: ::firesteel::nn::VisitModules<'_>,
            ) -> ::firesteel::Result<()> {
                #(<#ty as ::firesteel::nn::Module<#b>>::visit_modules(
                    &mut self.#part, &::firesteel::nn::join(path, #key), visit)?;)*
                visit(path, self)
            }
        }
    })
}

/// Whether the struct writes its settings itself.
fn has_extra_repr(input: &DeriveInput) -> Result<bool> {
    let mut found = false;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| match meta.path.is_ident("extra_repr") {
            true => {
                found = true;
                Ok(())
            }
            false => Err(meta.error("of a module's attributes there is only `extra_repr`")),
        })?;
    }
    Ok(found)
}

/// Whether the field's type mentions `wanted`.
fn names(field: &Field, wanted: &Ident) -> bool {
    fn found(tokens: TokenStream, wanted: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == *wanted,
            TokenTree::Group(group) => found(group.stream(), wanted),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    found(field.ty.to_token_stream(), wanted)
}
