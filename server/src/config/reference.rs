//! The configuration reference for people, `docs/configuration.md`, made from the parameter table.

use std::fmt::Write as _;

use super::{
    env,
    parameters::{self, Parameter},
    settings::Settings,
};

const HEAD: &str = "\
# Configuration

Every parameter below is a flag (`--ttl-jitter 5`), an environment variable (`RONDACHE_TTL_JITTER=5`) and a key of the TOML
file that `--config FILE` or `RONDACHE_CONFIG` names (`ttl-jitter = 5`). The command line outranks the environment, the
environment the file, and the file the default. A name that does not exist is an error, which suggests the nearest one; a
value that cannot be read is an error with its file, line and key.

`CONFIG GET pattern` answers what is in force. `CONFIG SET name value` changes what is marked as live, several at once or none.
`CONFIG REWRITE` puts the settings in force into the file.

What is live *for the whole cluster* has one value on all nodes: `CONFIG SET` on any of them reaches all, and a node that joins
takes the cluster's values in place of its own, with a line in its log for each that differs.

Sizes are in bytes or have a unit: `100mb` is 100 × 1024 × 1024, `100m` is 100 × 1000 × 1000. Durations have a unit: `500ms`,
`10s`, `5m`; a bare number is in milliseconds.

<!-- Made from the parameter table: UPDATE_DOCS=1 cargo test -p rondache-server reference -->
";

const ACCEPTED: &str = "\
Parameters of Redis that mean nothing here. Clients and tools set them, so their values are checked, remembered and answered,
and have no other effect. Nothing that bears on security is among them.
";

/// The whole page.
#[must_use]
pub fn markdown() -> String {
    let defaults = Settings::default();
    let mut page = HEAD.to_owned();
    for (heading, parameters) in parameters::SECTIONS {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {heading}\n\n");
        if parameters.iter().all(Parameter::is_accepted_only) {
            page.push_str(ACCEPTED);
            page.push_str("\n| name | values | default |\n|---|---|---|\n");
            for parameter in parameters {
                let form = parameter.form.describe();
                let _ = writeln!(page, "| {} | {form} | {} |", names(parameter), shown(parameter, &defaults));
            }
        } else {
            for parameter in parameters {
                describe(&mut page, parameter, &defaults);
            }
        }
    }
    page
}

fn describe(page: &mut String, parameter: &Parameter, defaults: &Settings) {
    let when = match (parameter.is_fixed, parameter.is_of_cluster) {
        (true, _) => "fixed at the start",
        (false, true) => "live, for the whole cluster",
        (false, false) => "live",
    };
    let _ = write!(
        page,
        "### {}\n\n{}\n\n{}; default {}; {when}; `{}`\n\n",
        names(parameter),
        parameter.doc,
        capitalised(&parameter.form.describe()),
        shown(parameter, defaults),
        env::variable(parameter.name)
    );
}

fn names(parameter: &Parameter) -> String {
    match parameter.alias {
        Some(alias) => format!("`{}` (also `{alias}`)", parameter.name),
        None => format!("`{}`", parameter.name),
    }
}

/// The default, unless it depends on the machine.
fn shown(parameter: &Parameter, defaults: &Settings) -> String {
    match parameter.name {
        "threads" => "the number of processors".to_owned(),
        "dir" => "where the node was started".to_owned(),
        _ => match parameter.get(defaults).as_str() {
            "" => "empty".to_owned(),
            default => format!("`{default}`"),
        },
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_reference_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        let page = super::markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "{} is stale: run UPDATE_DOCS=1 cargo test -p rondache-server reference",
            path.display()
        );
    }
}
