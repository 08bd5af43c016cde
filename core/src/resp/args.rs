//! What can be an argument of a command.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Packed;
use super::pieces::LARGE;

/// A value that becomes one or several arguments of a command.
///
/// Strings and bytes travel as they are, numbers in their shortest exact form, booleans as `1`
/// and `0`, a `Duration` as whole milliseconds, rounded up (a time to live of 0 would delete); `None` adds nothing, collections and tuples add
/// each of their elements, maps each key followed by its value.
///
/// ```
/// use alizarin_core::{ToArgs, resp::Packed};
/// let mut packed = Packed::new();
/// ("SET", "k", 1.5, Some("NX"), None::<&str>).write_args(&mut packed);
/// assert_eq!(packed.argc(), 4);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a Redis command",
    note = "strings, bytes, numbers, bool, Duration, Option, slices, tuples and maps of these can"
)]
pub trait ToArgs {
    /// Adds the value's arguments.
    fn write_args(&self, out: &mut Packed);

    /// Adds the value's arguments, of which the large ones (32 KiB or more) need not be copied
    /// where the value owns them: `Bytes`, `Vec<u8>` and `String` travel as they are.
    #[inline]
    fn into_args(self, out: &mut Packed)
    where
        Self: Sized,
    {
        self.write_args(out);
    }

    /// Adds the value's arguments as keys: the first key of a command decides where it is sent.
    fn write_keys(&self, out: &mut Packed) {
        let mut keys = Packed::new();
        self.write_args(&mut keys);
        for key in keys.arguments() {
            out.push_key(key);
        }
    }
}

macro_rules! bytes_like {
    ($($type:ty => |$value:ident| $bytes:expr $(, owned $owned:expr)?);+ $(;)?) => {$(
        impl ToArgs for $type {
            #[inline]
            fn write_args(&self, out: &mut Packed) {
                let $value = self;
                out.push($bytes);
            }
            $(
                #[inline]
                fn into_args(self, out: &mut Packed) {
                    let $value = self;
                    match $value.len() >= LARGE {
                        true => out.push_bytes($owned),
                        false => out.push($bytes),
                    }
                }
            )?
            #[inline]
            fn write_keys(&self, out: &mut Packed) {
                let $value = self;
                out.push_key($bytes);
            }
        }
    )+};
}

bytes_like! {
    str => |text| text.as_bytes();
    String => |text| text.as_bytes(), owned Bytes::from(text);
    Cow<'_, str> => |text| text.as_bytes(), owned Bytes::from(text.into_owned());
    Vec<u8> => |bytes| &bytes, owned Bytes::from(bytes);
    [u8] => |bytes| bytes;
    Cow<'_, [u8]> => |bytes| &bytes, owned Bytes::from(bytes.into_owned());
}

impl ToArgs for Bytes {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        match self.len() >= LARGE {
            // Another handle to the same bytes.
            true => out.push_bytes(self.clone()),
            false => out.push(self),
        }
    }
    #[inline]
    fn write_keys(&self, out: &mut Packed) {
        out.push_key(self);
    }
}

impl<const N: usize> ToArgs for [u8; N] {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        out.push(self);
    }
}

impl ToArgs for char {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        out.push(self.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl ToArgs for bool {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        out.push(if *self { b"1" } else { b"0" });
    }
}

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl ToArgs for $type {
            #[inline]
            fn write_args(&self, out: &mut Packed) {
                out.push_int(*self);
            }
        }
    )+};
}

// `u8` is missing on purpose: `Vec<u8>` is one argument of bytes, not one number an element.
integers!(i8 i16 i32 i64 i128 isize u16 u32 u64 u128 usize);

impl ToArgs for f32 {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        out.push_f32(*self);
    }
}

impl ToArgs for f64 {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        out.push_f64(*self);
    }
}

impl ToArgs for Duration {
    #[inline]
    fn write_args(&self, out: &mut Packed) {
        out.push_int(self.as_nanos().div_ceil(1_000_000));
    }
}

macro_rules! pointers {
    ($($type:ty),+) => {$(
        impl<T: ToArgs + ?Sized> ToArgs for $type {
            #[inline]
            fn write_args(&self, out: &mut Packed) {
                (**self).write_args(out);
            }
            #[inline]
            fn write_keys(&self, out: &mut Packed) {
                (**self).write_keys(out);
            }
        }
    )+};
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: ToArgs> ToArgs for Option<T> {
    fn write_args(&self, out: &mut Packed) {
        if let Some(value) = self {
            value.write_args(out);
        }
    }
    fn into_args(self, out: &mut Packed) {
        if let Some(value) = self {
            value.into_args(out);
        }
    }
}

impl<T: Element> ToArgs for [T] {
    fn write_args(&self, out: &mut Packed) {
        for value in self {
            value.write_args(out);
        }
    }
}

macro_rules! sequences {
    ($(($($generics:tt)*) $type:ty),+ $(,)?) => {$(
        impl<$($generics)*> ToArgs for $type {
            fn write_args(&self, out: &mut Packed) {
                for value in self {
                    value.write_args(out);
                }
            }
            fn into_args(self, out: &mut Packed) {
                for value in self {
                    value.into_args(out);
                }
            }
        }
    )+};
}

sequences! {
    (T: Element) Vec<T>,
    (T: Element, const N: usize) [T; N],
    (T: ToArgs) std::collections::VecDeque<T>,
    (T: ToArgs) std::collections::BTreeSet<T>,
    (T: ToArgs, S) std::collections::HashSet<T, S>,
}

/// Everything but `u8`, whose sequences are bytes.
pub trait Element: ToArgs {}

macro_rules! elements {
    ($($type:ty),+ $(,)?) => { $(impl Element for $type {})+ };
}

elements!(str, String, Bytes, char, bool, i8, i16, i32, i64, i128, isize, u16, u32, u64, u128);
elements!(usize, f32, f64, Duration, [u8], Cow<'_, str>, Cow<'_, [u8]>);
impl<T: ToArgs + ?Sized> Element for &T {}
impl<T: ToArgs> Element for Option<T> {}
impl<T> Element for Vec<T> where Vec<T>: ToArgs {}

macro_rules! maps {
    ($(($($generics:tt)*) $type:ty),+ $(,)?) => {$(
        impl<$($generics)*> ToArgs for $type {
            fn write_args(&self, out: &mut Packed) {
                for (key, value) in self {
                    key.write_args(out);
                    value.write_args(out);
                }
            }
            fn into_args(self, out: &mut Packed) {
                for (key, value) in self {
                    key.into_args(out);
                    value.into_args(out);
                }
            }
        }
    )+};
}

maps! {
    (K: ToArgs, V: ToArgs) std::collections::BTreeMap<K, V>,
    (K: ToArgs, V: ToArgs, S) std::collections::HashMap<K, V, S>,
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: ToArgs),+> ToArgs for ($($name,)+) {
            #[expect(non_snake_case, reason = "variables have the names of their types")]
            fn write_args(&self, out: &mut Packed) {
                let ($($name,)+) = self;
                $($name.write_args(out);)+
            }
            #[expect(non_snake_case, reason = "variables have the names of their types")]
            fn into_args(self, out: &mut Packed) {
                let ($($name,)+) = self;
                $($name.into_args(out);)+
            }
        }
        impl<$($name: ToArgs),+> Element for ($($name,)+) {}
    )+};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

impl ToArgs for () {
    fn write_args(&self, _out: &mut Packed) {}
}
