//! The engine against a tiny RESP server of the test's own.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rondache_bench::BenchError;
use rondache_bench::load::distribution::DistributionKind;
use rondache_bench::load::engine::{Engine, LoadPlan};
use rondache_bench::load::generator::{Generator, GeneratorConfig};
use rondache_bench::load::schedule::Stop;
use rondache_bench::load::values::{SizeRange, SizeSpread};
use rondache_bench::net::{Client, Value};

/// Answers GET with a null, SET with OK, INCR with an error, PING by closing the connection.
fn serve(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let Value::List(arguments) = Value::read(&mut reader)? else {
            return Ok(());
        };
        let Some(Value::Bulk(command)) = arguments.first() else {
            return Ok(());
        };
        let reply: &[u8] = match command.as_slice() {
            b"GET" => b"$-1\r\n",
            b"SET" => b"+OK\r\n",
            b"HELLO" => b"%1\r\n$5\r\nproto\r\n:3\r\n",
            b"PING" => return Ok(()),
            _ => b"-OOM no room\r\n",
        };
        writer.write_all(reply)?;
    }
}

fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    addr
}

fn plan(stop: Stop) -> LoadPlan {
    LoadPlan { addr: start(), connections: 3, pipeline: 16, stop, rate: None, resp3: false }
}

fn generator(mix: &str) -> Generator {
    Generator::new(&GeneratorConfig {
        keys: 1000,
        key_size: 16,
        value_size: SizeRange { min: 1, max: 5000 },
        value_spread: SizeSpread::Uniform,
        distribution: DistributionKind::Uniform,
        mix: mix.parse().expect("a known mix"),
        ttl: None,
        seed: 1,
    })
    .expect("a sound configuration")
}

#[test]
fn a_closed_loop_gets_exactly_as_many_replies_as_requests() {
    let outcome = Engine::run(&plan(Stop::Requests(1003)), &mut generator("set"), |_| ()).expect("a run");
    assert_eq!(outcome.requests, 1003);
    assert_eq!(outcome.error_count(), 0);
    assert!(outcome.latencies.max_us() > 0.0);
}

#[test]
fn nulls_and_error_replies_are_counted_by_kind() {
    let outcome = Engine::run(&plan(Stop::Requests(500)), &mut generator("get,incr"), |_| ()).expect("a run");
    assert_eq!(outcome.nulls + outcome.error_count(), 500);
    assert_eq!(outcome.errors.keys().collect::<Vec<_>>(), ["OOM"]);
}

#[test]
fn an_open_loop_sends_what_its_schedule_says() {
    let mut plan = plan(Stop::After(Duration::from_millis(200)));
    plan.rate = Some(2000.0);
    let outcome = Engine::run(&plan, &mut generator("get"), |_| ()).expect("a run");
    assert_eq!(outcome.requests, 400);
    assert!(outcome.elapsed >= Duration::from_millis(199));
}

#[test]
fn resp3_is_asked_for_before_the_load() {
    let mut plan = plan(Stop::Requests(10));
    plan.resp3 = true;
    assert_eq!(Engine::run(&plan, &mut generator("get"), |_| ()).expect("a run").requests, 10);
}

#[test]
fn a_connection_that_the_server_closes_is_an_error() {
    let error = Engine::run(&plan(Stop::Requests(10)), &mut generator("ping"), |_| ()).expect_err("closed");
    assert!(matches!(error, BenchError::ConnectionClosed { .. } | BenchError::Io { .. }), "{error}");
}

#[test]
fn a_refused_housekeeping_command_is_told_with_its_reply() {
    let mut client = Client::connect(start()).expect("listening");
    let error = client.call_ok(&["INCR", "x"]).expect_err("refused");
    assert_eq!(error.to_string(), "INCR x was refused: OOM no room");
}
