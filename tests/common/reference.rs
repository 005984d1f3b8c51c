//! The protocol as the RFC tells it, in the most obvious code: no state but the octets, no speed. What the crate does
//! is compared with it.

use super::puff::{Fault, Puff};
use websocket_proto::{CloseCode, CloseFrame, Delivery, Limits, Message, ProtocolError, Role};

/// What a peer's octets mean: the messages, the rule that they break, and the frames that answer them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    pub messages: Vec<Message>,
    pub error: Option<ProtocolError>,
    /// First octet and payload of each frame.
    pub answers: Vec<(u8, Vec<u8>)>,
}

/// Reads octets that come to `role`, from the beginning of the connection.
pub fn read(role: Role, limits: &Limits, octets: &[u8]) -> Meaning {
    read_inflating(role, limits, None, octets)
}

/// The same where permessage-deflate was agreed: with or without the peer's context takeover, and how
/// it is delivered.
pub fn read_inflating(role: Role, limits: &Limits, inflating: Option<(bool, Delivery)>, octets: &[u8]) -> Meaning {
    let mut meaning = Meaning::default();
    if let Err(error) = read_frames(role, limits, inflating, octets, &mut meaning) {
        meaning.answers.push((0x88, error.close_code().0.to_be_bytes().to_vec()));
        meaning.error = Some(error);
    }
    meaning
}

#[allow(clippy::too_many_lines)] // one rule after another, as the RFC tells them
fn read_frames(
    role: Role,
    limits: &Limits,
    inflating: Option<(bool, Delivery)>,
    octets: &[u8],
    meaning: &mut Meaning,
) -> Result<(), ProtocolError> {
    let mut at = 0;
    let mut puff = Puff::default();
    let (takeover, delivery) = inflating.unzip();
    let delivery = delivery.unwrap_or_default();
    let mut message: Option<(u8, Vec<u8>, u64, u32)> = None;
    loop {
        let Some(&first) = octets.get(at) else { return Ok(()) };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
        let may_be_compressed = takeover.is_some() && (opcode == 1 || opcode == 2);
        if first & 0x70 != 0 && !(first & 0x70 == 0x40 && may_be_compressed) {
            return Err(ProtocolError::ReservedBits);
        }
        match opcode {
            0 if message.is_none() => return Err(ProtocolError::NothingToContinue),
            1 | 2 if message.is_some() => return Err(ProtocolError::MessageInterleaved),
            0..=2 => {}
            8..=10 if fin => {}
            8..=10 => return Err(ProtocolError::ControlFragmented),
            _ => return Err(ProtocolError::ReservedOpCode),
        }
        let Some(&second) = octets.get(at + 1) else { return Ok(()) };
        match (role, second & 0x80 != 0) {
            (Role::Server, false) => return Err(ProtocolError::FrameNotMasked),
            (Role::Client, true) => return Err(ProtocolError::FrameMasked),
            _ => {}
        }
        if opcode >= 8 && second & 0x7F > 125 {
            return Err(ProtocolError::ControlTooLong);
        }
        let mut header = 2;
        let len = match second & 0x7F {
            126 => {
                header += 2;
                let Some(len) = octets.get(at + 2..at + 4) else { return Ok(()) };
                let len = u64::from(len[0]) << 8 | u64::from(len[1]);
                if len < 126 {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                len
            }
            127 => {
                header += 8;
                let so_far: Vec<u8> = octets[at + 2..].iter().take(8).copied().collect();
                if so_far.first().is_some_and(|octet| *octet >= 0x80) {
                    return Err(ProtocolError::LengthTooLarge);
                }
                if so_far.len() >= 6 && so_far[..6] == [0; 6] {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                if so_far.len() < 8 {
                    return Ok(());
                }
                so_far.iter().fold(0, |len, octet| len << 8 | u64::from(*octet))
            }
            len => u64::from(len),
        };
        let mut key = vec![0; 4];
        if role == Role::Server {
            let Some(octets) = octets.get(at + header..at + header + 4) else { return Ok(()) };
            key = octets.to_vec();
            header += 4;
        }
        let come: Vec<u8> =
            octets[at + header..].iter().take(usize::try_from(len).unwrap_or(usize::MAX)).copied().collect();
        let payload: Vec<u8> = come.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]).collect();
        let is_whole = payload.len() as u64 == len;
        if opcode >= 8 {
            if !is_whole {
                return Ok(());
            }
            match opcode {
                9 => {
                    meaning.answers.push((0x8A, payload.clone()));
                    meaning.messages.push(Message::Ping(payload.into()));
                }
                10 => meaning.messages.push(Message::Pong(payload.into())),
                _ => {
                    let frame = read_close(&payload)?;
                    let body = payload.get(..2).unwrap_or_default();
                    meaning.answers.push((0x88, body.to_vec()));
                    meaning.messages.push(Message::Close(frame));
                    return Ok(());
                }
            }
        } else {
            let (first, data, announced, fragments) = message.get_or_insert((first, Vec::new(), 0, 0));
            let (is_text, is_compressed) = (*first & 0x0F == 1, *first & 0x40 != 0);
            if len > limits.frame {
                return Err(ProtocolError::FrameTooBig);
            }
            *announced += len;
            *fragments += 1;
            let most = if is_compressed { 2 * limits.message + 65_536 } else { limits.message };
            if *announced > most {
                return Err(ProtocolError::MessageTooBig);
            }
            if *fragments > limits.fragments {
                return Err(ProtocolError::TooManyFragments);
            }
            data.extend(payload);
            let ends = fin && is_whole;
            let mut plain = data.clone();
            if is_compressed && !is_whole && len <= limits.message.min(65_536) && delivery == Delivery::Whole {
                return Ok(()); // such a frame is looked at once it is there
            }
            if is_compressed {
                plain = inflate(&mut puff, data, is_text, ends.then_some(takeover == Some(true)), *announced, limits)?;
            }
            if is_text {
                match std::str::from_utf8(&plain) {
                    Err(error) if error.error_len().is_some() || ends => return Err(ProtocolError::InvalidUtf8),
                    _ => {}
                }
            }
            if !is_whole {
                return Ok(());
            }
            if ends {
                message = None;
                if takeover == Some(false) {
                    puff.clear();
                }
                meaning.messages.push(match is_text {
                    true => Message::Text(String::from_utf8(plain).expect("just checked").into()),
                    false => Message::Binary(plain.into()),
                });
            }
        }
        at += header + come.len();
    }
}

