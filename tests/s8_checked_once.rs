//! RFC 6455 §8.1: is text that is checked as it comes checked to the last octet, wherever it is cut?

mod common;

use common::{ROLES, connection, frame_to};
use websocket_proto::{Config, Connection, Delivery, Event, ProtocolError, ReadBuffer, Role};

/// Texts with characters of each length next to ASCII, and octets that are not UTF-8.
const TEXTS: [&[u8]; 13] = [
    b"",
    b"plain",
    "é日😀".as_bytes(),
    "a😀b".as_bytes(),
    b"ab\xff",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc0\xaf",
    b"a\x80",
    b"\xe6\x97a",
    b"\xf0\x9f\x98",
    b"\xc3",
    b"\xf0\x9f\x98\x80\x80",
];

/// Octets after which it is certain that this is not text; none if it may become text.
fn certain(text: &[u8]) -> Option<usize> {
    (1..=text.len()).find(|len| matches!(std::str::from_utf8(&text[..*len]), Err(e) if e.error_len().is_some()))
}

#[test]
fn a_frame_that_has_not_ended_fails_with_the_octet_that_makes_it_certain() {
    // 6455-8.1-2
    for role in ROLES {
        for before in [0, 1, 7, 8, 60, 64, 130] {
            for text in TEXTS {
                let text = [&vec![b'x'; before], text].concat();
                let Some(certain) = certain(&text) else { continue };
                for first in [0x81, 0x01] {
                    // the frame announces more than comes
                    let frame = frame_to(role, first, &[&text[..], &[b'y'; 100]].concat());
                    let header = frame.len() - text.len() - 100;
                    let mut ws = connection(role, &Config::default());
                    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                    for (at, octet) in frame.iter().enumerate() {
                        input.extend_from_slice(&[*octet]);
                        let received = ws.receive(&mut input, &mut output);
                        if at + 1 == header + certain {
                            assert_eq!(received, Err(ProtocolError::InvalidUtf8), "{role:?} {text:02x?}");
                            break;
                        }
                        assert_eq!(received, Ok(None), "{role:?} {text:02x?} {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn fragments_and_reads_cut_anywhere_come_to_what_the_standard_library_says() {
    // 6455-8.1-1, 6455-5.6-1
    for text in TEXTS {
        for first_cut in 0..=text.len() {
            for second_cut in first_cut..=text.len() {
                for read in [1, 2, 5, usize::MAX] {
                    let octets = [
                        frame_to(Role::Server, 0x01, &text[..first_cut]),
                        frame_to(Role::Server, 0x89, b"between"),
                        frame_to(Role::Server, 0x00, &text[first_cut..second_cut]),
                        frame_to(Role::Server, 0x80, &text[second_cut..]),
                    ]
                    .concat();
                    let mut ws = connection(Role::Server, &Config::default());
                    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                    let mut result = Ok(None);
                    for part in octets.chunks(read.min(octets.len())) {
                        input.extend_from_slice(part);
                        loop {
                            match ws.receive(&mut input, &mut output) {
                                Ok(Some(Event::Text(text))) => result = Ok(Some(text.to_owned())),
                                Ok(Some(event)) => assert_eq!(event, Event::Ping(b"between")),
                                Ok(None) => break,
                                Err(error) => result = Err(error),
                            }
                        }
                    }
                    let expected = std::str::from_utf8(text).map(|text| Some(text.to_owned()));
                    assert_eq!(result, expected.map_err(|_| ProtocolError::InvalidUtf8), "{text:02x?}");
                }
            }
        }
    }
}

#[test]
fn what_another_connection_put_into_a_text_is_checked() {
    // SEC-1: a program that mixes its buffers up gets text all the same, or an error
    let mut chunks = Config::default();
    chunks.delivery = Delivery::Chunks;
    for (begin, middle) in [("é", &b"\xff\xfe"[..]), ("a", b"\x80"), ("日", b"\xe6\x97"), ("", b"\xc3")] {
        for config in [Config::default(), chunks.clone()] {
            let mut ws = Connection::server(&Config::default());
            let mut other = Connection::server(&config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            input.extend_from_slice(&frame_to(Role::Server, 0x01, begin.as_bytes()));
            assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
            input.extend_from_slice(&frame_to(Role::Server, 0x02, middle));
            let _ = other.receive(&mut input, &mut output);
            input.extend_from_slice(&frame_to(Role::Server, 0x80, b"end"));
            if let Ok(Some(Event::Text(text))) = ws.receive(&mut input, &mut output) {
                assert!(std::str::from_utf8(text.as_bytes()).is_ok());
            }
        }
    }
}
