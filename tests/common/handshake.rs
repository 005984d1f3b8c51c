//! What the tests of the opening handshake share: the samples of RFC 6455 §1.3, a second reader for what we write, and
//! the helpers that bring a head to either role in every cut.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::handshake::{
    Answer, Asked, Body, ClientHandshake, ClientRequest, Headers, Request, ServerHandshake, Uri,
};
use websocket_proto::{Config, Connection, HandshakeError, Random, ReadBuffer, State};

/// The request of §1.3.
pub const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The response of §1.3.
pub const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

/// One octet for each character, so that a table can hold what is not UTF-8: `\u{e9}` is E9.
pub fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("one octet")).collect()
}

/// The request of §1.3 with the one line that begins so replaced, by any number of lines; see [`octets`].
pub fn request_with(name: &str, lines: &str) -> Vec<u8> {
    replaced(REQUEST, name, lines)
}

/// The response of §1.3 with the one line that begins so replaced, by any number of lines; see [`octets`].
pub fn response_with(name: &str, lines: &str) -> Vec<u8> {
    replaced(RESPONSE, name, lines)
}

fn replaced(head: &str, name: &str, lines: &str) -> Vec<u8> {
    let line = head.split_inclusive("\r\n").find(|line| line.starts_with(name)).expect("there is such a line");
    octets(&head.replace(line, lines))
}

/// Where to cut octets in two: at every position; at 500 and more, if they are longer than 1 KiB; at 30 and more, if
/// they are longer than any head may be.
pub fn cuts(octets: &[u8]) -> impl Iterator<Item = [&[u8]; 2]> {
    let most = if octets.len() > 1 << 15 { 60 } else { 1024 };
    (0..octets.len()).step_by(1 + octets.len() / most).map(|cut| octets.split_at(cut).into())
}

/// Octet by octet, as far as any head may go; then the rest in one piece.
fn dribbled(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (head, rest) = octets.split_at(octets.len().min(1 << 15));
    head.chunks(1).chain(Some(rest))
}

/// Names and values of header fields.
pub type Fields = Vec<(String, Vec<u8>)>;

/// What another parser reads in a request of ours: method, target and fields; all of it has to be one head.
pub fn read_request(octets: &[u8]) -> (String, String, Fields) {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let size = request.parse(octets).expect("a well-formed request");
    assert_eq!(size, httparse::Status::Complete(octets.len()), "all of it is one head");
    assert_eq!(request.version, Some(1));
    assert_lines(octets, request.headers.len());
    (request.method.unwrap().to_owned(), request.path.unwrap().to_owned(), owned(request.headers))
}

/// What another parser reads in a response of ours: status, fields, and what comes behind the head.
pub fn read_response(octets: &[u8]) -> (u16, Fields, &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(size)) = response.parse(octets) else { panic!("{}", octets.escape_ascii()) };
    let (head, behind) = octets.split_at(size);
    assert_eq!(response.version, Some(1));
    let status = response.code.unwrap();
    assert!(head.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "a space, even before an empty reason phrase");
    assert_lines(head, response.headers.len());
    (status, owned(response.headers), behind)
}

/// What the other parser found.
pub fn owned(fields: &[httparse::Header<'_>]) -> Fields {
    fields.iter().map(|field| (field.name.to_owned(), field.value.to_owned())).collect()
}

/// What we found.
pub fn fields_of(headers: &Headers<'_>) -> Fields {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// That a head has so many header lines, each ended by CR LF, none folded, and no other CR, LF or NUL.
fn assert_lines(head: &[u8], fields: usize) {
    let lines: Vec<&[u8]> = head.strip_suffix(b"\r\n\r\n").expect("an empty line").split(|&c| c == b'\n').collect();
    assert_eq!(lines.len(), fields + 1, "{}", head.escape_ascii());
    for (i, line) in lines.iter().enumerate() {
        let line = if i < fields { line.strip_suffix(b"\r").expect("CR LF") } else { line };
        assert!(!line.contains(&b'\r') && !line.contains(&0), "{}", line.escape_ascii());
        assert!(!line.starts_with(b" ") && !line.starts_with(b"\t"), "{}", line.escape_ascii());
    }
}

/// The values of all fields with this name, in any case of letters.
pub fn values<'f>(fields: &'f Fields, name: &str) -> Vec<&'f str> {
    let named = fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    pub result: Result<(), HandshakeError>,
    pub output: String,
    /// What is left in the input.
    pub behind: Vec<u8>,
}