/// What the compressed octets so far say; what is before a fault is judged first. `ends` says, at the end, whether
/// there is context takeover.
fn inflate(
    puff: &mut Puff,
    data: &[u8],
    is_text: bool,
    ends: Option<bool>,
    announced: u64,
    limits: &Limits,
) -> Result<Vec<u8>, ProtocolError> {
    puff.most_finals = Some(u64::from(limits.fragments).min(16 + announced / 64));
    let (mut plain, outcome) = puff.clone().inflate(data);
    let (mut most, mut breach) = (limits.message, ProtocolError::MessageTooBig);
    let by_ratio = limits.inflate_ratio.map(|ratio| (u64::from(ratio) * announced).max(4096));
    if let Some(fewer) = by_ratio.filter(|bound| *bound < most) {
        (most, breach) = (fewer, ProtocolError::InflatesTooMuch);
    }
    let is_too_big = plain.len() as u64 > most;
    if is_too_big {
        plain.truncate(usize::try_from(most).unwrap());
    }
    if is_text && std::str::from_utf8(&plain).is_err_and(|error| error.error_len().is_some()) {
        return Err(ProtocolError::InvalidUtf8);
    }
    if is_too_big {
        return Err(breach);
    }
    match outcome {
        Err(Fault::Invalid) => return Err(ProtocolError::InvalidDeflate),
        Err(Fault::Finals) => return Err(ProtocolError::TooManyFragments),
        Err(Fault::Short) | Ok(()) => {}
    }
    // the tail ends the data, and says nothing by itself
    if ends.is_some_and(|takeover| puff.message(data, takeover).as_ref() != Ok(&plain)) {
        return Err(ProtocolError::InvalidDeflate);
    }
    Ok(plain)
}

fn read_close(body: &[u8]) -> Result<Option<CloseFrame>, ProtocolError> {
    match body {
        [] => Ok(None),
        [_] => Err(ProtocolError::CloseBodyTooShort),
        [a, b, reason @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            let is_allowed =
                (1000..=1014).contains(&code) && !(1004..=1006).contains(&code) || (3000..5000).contains(&code);
            if !is_allowed {
                return Err(ProtocolError::InvalidCloseCode(CloseCode(code)));
            }
            let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidCloseReason)?;
            Ok(Some(CloseFrame { code: CloseCode(code), reason: reason.into() }))
        }
    }
}
