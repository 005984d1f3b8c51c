//! The door behind hyper: a page, and an upgrade.

use std::convert::Infallible;
use std::future;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use websocket_proto::{Config, Connection, ReadBuffer, handshake};

use crate::Failure;
use crate::serve::Opened;

/// What a request that is accepted leaves behind.
type Upgrade = (OnUpgrade, Connection);

/// Has hyper serve requests until one of them is an upgrade; `None` if the peer wanted something else.
pub(crate) async fn open(stream: TcpStream, config: &Config) -> Result<Option<(TcpStream, Opened)>, Failure> {
    let (upgrades, mut accepted) = mpsc::channel(1);
    let service = service_fn(|request| future::ready(Ok::<_, Infallible>(respond(request, config, &upgrades))));
    let mut http = http1::Builder::new();
    http.max_header_size(config.limits.head).max_headers(config.limits.header_fields);
    http.serve_connection(TokioIo::new(stream), service).with_upgrades().await?;
    let Ok((upgrade, ws)) = accepted.try_recv() else { return Ok(None) };
    // The stream as it was, without what hyper has around it, and what it has read too far: the first frames.
    let Ok(parts) = upgrade.await?.downcast::<TokioIo<TcpStream>>() else { return Ok(None) };
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&parts.read_buf);
    Ok(Some((parts.io.into_inner(), Opened { ws, input, output: Vec::new() })))
}

fn respond(request: Request<Incoming>, config: &Config, upgrades: &mpsc::Sender<Upgrade>) -> Response<String> {
    match (request.method(), request.uri().path()) {
        (_, "/ws") => accept(request, config, upgrades)
            .unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "That went wrong.\n")),
        (&Method::GET, "/") => text(StatusCode::OK, "An echo server: open a WebSocket at /ws.\n"),
        _ => text(StatusCode::NOT_FOUND, "Only / and /ws are here.\n"),
    }
}

/// Accepts a WebSocket, or refuses what is none; the connection waits with hyper's promise of a stream.
fn accept(
    mut request: Request<Incoming>,
    config: &Config,
    upgrades: &mpsc::Sender<Upgrade>,
) -> Result<Response<String>, Failure> {
    let upgrade = hyper::upgrade::on(&mut request);
    match handshake::Request::from_http(&request, None, config) {
        Ok(asked) => {
            let (head, ws) = asked.accept().respond()?;
            upgrades.try_send((upgrade, ws))?;
            Ok(head.to_http()?.map(|()| String::new()))
        }
        Err(refusal) => Ok(refusal.response().to_http()?.map(|()| format!("{refusal}\n"))),
    }
}

fn text(status: StatusCode, text: &str) -> Response<String> {
    let mut response = Response::new(String::from(text));
    *response.status_mut() = status;
    response
}
