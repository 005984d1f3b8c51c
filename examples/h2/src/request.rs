//! Requests: for the page, or for a WebSocket.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::RecvStream;
use h2::ext::Protocol;
use h2::server::SendResponse;
use http::{Method, Response, StatusCode, header};
use tokio::sync::watch;
use websocket_proto::handshake::Request;
use websocket_proto::{Config, Delivery, Keepalive, Timeouts};

use crate::Failure;
use crate::say::say;
use crate::stream::{Stream, now};

const PAGE: &str = include_str!("page.html");

/// One stream, from its request to its end.
pub(crate) async fn answer(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    peer: SocketAddr,
    timeouts: &Timeouts,
    ending: watch::Receiver<()>,
) -> Result<(), Failure> {
    let what = format!("{peer} {:?} stream {}", request.version(), respond.stream_id().as_u32());
    if request.method() != Method::CONNECT {
        say(format_args!("asked {what} {} {}", request.method(), request.uri().path()));
        return page(&request, respond);
    }

    let mut config = Config::default();
    config.delivery = Delivery::Chunks; // so that a stream holds what its windows hold, however long a message is
    let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
    let (head, ws) = match Request::from_http(&request, protocol, &config) {
        Ok(asked) => asked.accept().respond()?,
        Err(refusal) => {
            say(format_args!("refused {what}: {refusal}"));
            respond.send_response(refusal.response().to_http()?, true)?;
            return Ok(());
        }
    };
    say(format_args!("opened {what} {}", request.uri().path()));
    let sender = respond.send_response(head.to_http()?, false)?;
    let keepalive = Keepalive::new(timeouts, now());
    let stream = Stream::new(ws, request.into_body(), sender, keepalive);
    match stream.echo(ending).await {
        Ok(outcome) => say(format_args!("closed {what} clean, sent {}, received {}", outcome.sent, outcome.received)),
        Err(failure) => say(format_args!("closed {what} not clean: {failure}")),
    }
    Ok(())
}

/// The page, and the answers of who has no other.
fn page(request: &http::Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), Failure> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => (StatusCode::OK, PAGE),
        (_, "/") => (StatusCode::METHOD_NOT_ALLOWED, ""),
        _ => (StatusCode::NOT_FOUND, ""),
    };
    let response = Response::builder()
        .status(status)
        .header(header::ALLOW, "GET")
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_LENGTH, body.len())
        .body(())?;
    let mut sender = respond.send_response(response, body.is_empty())?;
    if !body.is_empty() {
        // it is short: what the windows have no room for yet waits in h2
        sender.send_data(Bytes::from_static(body.as_bytes()), true)?;
    }
    Ok(())
}
