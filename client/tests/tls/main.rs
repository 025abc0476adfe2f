//! The client over TLS, against a real node behind a proxy that ends it, as meshes and sidecars do.

mod proxy;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use proxy::{Authority, TlsProxy};
use rondache_client::{
    Bytes, Client, ClientBuilder, ClientError, ConfigError, LinkError,
    near::{NearCache, NearConfig},
};
use rondache_server::{
    config::settings::Settings,
    node::{Node, start::RunningNode},
};
use tokio::{io::AsyncReadExt, net::TcpListener, time::timeout};

/// Longer than anything here takes, unless it is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the proxies listen: the node says that it is here, on the same ports.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A node in this process, the proxies before its ports for clients, and the authority that their certificate is of.
struct Secured {
    node: RunningNode,
    proxies: [TlsProxy; 2],
    authority: Authority,
}

impl Secured {
    async fn start() -> Self {
        Self::named(&[&OUTSIDE.to_string()]).await
    }

    async fn named(names: &[&str]) -> Self {
        let (node, authority) = (start_node(), Authority::new());
        let main = TlsProxy::start(OUTSIDE, node.addr(), &authority, names).await;
        let redirect = TlsProxy::start(OUTSIDE, node.redirect_addrs()[0], &authority, names).await;
        Self { node, proxies: [main, redirect], authority }
    }

    fn seed(&self) -> String {
        format!("rediss://{OUTSIDE}:{}", self.node.addr().port())
    }

    /// Ends all connections of this moment.
    fn cut(&self) {
        self.proxies.iter().for_each(TlsProxy::cut);
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder().seed(self.seed()).tls_authorities(self.authority.pem())
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        self.node.shutdown();
    }
}

fn start_node() -> RunningNode {
    // Every port of the system's choice: those that follow from the main one may be taken.
    let any_port = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let mut settings = Settings { listen: any_port.clone(), threads: 1, ..Settings::default() };
    settings.cluster.redirect_listen.clone_from(&any_port);
    settings.cluster.admin_listen.clone_from(&any_port);
    settings.cluster.bus_listen = any_port;
    settings.cluster.advertise = OUTSIDE.to_string();
    Node::start(settings).expect("a free port")
}

/// Why no seed could be reached.
async fn refusal(builder: ClientBuilder) -> LinkError {
    match builder.build().await {
        Err(ClientError::NotSent { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn commands_travel_over_tls_alone_and_together() {
    let secured = Secured::start().await;
    let client = secured.builder().build().await.expect("the proxy is trusted");
    client.set("k", "v").await.expect("SET");
    assert_eq!(client.get::<String>("k").await.expect("GET"), "v");
    let calls: Vec<_> = (0..64)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in 0..50 {
                    assert_eq!(client.incr(format!("n:{task}")).await.expect("INCR"), number + 1);
                }
            })
        })
        .collect();
    for call in calls {
        call.await.expect("all replies came to who asked");
    }
}

#[tokio::test]
async fn values_longer_than_many_tls_records_arrive_whole() {
    let secured = Secured::start().await;
    let client = secured.builder().build().await.expect("the proxy is trusted");
    let value: Vec<u8> = (0..3_000_001u32).map(|at| (at % 251) as u8).collect();
    client.set("long", value.as_slice()).await.expect("SET");
    assert!(client.get::<Bytes>("long").await.expect("GET") == value);
}

#[tokio::test]
async fn messages_and_blocking_commands_have_tls_too() {
    let secured = Secured::start().await;
    let client = secured.builder().build().await.expect("the proxy is trusted");
    let mut news = client.subscribe(["news"]).await.expect("SUBSCRIBE");
    assert_eq!(client.publish("news", "one").await.expect("PUBLISH"), 1);
    assert_eq!(&news.next_message().await.expect("open").payload[..], b"one");
    let waiter = client.clone();
    let waiting = tokio::spawn(async move { waiter.blpop::<String>(["queue"], PATIENCE).await });
    client.rpush("queue", ["work"]).await.expect("RPUSH");
    let popped = waiting.await.expect("no panic").expect("BLPOP");
    assert_eq!(popped.map(|(_, value)| value).as_deref(), Some("work"));
}

