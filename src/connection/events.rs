//! RFC 6455 §6.2: an item as a reference into the read buffer, for who receives.

use crate::config::MessageKind;
use crate::error::ProtocolError;
use crate::receive::{Decoder, Event, Item, ItemKind, ReadBuffer, WholeMessage};
use crate::wire::{CloseFrame, text_before_error, unmask_binary, unmask_text};

/// The message that the short path has found, as `receive` returns it: to be taken apart and put together again, it
/// would go through memory, which costs as much as a read of one octet (measured).
#[inline(always)]
pub(super) fn whole_event<'i>(
    whole: &WholeMessage,
    input: &'i mut ReadBuffer,
    fail: impl FnOnce(ProtocolError) -> ProtocolError,
) -> Result<Option<Event<'i>>, ProtocolError> {
    let payload = input.skip_frame(whole.header_len, whole.len);
    match whole.kind {
        MessageKind::Binary => Ok(Some(Event::Binary(unmask_binary(payload, whole.key)))),
        MessageKind::Text => match unmask_text(payload, whole.key) {
            Ok(text) => Ok(Some(Event::Text(text))),
            Err(error) => Err(fail(error.into())),
        },
    }
}

/// The short path for who unmasks elsewhere: a binary message in one frame that has all come, and its masking key.
pub(super) fn whole_binary<'i>(decoder: &mut Decoder, input: &'i mut ReadBuffer) -> Option<(&'i [u8], [u8; 4])> {
    decoder.wait_for_all();
    if decoder.waits(input) {
        return None;
    }
    input.unparsed().first().filter(|first| **first == 0x82)?;
    let whole = decoder.whole_message(input.unparsed())?;
    Some((input.skip_frame(whole.header_len, whole.len), whole.key))
}

/// The item that the steps have found.
pub(super) fn event<'i>(
    item: &Item,
    input: &'i mut ReadBuffer,
    decoder: &mut Decoder,
) -> Result<Event<'i>, ProtocolError> {
    if item.kind == ItemKind::Message(MessageKind::Text) {
        return Ok(Event::Text(item.text(input)?));
    }
    let payload = item.payload(input);
    Ok(match item.kind {
        ItemKind::Message(_) => Event::Binary(payload),
        ItemKind::Chunk { kind: MessageKind::Text, first, last } => {
            let (text, last) = text_chunk(payload, last, decoder)?;
            Event::TextChunk { text, first, last }
        }
        ItemKind::Chunk { kind: MessageKind::Binary, first, last } => Event::BinaryChunk { data: payload, first, last },
        ItemKind::Ping => Event::Ping(payload),
        ItemKind::Pong => Event::Pong(payload),
        ItemKind::Close => Event::Close(CloseFrame::decode(payload)?),
    })
}

/// A piece of text, and whether it is the last: where it is not text to its end, what is before that is delivered, and
/// the connection fails with the next item, so that what is delivered does not depend on how the stream is cut.
fn text_chunk<'i>(payload: &'i [u8], last: bool, decoder: &mut Decoder) -> Result<(&'i str, bool), ProtocolError> {
    match text_before_error(payload) {
        (text, Ok(())) => Ok((text, last)),
        ("", Err(error)) => Err(error.into()),
        (text, Err(error)) => {
            decoder.set_doom(error.into());
            Ok((text, false))
        }
    }
}