/// Brings a request to a server whole, in every cut and octet by octet; the same has to come of it. The server accepts
/// it if it can, with the subprotocol `chat` or `other` if that is offered.
pub fn serve(request: &[u8]) -> Served {
    let expected = serve_once(&Config::default(), [request]);
    for cut in cuts(request) {
        assert_eq!(serve_once(&Config::default(), cut), expected, "cut at {}", cut[0].len());
    }
    assert_eq!(serve_once(&Config::default(), dribbled(request)), expected, "octet by octet");
    assert_same_with_pages(&expected, [request]);
    assert_same_with_pages(&expected, dribbled(request));
    expected
}

/// That a server that has pages, too, hands out what is no upgrade, and does the same with all else.
fn assert_same_with_pages<'o>(expected: &Served, pieces: impl IntoIterator<Item = &'o [u8]>) {
    let mut handshake = ServerHandshake::new(&Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut result = Err(HandshakeError::UnexpectedEof);
    for octets in pieces {
        input.extend_from_slice(octets);
        match handshake.receive_any(&mut input, &mut output) {
            Ok(None) => {}
            Ok(Some(Asked::WebSocket(_))) => result = Ok(()),
            Ok(Some(Asked::Page(_))) => result = Err(HandshakeError::NotAnUpgrade),
            Err(error) => result = Err(error),
        }
    }
    assert_eq!(result, expected.result);
    let is_refused = result.is_err() && result != Err(HandshakeError::NotAnUpgrade);
    assert_eq!(String::from_utf8(output).unwrap(), if is_refused { &expected.output[..] } else { "" });
    assert_eq!(handshake.receive_eof().is_err(), result == Err(HandshakeError::UnexpectedEof));
}

/// [`serve`] in these pieces.
pub fn serve_once<'o>(config: &Config, pieces: impl IntoIterator<Item = &'o [u8]>) -> Served {
    let mut handshake = ServerHandshake::new(config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut result = None;
    for octets in pieces {
        input.extend_from_slice(octets);
        match handshake.receive(&mut input, &mut output) {
            Ok(None) => assert!(result.is_some() || output.is_empty(), "nothing is answered before the head is there"),
            Ok(Some(request)) => {
                assert_eq!((&result, output.len()), (&None, 0), "nothing is answered before the application says so");
                let accept = match request.select_subprotocol(&["chat", "other"]) {
                    Some(name) => request.accept().subprotocol(name),
                    None => request.accept(),
                };
                assert_eq!(accept.send(&mut output).unwrap().state(), State::Open);
                result = Some(Ok(()));
            }
            Err(error) => {
                assert_eq!(result, None, "a request is answered once");
                result = Some(Err(error));
            }
        }
    }
    if let Some(Err(_)) = result {
        let sent = output.len();
        input.extend_from_slice(REQUEST.as_bytes());
        assert!(handshake.receive(&mut input, &mut output).unwrap().is_none(), "nothing is read after a refusal");
        assert_eq!((output.len(), input.len()), (sent, 0), "what comes behind a refused request is discarded");
    }
    let result = result.unwrap_or_else(|| Err(handshake.receive_eof().unwrap_err()));
    Served { result, output: String::from_utf8(output).unwrap(), behind: input.unparsed().to_vec() }
}

/// That a request opens a WebSocket, in every cut; gives the response.
pub fn assert_opens(request: &[u8]) -> String {
    let Served { result, output, behind } = serve(request);
    assert_eq!((result, &behind[..]), (Ok(()), &b""[..]), "{}", request.escape_ascii());
    assert!(output.contains("HTTP/1.1 101 Switching Protocols\r\n") && output.ends_with("\r\n\r\n"), "{output}");
    output
}

/// That a request is refused so, in every cut, by a whole response with the fields that it needs; gives the response.
pub fn assert_refused(request: &[u8], error: HandshakeError) -> String {
    let Served { result, output, .. } = serve(request);
    assert_eq!(result, Err(error), "{}", request.escape_ascii());
    let (status, fields, body) = read_response(output.as_bytes());
    assert_eq!(Some(status), error.status());
    assert_eq!(values(&fields, "Content-Length"), [body.len().to_string()], "{output}");
    let is_upgrade_required = status == 426;
    let connection = if is_upgrade_required { "Upgrade, close" } else { "close" };
    assert_eq!(values(&fields, "Connection"), [connection], "{output}");
    assert_eq!(values(&fields, "Upgrade"), vec!["websocket"; usize::from(is_upgrade_required)], "{output}");
    let names_version = is_upgrade_required || error == HandshakeError::MissingVersion;
    assert_eq!(values(&fields, "Sec-WebSocket-Version"), vec!["13"; usize::from(names_version)], "{output}");
    assert_eq!(values(&fields, "Allow"), vec!["GET"; usize::from(status == 405)], "{output}");
    // the answer to a HEAD, which is one of the methods that are not allowed, has no body
    let text = if status == 405 { String::new() } else { format!("{error}\n") };
    assert_eq!(body, text.as_bytes());
    assert!(!output.contains("Sec-WebSocket-Accept"), "{output}");
    output
}

/// That the sample request opens with each of these in the place of one line.
pub fn opens(name: &str, all_lines: &[impl AsRef<str>]) {
    for lines in all_lines {
        assert_opens(&request_with(name, &format!("{}\r\n", lines.as_ref())));
    }
}

/// That the sample request is refused so with each of these in the place of one line.
pub fn refuses(name: &str, error: HandshakeError, all_lines: &[impl AsRef<str>]) {
    for lines in all_lines {
        assert_refused(&request_with(name, &format!("{}\r\n", lines.as_ref())), error);
    }
}

/// That the sample request is refused so without one line.
pub fn needs(name: &str, error: HandshakeError) {
    assert_refused(&request_with(name, ""), error);
}

/// Looks at a request that a server takes.
pub fn with_request<T>(request: &[u8], look: impl FnOnce(Request<'_>) -> T) -> T {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(request);
    look(ServerHandshake::new(&Config::default()).receive(&mut input, &mut output).unwrap().unwrap())
}

/// A client that has asked for `ws://server.example.com/chat` with the nonce of §1.3, and its request.
pub fn client(subprotocols: &[&str]) -> (ClientHandshake, String) {
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let mut request = ClientRequest::new(&uri);
    for name in subprotocols {
        request = request.subprotocol(name);
    }
    let mut output = Vec::new();
    let random = random_from(b"the sample nonce");
    let handshake = request.send_with_random(&Config::default(), random, &mut output).unwrap();
    (handshake, String::from_utf8(output).unwrap())
}

/// A source that gives these octets over and over.
pub fn random_from(nonce: &'static [u8]) -> Random {
    Random::from_fn(|octets| {
        for (octet, nonce) in octets.iter_mut().zip(nonce.iter().cycle()) {
            *octet = *nonce;
        }
    })
}

/// What came of a response.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    More,
    /// The subprotocol, and what came behind the response.
    Accepted(Option<String>, String),
    /// Status, header fields, body and whether it is complete.
    Rejected(u16, usize, String, bool),
    BadBody,
}

/// What a client that offers these subprotocols makes of a response, whole, in every cut and octet by octet.
pub fn answer(subprotocols: &[&str], response: &[u8]) -> Result<Outcome, HandshakeError> {
    let expected = answer_once(subprotocols, [response]);
    for cut in cuts(response) {
        assert_eq!(answer_once(subprotocols, cut), expected, "cut at {}", cut[0].len());
    }
    assert_eq!(answer_once(subprotocols, dribbled(response)), expected, "octet by octet");
    expected
}

/// [`answer`] in these pieces. A client has no output before it is open, so it cannot send anything but its request.
pub fn answer_once<'o>(
    subprotocols: &[&str],
    pieces: impl IntoIterator<Item = &'o [u8]>,
) -> Result<Outcome, HandshakeError> {
    let (mut handshake, _) = client(subprotocols);
    let mut input = ReadBuffer::default();
    let mut outcome = Outcome::More;
    let mut open: Option<Connection> = None;
    let mut rest: Option<Body> = None;
    for octets in pieces {
        input.extend_from_slice(octets);
        match handshake.receive(&mut input) {
            Ok(None) => {}
            Ok(Some(Answer::Accepted { connection, response, .. })) => {
                assert_eq!((response.status(), connection.state()), (101, State::Open));
                outcome = Outcome::Accepted(response.subprotocol().map(str::to_owned), String::new());
                open = Some(connection);
            }
            Ok(Some(Answer::Rejected { response, body, .. })) => {
                assert_eq!(response.subprotocol(), None);
                outcome = Outcome::Rejected(response.status(), response.headers().iter().count(), String::new(), false);
                rest = Some(body);
            }
            Err(error) => {
                let mut input = ReadBuffer::default();
                input.extend_from_slice(RESPONSE.as_bytes());
                assert!(handshake.receive(&mut input).unwrap().is_none(), "a handshake that failed stays so");
                assert_eq!(handshake.receive_eof(), Ok(()));
                return Err(error);
            }
        }
        let mut output = Vec::new();
        if let (Some(ws), Outcome::Accepted(_, messages)) = (&mut open, &mut outcome) {
            while let Some(event) = ws.receive(&mut input, &mut output).unwrap() {
                write!(messages, "{event:?}").unwrap();
            }
        }
        if let (Some(body), Outcome::Rejected(.., page, is_complete)) = (&mut rest, &mut outcome) {
            loop {
                match body.receive(&mut input) {
                    Ok(Some(piece)) => page.push_str(std::str::from_utf8(piece).unwrap()),
                    Ok(None) => break,
                    Err(error) => {
                        assert_eq!(error, HandshakeError::MalformedBody);
                        return Ok(Outcome::BadBody);
                    }
                }
            }
            *is_complete = body.is_complete();
        }
    }
    Ok(outcome)
}

/// The response of §1.3, or one like it, taken; with the messages that came behind it.
pub fn accepted(messages: &str) -> Outcome {
    Outcome::Accepted(Some("chat".into()), messages.into())
}

/// A name or value with whatever could end a line or a part of one.
pub fn hostile() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..20),
        vec(prop::sample::select(b"aZ9- \t\r\n:\0,;\"/\x0b\x7f\x80\xe9\xff".to_vec()), 0..12),
        vec(prop::sample::select(vec![&b"a"[..], b"\r\n", b"\r\n\r\n", b": ", b"Host: x", b" ", b", ", b"\0"]), 0..6)
            .prop_map(|parts| parts.concat()),
        "[!-~][ -~]{0,12}".prop_map(String::into_bytes),
    ]
}

/// The same as text, and names that may pass.
pub fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile().prop_map(|octets| octets.into_iter().map(char::from).collect()),
        "[A-Za-z-]{1,8}",
        "\\PC{0,6}",
    ]
}

/// Without the blanks around it.
pub fn trimmed(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
