//! The client that the tests have: what does it say, and what did it hear?

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, split};
use websocket_proto::{CloseCode, Config, Connection, Event, ReadBuffer, SendError};

use super::Dice;

/// How a client stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a Close.
    Close,
    /// With a frame that nobody knows.
    Broken,
    /// With the end of its half of the stream, and nothing else.
    Eof,
}

/// What a client says, and what it has to hear of it.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) octets: Vec<u8>,
    pub(super) ending: Ending,
    pub(super) heard: Heard,
}

/// What a client heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) messages: Vec<String>,
    pub(super) pongs: Vec<String>,
    pub(super) close: Option<CloseCode>,
}

impl Script {
    /// Numbered messages, whole and in fragments, with numbered Pings between and in them.
    pub(super) fn roll(dice: &mut Dice) -> Result<Self, SendError> {
        let mut ws = Connection::client(&Config::default());
        let (mut octets, mut heard) = (Vec::new(), Heard::default());
        for number in 0..20 + dice.below(60) {
            let message = format!("{number} {}", "\u{20ac}".repeat(dice.below(100)));
            match dice.below(4) {
                0 => {
                    let (begin, end) = message.split_at(2);
                    ws.begin_text("", &mut octets)?;
                    ping(&mut ws, &mut heard, dice.below(3), &mut octets)?;
                    ws.continue_text(begin, &mut octets)?;
                    ping(&mut ws, &mut heard, dice.below(3), &mut octets)?;
                    ws.finish_text(end, &mut octets)?;
                }
                1 => ws.send_binary(message.as_bytes(), &mut octets)?,
                _ => ws.send_text(&message, &mut octets)?,
            }
            heard.messages.push(message);
            ping(&mut ws, &mut heard, dice.below(3), &mut octets)?;
        }
        let ending = [Ending::Close, Ending::Broken, Ending::Eof][dice.below(3)];
        match ending {
            Ending::Close => {
                ws.close(CloseCode(4000), "", &mut octets)?;
                heard.close = Some(CloseCode(4000));
            }
            Ending::Broken => {
                octets.extend_from_slice(b"\x83\x80\0\0\0\0");
                heard.close = Some(CloseCode::PROTOCOL_ERROR);
            }
            Ending::Eof => {}
        }
        Ok(Self { octets, ending, heard })
    }
}

/// Some Pings, numbered; their Pongs are expected.
fn ping(ws: &mut Connection, heard: &mut Heard, count: usize, octets: &mut Vec<u8>) -> Result<(), SendError> {
    for _ in 0..count {
        let payload = format!("ping {}", heard.pongs.len());
        ws.send_ping(payload.as_bytes(), octets)?;
        heard.pongs.push(payload);
    }
    Ok(())
}

/// Says all that, and listens at the same time, until the other end has nothing more to say.
pub(super) async fn talk(stream: DuplexStream, octets: Vec<u8>, ending: Ending) -> Heard {
    let (mut reader, mut writer) = split(stream);
    let saying = async {
        writer.write_all(&octets).await.expect("the server reads");
        if ending == Ending::Eof {
            writer.shutdown().await.expect("it is our half");
        }
    };
    let mut answer = Vec::new();
    let listening = reader.read_to_end(&mut answer);
    let ((), listened) = tokio::join!(saying, listening);
    listened.expect("the server writes");
    hear(&answer)
}

/// What these octets say to a client.
fn hear(octets: &[u8]) -> Heard {
    let mut ws = Connection::client(&Config::default());
    let (mut input, mut output, mut heard) = (ReadBuffer::default(), Vec::new(), Heard::default());
    input.extend_from_slice(octets);
    while let Some(event) = ws.receive(&mut input, &mut output).expect("the server keeps the rules") {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        match event {
            Event::Text(message) => heard.messages.push(message.to_owned()),
            Event::Binary(message) => heard.messages.push(text(message)),
            Event::Pong(payload) => heard.pongs.push(text(payload)),
            Event::Close(frame) => heard.close = Some(frame.map_or(CloseCode::NO_STATUS, |frame| frame.code)),
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert!(input.is_empty(), "the last frame is whole");
    heard
}
