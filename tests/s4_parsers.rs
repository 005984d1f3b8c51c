//! RFC 9112 §11.2: a second parser reads the heads that we take, and those that we write, as we do.

mod common;

use common::handshake::{
    Fields, REQUEST, RESPONSE, accepted, answer_once, client, fields_of, hostile, hostile_text, owned, read_request,
    read_response, serve_once, trimmed, values, with_request,
};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::handshake::{Answer, ClientRequest, Rejection, ServerHandshake, Uri};
use websocket_proto::{Config, HeadError, ReadBuffer};

/// A head, as a parser reads it: what its start line says, and its fields.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    start: Vec<String>,
    fields: Fields,
}

/// How our server reads a request that it accepts, and how much of it is left.
fn ours(octets: &[u8]) -> Option<(Reading, usize)> {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(octets);
    let request = ServerHandshake::new(&Config::default()).receive(&mut input, &mut output);
    let Ok(Some(request)) = request else {
        assert!(!output.starts_with(b"HTTP/1.1 1"), "no 101, and no 100");
        return None;
    };
    let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
    let start = vec!["GET".to_owned(), format!("{}{query}", request.path())];
    let fields = fields_of(request.headers());
    drop(request.accept().send(&mut output).unwrap());
    assert!(output.starts_with(b"HTTP/1.1 101 ") || output.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 "));
    Some((Reading { start, fields }, input.len()))
}

/// How httparse reads a request, and how much of it is left.
fn httparse_reading(octets: &[u8]) -> Option<(Reading, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut fields);
    let Ok(httparse::Status::Complete(size)) = request.parse(octets) else { return None };
    let target = request.path.unwrap();
    // of an absolute target, what follows the authority
    let behind = target.split_once("://").filter(|_| !target.starts_with('/')).map(|(_, behind)| behind);
    let target = behind.map_or(target, |behind| &behind[behind.find(['/', '?']).unwrap_or(behind.len())..]);
    let slash = if target.starts_with('/') { "" } else { "/" };
    let start = vec![request.method.unwrap().to_owned(), format!("{slash}{target}")];
    let fields = owned(request.headers);
    Some((Reading { start, fields }, octets.len() - size))
}

/// How the plainest reader there is reads the fields: lines end in CR LF, names at the first colon.
fn plain_fields(octets: &[u8]) -> Fields {
    let text: String = octets.iter().map(|&octet| char::from(octet)).collect();
    let head = text.trim_start_matches("\r\n").split_once("\r\n\r\n").unwrap().0;
    let fields = head.split("\r\n").skip(1).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.trim_matches([' ', '\t']).chars().map(|c| u8::try_from(c).unwrap()).collect())
    });
    fields.collect()
}

/// httparse knows the versions 1.0 and 1.1 only, but a later 1.x is read by the rules of 1.1 (RFC 9110 §2.5): writes it
/// so in the start line.
fn as_version_1_1(octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    let is_line_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
    let begin = octets.iter().position(|octet| !is_line_end(octet)).unwrap_or(octets.len());
    let (_, lines) = octets.split_at_mut(begin);
    let end = lines.iter().position(is_line_end).unwrap_or(lines.len());
    for at in 0..end.saturating_sub(7) {
        if let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'2'..=b'9'] = &mut lines[at..at + 8] {
            *minor = b'1';
        }
    }
    octets
}

/// One change to a head: where, as a share of its length, and what.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(u16, u8),
    Insert(u16, u8),
    Delete(u16),
    DoubleLine(u16),
    SwapLines(u16, u16),
    DeleteLine(u16),
    InsertText(u16, &'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let octet = || prop_oneof![any::<u8>(), prop::sample::select(b"\r\n\0 \t:,;=\"\\/?#*.1\x0b\x7f\x80\xa0".to_vec())];
    #[rustfmt::skip]
    let text = prop::sample::select(vec![
        "\r\n", "\r\n\r\n", "\n\n", "\r\n ", " \r\n", ": ", "HTTP/1.1", "Host: h\r\n", "Upgrade: h2c\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "X: \u{e9}\r\n",
        "http://h", "%0d%0a",
    ]);
    prop_oneof![
        4 => (any::<u16>(), octet()).prop_map(|(at, octet)| Mutation::Replace(at, octet)),
        4 => (any::<u16>(), octet()).prop_map(|(at, octet)| Mutation::Insert(at, octet)),
        2 => any::<u16>().prop_map(Mutation::Delete),
        2 => any::<u16>().prop_map(Mutation::DoubleLine),
        1 => any::<(u16, u16)>().prop_map(|(a, b)| Mutation::SwapLines(a, b)),
        1 => any::<u16>().prop_map(Mutation::DeleteLine),
        2 => (any::<u16>(), text).prop_map(|(at, text)| Mutation::InsertText(at, text)),
    ]
}

