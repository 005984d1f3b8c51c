//! The opening handshake (RFC 6455 §4), both roles: octets in, a [`Connection`](crate::Connection) out; and over HTTP/2
//! and HTTP/3 (RFC 8441, RFC 9220): header lists in and out.
//!
//! # Over HTTP/1.1
//!
//! Both ends work on the same [`ReadBuffer`](crate::ReadBuffer) that the connection will work on: what comes behind the
//! head simply stays in it. Both may be fed one octet at a time: the search for the end of the head
//! looks at none twice. A server that has a page or two besides, and no other HTTP stack, takes
//! [`receive_any`](ServerHandshake::receive_any).
//!
//! ```
//! use websocket_proto::handshake::{Answer, ClientRequest, ServerHandshake, Uri};
//! use websocket_proto::{Config, Event, ReadBuffer};
//!
//! let config = Config::default();
//! let uri = Uri::parse("ws://server.example.com/chat")?;
//!
//! // the client writes its request
//! let mut to_server = Vec::new();
//! let mut client = ClientRequest::new(&uri).subprotocol("chat").send(&config, &mut to_server)?;
//!
//! // the server reads it, and accepts
//! let (mut input, mut to_client) = (ReadBuffer::default(), Vec::new());
//! input.extend_from_slice(&to_server);
//! let mut server = ServerHandshake::new(&config);
//! let request = server.receive(&mut input, &mut to_client)?.expect("the head is complete");
//! assert_eq!(request.path(), "/chat");
//! let mut server = request.accept().subprotocol("chat").send(&mut to_client)?;
//! server.send_text("welcome", &mut to_client)?;
//!
//! // the client reads the response, and what the server sent right behind it
//! let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
//! input.extend_from_slice(&to_client);
//! let Some(Answer::Accepted { mut connection, response, .. }) = client.receive(&mut input)? else { panic!() };
//! assert_eq!(response.subprotocol(), Some("chat"));
//! assert_eq!(connection.receive(&mut input, &mut output)?, Some(Event::Text("welcome")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Over HTTP/2 and HTTP/3
//!
//! There a WebSocket is opened by an extended CONNECT, and its octets travel in the DATA frames of one stream, cut as
//! they may be. Frames, settings and flow control are the business of an HTTP/2 or HTTP/3 library; the rules for the
//! two heads are here, over the lists of header fields that every such library speaks, as pairs of names and values:
//!
//! * a server sends the setting [`ExtendedConnect::SETTING`] with the value 1, hands the fields of a request to
//!   [`Request::extended_connect`], and sends the [`ResponseHead`] that [`Accept::respond`] gives, or that of the
//!   [`Refusal`];
//! * a client waits for that setting ([`ExtendedConnect`]), sends the [`RequestHead`] that
//!   [`ClientRequest::extended_connect_with_random`] gives (`extended_connect` with the thread's CSPRNG), and hands the
//!   fields of the response to [`ConnectHandshake::receive`].
//!
//! With quiche, for example, the fields of a request are `list.iter().map(|field| (field.name(), field.value()))`, and
//! each of [`ResponseHead::fields`] becomes a `Header` again.
//!
//! What comes in DATA frames then goes into the [`ReadBuffer`](crate::ReadBuffer), and the output into DATA frames; the
//! client still masks what it sends (RFC 8441 §5). Once [`wants_read`](crate::Connection::wants_read) is false, end
//! your half of the stream behind the output (`END_STREAM`, FIN), and give the peer a moment to end its own: to drop a
//! stream that has not ended resets it. A stream that you give up before is reset with [`ErrorCode::Cancel`]. A server
//! over h2 is in `examples/h2` of the crate's repository, and both ends in `tests/interop/http2`.
//!
//! # Behind another server
//!
//! With the feature `http`, `Request::from_http` takes the `http` crate's requests: an extended CONNECT, and an
//! HTTP/1.1 upgrade that the other server has parsed. On hyper:
//!
//! 1. take the upgrade, `hyper::upgrade::on(&mut request)`, and the protocol,
//!    `request.extensions().get::<hyper::ext::Protocol>()`;
//! 2. judge the request: `Request::from_http(&request, protocol, &config)`;
//! 3. [`Accept::respond`] gives a head and the [`Connection`](crate::Connection); return `head.to_http()?` with an
//!    empty body;
//! 4. await the upgrade: what it reads and writes are the connection's octets. Downcast it to the stream that it is,
//!    and what hyper has read behind the request (`read_buf`) goes into the `ReadBuffer`.
//!
//! A server that has pages too does not answer with every [`Refusal`]: `NotAnUpgrade`, `MethodNotAllowed` and
//! `UnsupportedProtocol` say that the request is for something else, the others that it is for a WebSocket and wrong.
//!
//! A client's `ConnectHandshake::receive_http` takes the `http` crate's responses. Where another stack has upgraded an
//! HTTP/1.1 connection as a client, check its `Sec-WebSocket-Accept` by [`accept_value`], and go on with
//! [`Connection::client_with_random`](crate::Connection::client_with_random).
//!
//! # Compression
//!
//! permessage-deflate (RFC 7692) is negotiated, in all of these handshakes, where `Config::deflate` says so: a client
//! offers what it says, a server accepts the first offer that fits it. `Connection::deflate` tells what came of it. A
//! server that declines for one request, such as for a page of secrets, calls `Accept::without_deflate`. A server may
//! decline whatever it is offered, and the connection is open without; a client that cannot do without closes it, with
//! [`MANDATORY_EXTENSION`](crate::CloseCode::MANDATORY_EXTENSION) and the name of what it misses (RFC 6455 §7.4.1):
//!
//! ```
//! use websocket_proto::{CloseCode, Connection, SendError};
//!
//! # #[cfg(feature = "deflate")]
//! fn insist(ws: &mut Connection, output: &mut Vec<u8>) -> Result<(), SendError> {
//!     match ws.deflate() {
//!         Some(_) => Ok(()),
//!         None => ws.close(CloseCode::MANDATORY_EXTENSION, "permessage-deflate", output),
//!     }
//! }
//! ```

mod accept;
mod answer;
mod body;
mod client;
mod connect;
#[cfg_attr(not(feature = "deflate"), path = "no_extensions.rs")]
mod extensions;
mod fields;
mod head;
mod headers;
#[cfg(feature = "http")]
mod http_types;
mod known;
mod negotiate;
mod octets;
mod origin;
mod page;
mod parsed;
mod pseudo;
mod respond;
mod scanner;
mod search;
mod server;
mod setting;
mod target;
mod uri;

pub use accept::accept_value;
pub use answer::{Answer, Response};
pub use body::Body;
pub use client::{ClientHandshake, ClientRequest};
pub use connect::ConnectHandshake;
pub use headers::Headers;
pub use origin::{InvalidOrigin, OriginPolicy};
pub use page::{Asked, PageRequest};
pub use parsed::{Refusal, RequestHead, ResponseHead};
pub use respond::{Accept, Rejection};
pub use server::{Parsed, Raw, Request, ServerHandshake};
pub use setting::{ErrorCode, ExtendedConnect, InvalidSetting};
pub use uri::{Uri, UriError};
