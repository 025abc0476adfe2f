//! A web service in front of a slow table, and what its expiring cache entries do to the table: with a naive look-aside,
//! with jittered TTLs, and with the whole shield.
//!
//! ```text
//! cargo run --release -p rondache-client --example stampede [-- --nodes host:port,…]
//! ```
//! All products are cached at the same moment for two seconds, then 5,000 requests a second come over HTTP, every second
//! one for the same product. Each way is measured for five seconds.
#![allow(clippy::print_stdout, reason = "an example prints its figures")]

mod support;

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use parking_lot::Mutex;
use rondache_client::{
    Client,
    cache::{Cache, LoadOptions},
};
use rusqlite::{Connection, OptionalExtension};
use support::{Error, Nodes, quantiles};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{interval, sleep},
};

const PRODUCTS: u32 = 200;
const HOT: u32 = 1;
const TTL: Duration = Duration::from_secs(2);
const QUERY_TIME: Duration = Duration::from_millis(50);
const MEASURED_FOR: Duration = Duration::from_secs(5);
const CONNECTIONS: u32 = 250;
const REQUESTS_PER_S: u32 = 5_000;
/// Queries are counted in parts of a second this long, to find the worst.
const PART: Duration = Duration::from_millis(100);

/// The ways to cache, each under a path of its own.
const WAYS: [&str; 3] = ["naive", "jitter", "shield"];

/// A table that takes its time, and counts what it is asked.
struct Origin {
    table: Mutex<Connection>,
    began: Mutex<Instant>,
    parts: Vec<AtomicUsize>,
    hot: AtomicUsize,
}

struct Service {
    origin: Origin,
    client: Client,
    cache: Cache,
}

#[tokio::main]
async fn main() -> ExitCode {
    support::run(&["--nodes"], compare()).await
}

async fn compare() -> Result<(), Error> {
    let nodes = Nodes::find()?;
    let client = nodes.client().build().await?;
    let service = Arc::new(Service { origin: Origin::new()?, cache: Cache::new(client.clone()), client });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let app = Router::new()
        .route("/naive/{id}", get(naive))
        .route("/jitter/{id}", get(jitter))
        .route("/shield/{id}", get(shield))
        .with_state(Arc::clone(&service));
    tokio::spawn(async move { axum::serve(listener, app).await });
    println!("nodes: {}; {REQUESTS_PER_S} requests/s, half of them for one product; TTL {TTL:?}", nodes.describe());
    println!("        requests   queries   worst {PART:?}   of the hot key   median       p99          slowest");
    for way in WAYS {
        fill(addr, way).await?;
        service.origin.reset();
        let mut times = load(addr, way).await?;
        let requests = times.len();
        let [median, p99, slowest] = quantiles(&mut times, [0.5, 0.99, 1.0]);
        let [queries, worst, hot] = service.origin.counts();
        println!(
            "{way:<7} {requests:>8} {queries:>9} {worst:>13} {hot:>16}   {:<12} {:<12} {:?}",
            format!("{median:.2?}"),
            format!("{p99:.2?}"),
            slowest
        );
    }
    let counts = service.cache.metrics().counts;
    println!("the shield counted: {counts:?}");
    Ok(())
}

impl Origin {
    fn new() -> Result<Self, Error> {
        let table = Connection::open_in_memory()?;
        table.execute("CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL)", ())?;
        for id in 0..PRODUCTS {
            table.execute("INSERT INTO product VALUES (?1, ?2)", (id, format!("product number {id}")))?;
        }
        let parts = (0..600).map(|_| AtomicUsize::new(0)).collect();
        let began = Mutex::new(Instant::now());
        Ok(Self { table: Mutex::new(table), began, parts, hot: AtomicUsize::new(0) })
    }

    /// The query: as slow as a join over large tables would be.
    async fn query(&self, id: u32) -> Result<Option<String>, rusqlite::Error> {
        let part = self.began.lock().elapsed().as_millis() / PART.as_millis();
        if let Some(part) = self.parts.get(part as usize) {
            part.fetch_add(1, Ordering::Relaxed);
        }
        self.hot.fetch_add(usize::from(id == HOT), Ordering::Relaxed);
        sleep(QUERY_TIME).await;
        let table = self.table.lock();
        table.query_row("SELECT name FROM product WHERE id = ?1", [id], |row| row.get(0)).optional()
    }