#[tokio::test]
async fn the_near_cache_hears_of_changes_over_tls() {
    let secured = Secured::start().await;
    let near = NearCache::connect(secured.builder(), NearConfig::default()).await.expect("the proxy is trusted");
    let writer = secured.builder().build().await.expect("the proxy is trusted");
    writer.set("k", "one").await.expect("SET");
    assert_eq!(near.get("k").await.expect("GET").as_deref(), Some(&b"one"[..]));
    writer.set("k", "two").await.expect("SET");
    let seen = async {
        while near.get("k").await.expect("GET").as_deref() != Some(&b"two"[..]) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, seen).await.expect("the change to be reported");
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_by_tls() {
    let secured = Secured::start().await;
    let client = secured.builder().build().await.expect("the proxy is trusted");
    for round in 0..3 {
        client.set("k", round).await.expect("SET");
        secured.cut();
        assert_eq!(client.get::<u32>("k").await.expect("an idempotent call outlives its connection"), round);
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_by_name() {
    let secured = Secured::start().await;
    let stranger = Authority::new();
    let reason = refusal(Client::builder().seed(secured.seed()).tls_authorities(stranger.pem())).await;
    assert!(matches!(reason, LinkError::Certificate(_)), "{reason:?}");
    assert!(!reason.may_pass() && reason.to_string().contains("authorities"), "{reason}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_by_name() {
    let secured = Secured::named(&["cache.example"]).await;
    let reason = refusal(secured.builder()).await;
    assert!(matches!(reason, LinkError::Certificate(_)), "{reason:?}");
}

#[tokio::test]
async fn a_node_without_tls_before_it_is_never_spoken_to_in_the_clear() {
    /// The type of a TLS record with a handshake (RFC 8446, 5.1).
    const HANDSHAKE: u8 = 22;
    let authority = Authority::new();
    let node = start_node();
    let _proxy = TlsProxy::start(OUTSIDE, node.addr(), &authority, &[&OUTSIDE.to_string()]).await;
    // Behind the other port, which the node names, is somebody without TLS.
    let plain = TcpListener::bind((OUTSIDE, node.redirect_addrs()[0].port())).await.expect("a free port");
    let seed = format!("rediss://{OUTSIDE}:{}", node.addr().port());
    let client = Client::builder().seed(seed).tls_authorities(authority.pem()).build().await.expect("a proxy");
    let setting = client.set("k", "v");
    let hearing = async {
        let (mut stream, _) = plain.accept().await.expect("the client comes");
        stream.read_u8().await.expect("the client speaks first")
    };
    let (set, first) = timeout(PATIENCE, async { tokio::join!(setting, hearing) }).await.expect("a client that speaks");
    assert_eq!(first, HANDSHAKE);
    set.expect("the main port answers for every key");
    node.shutdown();
}

#[tokio::test]
async fn a_port_without_tls_is_told_as_such() {
    let secured = Secured::start().await;
    let plain = format!("rediss://{}", secured.node.addr());
    let reason = refusal(Client::builder().seed(plain).tls_authorities(secured.authority.pem())).await;
    assert!(matches!(reason, LinkError::Tls(_)), "{reason:?}");
}

#[tokio::test]
async fn asking_for_tls_is_not_undone_by_the_form_of_a_seed() {
    let secured = Secured::start().await;
    for seed in [format!("redis://{}", secured.node.addr()), secured.node.addr().to_string()] {
        let reason = refusal(Client::builder().tls_authorities(secured.authority.pem()).seed(&seed)).await;
        assert!(matches!(reason, LinkError::Tls(_)), "spoke without TLS to {seed}: {reason:?}");
    }
}

#[tokio::test]
async fn without_anybody_to_trust_no_client_is_built() {
    let config_error = |outcome: Result<Client, ClientError>| match outcome {
        Err(ClientError::Config(error)) => error,
        other => panic!("{other:?}"),
    };
    let error = config_error(Client::builder().seed("rediss://127.0.0.1:1").build().await);
    assert!(matches!(error, ConfigError::Tls(_)) && error.to_string().contains("tls_authorities"), "{error}");
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let builder = Client::builder().seed("rediss://127.0.0.1:1").tls_authorities(pem);
        let error = config_error(builder.build().await);
        assert!(matches!(error, ConfigError::Tls(_)), "{pem:?}: {error}");
    }
}
