//! RFC 7692 §5, §7.1: what of permessage-deflate is offered, answered and agreed, on both sides.

#![cfg(feature = "deflate")]

mod common;

use common::handshake::{read_request, values};
use common::negotiation::{Naive, answer, config, naive_params, or_without, serve, spelled, whole};
use websocket_proto::HandshakeError as E;
use websocket_proto::deflate::DeflateConfig;
use websocket_proto::handshake::{ClientRequest, ExtendedConnect, Uri};

/// Supports everything, and forces nothing on anybody.
fn supports_all() -> DeflateConfig {
    config(|deflate| deflate.window_bits = 15)
}

/// Rows N1 to N18: offers, and the answer of a server that supports everything.
#[rustfmt::skip]
const OFFERS: [(&str, Option<&str>); 34] = [
    ("pmd", Some("pmd")), // N1
    ("pmd; client_max_window_bits", Some("pmd")), // N2
    ("pmd; client_max_window_bits=10", Some("pmd; client_max_window_bits=10")), // N3
    ("pmd; client_max_window_bits=8", Some("pmd; client_max_window_bits=8")),
    ("pmd; client_max_window_bits=15", Some("pmd; client_max_window_bits=15")),
    ("pmd; server_max_window_bits=10", Some("pmd; server_max_window_bits=10")), // N4
    ("pmd; server_max_window_bits=9", Some("pmd; server_max_window_bits=9")),
    ("pmd; server_max_window_bits=15", Some("pmd; server_max_window_bits=15")),
    ("pmd; server_max_window_bits=8", None), // N5
    ("pmd; server_max_window_bits", None), // N6
    ("pmd; server_max_window_bits=\"10\"", Some("pmd; server_max_window_bits=10")), // N7q
    ("pmd; server_max_window_bits=\"1\\0\"", Some("pmd; server_max_window_bits=10")),
    ("pmd; server_no_context_takeover", Some("pmd; server_no_context_takeover")), // N8
    ("pmd; server_no_context_takeover=1", None), // N9
    ("pmd; server_no_context_takeover=true", None),
    ("pmd; client_no_context_takeover=1", None),
    ("pmd; client_no_context_takeover", Some("pmd; client_no_context_takeover")), // N10
    ("pmd; foo", None), // N12
    ("pmd; foo=1", None),
    ("pmd; mem_level=9", None),
    ("pmd; client_max_window_bits; foo", None),
    ("pmd; server_max_window_bits=10, pmd", Some("pmd; server_max_window_bits=10")), // N13
    ("pmd, pmd; server_max_window_bits=10", Some("pmd")),
    ("pmd; server_max_window_bits=8, pmd; client_max_window_bits=9", Some("pmd; client_max_window_bits=9")),
    ("pmd; foo, pmd; client_max_window_bits", Some("pmd")), // N14
    ("x-webkit-deflate-frame, pmd", Some("pmd")), // N16
    ("pmd, x-webkit-deflate-frame", Some("pmd")),
    ("foo, bar; baz", None), // N17
    ("foo, pmd; foo, bar", None),
    ( // N18
        "pmd; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; \
         client_max_window_bits=12",
        Some("pmd; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; \
         client_max_window_bits=12"),
    ),
    ( // in another order
        "pmd; client_max_window_bits=12; server_max_window_bits=13; client_no_context_takeover; \
         server_no_context_takeover",
        Some("pmd; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=13; \
         client_max_window_bits=12"),
    ),
    // the case of names
    ("Permessage-Deflate, PERMESSAGE-DEFLATE", None),
    ("pmd; Server_No_Context_Takeover", None),
    ("pmd; CLIENT_MAX_WINDOW_BITS", None),
];

/// Rows N7, of both parameters.
const NO_WINDOWS: [&str; 17] = [
    "7",
    "16",
    "0",
    "08",
    "+9",
    "-9",
    "9.0",
    "1e1",
    "010",
    "99999999999999999999",
    "a",
    "0x9",
    "266",
    "9a",
    "1",
    "255",
    "\"+9\"",
];

