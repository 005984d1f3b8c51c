//! RFC 6455 §5.5.2, §5.5.3: Pongs to a peer that sends Pings and does not read.

#[path = "common/counting.rs"]
mod counting;

mod common;

use common::{frame_from, frame_to, frames_in};
use counting::held_by;
use websocket_proto::wire::OpCode;
use websocket_proto::{CloseCode, Config, Connection, Event, Message, ReadBuffer, Role};

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// A connection, its buffers, and the Pings that have come to it.
struct End {
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
    role: Role,
    pings: u64,
}

impl End {
    fn new(role: Role) -> Self {
        let ws = common::connection(role, &Config::default());
        Self { ws, input: ReadBuffer::default(), output: Vec::new(), role, pings: 0 }
    }

    /// As many Pings as said come, each with its number, padded to a length.
    fn pinged(&mut self, times: u64, len: usize) {
        for _ in 0..times {
            let mut payload = self.pings.to_be_bytes().to_vec();
            payload.resize(len.max(8), 0);
            self.input.extend_from_slice(&frame_to(self.role, 0x89, &payload));
            assert_eq!(self.ws.receive(&mut self.input, &mut self.output), Ok(Some(Event::Ping(&payload))));
            self.pings += 1;
        }
        self.nothing_comes();
    }

    /// So many Pings come, and so often, that one is held back: the one with the number 5,999.
    fn flooded(&mut self) {
        for _ in 0..60 {
            self.pinged(100, 8);
        }
    }

    fn nothing_comes(&mut self) {
        assert_eq!(self.ws.receive(&mut self.input, &mut self.output), Ok(None));
    }
}

/// The numbers of the Pongs in an output.
fn numbers(output: &[u8]) -> Vec<u64> {
    let frames = frames_in(output).into_iter().filter(|(header, _)| header.opcode == OpCode::Pong);
    frames.map(|(_, payload)| u64::from_be_bytes(payload[..8].try_into().unwrap())).collect()
}

/// Octets of Pongs that wait at most, besides one for each octet by which others change the output.
const BOUND: usize = 16 * 1024 + 2 * 131;

#[test]
fn s5_5_3_4_pongs_are_bounded_and_the_latest_is_never_lost() {
    // 6455-5.5.3-2, 6455-5.5.3-4, 28-12
    for role in ROLES {
        for len in [8, 125] {
            let mut end = End::new(role);
            let pong = frame_from(role, 0x8A, &vec![0; len]).len();
            end.pinged(20_000, len);
            // all while there is room, and then, at the end of what has come, the latest
            let answered = numbers(&end.output);
            let all = answered.len() - 1;
            assert!(answered[..all].iter().copied().eq(0..all as u64) && all * pong >= 16 * 1024);
            assert_eq!(answered[all], 19_999);
            // as long as nothing is written, there is soon an end to that
            for _ in 0..100 {
                end.pinged(100, len);
            }
            assert!(end.output.len() <= BOUND, "{}", end.output.len());
            // and the connection holds one payload
            let idle = Connection::server(&Config::default()).memory_used();
            assert!((idle + 125..idle + 200).contains(&end.ws.memory_used()), "{}", end.ws.memory_used());
            // once enough of it is, the latest is answered, without a further octet from the peer
            let before = end.output.len();
            end.output.drain(..2 * pong);
            end.nothing_comes();
            assert!(end.output.len() == before - pong);
            assert!(end.output.ends_with(&frame_from(
                role,
                0x8A,
                &[&29_999_u64.to_be_bytes()[..], &vec![0; len - 8]].concat()
            )));
            end.nothing_comes();
            assert_eq!(end.output.len(), before - pong);
            // and when all is written there is room for all again
            end.output.clear();
            end.pinged(100, len);
            assert_eq!(numbers(&end.output), (30_000..30_100).collect::<Vec<_>>());
        }
    }
}

#[test]
fn s5_5_2_one_ping_a_turn_is_answered_for_ever() {
    for role in ROLES {
        let mut end = End::new(role);
        for turn in 0..5_000 {
            end.pinged(1, 8);
            assert_eq!(numbers(&end.output), [turn]);
            end.output.clear();
        }
    }
}

