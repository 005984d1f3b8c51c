//! RFC 8441, RFC 9220: the opening handshake by extended CONNECT, both roles, over header lists.

mod common;

use common::handshake::{hostile, hostile_text, trimmed};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::handshake::{
    Answer, ClientRequest, ConnectHandshake, ErrorCode, ExtendedConnect, Headers, Parsed, Refusal, Request,
    RequestHead, Uri,
};
use websocket_proto::{CloseCode, Config, Connection, Event, HandshakeError, HeadError, ReadBuffer, State};

type Fields<'f> = Vec<(&'f str, &'f str)>;

/// The request of RFC 8441 §5.1.
const REQUEST: [(&str, &str); 9] = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "https"),
    (":path", "/chat"),
    (":authority", "server.example.com"),
    ("sec-websocket-protocol", "chat, superchat"),
    ("sec-websocket-extensions", "permessage-deflate"),
    ("sec-websocket-version", "13"),
    ("origin", "http://www.example.com"),
];

/// The request with one field replaced, by any number of fields.
fn request_with<'f>(name: &str, fields: &[(&'f str, &'f str)]) -> Fields<'f> {
    assert!(REQUEST.iter().any(|(other, _)| *other == name), "there is such a field");
    let replace = |field: &(&'f str, &'f str)| if field.0 == name { fields.to_vec() } else { vec![*field] };
    REQUEST.iter().flat_map(replace).collect()
}

fn serve<'f>(fields: &[(&'f str, &'f str)]) -> Result<Request<'f, Parsed>, Refusal> {
    Request::extended_connect(fields.iter().copied(), &Config::default())
}

/// What a server answers: the status, and the other fields.
fn refused(fields: &[(&str, &str)]) -> (HandshakeError, u16, Vec<(String, Vec<u8>)>) {
    let refusal = serve(fields).expect_err(&format!("{fields:?}"));
    let mut fields = refusal.response().fields().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let status = refusal.response().status();
    assert_eq!(fields.next(), Some((":status".to_owned(), status.to_string().into_bytes())));
    (refusal.error(), status, fields.collect())
}

/// A client that has asked for `wss://server.example.com/chat`.
fn client(subprotocols: &[&str]) -> (RequestHead, ConnectHandshake) {
    let uri = Uri::parse("wss://server.example.com/chat").unwrap();
    let request = subprotocols.iter().fold(ClientRequest::new(&uri), |request, name| request.subprotocol(name));
    let random = common::fixed_random();
    request.extended_connect_with_random(ExtendedConnect::Enabled, &Config::default(), random).unwrap()
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Interim,
    Accepted(Option<String>),
    Rejected(u16),
}

fn answer(subprotocols: &[&str], response: &[(&str, &str)]) -> Result<Outcome, HandshakeError> {
    let (_, mut handshake) = client(subprotocols);
    Ok(match handshake.receive(response.iter().copied())? {
        None => Outcome::Interim,
        Some(Answer::Accepted { connection, response, .. }) => {
            assert_eq!(connection.state(), State::Open);
            Outcome::Accepted(response.subprotocol().map(str::to_owned))
        }
        Some(Answer::Rejected { response, .. }) => Outcome::Rejected(response.status()),
    })
}

#[test]
fn s5_1_the_example() {
    // 8441-4-1, 8441-5-1, 8441-5-4, 8441-5-6, 9220-3-3, 9113-8.6-1
    let request = serve(&REQUEST).unwrap();
    assert_eq!((request.path(), request.query(), request.authority()), ("/chat", None, "server.example.com"));
    assert_eq!(request.origin(), Some(&b"http://www.example.com"[..]));
    assert_eq!(request.subprotocols(), ["chat", "superchat"]);
    assert_eq!(request.extensions()[0].name, "permessage-deflate");
    assert_eq!(request.headers().iter().count(), 4);
    let (head, ws) = request.accept().subprotocol("chat").header("Set-Cookie", "a=b").respond().unwrap();
    assert_eq!((head.status(), ws.state()), (200, State::Open));
    let fields: Vec<_> = head.fields().collect();
    assert_eq!(fields, [(":status", &b"200"[..]), ("sec-websocket-protocol", b"chat"), ("set-cookie", b"a=b")]);
}

