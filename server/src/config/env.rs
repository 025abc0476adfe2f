//! The environment: a `RONDACHE_…` variable for every parameter.

use std::{ffi::OsString, path::PathBuf};

use super::source::{Given, Origin};

const PREFIX: &str = "RONDACHE_";
const FILE: &str = "CONFIG";

/// What an environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// `RONDACHE_CONFIG`
    pub(super) file: Option<PathBuf>,
    pub(super) given: Vec<Given>,
}

/// The variable of a parameter.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// Picks the variables that are meant for the node.
pub(super) fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
    let mut environment = Environment::default();
    for (variable, value) in variables {
        let Some(name) = variable.to_str().and_then(|variable| variable.strip_prefix(PREFIX)) else { continue };
        if name == FILE {
            environment.file = Some(value.into());
            continue;
        }
        let value = value.to_string_lossy().into_owned();
        if is_service_link(name, &value) {
            continue;
        }
        let name = name.to_ascii_lowercase().replace('_', "-");
        environment.given.push(Given { name, value, origin: Origin::Environment });
    }
    environment
}

/// Whether Kubernetes put the variable there: it does so in every pod beside a service that is called `rondache`.
fn is_service_link(name: &str, value: &str) -> bool {
    name == "SERVICE_HOST"
        || name.starts_with("SERVICE_PORT")
        || name == "PORT" && value.contains("://")
        || name.strip_prefix("PORT_").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}