/// That the server answers so, however the offers are spaced, and with each on a line of its own.
fn assert_answer(deflate: &DeflateConfig, offers: &str, expected: Option<&str>) {
    let (offers, expected) = (spelled(offers), expected.map(spelled));
    let agreed = expected.map(|answer| (naive_params(&answer), answer));
    let in_lines = offers.replace(", ", "\n");
    for text in [&offers, &in_lines].into_iter().flat_map(|text| spacings(text)) {
        let served = serve(deflate, &text).map(|served| served.map(|(params, answer)| (params.into(), answer)));
        assert_eq!(served, Ok(agreed.clone()), "{text:?} {deflate:?}");
    }
}

/// The text as it is, with the same spaces around all that separates, and with any.
fn spacings(text: &str) -> Vec<String> {
    const SPACES: [&str; 4] = ["", " ", "\t", " \t  "];
    let mut random = 0x9e37_79b9_u32;
    let mut any = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        SPACES[(random >> 30) as usize]
    };
    let respace = |space: &mut dyn FnMut() -> &'static str| {
        let mut spaced = String::from(space());
        for c in text.chars().filter(|c| *c != ' ') {
            match c {
                ',' | ';' | '=' => spaced.extend([space(), c.encode_utf8(&mut [0; 4]), space()]),
                c => spaced.push(c),
            }
        }
        spaced + space()
    };
    let same = SPACES.map(|space| respace(&mut || space));
    let random = [(); 8].map(|()| respace(&mut any));
    same.into_iter().chain(random).chain([text.to_owned()]).collect()
}

#[test]
fn s7_offers_that_a_server_may_receive() {
    // 7692-7.1.3-1, 7692-7-1, 7692-5-2, 7692-5-3, 7692-5-4, 7692-5-6, 7692-7.1.1.1-2, 7692-7.1.1.1-3, 7692-7.1.2.1-1
    // 7692-7.1.2.1-2, 7692-7.1.2.1-3, 7692-7.1.2.2-1, 7692-7.1.2.2-2, 7692-7.1.2.2-3, 7692-7.1.2-1, 7692-7.1.2-2
    // 7692-7.1.1.2-1, 28-28, 28-30, 28-31, 28-32, 28-33, 6455-9.1-8, 6455-9-1, 6455-9-3, 6455-9.1-5, 6455-9.1-7
    let server = supports_all();
    for (offers, expected) in OFFERS {
        assert_answer(&server, offers, expected);
    }
    for value in NO_WINDOWS {
        for name in ["server_max_window_bits", "client_max_window_bits"] {
            assert_answer(&server, &format!("pmd; {name}={value}"), None);
            assert_answer(&server, &format!("pmd; {name}={value}, pmd"), Some("pmd"));
        }
    }
    // N11
    #[rustfmt::skip]
    let params = [
        ["server_no_context_takeover", "server_no_context_takeover"],
        ["client_no_context_takeover", "client_no_context_takeover"],
        ["server_max_window_bits=10", "server_max_window_bits=10"],
        ["server_max_window_bits=10", "server_max_window_bits=11"],
        ["client_max_window_bits", "client_max_window_bits"],
        ["client_max_window_bits", "client_max_window_bits=10"],
        ["client_max_window_bits=10", "client_max_window_bits"],
        ["client_max_window_bits=10", "client_max_window_bits=10"],
        ["client_max_window_bits=10", "client_max_window_bits=9"],
    ];
    for [a, b] in params {
        assert_answer(&server, &format!("pmd; {a}; {b}"), None);
        assert_answer(&server, &format!("pmd; {a}; foo; {b}"), None);
    }
    // N9, N20
    for malformed in [
        "pmd;",
        "pmd; =10",
        "pmd; server_max_window_bits=",
        "pmd; server_no_context_takeover=\"\"",
        "pmd, pmd;",
        "pmd\npmd; =",
        "",
    ] {
        assert_eq!(serve(&server, &spelled(malformed)), Err(E::InvalidExtensions), "{malformed}");
    }
}