    fn reset(&self) {
        self.parts.iter().chain([&self.hot]).for_each(|count| count.store(0, Ordering::Relaxed));
        *self.began.lock() = Instant::now();
    }

    /// Queries in all, in the worst part of a second, and for the hot product.
    fn counts(&self) -> [usize; 3] {
        let parts = || self.parts.iter().map(|part| part.load(Ordering::Relaxed));
        [parts().sum(), parts().max().unwrap_or(0), self.hot.load(Ordering::Relaxed)]
    }
}

impl Service {
    /// What nearly every service does.
    async fn look_aside(&self, key: String, id: u32, ttl: Duration) -> Result<Option<String>, Error> {
        if let Some(name) = self.client.get::<Option<String>>(key.as_str()).await? {
            return Ok(Some(name));
        }
        let name = self.origin.query(id).await?;
        if let Some(name) = &name {
            self.client.set_for(key.as_str(), name.as_str(), ttl).await?;
        }
        Ok(name)
    }
}

async fn naive(State(service): State<Arc<Service>>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    answer(service.look_aside(format!("naive:{id}"), id, TTL).await)
}

async fn jitter(State(service): State<Arc<Service>>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    let ttl = TTL.mul_f64(1.0 - 0.1 * fastrand::f64());
    answer(service.look_aside(format!("jitter:{id}"), id, ttl).await)
}

async fn shield(State(service): State<Arc<Service>>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    let origin = Arc::clone(&service);
    let load = move || async move { origin.origin.query(id).await };
    let name = service.cache.get_or_load_optional(format!("shield:{id}"), &LoadOptions::new(TTL), load).await;
    answer(name.map_err(Into::into))
}

fn answer(name: Result<Option<String>, Error>) -> Result<String, StatusCode> {
    match name {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(StatusCode::NOT_FOUND),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Asks for every product once, all together, as after a deployment.
async fn fill(addr: SocketAddr, way: &'static str) -> Result<(), Error> {
    let mut asking = JoinSet::new();
    for id in 0..PRODUCTS {
        asking.spawn(async move { Http::connect(addr).await?.get(way, id).await });
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    Ok(())
}

/// Sends requests at an even pace, and answers how long each took.
async fn load(addr: SocketAddr, way: &'static str) -> Result<Vec<Duration>, Error> {
    let until = Instant::now() + MEASURED_FOR;
    let mut users = JoinSet::new();
    for number in 0..CONNECTIONS {
        users.spawn(async move {
            let mut http = Http::connect(addr).await?;
            // Begun at different moments, or all requests would come at once.
            sleep(Duration::from_secs(1) * number / REQUESTS_PER_S).await;
            let (mut pace, mut times) = (interval(Duration::from_secs(1) * CONNECTIONS / REQUESTS_PER_S), Vec::new());
            while Instant::now() < until {
                pace.tick().await;
                let id = if fastrand::bool() { HOT } else { fastrand::u32(..PRODUCTS) };
                let asked_at = Instant::now();
                http.get(way, id).await?;
                times.push(asked_at.elapsed());
            }
            Ok::<_, Error>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(user) = users.join_next().await {
        times.append(&mut user??);
    }
    Ok(times)
}

/// As much of HTTP as it takes to ask this service.
struct Http {
    stream: TcpStream,
    reply: Vec<u8>,
}

impl Http {
    async fn connect(addr: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, reply: vec![0; 4096] })
    }

    async fn get(&mut self, way: &str, id: u32) -> Result<(), Error> {
        let request = format!("GET /{way}/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        while !is_complete(&self.reply[..filled]) {
            match self.stream.read(&mut self.reply[filled..]).await? {
                0 => return Err("the service closed the connection, or its reply is too long".into()),
                read => filled += read,
            }
        }
        let is_ok = self.reply.starts_with(b"HTTP/1.1 200");
        if is_ok { Ok(()) } else { Err(String::from_utf8_lossy(&self.reply[..filled]).into_owned().into()) }
    }
}

/// Whether a reply has come with all of its body.
fn is_complete(reply: &[u8]) -> bool {
    let Some(head) = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&reply[..head]).to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    reply.len() >= head + 4 + body.unwrap_or(0)
}
