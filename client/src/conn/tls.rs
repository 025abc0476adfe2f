//! TLS to the nodes, on rustls.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, Error, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{
    config::{LinkConfig, seed::Seed},
    error::{ConfigError, LinkError},
};

/// Settings that trust the authorities whose certificates a PEM text holds, and nobody else.
pub(crate) fn trusting(pem: &[u8]) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| ConfigError::Tls("the authorities are not valid PEM"))?;
        roots.add(certificate).map_err(|_| ConfigError::Tls("an authority's certificate cannot be read"))?;
    }
    if roots.is_empty() {
        return Err(ConfigError::Tls("the authorities hold no certificate (-----BEGIN CERTIFICATE-----)"));
    }
    // Named, so that it does not depend on what else the process links.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|_| ConfigError::Tls("no protocol version is supported"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Agrees on TLS with the node at the other end.
pub(super) async fn wrap(addr: &Seed, link: &LinkConfig, stream: TcpStream) -> Result<TlsStream<TcpStream>, LinkError> {
    let config = link.tls_config.clone().ok_or_else(|| LinkError::Tls("no settings were given".into()))?;
    let name = ServerName::try_from(addr.host.to_string())
        .map_err(|_| LinkError::Tls(format!("no certificate can be for {:?}", addr.host).into()))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(problem)
}

/// What went wrong, as far as it is more than a connection that was lost.
fn problem(error: io::Error) -> LinkError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error @ Error::InvalidCertificate(_)) => LinkError::Certificate(error.to_string().into()),
        Some(error) => LinkError::Tls(error.to_string().into()),
        None => error.into(),
    }
}
