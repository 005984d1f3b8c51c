//! RFC 7692: what stands in for permessage-deflate where the crate is built without it?

use core::ops::Range;

use crate::config::Limits;
use crate::error::ProtocolError;
use crate::wire::InvalidUtf8;

/// None is ever made.
#[derive(Debug)]
pub(crate) enum Inflater {}

impl Inflater {
    pub(crate) fn is_blocked(&self) -> bool {
        match *self {}
    }

    pub(crate) fn feed(&mut self, _: &[u8], _: &mut Inflated, _: Bounds) -> (usize, Result<(), ProtocolError>) {
        match *self {}
    }

    pub(crate) fn memory_used(&self) -> usize {
        match *self {}
    }

    pub(crate) fn finish(&mut self) -> Result<(), ProtocolError> {
        match *self {}
    }
}

pub(crate) struct Bounds;

impl Bounds {
    pub(crate) fn new(_: &Limits, _: u64) -> Self {
        Self
    }
}

/// Nothing is ever in it.
#[derive(Default)]
pub(crate) struct Inflated;

#[allow(clippy::unnecessary_wraps, clippy::unused_self)] // it looks as the other does
impl Inflated {
    pub(crate) fn len(&self) -> usize {
        0
    }

    pub(crate) fn capacity(&self) -> usize {
        0
    }

    pub(crate) fn clear(&mut self) {}

    pub(crate) fn shrink(&mut self, _: usize) {}

    pub(crate) fn message(&self) -> &[u8] {
        &[]
    }

    pub(crate) fn check_text(&mut self) -> Result<(), InvalidUtf8> {
        Ok(())
    }

    pub(crate) fn release(&mut self, _: usize) -> Range<usize> {
        0..0
    }

    pub(crate) fn at(&self, _: Range<usize>) -> &[u8] {
        &[]
    }
}
