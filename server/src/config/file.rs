//! The TOML file: a key for every parameter, without sections.

use std::{ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

use super::source::{ConfigError, Given, Origin};

/// What a file says.
pub(super) fn read(path: &Path) -> Result<Vec<Given>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    parse(&text, path)
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<Given>, ConfigError> {
    let syntax = |span: Range<usize>, problem: &str| ConfigError::Syntax {
        path: path.to_owned(),
        line: line_of(text, span.start),
        problem: problem.trim_end().to_owned(),
    };
    let table =
        DeTable::parse(text).map_err(|error| syntax(error.span().unwrap_or_default(), error.message()))?.into_inner();
    let mut given = Vec::new();
    for (key, value) in &table {
        let name = key.get_ref().to_string();
        let Some(value) = plain(value.get_ref()) else {
            let problem = format!("{name}: must be a string, a number, true or false, or a list of these");
            return Err(syntax(key.span(), &problem));
        };
        let origin = Origin::File { path: path.to_owned(), line: line_of(text, key.span().start) };
        given.push(Given { name, value, origin });
    }
    Ok(given)
}

/// A value as the command line would have it.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Integer(number) => Some(i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(true) => Some("yes".to_owned()),
        DeValue::Boolean(false) => Some("no".to_owned()),
        DeValue::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| plain(item.get_ref())).collect();
            Some(items?.join(" "))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        parse(text, Path::new("x.toml")).unwrap().into_iter().map(|given| (given.name, given.value)).collect()
    }

    #[test]
    fn values_of_every_toml_type_read_as_on_the_command_line() {
        let text = "a = 1_000\nb = true\nc = \"10s\"\nd = [\"x:1\", \"y:2\"]\ne = 0x10\n";
        let expected = [("a", "1000"), ("b", "yes"), ("c", "10s"), ("d", "x:1 y:2"), ("e", "16")];
        let mut values = values(text);
        values.sort();
        assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn sections_are_refused_with_their_line() {
        let error = parse("a = 1\n\n[memory]\nb = 2\n", Path::new("x.toml")).unwrap_err();
        assert!(error.to_string().starts_with("x.toml:3: memory: must be"), "{error}");
    }
}
