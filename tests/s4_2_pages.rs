//! A server that has pages, too: requests that are for no WebSocket. That it does with all others what it does without
//! pages is part of every scenario (`common::handshake::serve`).

mod common;

use common::handshake::{read_response, values};
use websocket_proto::handshake::{Asked, Request, ServerHandshake};
use websocket_proto::{Config, HandshakeError, ReadBuffer};

/// What a server with pages makes of a request that has come whole.
fn ask<T>(request: &str, look: impl FnOnce(Result<Option<Asked<'_>>, HandshakeError>) -> T) -> (T, String) {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(request.as_bytes());
    let seen = look(ServerHandshake::new(&Config::default()).receive_any(&mut input, &mut output));
    (seen, String::from_utf8(output).unwrap())
}

#[test]
fn a_page_is_asked_for() {
    let request = "GET /a/b.html?c=d&e HTTP/1.1\r\nHost: example.com:8080\r\nCookie: token=x\r\nA: 1\r\na: 2\r\n\r\n";
    let ((), output) = ask(request, |asked| {
        let Ok(Some(Asked::Page(page))) = asked else { panic!("{asked:?}") };
        assert_eq!((page.path(), page.query(), page.authority()), ("/a/b.html", Some("c=d&e"), "example.com:8080"));
        assert_eq!(page.headers().get("cookie"), Some(&b"token=x"[..]));
        assert!(page.headers().all("a").eq([b"1", b"2"]));
    });
    assert_eq!(output, "");
    // one in absolute form, and with an upgrade to something else
    for request in [
        "GET http://example.com/x HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
    ] {
        let ((), _) = ask(request, |asked| {
            let Ok(Some(Asked::Page(page))) = asked else { panic!("{asked:?}") };
            assert_eq!((page.path(), page.query(), page.authority()), ("/x", None, "example.com"));
        });
    }
}

#[test]
fn what_is_neither_a_page_nor_a_websocket_is_refused() {
    use HandshakeError as E;
    for (request, error, status) in [
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", E::MethodNotAllowed, 405),
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", E::MethodNotAllowed, 405),
        ("GET / HTTP/1.1\r\n\r\n", E::InvalidHost, 400),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", E::UnsupportedHttpVersion, 505),
        // its octets could pass for another request
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", E::BodyNotAllowed, 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", E::BodyNotAllowed, 400),
        // a WebSocket, and wrong
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", E::MissingVersion, 400),
    ] {
        let (result, output) = ask(request, |asked| asked.map(|asked| asked.is_some()));
        assert_eq!(result, Err(error), "{request:?}");
        assert_eq!(read_response(output.as_bytes()).0, status, "{request:?}");
    }
}

#[test]
fn a_page_is_answered_once_and_ends_the_connection() {
    let mut handshake = ServerHandshake::new(&Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    input.extend_from_slice(request.repeat(2).as_bytes());
    match handshake.receive_any(&mut input, &mut output) {
        Ok(Some(Asked::Page(page))) => {
            page.answer(200).header("Content-Type", "text/plain").body(b"hello").send(&mut output).unwrap();
        }
        asked => panic!("{asked:?}"),
    }
    let (status, fields, body) = read_response(&output);
    assert_eq!((status, body, values(&fields, "Content-Type")), (200, &b"hello"[..], vec!["text/plain"]));
    assert_eq!(values(&fields, "Connection"), ["close"]);
    // a second request is nothing to us
    let sent = output.len();
    assert!(handshake.receive_any(&mut input, &mut output).unwrap().is_none());
    assert!(handshake.receive(&mut input, &mut output).unwrap().is_none());
    assert_eq!((input.len(), output.len()), (0, sent));
    assert_eq!(handshake.receive_eof(), Ok(()));
}

#[test]
fn without_pages_it_is_refused() {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut handshake = ServerHandshake::new(&Config::default());
    let refused: Result<Option<Request<'_>>, _> = handshake.receive(&mut input, &mut output);
    assert_eq!(refused.map(|_| ()), Err(HandshakeError::NotAnUpgrade));
    assert_eq!(read_response(&output).0, 426);
}
