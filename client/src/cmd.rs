//! A command with its arguments, encoded as it is sent.

mod arg;
mod routing;

use rondache_protocol::command::{self, CommandSpec, Flags};

pub use arg::ToArg;
pub(crate) use routing::{Merge, Routing};

/// A command and its arguments.
///
/// ```
/// use rondache_client::Cmd;
///
/// let cmd = Cmd::new("SET").arg("greeting").arg("hello").arg("EX").arg(60);
/// assert_eq!(cmd.argc(), 5);
/// assert_eq!(cmd.get(1), Some(&b"greeting"[..]));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cmd {
    /// The arguments, the name first, each as a bulk string; the array's header is written when it is sent.
    body: Vec<u8>,
    argc: usize,
    /// Its index in the command table, or [`UNKNOWN`].
    index: u16,
}

const UNKNOWN: u16 = u16::MAX;

impl Cmd {
    /// A command by its name, in any case. Of commands with subcommands this is the first word; the second is an
    /// argument: `Cmd::new("OBJECT").arg("ENCODING").arg(key)`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with_capacity(name, 48)
    }

    /// As [`new`](Self::new), with room for so many bytes of arguments, so that the buffer needn't grow.
    #[must_use]
    pub fn with_capacity(name: &str, args_len: usize) -> Self {
        let mut cmd = Self {
            body: Vec::with_capacity(name.len() + args_len + 16),
            argc: 0,
            index: command::lookup(name.as_bytes()).unwrap_or(UNKNOWN),
        };
        cmd.push(name.as_bytes());
        cmd
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl ToArg) -> Self {
        arg.write_to(&mut self);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: ToArg>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        for arg in args {
            arg.write_to(&mut self);
        }
        self
    }

    /// Adds an argument if there is one.
    #[must_use]
    pub fn optional<A: ToArg>(self, arg: Option<A>) -> Self {
        match arg {
            Some(arg) => self.arg(arg),
            None => self,
        }
    }

    /// Adds a word if a condition holds.
    #[must_use]
    pub fn flag(self, word: &str, given: bool) -> Self {
        if given { self.arg(word) } else { self }
    }

    /// Adds pairs of arguments, such as fields and values.
    #[must_use]
    pub fn pairs<A: ToArg, B: ToArg>(mut self, pairs: impl IntoIterator<Item = (A, B)>) -> Self {
        for (first, second) in pairs {
            first.write_to(&mut self);
            second.write_to(&mut self);
        }
        self
    }

    /// Appends one argument's bytes.
    pub fn push(&mut self, arg: &[u8]) {
        self.body.reserve(arg.len() + 24);
        self.body.push(b'$');
        push_number(&mut self.body, arg.len());
        self.body.extend_from_slice(b"\r\n");
        self.body.extend_from_slice(arg);
        self.body.extend_from_slice(b"\r\n");
        self.argc += 1;
    }

    /// How many arguments there are, the name included.
    #[must_use]
    pub fn argc(&self) -> usize {
        self.argc
    }

    /// The argument at an index; the name is argument 0. Walks the arguments before it.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.iter().nth(index)
    }

    /// All arguments, the name first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        arg::Arguments::new(&self.body)
    }

    /// The name as it was given.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.get(0).unwrap_or_default()
    }

    /// Length of the arguments in bytes, as they are sent.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.body.len()
    }

    /// The command's entry in the command table; of a command with subcommands, that of the subcommand. `None` if the
    /// table doesn't know it, which doesn't keep it from being sent.
    #[must_use]
    pub fn spec(&self) -> Option<&'static CommandSpec> {
        let spec = self.parent_spec()?;
        if spec.subcommands.is_empty() {
            return Some(spec);
        }
        Some(self.get(1).and_then(|name| spec.subcommand(name)).map_or(spec, |(_, sub)| sub))
    }

    /// Its family in the command table.
    #[inline]
    pub(crate) fn group(&self) -> Option<command::Group> {
        self.parent_spec().map(|spec| spec.group)
    }

    /// The entry of the first word.
    pub(crate) fn parent_spec(&self) -> Option<&'static CommandSpec> {
        (self.index != UNKNOWN).then(|| command::spec(self.index))
    }

    /// Whether executing this very call twice does no harm, so that the client may repeat it when it cannot know
    /// whether it was executed. Options that make the outcome depend on what was there (NX, GET …) take that away.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        let Some(spec) = self.spec() else {
            return false;
        };
        // A read is safe whatever its arguments; for a write they have to be looked at.
        if spec.flags.contains(Flags::IDEMPOTENT | Flags::READONLY) {
            return true;
        }
        let args: Vec<&[u8]> = self.iter().collect();
        spec.is_idempotent_call(args.len(), |index| args.get(index).copied().unwrap_or_default())
    }

    /// Whether the command only reads.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.spec().is_some_and(|spec| spec.flags.contains(Flags::READONLY))
    }

    /// Whether the command may wait on the server for something to happen.
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        self.spec().is_some_and(|spec| spec.flags.contains(Flags::BLOCKING))
    }

    /// Appends the command as it is sent.
    #[inline]
    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.body.len() + 24);
        out.push(b'*');
        push_number(out, self.argc);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }
}

impl std::fmt::Debug for Cmd {
    /// The name and the first key: values may be secrets, and long.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = String::from_utf8_lossy(self.name());
        f.debug_struct("Cmd").field("name", &name).field("argc", &self.argc).field("len", &self.body.len()).finish()
    }
}

#[inline]
fn push_number(out: &mut Vec<u8>, number: usize) {
    match number {
        0..=9 => out.push(b'0' + number as u8),
        10..=99 => out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]),
        _ => {
            let (mut digits, mut at, mut rest) = ([0u8; 20], 20, number);
            while rest > 0 && at > 0 {
                at -= 1;
                digits[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            out.extend_from_slice(&digits[at..]);
        }
    }
}

#[cfg(test)]
mod tests;
