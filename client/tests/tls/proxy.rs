//! A proxy that speaks TLS to clients and nothing to nodes, and the authority that it has its certificates from.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rondache_client::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

/// Signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, for those who trust it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// What a server needs that these names stand for.
    fn server_of(&self, names: &[&str]) -> ServerConfig {
        let params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let key = KeyPair::generate().expect("a key");
        let certificate = params.expect("names").signed_by(&key, &self.issuer).expect("a certificate");
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions");
        builder.with_no_client_auth().with_single_cert(chain, key).expect("a certificate for the key")
    }
}

/// A proxy in front of a node. It ends with the value.
pub(crate) struct TlsProxy {
    cut: watch::Sender<()>,
    _task: AbortOnDropHandle<()>,
}

impl TlsProxy {
    /// A proxy with a certificate for these names, on the node's port of another address.
    pub(crate) async fn start(outside: Ipv4Addr, node: SocketAddr, authority: &Authority, names: &[&str]) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_of(names)));
        let listener = TcpListener::bind((outside, node.port())).await.expect("a free port");
        let (cut, _) = watch::channel(());
        let task = tokio::spawn(serve(listener, acceptor, node, cut.clone()));
        Self { cut, _task: AbortOnDropHandle::new(task) }
    }

    /// Ends all connections of this moment.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(());
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, node: SocketAddr, cut: watch::Sender<()>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, mut cut) = (acceptor.clone(), cut.subscribe());
        connections.spawn(async move {
            // A client that does not trust the certificate goes away here.
            let Ok(mut client) = acceptor.accept(stream).await else { return };
            let mut node = TcpStream::connect(node).await.expect("the node listens");
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut node) => {}
                _ = cut.changed() => {}
            }
        });
    }
}