#[test]
fn s5_what_a_client_sends() {
    // 8441-4-2, 8441-5-1, 8441-5-2, 8441-5-3, 8441-5-4, 8441-5-5
    let list = |head: &RequestHead| -> Vec<(String, String)> {
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        head.fields().map(|(name, value)| (name.to_owned(), text(value))).collect()
    };
    let own = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let expected = [&REQUEST[..5], &[("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat, superchat")]];
    assert_eq!(list(&client(&["chat", "superchat"]).0), own(&expected.concat()));

    let uri = Uri::parse("ws://[::1]:8080/a?b=c").unwrap();
    let request = ClientRequest::new(&uri).origin("http://o").header("X-Token", "1");
    let (head, _) = request.extended_connect(ExtendedConnect::Enabled, &Config::default()).unwrap();
    let expected = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/a?b=c"),
        (":authority", "[::1]:8080"),
        ("sec-websocket-version", "13"),
        ("origin", "http://o"),
        ("x-token", "1"),
    ];
    assert_eq!(list(&head), own(&expected));
    assert_eq!(list(&client(&[]).0).len(), 6, "no subprotocols, no field");
}

#[test]
fn s3_the_setting() {
    // 8441-3-1, 8441-3-2, 8441-3-3, 9220-3-2
    let uri = Uri::parse("ws://h/").unwrap();
    let mut setting = ExtendedConnect::default();
    let connect = |setting| ClientRequest::new(&uri).extended_connect(setting, &Config::default()).map(|_| ());
    assert_eq!(connect(setting), Err(HeadError::ExtendedConnectDisabled));
    setting.receive(0).unwrap();
    assert_eq!(connect(setting), Err(HeadError::ExtendedConnectDisabled));
    for value in [2, 3, 1 << 32, u64::MAX] {
        assert!(setting.receive(value).is_err(), "{value}");
        assert_eq!(setting, ExtendedConnect::Disabled);
    }
    setting.receive(1).unwrap();
    setting.receive(1).unwrap();
    assert_eq!(connect(setting), Ok(()));
    for value in [0, 2] {
        assert!(setting.receive(value).is_err(), "{value}");
        assert_eq!(setting, ExtendedConnect::Enabled);
    }
    assert_eq!([false, true].map(ExtendedConnect::from), [ExtendedConnect::Disabled, ExtendedConnect::Enabled]);
    assert_eq!(ExtendedConnect::SETTING, 0x8);
    assert_eq!((ErrorCode::Setting.http2(), ErrorCode::Setting.http3()), (0x1, 0x109));
}

