//! Header fields whose grammar has cost others minutes: blanks, quotes and escapes without end, names that mean
//! something elsewhere.

use websocket_proto::wire::extension;
use websocket_proto::{Config, HandshakeError as E};

use crate::common::handshake::{assert_opens, request_with, serve_once};
use crate::counting::measure;

/// Values of Sec-WebSocket-Extensions that begin so, go on with as many of these as asked for, and end so.
#[rustfmt::skip]
const LONG: [(&str, &str, &str); 18] = [
    ("a", " ", ""), ("a;", " ", "b"), ("a; b=", " ", "c"), ("a; b", "\t", "=c"), ("", ",", "a"), ("a", ",", ""),
    ("a; b=\"", "c", ""), ("a; b=\"", "c", "\""), ("a; b=\"", "\\c", "\""), ("a; b=\"", "\\", ""),
    ("a; b=\"", "\\\"", ""), ("a; b=\"c", "\\c", ""), ("a", "; b", ""), ("a", "; b=\"c\"", ""), ("a", "a", ""),
    ("", "a, ", "a"), ("a", ";", ""), ("a=", "=", ""),
];

#[test]
fn a_long_list_of_extensions_costs_as_much_as_it_is_long() {
    // CVE-2020-7662, CVE-2020-7663 (websocket-extensions), NSP-550: time that grows with the square. There is no clock
    // here: what is counted is what is allocated, and what comes out, for a value and for one of twice its length; and
    // no value is longer than a head may be
    for (begin, middle, end) in LONG {
        let cost = |times: usize| {
            let line = [begin, &middle.repeat(times), end].concat();
            let (parsed, allocations, peak) = measure(|| extension::parse([line.as_bytes()]));
            let found = parsed.as_ref().map_or(0, |list| list.iter().map(|extension| 1 + extension.params.len()).sum());
            (line.len(), parsed.is_ok(), found, allocations, peak)
        };
        let (n, is_right, _, few, small) = cost(2000);
        let (twice, also, found, more, large) = cost(4000);
        assert_eq!(is_right, also, "{begin}{middle}{end}");
        assert!(found <= twice / 2 + 1 && more <= 2 * few + 4, "{begin}{middle}{end}: {few} and {more} allocations");
        // an extension or parameter is some pointers for two octets at least; vectors double
        assert!(large <= 2 * small + 256 && small <= 64 * n + 256, "{begin}{middle}{end}: {small} and {large} octets");
    }
}

#[test]
fn blanks_quotes_and_escapes_without_end_are_refused_or_passed_over_within_the_head() {
    for (begin, middle, end) in LONG {
        let line = format!("Sec-WebSocket-Extensions: {begin}{}{end}\r\n", middle.repeat(15_000 / middle.len()));
        let request = request_with("Origin", &line);
        let served = serve_once(&Config::default(), [&request[..]]);
        let value = line.trim_end().split_once(": ").unwrap().1;
        let is_right = extension::parse([value.as_bytes()]).is_ok();
        assert_eq!(served.result, if is_right { Ok(()) } else { Err(E::InvalidExtensions) }, "{begin}{middle}{end}");
        // octet by octet, the same
        let dribbled = serve_once(&Config::default(), request.chunks(1));
        assert_eq!(dribbled, served);
    }
}

#[test]
fn lists_of_tokens_cost_as_much_as_they_are_long() {
    // CVE-2021-32640 (websockets/ws): Sec-WebSocket-Protocol with many blanks
    for name in ["Sec-WebSocket-Protocol", "Connection", "Upgrade"] {
        for (begin, middle, end) in
            [("a", " ", ",b"), ("a,", "\t", "b"), ("a", ",", "b"), ("a", " ,", ",b"), ("", "a", "")]
        {
            let value = [begin, &middle.repeat(12_000 / middle.len()), end].concat();
            let (line, needed) = match name {
                "Connection" => (name, ", Upgrade"),
                "Upgrade" => (name, ", websocket"),
                _ => ("Sec-WebSocket-Protocol", ""),
            };
            let request = request_with(line, &format!("{name}: {value}{needed}\r\n"));
            let (result, allocations, peak) = measure(|| serve_once(&Config::default(), [&request[..]]).result);
            assert_eq!(result, Ok(()), "{name}: {begin}{middle}{end}");
            assert!(allocations < 40 && peak < 8 * request.len(), "{allocations} allocations, {peak} octets");
        }
    }
}

