//! How long it takes to find the requests in a read, by pipeline depth.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rondache_protocol::resp::request::{RequestLimits, RequestParser, Step};

const DEPTHS: [u64; 3] = [1, 16, 64];

/// A pipeline of the sizes that the project's targets are stated for: keys of 16 bytes, values of 64.
fn pipeline(command: &str, depth: u64) -> Vec<u8> {
    let value = "v".repeat(64);
    let request = |number: u64| match command {
        "GET" => format!("*2\r\n$3\r\nGET\r\n$16\r\nkey:{number:012}\r\n"),
        _ => format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:{number:012}\r\n$64\r\n{value}\r\n"),
    };
    (0..depth).flat_map(|number| request(number).into_bytes()).collect()
}

fn parse_all(parser: &mut RequestParser, bytes: &[u8], args: &mut Vec<rondache_protocol::resp::request::ArgRange>) {
    let mut from = 0;
    args.clear();
    while let Ok(Step::Request { end, .. }) = parser.next(bytes, from, args) {
        from = end;
    }
    assert_eq!(from, bytes.len(), "the pipeline is whole");
}

fn parser(criterion: &mut Criterion) {
    for command in ["GET", "SET"] {
        let mut group = criterion.benchmark_group(format!("parse {command}"));
        for depth in DEPTHS {
            let bytes = pipeline(command, depth);
            group.throughput(Throughput::Elements(depth));
            group.bench_with_input(BenchmarkId::from_parameter(depth), &bytes, |bencher, bytes| {
                let mut parser = RequestParser::new(RequestLimits::default());
                let mut args = Vec::new();
                bencher.iter(|| {
                    parse_all(&mut parser, black_box(bytes), &mut args);
                    black_box(args.len())
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, parser);
criterion_main!(benches);
