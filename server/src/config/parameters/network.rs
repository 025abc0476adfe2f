//! Sockets, clients, threads.

use super::{Form, Parameter, texts};
use crate::store::DATABASES;

/// Requests may be limited to no less than this.
const MIB: i64 = 1024 * 1024;

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::text(
        "listen",
        Form::Text("ADDRESS:PORT, several separated by commas"),
        |s| texts::show_listen(&s.listen),
        |s, text| texts::read_listen(text).map(|listen| s.listen = listen),
        "Where clients connect. Port 0: any free port, which the log names.",
    )
    .fixed(),
    Parameter::number(
        "port",
        Form::Integer { min: 0, max: 65_535 },
        |s| s.listen.first().map_or(0, |addr| i64::from(addr.port())),
        |s, port| s.listen.iter_mut().for_each(|addr| addr.set_port(port as u16)),
        "The port of `listen`, under Redis's name.",
    )
    .fixed(),
    Parameter::text(
        "bind",
        Form::Text("addresses, separated by blanks"),
        |s| texts::show_bind(&s.listen),
        |s, text| texts::read_bind(text, &s.listen).map(|listen| s.listen = listen),
        "The addresses of `listen`, under Redis's name.",
    )
    .fixed(),
    Parameter::number(
        "threads",
        Form::Integer { min: 1, max: 1024 },
        |s| s.threads as i64,
        |s, count| s.threads = count as usize,
        "Threads that serve clients. By default as many as there are processors.",
    )
    .alias("io-threads")
    .fixed(),
    Parameter::number(
        "tcp-backlog",
        Form::from_i32(0),
        |s| i64::from(s.tcp_backlog),
        |s, len| s.tcp_backlog = len as i32,
        "Connections that the kernel queues before they are accepted.",
    )
    .fixed(),
    Parameter::number(
        "tcp-keepalive",
        Form::from_i32(0),
        |s| s.tcp_keepalive_s as i64,
        |s, seconds| s.tcp_keepalive_s = seconds as u64,
        "Seconds of silence after which the kernel asks whether a client is still there; 0: never. For new connections.",
    ),
    Parameter::number(
        "maxclients",
        Form::Integer { min: 1, max: u32::MAX as i64 },
        |s| s.clients_max as i64,
        |s, count| s.clients_max = count as usize,
        "Most connections at a time; lowered at the start if the system allows fewer files.",
    ),
    Parameter::number(
        "timeout",
        Form::from_i32(0),
        |s| s.idle_timeout_s as i64,
        |s, seconds| s.idle_timeout_s = seconds as u64,
        "Seconds after which an idle client is closed; 0: never.",
    ),
    Parameter::number(
        "request-deadline",
        Form::Integer { min: 1, max: 3_600_000 },
        |s| s.request_deadline_ms as i64,
        |s, ms| s.request_deadline_ms = ms as u64,
        "Milliseconds for which a request is tried whose slot another node owns, or is about to own; then its client gets \
         an error that says whether it may have been executed.",
    ),
    Parameter::text(
        "requirepass",
        Form::Text("a password"),
        |s| s.password.clone(),
        |s, text| {
            s.password = text.to_owned();
            Ok(())
        },
        "The password that clients must give with AUTH; empty: none.",
    )
    .secret(),
    Parameter::number(
        "protected-mode",
        Form::Switch,
        |s| i64::from(s.protected_mode),
        |s, on| s.protected_mode = on != 0,
        "Without a password, refuse clients from other machines.",
    ),
    Parameter::number(
        "proto-max-bulk-len",
        Form::Size { min: MIB },
        |s| s.bulk_len_max as i64,
        |s, bytes| s.bulk_len_max = bytes as usize,
        "Longest argument of a request, and longest string.",
    ),
    Parameter::number(
        "client-query-buffer-limit",
        Form::Size { min: MIB },
        |s| s.query_buffer_len_max as i64,
        |s, bytes| s.query_buffer_len_max = bytes as usize,
        "Longest request, and largest queue of a transaction.",
    ),
    Parameter::text(
        "client-output-buffer-limit",
        Form::Text("class, hard limit, soft limit, seconds; for several classes"),
        |s| texts::show_output_limits(&s.output_limits),
        |s, text| texts::read_output_limits(text, s.output_limits).map(|limits| s.output_limits = limits),
        "How far a client may fall behind in reading before it is closed: beyond the hard limit at once, beyond the soft \
         limit after so many seconds.",
    ),
    Parameter::number(
        "tracking-table-max-keys",
        Form::from(0),
        |s| s.tracking_keys_max as i64,
        |s, count| s.tracking_keys_max = count as usize,
        "Keys that the node remembers for client-side caches; 0: no limit.",
    ),
    Parameter::number(
        "shutdown-timeout",
        Form::from_i32(0),
        |s| s.shutdown_timeout_s as i64,
        |s, seconds| s.shutdown_timeout_s = seconds as u64,
        "Seconds that a shutdown waits for clients to take their replies.",
    ),
    Parameter::text(
        "dir",
        Form::Text("a path"),
        |s| s.dir.clone(),
        |s, text| texts::read_dir(text).map(|dir| s.dir = dir),
        "The working directory.",
    )
    .fixed(),
    Parameter::number(
        "databases",
        Form::Integer { min: DATABASES as i64, max: DATABASES as i64 },
        |_| DATABASES as i64,
        |_, _| {},
        "Databases that SELECT chooses from.",
    )
    .fixed(),
];
