//! Where settings come from, in order of precedence: the command line, the environment, the file, the defaults.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use super::{cli, env, file, parameters, parameters::Parameter, settings::Settings, suggest};

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    CommandLine,
    /// A variable.
    Environment,
    /// A line of the file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
    },
}

/// A value as it was given, not yet read.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) origin: Origin,
}

/// Why there is no configuration to start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A name that no parameter has.
    #[error("{}: unknown parameter{}", At(origin, name), suggest::hint(name, parameters::names()))]
    Unknown {
        /// The name.
        name: String,
        /// Where it stands.
        origin: Origin,
    },
    /// A value that cannot be read.
    #[error(transparent)]
    Unreadable(Box<Unreadable>),
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What the TOML parser says.
        problem: String,
    },
    /// Bad usage of the command line, or a request for help, which clap words and prints.
    #[error(transparent)]
    Usage(#[from] clap::Error),
}

/// A value that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem} (expected {expected}, got '{got}')", At(origin, name))]
pub struct Unreadable {
    /// The parameter.
    pub name: String,
    /// Where the value stands.
    pub origin: Origin,
    /// What is wrong.
    pub problem: String,
    /// What it should look like.
    pub expected: String,
    /// The value, unless it is a secret.
    pub got: String,
}

/// A parameter's name as its origin spells it.
struct At<'a>(&'a Origin, &'a str);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Origin::CommandLine => write!(f, "--{}", self.1),
            Origin::Environment => write!(f, "{}", env::variable(self.1)),
            Origin::File { path, line } => write!(f, "{}:{line}: {}", path.display(), self.1),
        }
    }
}

impl Settings {
    /// The settings that a command line, an environment and the file that either names amount to.
    ///
    /// # Errors
    /// A name is unknown, a value unreadable, or the file.
    pub fn from_sources(
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let command_line = cli::read(args)?;
        let environment = env::read(environment);
        let mut settings = Self::default();
        if let Some(path) = command_line.file.or(environment.file) {
            settings.read_file(&path)?;
        }
        settings.apply(environment.given)?;
        settings.apply(command_line.given)?;
        Ok(settings)
    }

    /// Applies a TOML file.
    ///
    /// # Errors
    /// The file cannot be read or holds what cannot be used.
    pub fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        self.apply(file::read(path)?)?;
        self.file = Some(path.to_owned());
        Ok(())
    }

    fn apply(&mut self, mut given: Vec<Given>) -> Result<(), ConfigError> {
        // In the table's order, so that `port` and `bind` adjust `listen` and not the other way round.
        given.sort_by_key(|given| parameters::all().position(|parameter| is_named(parameter, &given.name)));
        for Given { name, value, origin } in given {
            let Some(parameter) = parameters::lookup(&name) else { return Err(ConfigError::Unknown { name, origin }) };
            if let Err(problem) = parameter.set(self, &value) {
                let got = if parameter.is_secret { "(hidden)".to_owned() } else { value };
                let expected = parameter.form.describe();
                let unreadable = Unreadable { name, origin, problem, expected, got };
                return Err(ConfigError::Unreadable(Box::new(unreadable)));
            }
        }
        Ok(())
    }
}

fn is_named(parameter: &Parameter, name: &str) -> bool {
    parameter.names().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn from(args: &[&str], environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let args = std::iter::once("rondache").chain(args.iter().copied()).map(OsString::from);
        Settings::from_sources(args, environment.iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn file_with(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn the_command_line_outranks_the_environment_and_that_the_file() {
        let file = file_with("maxclients = 1\ntimeout = 1\nhz = 1\n");
        let path = file.path().to_str().unwrap();
        let settings =
            from(&["--config", path, "--maxclients", "3"], &[("RONDACHE_MAXCLIENTS", "2"), ("RONDACHE_TIMEOUT", "2")])
                .unwrap();
        assert_eq!((settings.clients_max, settings.idle_timeout_s), (3, 2));
        assert_eq!(parameters::lookup("hz").unwrap().get(&settings), "1");
        assert_eq!(settings.ttl_jitter_percent, Settings::default().ttl_jitter_percent);
    }

    #[test]
    fn an_unreadable_value_in_the_file_is_told_with_line_and_key() {
        let file = file_with("# a comment\nmaxclients = 10\n\nttl-jitter = 300\n");
        let error = from(&["--config", file.path().to_str().unwrap()], &[]).unwrap_err().to_string();
        let expected = format!(
            "{}:4: ttl-jitter: argument must be between 0 and 100 inclusive (expected an integer from 0 to 100, got '300')",
            file.path().display()
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn an_unknown_key_in_the_file_suggests_the_near_one() {
        let file = file_with("maxclients = 10\nmaxmemry = \"1gb\"\n");
        let error = from(&["--config", file.path().to_str().unwrap()], &[]).unwrap_err().to_string();
        assert!(error.ends_with(":2: maxmemry: unknown parameter (did you mean 'maxmemory'?)"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_with_its_line() {
        let file = file_with("maxclients = 10\nmaxmemory 1gb\n");
        let error = from(&["--config", file.path().to_str().unwrap()], &[]).unwrap_err();
        assert!(matches!(error, ConfigError::Syntax { line: 2, .. }), "{error}");
    }

    #[test]
    fn a_bad_variable_is_told_by_its_own_name() {
        let error = from(&[], &[("RONDACHE_TTL_JITTER", "x")]).unwrap_err().to_string();
        assert!(error.starts_with("RONDACHE_TTL_JITTER: "), "{error}");
        let error = from(&[], &[("RONDACHE_TTL_JITER", "1")]).unwrap_err().to_string();
        assert_eq!(error, "RONDACHE_TTL_JITER: unknown parameter (did you mean 'ttl-jitter'?)");
    }

    #[test]
    fn what_kubernetes_puts_into_the_environment_is_no_setting() {
        let injected = [
            ("RONDACHE_SERVICE_HOST", "10.0.0.1"),
            ("RONDACHE_SERVICE_PORT", "6379"),
            ("RONDACHE_SERVICE_PORT_RESP", "6379"),
            ("RONDACHE_PORT", "tcp://10.0.0.1:6379"),
            ("RONDACHE_PORT_6379_TCP_ADDR", "10.0.0.1"),
        ];
        assert_eq!(from(&[], &injected).unwrap().listen, Settings::default().listen);
    }

    #[test]
    fn a_secret_is_not_repeated_in_an_error() {
        let file = file_with("requirepass = [\"top\", { secret = 1 }]\n");
        let error = from(&["--config", file.path().to_str().unwrap()], &[]).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_port_adjusts_the_address_to_listen_on() {
        let settings = from(&["--port", "7000", "--listen", "127.0.0.2:1"], &[]).unwrap();
        assert_eq!(settings.listen, ["127.0.0.2:7000".parse().unwrap()]);
    }

    #[test]
    fn serve_may_be_said_or_left_out() {
        assert_eq!(from(&["serve", "--ttl-jitter", "0"], &[]).unwrap().ttl_jitter_percent, 0);
        assert_eq!(from(&["--ttl-jitter", "0"], &[]).unwrap().ttl_jitter_percent, 0);
        assert!(from(&["sreve"], &[]).is_err());
    }
}