#[test]
fn a_head_full_of_names_becomes_no_multiple_of_itself() {
    // found here: of "a;a,a;a,..." in a head of 16 KiB, a megabyte was kept until the request was answered
    let names = |count: usize| (0..count).map(|i| format!("p{i}")).collect::<Vec<_>>().join(",");
    for (name, error) in [("Protocol", E::InvalidSubprotocols), ("Extensions", E::InvalidExtensions)] {
        let request = |value: &str| request_with("Sec-WebSocket-P", &format!("Sec-WebSocket-{name}: {value}\r\n"));
        assert_eq!(serve_once(&Config::default(), [&request(&names(128))[..]]).result, Ok(()));
        assert_eq!(serve_once(&Config::default(), [&request(&names(129))[..]]).result, Err(error));
        for full in [names(2500), "a;a,".repeat(3500), "a,".repeat(7000), "a".to_owned() + &";a".repeat(7000)] {
            let request = request(&full);
            let (result, _, peak) = measure(|| serve_once(&Config::default(), [&request[..]]).result);
            assert_eq!(result, Err(error), "{name}");
            assert!(peak < 4 * request.len(), "{peak} octets for {}", request.len());
        }
    }
    // one that is there twice, at both ends
    let twice = format!("Sec-WebSocket-Protocol: {},p0\r\n", names(127));
    let served = serve_once(&Config::default(), [&request_with("Sec-WebSocket-Protocol", &twice)[..]]);
    assert_eq!(served.result, Err(E::InvalidSubprotocols));
}

#[test]
fn the_grammar_of_extensions_is_what_it_is() {
    // the tables of websockets/ws and of uWebSockets, derived anew
    #[rustfmt::skip]
    let right = [
        "a", "a,b", "a , b", "a;b", "a ; b", "a;b=c", "a; b = c", "a;b=\"c\"", "a;b=\"\\c\"", "a;b;c", "a;b;b",
        "a;b=1;b=2", ",a,",
        "a,,b", "A", "!#$%&'*+-.^_`|~09azAZ",
    ];
    #[rustfmt::skip]
    let wrong = [
        "", ",", " ", ";", "=", "a;", "a;;b", "a=b", "a;=b", "a;b=", "a;b=,c", "a b", "a;b c", "a;b=c d", "a;b=\"\"",
        "a;b=\"", "a;b=\"c",
        "a;b=\"c\\", "a;b=\"c\\\"", "a;b=\"c d\"", "a;b=\"c,d\"", "a;b=\"c\"d", "a;b=c\"d\"", "\"a\"", "a/b",
        "a;b/c", "a;b=(c)",
        "a\u{e9}", "a;b=\"\u{e9}\"", "a;b=\"\\\u{e9}\"", "@", "a;b==c", "a;b=c=d", "a,;b", "[a]", "{a}", "a\\b",
    ];
    for (value, is_right) in right.iter().map(|value| (value, true)).chain(wrong.iter().map(|value| (value, false))) {
        assert_eq!(extension::parse([value.as_bytes()]).is_ok(), is_right, "{value:?}");
        let request = request_with("Origin", &format!("Sec-WebSocket-Extensions: {value}\r\n"));
        let expected = if is_right { Ok(()) } else { Err(E::InvalidExtensions) };
        assert_eq!(serve_once(&Config::default(), [&request[..]]).result, expected, "{value:?}");
    }
}

#[test]
fn names_that_mean_something_elsewhere_mean_nothing() {
    // `constructor` and its kin, which are in every object of some languages, took servers down
    for name in ["constructor", "__proto__", "prototype", "toString", "hasOwnProperty", "valueOf"] {
        for value in [
            name.to_owned(),
            format!("{name}; {name}"),
            format!("x; {name}={name}"),
            format!("permessage-deflate; {name}"),
        ] {
            let request = request_with("Origin", &format!("Sec-WebSocket-Extensions: {value}\r\n"));
            let served = serve_once(&Config::default(), [&request[..]]);
            assert!(served.result.is_ok() && !served.output.contains("Extensions"), "{value}");
        }
        let request = request_with("Sec-WebSocket-Protocol", &format!("Sec-WebSocket-Protocol: {name}\r\n"));
        assert!(!assert_opens(&request).contains(name));
        let request = request_with("Origin", &format!("{name}: {name}\r\n"));
        assert_opens(&request);
    }
}
