//! The client: whom to connect to, and whether it is the one.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use websocket_proto::handshake::{Answer, ClientRequest, Uri};
use websocket_proto::{Config, Keepalive, ReadBuffer, Timeouts};

use crate::converse::converse;
use crate::stream::{TlsStream, now};
use crate::{Failure, config};

/// Connects, and converses until the connection is over. Fails unless it ends by Close frames from both sides.
pub(crate) fn connect(uri: &Uri, ca: &str, timeouts: &Timeouts) -> Result<(), Failure> {
    // a name goes to the server with the first octets (SNI), an address does not; either has to be certified
    let server_name = ServerName::try_from(uri.host().to_owned())?;
    let tls = ClientConnection::new(config::client(ca)?, server_name)?;

    let mut keepalive = Keepalive::new(timeouts, now());
    let deadline = keepalive.handshake_deadline().unwrap_or(Duration::MAX);
    let mut stream = TlsStream::new(dial(uri, timeouts.handshake)?, tls)?;

    let mut request = Vec::new();
    let mut handshake = ClientRequest::new(uri).send(&Config::default(), &mut request)?;
    stream.encrypt(&request)?; // as soon as there are keys, and the server is known for who it is

    let mut input = ReadBuffer::default();
    let ws = loop {
        match handshake.receive(&mut input)? {
            Some(Answer::Accepted { connection, .. }) => break connection,
            Some(Answer::Rejected { response, .. }) => {
                return Err(format!("refused with status {}", response.status()).into());
            }
            None => {}
        }
        while stream.tls.wants_write() && stream.write_some(deadline)? > 0 {}
        match stream.read(&mut input, deadline)? {
            Some(0) => handshake.receive_eof()?,
            Some(_) => {}
            None => return Err("the handshake takes too long".into()),
        }
    };
    keepalive.opened(now());
    eprintln!("connected over {}", stream.version());

    let outcome = converse(stream, ws, input, keepalive)?;
    eprintln!("closed clean, sent {}, received {}", outcome.sent, outcome.received);
    Ok(())
}

/// TCP to the first address of the host that answers.
fn dial(uri: &Uri, timeout: Duration) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (uri.host(), uri.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
