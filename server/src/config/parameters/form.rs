//! What a parameter's values look like: how they are read and shown.

use crate::config::sizes;

/// The form of a parameter's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `yes` or `no`.
    Switch,
    /// A whole number within bounds.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// Bytes, such as `100mb`.
    Size {
        /// The least.
        min: i64,
    },
    /// Bytes, or a share of `maxmemory`, such as `5%`; a share is held as a negative number.
    SizeOrPercent,
    /// A duration, such as `10s`; a bare number is in ms.
    Duration,
    /// One of these words; held as its index.
    Choice(&'static [&'static str]),
    /// A text; this says what it looks like.
    Text(&'static str),
}

/// A value that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Of all forms but texts.
    Number(i64),
    /// A text, which its parameter has yet to check.
    Text(&'a str),
}

impl Form {
    /// Any number from `min` on.
    pub(super) const fn from(min: i64) -> Self {
        Self::Integer { min, max: i64::MAX }
    }

    /// Any number from `min` to the largest that fits into 32 bits, as many parameters of Redis have it.
    pub(super) const fn from_i32(min: i64) -> Self {
        Self::Integer { min, max: i32::MAX as i64 }
    }

    /// Any size.
    pub(super) const fn size() -> Self {
        Self::Size { min: 0 }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// What is wrong with it, in Redis's words where it has some.
    pub fn read<'a>(&self, text: &'a str) -> Result<Value<'a>, String> {
        let number = match self {
            Self::Switch => read_switch(text)?,
            Self::Integer { min, max } => {
                let number = text.parse().map_err(|_| "argument couldn't be parsed into an integer".to_owned())?;
                within(number, *min, *max)?
            }
            Self::Size { min } => {
                let bytes = sizes::parse_size(text).ok_or("argument must be a memory value")?;
                within(i64::try_from(bytes).unwrap_or(i64::MAX), *min, i64::MAX)?
            }
            Self::SizeOrPercent => read_size_or_percent(text)?,
            Self::Duration => {
                let ms = sizes::parse_duration_ms(text)
                    .ok_or("argument must be a duration, such as '500ms', '10s' or '5m'")?;
                i64::try_from(ms).unwrap_or(i64::MAX)
            }
            Self::Choice(words) => read_choice(text, words)?,
            Self::Text(_) => return Ok(Value::Text(text)),
        };
        Ok(Value::Number(number))
    }

    /// A number as `CONFIG GET` answers it.
    #[must_use]
    pub fn show(&self, number: i64) -> String {
        match self {
            Self::Switch => if number != 0 { "yes" } else { "no" }.to_owned(),
            Self::SizeOrPercent if number < 0 => format!("{}%", number.unsigned_abs()),
            Self::Choice(words) => {
                usize::try_from(number).ok().and_then(|index| words.get(index)).copied().unwrap_or_default().to_owned()
            }
            _ => number.to_string(),
        }
    }

    /// What values look like, in a few words for `--help` and the documentation.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Switch => "yes or no".to_owned(),
            Self::Integer { min, max } => match *max {
                i64::MAX => format!("an integer from {min} on"),
                max if max == i64::from(i32::MAX) => format!("an integer from {min} on"),
                max => format!("an integer from {min} to {max}"),
            },
            Self::Size { .. } => "a size such as 100mb".to_owned(),
            Self::SizeOrPercent => "a size such as 100mb, or a share of maxmemory such as 5%".to_owned(),
            Self::Duration => "a duration such as 10s".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Text(like) => (*like).to_owned(),
        }
    }
}

fn within(number: i64, min: i64, max: i64) -> Result<i64, String> {
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(format!("argument must be between {min} and {max} inclusive"))
}

fn read_switch(text: &str) -> Result<i64, String> {
    if text.eq_ignore_ascii_case("yes") {
        Ok(1)
    } else if text.eq_ignore_ascii_case("no") {
        Ok(0)
    } else {
        Err("argument must be 'yes' or 'no'".to_owned())
    }
}

fn read_size_or_percent(text: &str) -> Result<i64, String> {
    let refusal = "argument must be a memory or percent value";
    if let Some(percent) = text.strip_suffix('%') {
        let percent: i64 = percent.parse().map_err(|_| refusal)?;
        return match percent {
            0..=100 => Ok(-percent),
            101.. => Err("percentage argument must be less or equal to 100".to_owned()),
            _ => Err(refusal.to_owned()),
        };
    }
    let bytes = sizes::parse_size(text).ok_or(refusal)?;
    Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn read_choice(text: &str, words: &[&str]) -> Result<i64, String> {
    match words.iter().position(|word| word.eq_ignore_ascii_case(text)) {
        Some(index) => Ok(index as i64),
        None => Err(format!("argument(s) must be one of the following: {}", words.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_expected() {
        let cases = [
            (Form::Switch, "maybe", "argument must be 'yes' or 'no'"),
            (Form::Integer { min: 0, max: 9 }, "10", "argument must be between 0 and 9 inclusive"),
            (Form::Integer { min: 0, max: 9 }, "1.5", "argument couldn't be parsed into an integer"),
            (Form::size(), "1x", "argument must be a memory value"),
            (Form::SizeOrPercent, "200%", "percentage argument must be less or equal to 100"),
            (Form::SizeOrPercent, "-1%", "argument must be a memory or percent value"),
            (Form::Choice(&["a", "b"]), "c", "argument(s) must be one of the following: a, b"),
        ];
        for (form, text, refusal) in cases {
            assert_eq!(form.read(text), Err(refusal.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_what_was_read() {
        let cases = [
            (Form::Switch, "YES", "yes"),
            (Form::size(), "1kb", "1024"),
            (Form::SizeOrPercent, "5%", "5%"),
            (Form::Duration, "10s", "10000"),
            (Form::Choice(&["a", "b"]), "B", "b"),
        ];
        for (form, text, shown) in cases {
            let Ok(Value::Number(number)) = form.read(text) else { panic!("{text} is a number") };
            assert_eq!(form.show(number), shown);
        }
    }
}
