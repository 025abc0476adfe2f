//! The parameter table: one entry per name, which the command line, the environment, the file, `CONFIG` and the
//! documentation all read. Adding a parameter is one entry in one of the lists, and a field of [`Settings`].

mod accepted;
mod cluster;
mod cluster_texts;
mod encoding;
mod form;
mod memory;
mod monitoring;
mod network;
mod texts;

pub use form::{Form, Value};

use super::settings::Settings;

/// One parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name: Redis's where Redis has one.
    pub name: &'static str,
    /// An older name that means the same.
    pub alias: Option<&'static str>,
    /// What its values look like.
    pub form: Form,
    /// Whether it is fixed once the node runs.
    pub is_fixed: bool,
    /// Whether all nodes of a cluster share its value: see `cluster::settings`.
    pub is_of_cluster: bool,
    /// Whether its value must not show up in logs.
    pub is_secret: bool,
    /// What it does, for the documentation and `--help`.
    pub doc: &'static str,
    access: Access,
}

/// Where a value lives.
#[derive(Debug)]
enum Access {
    Number {
        get: fn(&Settings) -> i64,
        set: fn(&mut Settings, i64),
    },
    Text {
        get: fn(&Settings) -> String,
        set: fn(&mut Settings, &str) -> Result<(), String>,
    },
    /// Of no meaning here: checked, remembered and answered.
    Accepted {
        default: &'static str,
    },
}

impl Parameter {
    const fn number(
        name: &'static str,
        form: Form,
        get: fn(&Settings) -> i64,
        set: fn(&mut Settings, i64),
        doc: &'static str,
    ) -> Self {
        let access = Access::Number { get, set };
        Self { name, alias: None, form, is_fixed: false, is_of_cluster: false, is_secret: false, doc, access }
    }

    const fn text(
        name: &'static str,
        form: Form,
        get: fn(&Settings) -> String,
        set: fn(&mut Settings, &str) -> Result<(), String>,
        doc: &'static str,
    ) -> Self {
        let access = Access::Text { get, set };
        Self { name, alias: None, form, is_fixed: false, is_of_cluster: false, is_secret: false, doc, access }
    }

    const fn accepted(name: &'static str, form: Form, default: &'static str) -> Self {
        let access = Access::Accepted { default };
        Self { name, alias: None, form, is_fixed: false, is_of_cluster: false, is_secret: false, doc: "", access }
    }

    const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    const fn fixed(mut self) -> Self {
        self.is_fixed = true;
        self
    }

    const fn of_cluster(mut self) -> Self {
        self.is_of_cluster = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Whether the parameter is only accepted and remembered, for the sake of clients that set it.
    #[must_use]
    pub fn is_accepted_only(&self) -> bool {
        matches!(self.access, Access::Accepted { .. })
    }

    /// The value in force, as `CONFIG GET` answers it.
    #[must_use]
    pub fn get(&self, settings: &Settings) -> String {
        match &self.access {
            Access::Number { get, .. } => self.form.show(get(settings)),
            Access::Text { get, .. } => get(settings),
            Access::Accepted { default } => {
                settings.accepted.get(self.name).cloned().unwrap_or_else(|| (*default).to_owned())
            }
        }
    }

    /// Reads a value and puts it into force.
    ///
    /// # Errors
    /// The value cannot be read or is out of range; the text says what is expected, in Redis's words where it has some.
    pub fn set(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        let value = self.form.read(text)?;
        match (&self.access, value) {
            (Access::Number { set, .. }, Value::Number(number)) => set(settings, number),
            (Access::Text { set, .. }, Value::Text(text)) => set(settings, text)?,
            (Access::Accepted { .. }, value) => {
                let shown = match value {
                    Value::Number(number) => self.form.show(number),
                    Value::Text(text) => text.to_owned(),
                };
                settings.accepted.insert(self.name, shown);
            }
            // The lists below pair numbers with forms of numbers; a test sets every parameter to its default.
            (Access::Number { .. } | Access::Text { .. }, _) => return Err("unreadable".to_owned()),
        }
        Ok(())
    }

    /// The name and the alias, if there is one.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.alias)
    }
}

/// The lists, with the heading that the documentation gives them.
pub const SECTIONS: [(&str, &[Parameter]); 6] = [
    ("Network and process", network::PARAMETERS),
    ("Cluster", cluster::PARAMETERS),
    ("Memory and expiry", memory::PARAMETERS),
    ("Encodings", encoding::PARAMETERS),
    ("Monitoring", monitoring::PARAMETERS),
    ("Accepted for compatibility", accepted::PARAMETERS),
];

/// Every parameter.
pub fn all() -> impl Iterator<Item = &'static Parameter> {
    SECTIONS.iter().flat_map(|(_, parameters)| parameters.iter())
}

/// The parameter of that name or alias, in any case.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static Parameter> {
    all().find(|parameter| parameter.names().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Every name and alias.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().flat_map(Parameter::names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut seen = std::collections::HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} is there twice");
        }
    }

    #[test]
    fn every_default_is_a_value_that_can_be_set() {
        let mut settings = Settings::default();
        for parameter in all() {
            let value = parameter.get(&settings);
            assert_eq!(parameter.set(&mut settings, &value), Ok(()), "{} {value:?}", parameter.name);
            assert_eq!(parameter.get(&settings), value, "{}", parameter.name);
        }
    }

    #[test]
    fn every_parameter_that_does_something_says_what() {
        for parameter in all().filter(|parameter| !parameter.is_accepted_only()) {
            assert!(parameter.doc.ends_with('.'), "{}", parameter.name);
        }
    }
}
