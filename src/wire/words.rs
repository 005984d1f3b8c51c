//! RFC 6455 §5.3: how does a masking key meet many octets at a time?
//!
//! By blocks of words, arrays of a length that the compiler knows, of which it makes vector instructions. What is left
//! at the end is the end of a last block that overlaps the one before, read before that was written.
//!
//! All of it is inlined into who calls it, so that it is compiled for the processor that the caller is compiled for.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "each is called with as many octets as it says; tests hold all lengths at all alignments"
)]

use alloc::vec::Vec;

/// So many words of 8 octets.
type Block<const N: usize> = [[u8; 8]; N];

/// The key for the octet so many octets behind the one that `key` is for; its least significant octet comes first.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // it is below 4
pub(super) const fn turn(key: u32, octets: usize) -> u32 {
    key.rotate_right(8 * (octets % 4) as u32)
}

/// Masks 0 to 7 octets in place, and says whether they are ASCII thereafter.
#[inline(always)]
pub(super) fn mask_few(payload: &mut [u8], key: u32) -> bool {
    let mut seen = 0;
    for (octet, key) in payload.iter_mut().zip(key.to_le_bytes().iter().cycle()) {
        *octet ^= key;
        seen |= *octet;
    }
    seen < 0x80
}

/// Masks in place what is as long as one block of N words, or two, or in between; and says whether it is ASCII
/// thereafter.
#[inline(always)]
pub(super) fn mask_two_blocks<const N: usize>(payload: &mut [u8], key: u32) -> bool {
    let end = payload.len() - 8 * N;
    let Some(last) = block(payload, end) else { return false };
    let last = masked::<N>(last, turn(key, end));
    let Some(first) = block_mut::<N>(payload, 0) else { return false };
    *first = masked(first, key);
    let seen = or(words(first), words(&last));
    if let Some(block) = block_mut(payload, end) {
        *block = last;
    }
    is_ascii(seen)
}

/// Masks in place what is at least 64 octets long, and says whether it is ASCII thereafter.
#[inline(always)]
pub(super) fn mask_long(payload: &mut [u8], key: u32) -> bool {
    match payload.len() {
        ..=128 => mask_two_blocks::<8>(payload, key),
        _ => mask_blocks::<8>(payload, key),
    }
}

/// Masks in place what is at least one block of N words long, and 32 octets, and says whether it is ASCII thereafter.
///
/// Blocks are written to where an aligned address begins: a store that crosses a line of the cache takes twice the
/// time.
#[inline(always)]
fn mask_blocks<const N: usize>(payload: &mut [u8], key: u32) -> bool {
    let begin = payload.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
    let end = payload.len() - 8 * N;
    let (Some(first), Some(last)) = (block(payload, 0), block(payload, end)) else { return false };
    let (first, last) = (masked::<N>(first, key), masked::<N>(last, turn(key, end)));
    let mut seen = or(words(&first), words(&last));
    let aligned = turn(key, begin);
    for block in payload[begin..].as_chunks_mut().0.as_chunks_mut::<N>().0 {
        *block = masked(block, aligned);
        seen = or(seen, words(block));
    }
    if let (true, Some(block)) = (begin > 0, block_mut(payload, 0)) {
        *block = first;
    }
    if let Some(block) = block_mut(payload, end) {
        *block = last;
    }
    is_ascii(seen)
}

/// Appends 0 to 7 octets, masked.
#[inline(always)]
pub(super) fn append_few(payload: &[u8], key: u32, output: &mut Vec<u8>) {
    let masked = |octets: &[u8; 4], key: u32| (u32::from_le_bytes(*octets) ^ key).to_le_bytes();
    if let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) {
        let end = payload.len() - 4;
        let begin = output.len();
        output.extend_from_slice(&masked(first, key));
        output.truncate(begin + end);
        output.extend_from_slice(&masked(last, turn(key, end)));
    } else {
        payload.iter().zip(key.to_le_bytes()).for_each(|(octet, key)| output.push(octet ^ key));
    }
}

/// Appends what is at least one block of N words long, masked.
#[inline(always)]
pub(super) fn append_blocks<const N: usize>(payload: &[u8], key: u32, output: &mut Vec<u8>) {
    for block in payload.as_chunks().0.as_chunks::<N>().0 {
        output.extend_from_slice(masked(block, key).as_flattened());
    }
    append_end::<N>(payload, payload.len() % (8 * N), key, output);
}

/// Appends what is at least 128 octets long, masked, in blocks that are written to where an aligned address begins.
#[inline(always)]
pub(super) fn append_aligned(payload: &[u8], key: u32, output: &mut Vec<u8>) {
    let begin = output.len();
    let head = output.as_ptr().wrapping_add(begin).align_offset(ALIGNMENT).min(ALIGNMENT);
    if let Some(first) = block::<{ ALIGNMENT / 8 }>(payload, 0) {
        output.extend_from_slice(masked(first, key).as_flattened());
        output.truncate(begin + head);
    }
    let (aligned, key) = (&payload[head..], turn(key, head));
    for block in aligned.as_chunks().0.as_chunks::<16>().0 {
        output.extend_from_slice(masked(block, key).as_flattened());
    }
    let rest = &aligned[aligned.len() - aligned.len() % 128..];
    for block in rest.as_chunks().0.as_chunks::<8>().0 {
        output.extend_from_slice(masked(block, key).as_flattened());
    }
    append_end::<8>(aligned, rest.len() % 64, key, output);
}

/// Appends the last octets, masked, where they are fewer than a block of N words: as the end of the last block.
#[inline(always)]
fn append_end<const N: usize>(payload: &[u8], rest: usize, key: u32, output: &mut Vec<u8>) {
    let end = payload.len() - 8 * N;
    if let (1.., Some(last)) = (rest, block::<N>(payload, end)) {
        output.truncate(output.len() - (8 * N - rest));
        output.extend_from_slice(masked(last, turn(key, end)).as_flattened());
    }
}

#[inline(always)]
fn block<const N: usize>(octets: &[u8], begin: usize) -> Option<&Block<N>> {
    octets[begin..].as_chunks().0.first_chunk()
}

#[inline(always)]
fn block_mut<const N: usize>(octets: &mut [u8], begin: usize) -> Option<&mut Block<N>> {
    octets[begin..].as_chunks_mut().0.first_chunk_mut()
}

#[inline(always)]
fn masked<const N: usize>(block: &Block<N>, key: u32) -> Block<N> {
    let key = u64::from(key) << 32 | u64::from(key);
    block.map(|word| (u64::from_le_bytes(word) ^ key).to_le_bytes())
}

#[inline(always)]
fn words<const N: usize>(block: &Block<N>) -> [u64; N] {
    block.map(u64::from_le_bytes)
}

#[inline(always)]
fn or<const N: usize>(mut some: [u64; N], others: [u64; N]) -> [u64; N] {
    for (word, other) in some.iter_mut().zip(others) {
        *word |= other;
    }
    some
}

#[inline(always)]
fn is_ascii<const N: usize>(seen: [u64; N]) -> bool {
    // two at a time, as many as a vector register of SSE2 holds: or the compiler leaves all of it to plain registers
    let (pairs, rest) = seen.as_chunks();
    let [a, b] = pairs.iter().fold([0, 0], |[a, b], [c, d]| [a | c, b | d]);
    rest.iter().fold(a | b, |seen, word| seen | word) & 0x8080_8080_8080_8080 == 0
}

/// Octets that a vector register of AVX2 holds.
const ALIGNMENT: usize = 32;
