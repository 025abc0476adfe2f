//! What may be an argument.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use super::Cmd;

/// A type that is one argument of a command.
///
/// Texts and bytes are sent as they are, numbers in decimal digits. `&T` is what `T` is.
pub trait ToArg {
    /// Appends the argument: exactly one.
    fn write_to(&self, cmd: &mut Cmd);
}

macro_rules! as_bytes {
    ($($type:ty),*) => {$(
        impl ToArg for $type {
            #[inline]
            fn write_to(&self, cmd: &mut Cmd) {
                cmd.push(self.as_ref());
            }
        }
    )*};
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl ToArg for $type {
            #[inline]
            fn write_to(&self, cmd: &mut Cmd) {
                cmd.push(self.as_bytes());
            }
        }
    )*};
}

macro_rules! as_number {
    ($($type:ty),*) => {$(
        impl ToArg for $type {
            fn write_to(&self, cmd: &mut Cmd) {
                let mut text = Digits { text: [0; 40], len: 0 };
                // Writing to `Digits` cannot fail, and no number is longer than it holds.
                let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{self}"));
                cmd.push(text.as_bytes());
            }
        }
    )*};
}

as_bytes!([u8], Vec<u8>, Box<[u8]>, Bytes, Arc<[u8]>);
as_text!(str, String, Box<str>, Arc<str>, Cow<'_, str>);
as_number!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl<const N: usize> ToArg for [u8; N] {
    fn write_to(&self, cmd: &mut Cmd) {
        cmd.push(self);
    }
}

impl ToArg for f64 {
    /// Infinities are spelled `inf` and `-inf`, as the score arguments of sorted sets are.
    fn write_to(&self, cmd: &mut Cmd) {
        cmd.push(rondache_protocol::resp::double::double_text(*self).as_bytes());
    }
}

impl ToArg for f32 {
    fn write_to(&self, cmd: &mut Cmd) {
        // Through the shortest decimal form, so that 0.1 doesn't become 0.10000000149011612.
        let text = self.to_string();
        cmd.push(text.as_bytes());
    }
}

impl ToArg for char {
    fn write_to(&self, cmd: &mut Cmd) {
        cmd.push(self.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<T: ToArg + ?Sized> ToArg for &T {
    #[inline]
    fn write_to(&self, cmd: &mut Cmd) {
        (**self).write_to(cmd);
    }
}

/// The digits of an integer of up to 128 bits.
struct Digits {
    text: [u8; 40],
    len: usize,
}

impl Digits {
    fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.text.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Walks the arguments of an encoded command.
pub(super) struct Arguments<'a> {
    rest: &'a [u8],
}

impl<'a> Arguments<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a [u8];

    /// The bytes are those that `Cmd::push` wrote, so nothing here fails before the end.
    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let mut at = 1;
        let mut len = 0usize;
        loop {
            let byte = *self.rest.get(at)?;
            at += 1;
            if byte == b'\r' {
                break;
            }
            len = len * 10 + usize::from(byte - b'0');
        }
        let start = at + 1;
        let arg = self.rest.get(start..start + len)?;
        self.rest = self.rest.get(start + len + 2..).unwrap_or_default();
        Some(arg)
    }
}