#[test]
fn r9113_8_3_malformed_requests() {
    // 8441-4-1, 8441-4-2, 8441-5-3, 9113-8.3-1, 9114-4.1.2-1
    let mut malformed: Vec<Fields<'_>> = vec![
        request_with(":method", &[]),
        request_with(":method", &[(":method", "GET")]),
        request_with(":method", &[(":method", "connect")]),
        request_with(":scheme", &[]),
        request_with(":path", &[]),
        request_with(":path", &[(":path", "/chat\r\nx: y")]),
        request_with(":authority", &[(":authority", "a\0")]),
        request_with("origin", &[(":protocol", "websocket")]),
        request_with(":path", &[(":status", "200"), (":path", "/")]),
        request_with(":path", &[(":Path", "/")]),
        request_with(":path", &[("", ""), (":path", "/")]),
        request_with("origin", &[("Origin", "http://a")]),
        request_with("origin", &[("a b", "")]),
        request_with("origin", &[("é", "")]),
        request_with("origin", &[("a:", "")]),
        request_with("origin", &[("a", "b\n")]),
        request_with("origin", &[("a", "b\r")]),
        request_with("origin", &[("a", "b\0c")]),
        request_with("origin", &[("a", " b")]),
        request_with("origin", &[("a", "b\t")]),
        request_with("origin", &[("connection", "upgrade")]),
        request_with("origin", &[("upgrade", "websocket")]),
        request_with("origin", &[("keep-alive", "")]),
        request_with("origin", &[("proxy-connection", "close")]),
        request_with("origin", &[("transfer-encoding", "chunked")]),
        request_with("origin", &[("te", "gzip")]),
        request_with("origin", &[("te", "trailers, deflate")]),
        // a pseudo-header field behind a regular one
        [&REQUEST[1..], &[(":method", "CONNECT")]].concat(),
        vec![],
    ];
    for (name, value) in &REQUEST[..5] {
        malformed.push(request_with(name, &[(name, value), (name, value)]));
    }
    for fields in malformed {
        assert_eq!(refused(&fields), (HandshakeError::MalformedHead, 400, vec![]), "{fields:?}");
    }
    assert_eq!((ErrorCode::Malformed.http2(), ErrorCode::Malformed.http3()), (0x1, 0x10e));
}

#[test]
fn s5_requests_that_are_refused() {
    // 8441-5-5, 9220-3-1, 9110-15.5.6-1, 28-15, 28-20, 28-21
    use HandshakeError as E;
    let version = ("sec-websocket-version", "13");
    let allow = ("allow", "CONNECT");
    for (fields, error, status, answer) in [
        (request_with(":protocol", &[(":protocol", "foo")]), E::UnsupportedProtocol, 501, None),
        (request_with(":protocol", &[]), E::NotAnUpgrade, 400, Some(version)),
        (vec![(":method", "GET"), (":scheme", "https"), (":path", "/")], E::MethodNotAllowed, 405, Some(allow)),
        (request_with(":scheme", &[(":scheme", "ftp")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "*")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "http://h/")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "/a b")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "/#a")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "/a?b#c")]), E::InvalidTarget, 400, None),
        (request_with(":path", &[(":path", "/a?é")]), E::InvalidTarget, 400, None),
        (request_with(":authority", &[]), E::InvalidHost, 400, None),
        (request_with(":authority", &[(":authority", "")]), E::InvalidHost, 400, None),
        (request_with(":authority", &[(":authority", "u@h")]), E::InvalidHost, 400, None),
        (request_with("origin", &[("host", "other.example.com")]), E::InvalidHost, 400, None),
        (request_with("origin", &[("host", "server.example.com:80")]), E::InvalidHost, 400, None),
        (request_with(":authority", &[("host", "h"), ("host", "h")]), E::InvalidHost, 400, None),
        (request_with("origin", &[("host", "server.example.com"); 2]), E::InvalidHost, 400, None),
        (request_with("origin", &[("content-length", "0")]), E::BodyNotAllowed, 400, None),
        (request_with("origin", &[("expect", "magic")]), E::ExpectationFailed, 417, None),
        (request_with("sec-websocket-version", &[]), E::MissingVersion, 400, Some(version)),
        (
            request_with("sec-websocket-version", &[("sec-websocket-version", "8")]),
            E::UnsupportedVersion,
            400,
            Some(version),
        ),
        (request_with("origin", &[version]), E::RepeatedHeader("Sec-WebSocket-Version"), 400, None),
        (request_with("origin", &[("origin", "a"), ("origin", "a")]), E::RepeatedHeader("Origin"), 400, None),
        (
            request_with("sec-websocket-protocol", &[("sec-websocket-protocol", "chat,chat")]),
            E::InvalidSubprotocols,
            400,
            None,
        ),
        (
            request_with("sec-websocket-extensions", &[("sec-websocket-extensions", "a;;b")]),
            E::InvalidExtensions,
            400,
            None,
        ),
    ] {
        let fields_of_answer: Vec<_> =
            answer.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_owned())).collect();
        assert_eq!(refused(&fields), (error, status, fields_of_answer), "{fields:?}");
    }
}