#[test]
fn s7_what_a_server_limits() {
    // 7692-7.1.3-1, 7692-7.1.1.1-4, 7692-7.1.1.2-2, 7692-7.1.2.1-2, 7692-7.1.2.1-4, 7692-7.1.2.2-2, 7692-7.1.2.2-3
    // 28-33
    let limits_client = config(|deflate| (deflate.window_bits, deflate.peer_window_bits) = (15, 10));
    let limits_or_not = or_without(&limits_client);
    for (offers, expected, with_fallback) in [
        ("pmd", None, Some("pmd")),
        ("pmd; client_max_window_bits", Some("pmd; client_max_window_bits=10"), None),
        ("pmd; client_max_window_bits=9", Some("pmd; client_max_window_bits=9"), None),
        ("pmd; client_max_window_bits=10", Some("pmd; client_max_window_bits=10"), None),
        ("pmd; client_max_window_bits=12", Some("pmd; client_max_window_bits=10"), None),
        ("pmd, pmd; client_max_window_bits", Some("pmd; client_max_window_bits=10"), Some("pmd")),
        ("pmd; server_max_window_bits=10", None, Some("pmd; server_max_window_bits=10")),
        ("pmd; server_max_window_bits=8", None, None),
    ] {
        assert_answer(&limits_client, offers, expected);
        assert_answer(&limits_or_not, offers, with_fallback.or(expected));
    }
    // what it asks of itself, and that the client does not keep its window, needs no offer
    let keeps_nothing = config(|deflate| {
        (deflate.window_bits, deflate.takeover, deflate.peer_takeover) = (11, false, false);
    });
    let takeovers = "pmd; server_no_context_takeover; client_no_context_takeover";
    for (offers, window) in [
        ("pmd", "; server_max_window_bits=11"),
        ("pmd; client_no_context_takeover", "; server_max_window_bits=11"),
        ("pmd; server_no_context_takeover", "; server_max_window_bits=11"),
        ("pmd; server_max_window_bits=12", "; server_max_window_bits=11"),
        ("pmd; server_max_window_bits=10", "; server_max_window_bits=10"),
        ("pmd; client_max_window_bits=9", "; server_max_window_bits=11; client_max_window_bits=9"),
    ] {
        assert_answer(&keeps_nothing, offers, Some(&[takeovers, window].concat()));
    }
}

#[test]
fn s7_each_window_of_a_server() {
    // 7692-7.1.2.1-2, 7692-7.1.2.2-3, 7692-7.1.2-1, 7692-7.1.2-2, 28-32
    for bits in 0..=20_u8 {
        let (own, most) = (bits.clamp(9, 15), bits.clamp(8, 15));
        let server = config(|deflate| deflate.window_bits = bits);
        let limit = config(|deflate| (deflate.window_bits, deflate.peer_window_bits) = (15, bits));
        let named = |name: &str, bits: u8| if bits < 15 { format!("pmd; {name}={bits}") } else { "pmd".to_owned() };
        assert_answer(&server, "pmd", Some(&named("server_max_window_bits", own)));
        let expected = named("client_max_window_bits", most);
        assert_answer(&limit, "pmd; client_max_window_bits", Some(&expected));
        assert_answer(&limit, "pmd", (most == 15).then_some("pmd"));
        for offered in 8..=15_u8 {
            let offer = format!("pmd; server_max_window_bits={offered}");
            let expected = format!("pmd; server_max_window_bits={}", offered.min(own));
            assert_answer(&server, &offer, Some(&*expected).filter(|_| offered > 8));
            let offer = format!("pmd; client_max_window_bits={offered}");
            assert_answer(&limit, &offer, Some(&format!("pmd; client_max_window_bits={}", offered.min(most))));
        }
    }
}