#[test]
fn s5_5_2_an_application_that_appends_first_in_each_turn_stops_no_pong() {
    // what is written is then not seen from the output's length alone
    for role in ROLES {
        for sizes in [&[20_000][..], &[16_000, 17_000], &[100, 50_000, 7], &[16_390], &[40_000]] {
            let mut end = End::new(role);
            end.pinged(2_000, 8);
            end.output.clear();
            let (mut last, mut late) = (end.pings - 1, 0);
            for (turn, size) in sizes.iter().cycle().take(300).enumerate() {
                let size = size + if sizes.len() == 1 && size % 1000 == 0 { 0 } else { turn };
                end.ws.send_binary(&vec![0; size], &mut end.output).unwrap();
                let before = end.pings;
                end.pinged(3, 8);
                last = numbers(&end.output).last().copied().unwrap_or(last);
                // in its turn; at the worst, with the next
                assert!(last + 1 >= before, "{size} octets in turn {turn}: {last} of {before}");
                late += u32::from(last + 1 < end.pings);
                end.output.clear();
            }
            assert!(late <= 100, "{late} of 300 are late, {sizes:?}");
        }
    }
}

#[test]
fn s5_5_3_4_a_few_octets_that_are_written_make_room_for_no_more_than_they_are() {
    for role in ROLES {
        for written in [1, 10, 100] {
            let mut end = End::new(role);
            for _ in 0..10_000 {
                end.pinged(1, 125);
                let written = written.min(end.output.len());
                end.output.drain(..written);
            }
            assert!(end.output.len() <= BOUND, "{written} a turn: {}", end.output.len());
        }
    }
}

#[test]
fn s5_5_2_a_loop_that_writes_all_before_it_reads_owes_nothing_when_it_waits() {
    // receive until there is no more, write, read: with nothing else, the latest Ping is answered in its turn
    for role in ROLES {
        for pings in [1, 1000, 2_000, 4_000, 50_000] {
            let mut end = End::new(role);
            for _ in 0..3 {
                end.pinged(pings, 8);
                assert_eq!(numbers(&end.output).last(), Some(&(end.pings - 1)));
                end.output.clear();
                end.nothing_comes();
                assert!(end.output.is_empty());
            }
        }
    }
}

#[test]
fn s5_5_3_4_what_waits_is_no_more_than_what_others_append_and_the_room() {
    for role in ROLES {
        let (mut end, mut data) = (End::new(role), 0);
        for _ in 0..10 {
            let before = end.output.len();
            end.ws.send_binary(&[1; 1_000], &mut end.output).unwrap();
            data += end.output.len() - before;
            end.pinged(5_000, 8);
            assert!(end.output.len() <= 2 * data + BOUND, "{}", end.output.len());
        }
        // each octet that is written makes room for one, even for data that lies before the Pongs
        for written in [1, 100, 1000, 5000] {
            let before = end.output.len();
            end.output.drain(..written);
            end.pinged(5_000, 8);
            assert!(end.output.len() <= before + 131, "{before}, less {written}: {}", end.output.len());
        }
    }
}

#[test]
fn s5_5_2_who_reads_gets_each_pong() {
    // 6455-5.5.2-1: in batches as large as the room, each written before the next is read
    for role in ROLES {
        let mut end = End::new(role);
        let mut got = Vec::new();
        for batch in [1, 100, 7, 500, 3, 600, 600] {
            end.pinged(batch, 8);
            got.extend(numbers(&end.output));
            end.output.clear();
        }
        assert_eq!(got, (0..end.pings).collect::<Vec<_>>());
    }
}

#[test]
fn s5_5_3_4_a_loop_that_writes_a_few_octets_now_and_then() {
    // 6455-5.5.3-4
    let mut end = End::new(Role::Server);
    let mut written = Vec::new();
    for turn in 0..1_000 {
        end.pinged(100, 8);
        assert!(end.output.len() <= BOUND, "{}", end.output.len());
        let some = end.output.len().min(turn % 37);
        written.extend(end.output.drain(..some));
    }
    while !end.output.is_empty() {
        written.append(&mut end.output);
        end.nothing_comes();
    }
    let numbers = numbers(&written);
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, none twice");
    assert_eq!(numbers.last(), Some(&99_999));
}