#[test]
fn s5_requests_that_are_accepted() {
    // 8441-5-4, 8441-5-5
    for (fields, path, authority) in [
        (request_with(":protocol", &[(":protocol", "WebSocket")]), "/chat", "server.example.com"),
        (request_with(":scheme", &[(":scheme", "http")]), "/chat", "server.example.com"),
        (request_with(":scheme", &[(":scheme", "HTTPS")]), "/chat", "server.example.com"),
        (request_with(":path", &[(":path", "/a//b/{}")]), "/a//b/{}", "server.example.com"),
        (request_with(":authority", &[("host", "h:81")]), "/chat", "h:81"),
        (request_with("origin", &[("host", "server.example.com")]), "/chat", "server.example.com"),
        (request_with("origin", &[("host", "Server.Example.com:443")]), "/chat", "server.example.com"),
        (request_with(":authority", &[(":authority", "h:99999"), ("host", "h:99999")]), "/chat", "h:99999"),
        (request_with("origin", &[("expect", "100-continue")]), "/chat", "server.example.com"),
        (request_with("origin", &[("sec-websocket-key", "stray")]), "/chat", "server.example.com"),
        (request_with("origin", &[("te", "Trailers"), ("x-name", "é")]), "/chat", "server.example.com"),
        ([&REQUEST[..5], &REQUEST[7..8]].concat(), "/chat", "server.example.com"),
    ] {
        let request = serve(&fields).unwrap();
        assert_eq!((request.path(), request.authority()), (path, authority));
        let (head, _) = request.accept().respond().unwrap();
        assert!(head.fields().eq([(":status", &b"200"[..])]), "nothing was agreed, nothing is said");
    }
}

#[test]
fn s5_misuse_of_the_builders_gives_nothing() {
    // 8441-5-3, 9113-8.3-1
    for (name, error) in [
        ("Connection", HeadError::ReservedHeader),
        ("Proxy-Connection", HeadError::ReservedHeader),
        ("Transfer-Encoding", HeadError::ReservedHeader),
        ("upgrade", HeadError::ReservedHeader),
        ("keep-alive", HeadError::ReservedHeader),
        ("te", HeadError::ReservedHeader),
        ("sec-websocket-key", HeadError::ReservedHeader),
        ("content-length", HeadError::ReservedHeader),
        (":path", HeadError::InvalidHeaderName),
    ] {
        let accept = serve(&REQUEST).unwrap().accept().header(name, "x");
        assert_eq!(accept.respond().map(|_| ()), Err(error), "{name}");
        let uri = Uri::parse("ws://h/").unwrap();
        let request = ClientRequest::new(&uri).header(name, "x");
        assert_eq!(request.extended_connect(ExtendedConnect::Enabled, &Config::default()).map(|_| ()), Err(error));
    }
    for names in [&["other"][..], &["chat", "other"], &["other", "chat"]] {
        let accept = serve(&REQUEST).unwrap().accept();
        let accept = names.iter().fold(accept, |accept, name| accept.subprotocol(name));
        assert_eq!(accept.respond().map(|_| ()), Err(HeadError::SubprotocolNotOffered), "{names:?}");
    }
}

