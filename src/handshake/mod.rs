//! The opening handshake over HTTP/1.1 (RFC 6455 §4), both roles: octets in, a [`Connection`](crate::Connection) out.
//!
//! Both ends work on the same [`ReadBuffer`](crate::ReadBuffer) that the connection will work on: what comes behind the
//! head simply stays in it. Both may be fed one octet at a time: the search for the end of the head
//! looks at none twice.
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

mod accept;
mod body;
mod client;
mod fields;
mod head;
mod negotiate;
mod origin;
mod respond;
mod server;
mod target;
mod uri;

pub use accept::accept_value;
pub use body::Body;
pub use client::{Answer, ClientHandshake, ClientRequest, Response};
pub use head::Headers;
pub use origin::{InvalidOrigin, OriginPolicy};
pub use respond::{Accept, Rejection};
pub use server::{Request, ServerHandshake};
pub use uri::{Uri, UriError};
