//! The `rondache` program's commands: `serve`, which runs a node, `demo`, which runs a whole cluster for a first look, and the
//! tools that ask a running node: `status`, `leave`, `weight`.

pub mod client;
pub mod demo;
pub mod orders;
pub mod render;
pub mod status;

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use self::{demo::Demo, orders::Order, status::StatusOptions};
use crate::config::{ConfigError, cli as serve_cli, settings::Settings};

/// What a command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Run a node.
    Serve(Box<Settings>),
    /// Run a cluster in this process.
    Demo(Demo),
    /// Show a cluster.
    Status(StatusOptions),
    /// Order a node to do something.
    Order(Order),
}

/// A node that a tool talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `HOST:PORT` of its main port.
    pub node: String,
    /// Its password, if it has one.
    pub password: Option<String>,
}

/// Reads a command line, the program's name first, and the environment.
///
/// # Errors
/// Bad usage, a request for help, or settings that cannot be read.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Invocation, ConfigError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let matches = grammar().try_get_matches_from(&args)?;
    Ok(match matches.subcommand() {
        Some(("demo", matches)) => Invocation::Demo(Demo {
            nodes: matches.get_one("nodes").copied().unwrap_or(demo::NODES_DEFAULT),
            port: matches.get_one("port").copied().unwrap_or(demo::PORT_DEFAULT),
        }),
        Some(("status", matches)) => {
            Invocation::Status(StatusOptions { target: target(matches), watches: matches.get_flag("watch") })
        }
        Some(("leave", matches)) => Invocation::Order(Order::Leave(target(matches))),
        Some(("weight", matches)) => {
            let weight: Option<&String> = matches.get_one("weight");
            Invocation::Order(Order::Weight(target(matches), weight.cloned()))
        }
        _ => Invocation::Serve(Box::new(Settings::from_sources(args, environment)?)),
    })
}

fn target(matches: &ArgMatches) -> Target {
    let text = |name| matches.get_one::<String>(name).cloned();
    Target { node: text("node").unwrap_or_default(), password: text("password").filter(|word| !word.is_empty()) }
}

fn grammar() -> Command {
    let nodes_max = i64::from(demo::NODES_MAX);
    let demo = Command::new("demo")
        .about("Run a whole cluster in this process, for a first look")
        .arg(
            Arg::new("nodes")
                .long("nodes")
                .value_name("COUNT")
                .value_parser(value_parser!(u16).range(1..=nodes_max))
                .help(format!("How many nodes [default: {}]", demo::NODES_DEFAULT)),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("PORT")
                .value_parser(value_parser!(u16).range(1..=i64::from(demo::PORT_MAX)))
                .help(format!("The first node's port; the others follow it [default: {}]", demo::PORT_DEFAULT)),
        );
    let watch = Arg::new("watch").long("watch").action(ArgAction::SetTrue).help("Show it again every second");
    let status = Command::new("status")
        .about("Show a cluster: members, shares, what moves, how far copies are behind")
        .args(target_args())
        .arg(watch);
    let leave = Command::new("leave")
        .about("Let a node give its keys to the others, then end; waits until it has")
        .args(target_args());
    let weight =
        Arg::new("weight").value_name("WEIGHT").help("1 is an ordinary share, 0 none; without it, shows the weight");
    let weight =
        Command::new("weight").about("Change a node's share against the other nodes'").args(target_args()).arg(weight);
    serve_cli::command().subcommands([demo, status, leave, weight])
}

fn target_args() -> [Arg; 2] {
    [
        Arg::new("node")
            .long("node")
            .value_name("HOST:PORT")
            .default_value("127.0.0.1:6379")
            .help("The node to ask, by its main port"),
        Arg::new("password")
            .long("password")
            .env("RONDACHE_REQUIREPASS")
            .hide_env_values(true)
            .value_name("PASSWORD")
            .help("The node's password"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Invocation, ConfigError> {
        parse(std::iter::once("rondache").chain(args.iter().copied()).map(OsString::from), [])
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar().debug_assert();
    }

    #[test]
    fn a_node_is_served_with_or_without_the_word() {
        for args in [&["--ttl-jitter", "3"][..], &["serve", "--ttl-jitter", "3"]] {
            let Ok(Invocation::Serve(settings)) = parsed(args) else { panic!("{args:?}") };
            assert_eq!(settings.ttl_jitter_percent, 3);
        }
    }

    #[test]
    fn tools_are_told_whom_to_ask() {
        let Ok(Invocation::Status(options)) = parsed(&["status", "--node", "h:1", "--watch"]) else { panic!() };
        assert_eq!((options.target.node.as_str(), options.watches), ("h:1", true));
        let Ok(Invocation::Order(Order::Leave(target))) = parsed(&["leave", "--node", "h:1"]) else { panic!() };
        assert_eq!(target.node, "h:1");
        let Ok(Invocation::Order(Order::Weight(_, weight))) = parsed(&["weight", "2.5"]) else { panic!() };
        assert_eq!(weight.as_deref(), Some("2.5"));
        let Ok(Invocation::Demo(demo)) = parsed(&["demo", "--nodes", "5"]) else { panic!() };
        assert_eq!((demo.nodes, demo.port), (5, 7001));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for args in [&["demo", "--nodes", "0"][..], &["demo", "--nodes", "99"], &["status", "--nodes", "1"], &["demi"]]
        {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