#[test]
fn s5_what_a_client_makes_of_a_response() {
    // 8441-5-4, 8441-5-5, 8441-5-6, 9113-8.3-1, 9113-8.6-1, 9114-4.1.2-1
    use HandshakeError as E;
    let accepted = |name: Option<&str>| Ok(Outcome::Accepted(name.map(str::to_owned)));
    let chat = ("sec-websocket-protocol", "chat");
    let ok = (":status", "200");
    for (response, expected) in [
        (vec![ok, chat], accepted(Some("chat"))),
        (vec![ok], accepted(None)),
        (vec![ok, ("sec-websocket-accept", "whatever")], accepted(None)),
        (vec![ok, ("content-length", "5")], accepted(None)),
        (vec![(":status", "204")], accepted(None)),
        (vec![(":status", "299")], accepted(None)),
        (vec![(":status", "300")], Ok(Outcome::Rejected(300))),
        (vec![(":status", "999")], Ok(Outcome::Rejected(999))),
        (vec![(":status", "100")], Ok(Outcome::Interim)),
        (vec![(":status", "102")], Ok(Outcome::Interim)),
        (vec![(":status", "199")], Ok(Outcome::Interim)),
        (vec![(":status", "103"), ("link", "x")], Ok(Outcome::Interim)),
        (vec![(":status", "101")], Err(E::MalformedHead)),
        (vec![(":status", "403")], Ok(Outcome::Rejected(403))),
        (vec![(":status", "302"), ("location", "/")], Ok(Outcome::Rejected(302))),
        (vec![(":status", "501"), ("content-length", "5")], Ok(Outcome::Rejected(501))),
        (vec![ok, ("sec-websocket-protocol", "superchat")], Err(E::SubprotocolNotOffered)),
        (vec![ok, ("sec-websocket-protocol", "Chat")], Err(E::SubprotocolNotOffered)),
        (vec![ok, chat, chat], Err(E::RepeatedHeader("Sec-WebSocket-Protocol"))),
        (vec![ok, ("sec-websocket-extensions", "permessage-deflate")], Err(E::ExtensionNotOffered)),
        (vec![], Err(E::MalformedHead)),
        (vec![ok, ok], Err(E::MalformedHead)),
        (vec![chat, ok], Err(E::MalformedHead)),
        (vec![ok, (":path", "/")], Err(E::MalformedHead)),
        (vec![ok, (":protocol", "websocket")], Err(E::MalformedHead)),
        (vec![ok, ("Sec-WebSocket-Protocol", "chat")], Err(E::MalformedHead)),
        (vec![ok, ("connection", "upgrade")], Err(E::MalformedHead)),
        (vec![ok, ("upgrade", "websocket")], Err(E::MalformedHead)),
        (vec![ok, ("transfer-encoding", "chunked")], Err(E::MalformedHead)),
        (vec![(":status", "20")], Err(E::MalformedHead)),
        (vec![(":status", "2OO")], Err(E::MalformedHead)),
        (vec![(":status", "099")], Err(E::MalformedHead)),
    ] {
        assert_eq!(answer(&["chat"], &response), expected, "{response:?}");
    }
    assert_eq!(answer(&[], &[ok, chat]), Err(E::SubprotocolNotOffered));
}

#[test]
fn s5_the_body_of_a_rejection_is_that_of_the_stream() {
    // 8441-5-6
    for (length, is_whole) in [("5", true), ("6", false)] {
        let (_, mut handshake) = client(&[]);
        let answer = handshake.receive([(":status", "403"), ("content-length", length)]).unwrap();
        let Some(Answer::Rejected { mut body, .. }) = answer else { panic!() };
        let mut input = ReadBuffer::default();
        input.extend_from_slice(b"sorry");
        assert_eq!(body.receive(&mut input), Ok(Some(&b"sorry"[..])));
        assert_eq!(body.receive_eof().is_ok(), is_whole);
    }
}

#[test]
fn s5_a_handshake_is_over_once() {
    // 8441-5-6, 9220-3-4
    let (_, mut handshake) = client(&[]);
    assert!(handshake.receive([(":status", "103")]).unwrap().is_none());
    assert!(handshake.receive([(":status", "200")]).unwrap().is_some());
    assert!(handshake.receive([(":status", "200")]).unwrap().is_none(), "one connection");
    assert_eq!(handshake.receive_eof(), Ok(()));
    let (_, mut handshake) = client(&[]);
    assert_eq!(handshake.receive_eof(), Err(HandshakeError::UnexpectedEof), "the stream was reset");
    let (_, mut handshake) = client(&[]);
    assert!(handshake.receive([(":status", "403")]).unwrap().is_some());
    assert!(handshake.receive([("trailer", "of the body")]).unwrap().is_none(), "over");
    for failure in [(":status", "101"), (":status", "2OO"), ("status", "200")] {
        let (_, mut handshake) = client(&[]);
        assert!(handshake.receive([failure]).is_err());
        assert!(handshake.receive([(":status", "200")]).unwrap().is_none(), "what failed does not open");
        assert_eq!(handshake.receive_eof(), Ok(()));
    }
    assert_eq!(ErrorCode::from(HandshakeError::MalformedHead), ErrorCode::Malformed);
    assert_eq!(ErrorCode::from(HandshakeError::SubprotocolNotOffered), ErrorCode::Cancel);
}

