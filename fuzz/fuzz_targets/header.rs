//! A frame header that is read is written as it was; one that is written is read as it was; and what is wrong with one
//! shows with the same octet, whatever follows.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use websocket_proto::wire::{FrameHeader, OpCode};

fuzz_target!(|data: &[u8]| {
    let mut written = Vec::new();
    let read = FrameHeader::decode(data);
    if let Ok(Some((header, size))) = read {
        assert!((2..=FrameHeader::MAX_SIZE).contains(&size));
        header.encode(&mut written).expect("what may be read may be written");
        assert_eq!(written, data[..size]);
    }
    let mut before = Ok(None);
    for len in 0..=data.len().min(FrameHeader::MAX_SIZE) {
        let now = FrameHeader::decode(&data[..len]);
        assert!(before == Ok(None) || now == before, "{before:?}, but with {len} octets {now:?}");
        before = now;
    }
    assert_eq!(before, read);

    written.clear();
    if let Ok(header) = header(&mut Unstructured::new(data))
        && header.encode(&mut written).is_ok()
    {
        assert_eq!(FrameHeader::decode(&written), Ok(Some((header, written.len()))));
    }
});

fn header(choices: &mut Unstructured<'_>) -> Result<FrameHeader> {
    Ok(FrameHeader {
        fin: bool::arbitrary(choices)?,
        reserved: choices.arbitrary::<u8>()? & 0x70,
        opcode: OpCode::from_bits(choices.arbitrary::<u8>()? & 0x0F).map_err(|_| arbitrary::Error::IncorrectFormat)?,
        mask: Option::arbitrary(choices)?,
        // short ones as often as long ones
        payload_len: u64::arbitrary(choices)? >> choices.int_in_range(0..=63)?,
    })
}