fn mutate(head: &str, mutations: &[Mutation]) -> Vec<u8> {
    let share = |at: u16, len: usize| usize::from(at) * len / (usize::from(u16::MAX) + 1);
    let mut octets = head.as_bytes().to_vec();
    for mutation in mutations {
        let len = octets.len();
        if len == 0 {
            break;
        }
        let mut lines: Vec<Vec<u8>> = octets.split_inclusive(|&octet| octet == b'\n').map(<[u8]>::to_vec).collect();
        let line = |at: u16| share(at, lines.len());
        match *mutation {
            Mutation::Replace(at, octet) => octets[share(at, len)] = octet,
            Mutation::Insert(at, octet) => octets.insert(share(at, len), octet),
            Mutation::Delete(at) => drop(octets.remove(share(at, len))),
            Mutation::InsertText(at, text) => drop(octets.splice(share(at, len)..share(at, len), text.bytes())),
            Mutation::DoubleLine(at) => {
                let at = line(at);
                lines.insert(at, lines[at].clone());
                octets = lines.concat();
            }
            Mutation::SwapLines(a, b) => {
                let (a, b) = (line(a), line(b));
                lines.swap(a, b);
                octets = lines.concat();
            }
            Mutation::DeleteLine(at) => {
                let at = line(at);
                lines.remove(at);
                octets = lines.concat();
            }
        }
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r9112_11_2_what_we_accept_is_read_by_others_as_by_us(mutations in vec(mutation(), 0..4)) {
        // 9112-11.2-1
        let octets = mutate(REQUEST, &mutations);
        if let Some((reading, left)) = ours(&octets) {
            prop_assert_eq!(&reading.fields, &plain_fields(&octets));
            prop_assert_eq!(Some((reading, left)), httparse_reading(&as_version_1_1(&octets)));
        }
    }

    #[test]
    fn r9112_11_2_how_it_comes_does_not_matter(mutations in vec(mutation(), 1..4), size in 1..64usize) {
        // 9112-11.2-1
        let octets = mutate(REQUEST, &mutations);
        let whole = serve_once(&Config::default(), [&*octets]);
        prop_assert_eq!(serve_once(&Config::default(), octets.chunks(size)), whole);
    }

    #[test]
    fn r9112_11_2_responses_too(mutations in vec(mutation(), 0..4), size in 1..64usize) {
        // 9112-11.2-1
        let octets = mutate(RESPONSE, &mutations);
        let (mut handshake, _) = client(&["chat"]);
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&octets);
        if let Ok(Some(Answer::Accepted { response, .. })) = handshake.receive(&mut input) {
            let found = fields_of(response.headers());
            let folded = octets.windows(3).any(|three| matches!(three, b"\r\n " | b"\r\n\t"));
            if !folded {
                let mut fields = [httparse::EMPTY_HEADER; 128];
                let octets = as_version_1_1(&octets);
                let mut other = httparse::Response::new(&mut fields);
                let size = other.parse(&octets).expect("httparse takes it").unwrap();
                prop_assert_eq!(other.code, Some(101));
                prop_assert_eq!(found, owned(other.headers));
                prop_assert_eq!(input.len(), octets.len() - size);
            }
        } else {
            // whatever it is, it is the same in pieces
            prop_assert_eq!(answer_once(&["chat"], [&*octets]), answer_once(&["chat"], octets.chunks(size)));
        }
    }

    #[test]
    fn r9110_5_3_3_the_order_of_the_fields_does_not_matter(
        request in Just(REQUEST.lines().skip(1).take(7).collect::<Vec<_>>()).prop_shuffle(),
        response in Just(RESPONSE.lines().skip(1).take(4).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // 9110-5.3-3
        let request = format!("GET /chat HTTP/1.1\r\n{}\r\n\r\n", request.join("\r\n"));
        prop_assert_eq!(serve_once(&Config::default(), [request.as_bytes()]).output, RESPONSE);
        let response = format!("HTTP/1.1 101 x\r\n{}\r\n\r\n", response.join("\r\n"));
        prop_assert_eq!(answer_once(&["chat"], [response.as_bytes()]), Ok(accepted("")));
    }

    #[test]
    fn r9110_5_5_4_whatever_the_application_adds_stays_in_its_line(
        added in vec((hostile_text(), hostile()), 1..4),
        body in vec(any::<u8>(), 0..40),
    ) {
        // 9110-5.5-4, 9112-2.2-3, 9112-2.2-6, 9112-5.2-1, SEC-3
        let expected = |own: usize, fields: Fields| {
            let (_, rest) = fields.split_at(own);
            let all_added: Fields = added.iter().map(|(name, value)| (name.clone(), trimmed(value).to_vec())).collect();
            prop_assert_eq!(rest, all_added);
            Ok(())
        };
        let mut output = Vec::new();
        let rejection = added.iter().fold(Rejection::new(403), |head, (name, value)| head.header(name, value));
        match rejection.body(&body).send(&mut output) {
            Ok(()) => {
                let (status, fields, behind) = read_response(&output);
                prop_assert_eq!((status, behind), (403, &body[..]));
                prop_assert_eq!(values(&fields, "Content-Length"), [body.len().to_string()]);
                expected(2, fields)?;
            }
            Err(_) => prop_assert!(output.is_empty()),
        }
        output.clear();
        let sent = with_request(REQUEST.as_bytes(), |request| {
            let accept = added.iter().fold(request.accept(), |head, (name, value)| head.header(name, value));
            accept.send(&mut output).map(|_| ())
        });
        match sent {
            Ok(()) => {
                let (status, fields, behind) = read_response(&output);
                prop_assert_eq!((status, behind.len()), (101, 0));
                expected(3, fields)?;
            }
            Err(_) => prop_assert!(output.is_empty()),
        }
        output.clear();
        let uri = Uri::parse("ws://h/").unwrap();
        let request = added.iter().fold(ClientRequest::new(&uri), |head, (name, value)| head.header(name, value));
        match request.send(&Config::default(), &mut output) {
            Ok(_) => expected(5, read_request(&output).2)?,
            Err(_) => prop_assert!(output.is_empty()),
        }
    }

    #[test]
    fn r9110_5_5_4_nor_do_names_origins_and_uris_split_a_request(
        names in vec(hostile_text(), 0..3),
        origin in prop::option::of(hostile_text()),
        (at, inserted) in (0..=20usize, hostile_text()),
    ) {
        // 9110-5.5-4, 9110-5.6.1-1, 6455-3-5
        let mut text = String::from("wss://[::1]:8/a/?b=c");
        text.insert_str(at, &inserted);
        let parsed = Uri::parse(&text);
        let uri = parsed.unwrap_or_else(|_| Uri::parse("ws://h/").unwrap());
        let mut request = ClientRequest::new(&uri);
        for name in &names {
            request = request.subprotocol(name);
        }
        if let Some(origin) = &origin {
            request = request.origin(origin);
        }
        let mut output = Vec::new();
        match request.send(&Config::default(), &mut output) {
            Ok(_) => {
                let (method, target, fields) = read_request(&output);
                prop_assert_eq!((&*method, &*target), ("GET", uri.resource_name()));
                prop_assert_eq!(values(&fields, "Host"), [uri.host_header()]);
                let offered: Vec<String> = if names.is_empty() { vec![] } else { vec![names.join(", ")] };
                prop_assert_eq!(values(&fields, "Sec-WebSocket-Protocol"), offered);
                prop_assert!(names.iter().all(|name| !name.is_empty() && !name.contains([',', ' '])));
                let origins = fields.into_iter().filter(|(name, _)| name == "Origin").map(|(_, value)| value);
                let expected = origin.iter().map(|origin| trimmed(origin.as_bytes()).to_vec());
                prop_assert_eq!(origins.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
                // and our server takes it as it was meant
                let read = with_request(&output, |request| {
                    prop_assert_eq!(request.subprotocols(), &names);
                    prop_assert_eq!(request.authority(), uri.host_header());
                    Ok(())
                });
                read?;
            }
            Err(error) => {
                prop_assert!(matches!(error, HeadError::InvalidSubprotocol | HeadError::InvalidHeaderValue));
                prop_assert!(output.is_empty());
            }
        }
    }
}