/// Both ends of a WebSocket that was opened by their header lists.
fn pair() -> (Connection, Connection) {
    let (request, mut handshake) = client(&["chat"]);
    let request = Request::extended_connect(request.fields(), &Config::default()).unwrap();
    let (response, server) = request.accept().subprotocol("chat").respond().unwrap();
    let answer = handshake.receive(response.fields()).unwrap();
    let Some(Answer::Accepted { connection, response, .. }) = answer else { panic!() };
    assert_eq!(response.subprotocol(), Some("chat"));
    (connection, server)
}

#[test]
fn s5_the_connection_is_as_its_handshake_was_told() {
    // 6455-10.4-1, 8441-5-7
    let config = common::other_config();
    let request = Request::extended_connect(REQUEST, &config).unwrap();
    common::assert_other_config(request.accept().respond().unwrap().1);
    let uri = Uri::parse("wss://server.example.com/chat").unwrap();
    let (_, mut handshake) = ClientRequest::new(&uri).extended_connect(ExtendedConnect::Enabled, &config).unwrap();
    let answer = handshake.receive([(":status", "200")]).unwrap();
    let Some(Answer::Accepted { connection, .. }) = answer else { panic!() };
    common::assert_other_config(connection);
}

#[test]
fn s5_the_octets_of_the_data_frames_are_the_connections() {
    // 8441-5-7, 8441-8-1: the same connection, which masks, checks masks and keeps its limits
    let (mut client, mut server) = pair();
    let mut sent = Vec::new();
    client.send_text("Hello", &mut sent).unwrap();
    assert_eq!(sent, common::hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    for data in [&sent[..3], b"", &sent[3..9]] {
        input.extend_from_slice(data);
        assert_eq!(server.receive(&mut input, &mut output), Ok(None));
    }
    input.extend_from_slice(&sent[9..]);
    assert_eq!(server.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
    input.extend_from_slice(b"\x81\x01a");
    assert!(server.receive(&mut input, &mut output).is_err(), "not masked");
    assert_eq!(output, b"\x88\x02\x03\xea");
}

#[test]
fn s5_the_ends_of_the_stream() {
    // 8441-5-8, 9220-3-4
    let (mut client, mut server) = pair();
    let (mut to_server, mut to_client, mut input) = (Vec::new(), Vec::new(), ReadBuffer::default());
    client.close(CloseCode::NORMAL, "", &mut to_server).unwrap();
    input.extend_from_slice(&to_server);
    while server.receive(&mut input, &mut to_client).unwrap().is_some() {}
    assert!(!server.wants_read(), "END_STREAM, behind the output");
    input.extend_from_slice(&to_client);
    while client.receive(&mut input, &mut to_server).unwrap().is_some() {}
    assert_eq!(client.receive_eof(), Ok(()), "END_STREAM came");
    assert!(client.close_outcome().unwrap().clean && server.close_outcome().unwrap().clean);

    let (mut client, _) = pair();
    assert!(client.receive_eof().is_err(), "RST_STREAM came");
    assert_eq!(client.close_outcome().unwrap().received, CloseCode::ABNORMAL);
    assert_eq!((ErrorCode::Cancel.http2(), ErrorCode::Cancel.http3()), (0x8, 0x10c));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_change_of_a_request_is_accepted_or_refused_for_a_reason(
        at in 0..REQUEST.len(),
        to in 0..REQUEST.len(),
        change in 0..5,
        other in ("[:a-zA-Z-]{0,12}", vec(any::<u8>(), 0..8)),
    ) {
        // 9113-8.3-1
        let mut fields: Vec<(String, Vec<u8>)> =
            REQUEST.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_owned())).collect();
        match change {
            0 => drop(fields.remove(at)),
            1 => fields.swap(at, to),
            2 => fields.insert(to, fields[at].clone()),
            3 => fields.insert(at, other),
            _ => fields[at].1 = other.1,
        }
        let count = |needed: &str| fields.iter().filter(|(name, _)| name == needed).count();
        let first_regular = fields.iter().position(|(name, _)| !name.starts_with(':')).unwrap();
        let is_ordered = !fields[first_regular..].iter().any(|(name, _)| name.starts_with(':'));
        let is_pseudo = |name: &str| REQUEST[..5].iter().any(|(known, _)| *known == name);
        let is_known = fields[..first_regular].iter().all(|(name, _)| is_pseudo(name));
        let needed = [":method", ":protocol", ":scheme", ":path", "sec-websocket-version"];
        let is_complete = needed.iter().all(|name| count(name) == 1);
        match Request::extended_connect(fields.iter().map(|(name, value)| (name, value)), &Config::default()) {
            Ok(request) => {
                prop_assert!(is_ordered && is_known && is_complete && count(":authority") == 1);
                let path = fields.iter().find(|(name, _)| name == ":path").unwrap();
                prop_assert_eq!(request.path().as_bytes(), &path.1[..]);
            }
            // the order of the fields of one kind, and others among them, change nothing
            Err(refusal) => {
                let is_wrong = change > 1 || !is_ordered || !is_complete || count(":authority") == 0;
                prop_assert!(is_wrong, "{refusal}");
            }
        }
    }

    #[test]
    fn what_one_end_writes_the_other_reads(
        added in vec((hostile_text(), hostile()), 0..4),
        protocol in hostile_text(),
    ) {
        // 9110-5.5-4, 8441-5-5
        let expected: Vec<(String, Vec<u8>)> =
            added.iter().map(|(name, value)| (name.to_ascii_lowercase(), trimmed(value).to_vec())).collect();
        let fields_of = |fields: &Headers<'_>, own: usize| -> Vec<(String, Vec<u8>)> {
            fields.iter().skip(own).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let uri = Uri::parse("ws://h/").unwrap();
        let request = added.iter().fold(ClientRequest::new(&uri), |request, (name, value)| request.header(name, value));
        if let Ok((head, _)) = request.extended_connect(ExtendedConnect::Enabled, &Config::default()) {
            // what is refused is a field with a meaning of its own, such as an Expect
            match Request::extended_connect(head.fields(), &Config::default()) {
                Ok(request) => prop_assert_eq!(fields_of(request.headers(), 1), &expected[..]),
                Err(refusal) => prop_assert_ne!(refusal.error(), HandshakeError::MalformedHead),
            }
        }
        let accept = serve(&REQUEST).unwrap().accept();
        let accept = added.iter().fold(accept, |accept, (name, value)| accept.header(name, value));
        if let Ok((head, _)) = accept.respond() {
            let (_, mut handshake) = client(&[]);
            let answer = handshake.receive(head.fields()).unwrap();
            let Some(Answer::Accepted { response, .. }) = answer else { panic!("{answer:?}") };
            prop_assert_eq!(fields_of(response.headers(), 0), expected);
        }
        let request = ClientRequest::new(&uri).subprotocol(&protocol);
        if let Ok((head, _)) = request.extended_connect(ExtendedConnect::Enabled, &Config::default()) {
            let request = Request::extended_connect(head.fields(), &Config::default()).unwrap();
            prop_assert_eq!(request.subprotocols(), [protocol]);
        }
    }
}
