//! The command line: a flag for every parameter of the table.

use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::PathBufValueParser};

use super::{
    parameters::{self, Parameter},
    settings::Settings,
    source::{ConfigError, Given, Origin},
};

/// What a command line says.
#[derive(Debug)]
pub(super) struct CommandLine {
    /// `--config`
    pub(super) file: Option<PathBuf>,
    pub(super) given: Vec<Given>,
}

/// Reads a command line, the program's name first.
pub(super) fn read(args: impl IntoIterator<Item = OsString>) -> Result<CommandLine, ConfigError> {
    let matches = command().try_get_matches_from(args)?;
    let matches = matches.subcommand_matches("serve").unwrap_or(&matches);
    let given = parameters::all().filter_map(|parameter| given(parameter, matches)).collect();
    Ok(CommandLine { file: matches.get_one("config").cloned(), given })
}

fn given(parameter: &'static Parameter, matches: &ArgMatches) -> Option<Given> {
    let value: &String = matches.get_one(parameter.name)?;
    Some(Given { name: parameter.name.to_owned(), value: value.clone(), origin: Origin::CommandLine })
}

/// The command line's grammar.
pub(crate) fn command() -> Command {
    Command::new("rondache")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A cache that shields a database. Speaks the Redis protocol")
        .after_help(
            "Every flag is also a key of the TOML file that --config names, and an environment variable: --ttl-jitter \
             is RONDACHE_TTL_JITTER. The command line outranks the environment, and that the file. Most can be changed \
             while the node runs: CONFIG SET ttl-jitter 5.",
        )
        .args(flags())
        .args_conflicts_with_subcommands(true)
        .subcommand(Command::new("serve").about("Serve clients (what is done without any command)").args(flags()))
}

fn flags() -> Vec<Arg> {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(PathBufValueParser::new())
        .help("A TOML file with settings [env: RONDACHE_CONFIG]");
    let defaults = Settings::default();
    let sections = parameters::SECTIONS.iter().flat_map(|(heading, list)| list.iter().map(move |p| (*heading, p)));
    std::iter::once(config).chain(sections.map(|(heading, parameter)| flag(heading, parameter, &defaults))).collect()
}

fn flag(heading: &'static str, parameter: &'static Parameter, defaults: &Settings) -> Arg {
    let default = parameter.get(defaults);
    let default = if default.is_empty() { String::new() } else { format!(" [default: {default}]") };
    let arg = Arg::new(parameter.name)
        .long(parameter.name)
        .action(ArgAction::Set)
        .value_name("VALUE")
        .allow_negative_numbers(true)
        .help_heading(heading)
        .hide(parameter.is_accepted_only())
        .help(format!("{} {}{default}", parameter.doc, parameter.form.describe()));
    match parameter.alias {
        Some(alias) => arg.alias(alias),
        None => arg,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_grammar_is_sound() {
        super::command().debug_assert();
    }
}
