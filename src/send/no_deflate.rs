//! RFC 7692: what stands in for permessage-deflate where the crate is built without it?

use alloc::vec::Vec;

/// None is ever made.
#[derive(Debug)]
pub(crate) enum Deflater {}

impl Deflater {
    pub(crate) fn wants(&self, _: usize, _: Compression) -> bool {
        match *self {}
    }

    pub(crate) fn message(&mut self, _: &[u8], _: Compression, _: &mut Vec<u8>) -> bool {
        match *self {}
    }

    pub(super) fn takes(&mut self, _: &[u8], _: u8) -> bool {
        match *self {}
    }

    pub(crate) fn memory_used(&self) -> usize {
        match *self {}
    }

    pub(crate) fn begin(&mut self) {
        match *self {}
    }

    pub(crate) fn fragment(&mut self, _: &[u8], _: bool, _: &mut Vec<u8>) {
        match *self {}
    }
}

/// There is no choice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compression {
    Auto,
    Never,
}