#[test]
fn s5_what_a_client_offers() {
    // 7692-5-1, 7692-7.1.1.1-1, 7692-7.1.1.2-1, 7692-7.1.2.1-1, 7692-7.1.2.2-1, 6455-9-3, 6455-9.1-5
    let uri = Uri::parse("wss://server.example.com/chat").unwrap();
    let both = |deflate: Option<&DeflateConfig>| {
        let (config, mut output) = (whole(deflate), Vec::new());
        ClientRequest::new(&uri).send(&config, &mut output).unwrap();
        let (_, _, fields) = read_request(&output);
        let sent = values(&fields, "Sec-WebSocket-Extensions").join("|");
        let request = ClientRequest::new(&uri).extended_connect(ExtendedConnect::Enabled, &config);
        let (head, _) = request.unwrap();
        let fields = head.fields().filter(|(name, _)| *name == "sec-websocket-extensions");
        let fields: Vec<&str> = fields.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect();
        assert_eq!(fields.join("|"), sent, "over both");
        assert_eq!(deflate.map(DeflateConfig::offer).unwrap_or_default(), sent);
        sent
    };
    assert_eq!(both(None), "");
    for own in 0..=20_u8 {
        for peer in 0..=20_u8 {
            for flags in 0..8 {
                let [takeover, peer_takeover, fallback] = [1, 2, 4].map(|flag| flags & flag != 0);
                let deflate = config(|deflate| {
                    (deflate.window_bits, deflate.peer_window_bits, deflate.fallback) = (own, peer, fallback);
                    (deflate.takeover, deflate.peer_takeover) = (takeover, peer_takeover);
                });
                let part = |is_there: bool, text: String| if is_there { text } else { String::new() };
                let [server_takeover, client_takeover] = [(peer_takeover, "server"), (takeover, "client")]
                    .map(|(may_keep, who)| part(!may_keep, format!("; {who}_no_context_takeover")));
                let limit = part(peer < 15, format!("; server_max_window_bits={}", peer.max(8)));
                let hint = part(own < 15, format!("={}", own.max(9)));
                let first = format!("pmd{server_takeover}{client_takeover}{limit}; client_max_window_bits{hint}");
                let second = format!(", pmd{client_takeover}; client_max_window_bits{hint}");
                let is_limited = !peer_takeover || peer < 15;
                let expected = first + &part(fallback && is_limited, second);
                assert_eq!(both(Some(&deflate)), spelled(&expected), "{deflate:?}");
            }
        }
    }
    let limited = config(|deflate| {
        (deflate.window_bits, deflate.peer_window_bits, deflate.fallback) = (15, 10, true);
    });
    let expected = "pmd; server_max_window_bits=10; client_max_window_bits, pmd; client_max_window_bits";
    assert_eq!(both(Some(&limited)), spelled(expected));
}