#[test]
fn s5_5_2_a_pong_that_is_held_back_goes_before_no_close_and_behind_none() {
    // 6455-5.5.2-2: the peer's Close makes it void; our own does not
    for role in ROLES {
        let mut end = End::new(role);
        end.flooded();
        end.output.clear();
        end.input.extend_from_slice(&frame_to(role, 0x88, b"\x03\xe8"));
        // it is released before what comes next is looked at
        assert!(matches!(end.ws.receive(&mut end.input, &mut end.output), Ok(Some(Event::Close(_)))));
        let opcodes: Vec<_> = frames_in(&end.output).into_iter().map(|(header, _)| header.opcode).collect();
        assert_eq!(opcodes, [OpCode::Pong, OpCode::Close]);

        let mut end = End::new(role);
        end.flooded();
        end.input.extend_from_slice(&frame_to(role, 0x88, b"\x03\xe8"));
        assert!(matches!(end.ws.receive(&mut end.input, &mut end.output), Ok(Some(Event::Close(_)))));
        end.output.clear();
        end.nothing_comes();
        assert!(end.output.is_empty(), "nothing follows a Close");
        assert_eq!(end.ws.memory_used(), size_of::<Connection>());

        let mut end = End::new(role);
        end.flooded();
        end.ws.close(CloseCode::GOING_AWAY, "", &mut end.output).unwrap();
        end.output.clear();
        end.nothing_comes();
        assert_eq!(numbers(&end.output), [5_999]);
    }
}

#[test]
fn messages_come_while_a_pong_is_held_back_and_keep_it_from_nothing() {
    for role in ROLES {
        for door in [0, 1] {
            let mut end = End::new(role);
            end.flooded();
            for octet in frame_to(role, 0x81, b"text").iter().chain(&frame_to(role, 0x82, b"binary")) {
                end.input.extend_from_slice(&[*octet]);
            }
            let next = |end: &mut End| match door {
                0 => end.ws.receive(&mut end.input, &mut end.output).map(|event| event.map(Message::from)),
                _ => end.ws.receive_message(&mut end.input, &mut end.output),
            };
            let before = end.output.len();
            assert_eq!(next(&mut end), Ok(Some(common::text("text"))));
            assert_eq!(next(&mut end), Ok(Some(common::binary(b"binary"))));
            assert_eq!(next(&mut end), Ok(None));
            assert_eq!(end.output.len(), before);
            // short messages come, with an output that is written each time
            end.input.extend_from_slice(&frame_to(role, 0x82, b"more"));
            end.output.clear();
            assert_eq!(next(&mut end), Ok(Some(common::binary(b"more"))));
            assert_eq!(next(&mut end), Ok(None));
            assert_eq!(numbers(&end.output), [5_999]);
        }
        // limits that are set meanwhile change nothing of it
        let mut end = End::new(role);
        end.flooded();
        end.ws.set_limits(end.ws.limits());
        end.input.extend_from_slice(&frame_to(role, 0x81, b"text"));
        assert_eq!(end.ws.receive(&mut end.input, &mut end.output), Ok(Some(Event::Text("text"))));
        end.output.clear();
        end.nothing_comes();
        assert_eq!(numbers(&end.output), [5_999]);
        // one that was sent is not owed any more
        let mut end = End::new(role);
        end.flooded();
        end.output.clear();
        end.nothing_comes();
        assert_eq!(numbers(&end.output), [5_999]);
        assert!(end.ws.split().0.take_owed().is_none());
        // split, it is owed by the half that receives
        let mut end = End::new(role);
        end.flooded();
        let (mut receiver, mut sender) = end.ws.split();
        let mut output = Vec::new();
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert_eq!(numbers(&output), [5_999]);
    }
}

#[test]
fn a_flood_costs_what_is_said() {
    let held = held_by({
        let mut end = End::new(Role::Server);
        for _ in 0..1_000 {
            end.pinged(100, 125);
        }
        end
    });
    // output and input, which double as they grow, and the one that is held back
    assert!(held < 2 * 17 * 1024 + 4096, "{held}");
}