#[test]
fn s7_responses_that_a_client_may_receive() {
    // 7692-7.1.3-2, 7692-7-2, 7692-5-5, 7692-5-7, 7692-5-8, 7692-5.1-1, 7692-7.1.1.1-4, 7692-7.1.1.2-2, 7692-7.1.1.2-3
    // 7692-7.1.2.1-2, 7692-7.1.2.1-4, 7692-7.1.2.2-4, 7692-7.1.2-1, 7692-7.1.2-2, 28-31, 28-32, 28-33, erratum-4982
    // 6455-4.1-24, 6455-9.1-7
    let any = supports_all();
    let hints = config(|deflate| (deflate.window_bits, deflate.takeover) = (10, false));
    let limits = config(|deflate| (deflate.window_bits, deflate.peer_window_bits) = (15, 10));
    let resets = config(|deflate| (deflate.window_bits, deflate.peer_takeover) = (15, false));
    let [limits_or_not, resets_or_not] = [&limits, &resets].map(or_without);
    let good = |server_takeover, client_takeover, server_bits, client_bits| {
        Ok(Some(Naive { server_takeover, client_takeover, server_bits, client_bits }))
    };
    let bad = Err(E::DeflateMismatch);
    #[rustfmt::skip]
    let rows = [
        (&any, "pmd", good(true, true, 15, 15)), // R2
        (&any, "pmd; server_no_context_takeover", good(false, true, 15, 15)), // R3
        (&any, "pmd; client_no_context_takeover", good(true, false, 15, 15)), // R4
        (&any, "pmd; server_max_window_bits=9", good(true, true, 9, 15)), // R5
        (&any, "pmd; server_max_window_bits=8", good(true, true, 8, 15)),
        (&any, "pmd; client_max_window_bits", bad), // R7
        (&any, "pmd; client_max_window_bits=9", good(true, true, 15, 9)), // R8
        (&any, "pmd; client_max_window_bits=8", good(true, true, 15, 8)), // no compressor has it: we send plain
        (&hints, "pmd; client_max_window_bits=10", good(true, true, 15, 10)),
        (&hints, "pmd; client_max_window_bits=12", good(true, true, 15, 12)), // R9
        (&hints, "pmd", good(true, true, 15, 15)), // a hint is no more
        (&limits, "pmd", bad), // R10
        (&limits, "pmd; server_max_window_bits=11", bad), // R11
        (&limits, "pmd; client_max_window_bits=10", bad),
        (&limits, "pmd; server_max_window_bits=10", good(true, true, 10, 15)),
        (&limits, "pmd; server_max_window_bits=8", good(true, true, 8, 15)),
        (&limits_or_not, "pmd", good(true, true, 15, 15)),
        (&limits_or_not, "pmd; server_max_window_bits=11", good(true, true, 11, 15)),
        (&resets, "pmd", bad), // R12
        (&resets, "pmd; client_no_context_takeover", bad),
        (&resets, "pmd; server_no_context_takeover", good(false, true, 15, 15)),
        (&resets_or_not, "pmd", good(true, true, 15, 15)),
        (&any, "pmd; foo", bad), // R13
        (&any, "pmd; server_max_window_bits=9; server_max_window_bits=9", bad),
        (&any, "pmd; server_no_context_takeover; server_no_context_takeover", bad),
        (&any, "pmd; client_no_context_takeover; client_no_context_takeover", bad),
        (&any, "pmd; client_max_window_bits=9; client_max_window_bits=10", bad),
        (&any, "pmd; server_max_window_bits", bad),
        (&any, "pmd; server_no_context_takeover=1", bad),
        (&any, "pmd; client_no_context_takeover=1", bad),
        (&any, "pmd; SERVER_no_context_takeover", bad),
        (&any, "pmd, pmd", bad), // R15
        (&any, "pmd, pmd; server_max_window_bits=9", bad),
        (&any, "pmd, x", Err(E::ExtensionNotOffered)),
        (&any, "x, pmd", Err(E::ExtensionNotOffered)),
        (&any, "x", Err(E::ExtensionNotOffered)),
        (&any, "PerMessage-Deflate", Err(E::ExtensionNotOffered)),
        (&any, "x-webkit-deflate-frame", Err(E::ExtensionNotOffered)),
        (&any, "pmd; client_max_window_bits=\"12\"", good(true, true, 15, 12)), // R16
        (&any, "pmd; client_max_window_bits=\"1\\2\"", good(true, true, 15, 12)),
    ];
    for (deflate, response, expected) in rows {
        let in_lines = response.replace(", ", "\n");
        for text in [response, &in_lines].into_iter().flat_map(|text| spacings(&spelled(text))) {
            let agreed = answer(Some(deflate), Some(&text)).map(|agreed| agreed.map(Naive::from));
            assert_eq!(agreed, expected, "{text:?} to {}", deflate.offer());
            // R14
            assert_eq!(answer(None, Some(&text)), Err(E::ExtensionNotOffered), "{text:?}");
        }
    }
    for value in NO_WINDOWS {
        for name in ["server_max_window_bits", "client_max_window_bits"] {
            let response = spelled(&format!("pmd; {name}={value}"));
            assert_eq!(answer(Some(&any), Some(&response)), Err(E::DeflateMismatch), "{response}");
        }
    }
    for malformed in ["pmd;", "pmd; =10", "pmd; server_max_window_bits=", ""] {
        assert_eq!(answer(Some(&any), Some(&spelled(malformed))), Err(E::InvalidExtensions), "{malformed}");
    }
    // R1
    for deflate in [&any, &hints, &limits, &limits_or_not, &resets, &resets_or_not] {
        assert_eq!(answer(Some(deflate), None), Ok(None));
    }
    assert_eq!(answer(None, None), Ok(None));
    assert_eq!(E::DeflateMismatch.status(), None, "there is nobody to tell");
}

#[test]
fn s7_each_window_of_a_response() {
    // 7692-7.1.2.1-2, 7692-7.1.2.2-3, 7692-7.1.2-2, 28-33
    for own in 8..=15_u8 {
        for bits in 8..=15_u8 {
            let limits = config(|deflate| deflate.peer_window_bits = own);
            let response = spelled(&format!("pmd; server_max_window_bits={bits}"));
            let agreed = answer(Some(&limits), Some(&response));
            assert_eq!(agreed.is_ok(), bits <= own, "{bits} where {own} was asked for");
            assert_eq!(
                agreed.ok().flatten().map(|params| params.server_max_window_bits()),
                (bits <= own).then_some(bits)
            );
            let hints = config(|deflate| deflate.window_bits = own);
            let response = spelled(&format!("pmd; client_max_window_bits={bits}"));
            let agreed = answer(Some(&hints), Some(&response)).unwrap().unwrap();
            assert_eq!(agreed.client_max_window_bits(), bits, "whatever the hint");
        }
    }
}
