//! How fast can octets be unmasked, or copied and masked at once, on this processor?

#![allow(unsafe_code, reason = "intrinsics, and stores over what is read")]
#![allow(clippy::inline_always, reason = "what is not inlined has no wide registers")]
#![allow(clippy::cast_possible_truncation, reason = "two bits of it are needed")]

/// What fits into a register.
pub(crate) trait Lane: Copy {
    /// # Safety
    /// `size_of::<Self>()` octets can be read there, and the processor has the instructions.
    unsafe fn load(from: *const u8) -> Self;

    /// # Safety
    /// `size_of::<Self>()` octets can be written there, and the processor has the instructions.
    unsafe fn store(self, to: *mut u8);

    /// # Safety
    /// The processor has the instructions.
    unsafe fn xor(self, other: Self) -> Self;

    /// # Safety
    /// The processor has the instructions.
    unsafe fn repeat(key: u32) -> Self;
}

/// What runs for each kind of processor.
pub(crate) trait Task {
    type Output;

    /// # Safety
    /// The processor has the instructions of the lane.
    unsafe fn run<L: Lane>(self) -> Self::Output;
}

/// Runs the task with the widest registers that there are.
pub(crate) fn with_widest<T: Task>(task: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: it was detected
            return unsafe { x86::with_avx512(task) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: it was detected
            return unsafe { x86::with_avx2(task) };
        }
    }
    // SAFETY: it needs no special instruction
    unsafe { task.run::<Narrow>() }
}

#[cfg(target_arch = "x86_64")]
type Narrow = std::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Narrow = u128;

/// Masks `len` octets on their way: copies them from `from` to `to`, which may be `from` itself, or before it.
///
/// # Safety
/// They can be read there, and written here, and the processor has the instructions.
#[inline(always)]
pub(crate) unsafe fn xor<L: Lane>(from: *const u8, to: *mut u8, len: usize, key: u32) {
    // SAFETY: each goes as far as the lengths that it is given for
    unsafe {
        if len < 16 {
            few(from, to, len, key);
        } else if len <= 64 {
            overlapped::<Narrow>(from, to, len, key);
        } else if len <= 4 * size_of::<L>() {
            overlapped::<L>(from, to, len, key);
        } else {
            many::<L>(from, to, len, key);
        }
    }
}

/// Less than 16 octets.
///
/// # Safety
/// As [`xor`].
#[inline(always)]
unsafe fn few(from: *const u8, to: *mut u8, len: usize, key: u32) {
    let wide = u64::from(key) << 32 | u64::from(key);
    // SAFETY: no access goes beyond `len`
    unsafe {
        if len >= 8 {
            let (head, tail) = (from.cast::<u64>().read_unaligned(), from.add(len - 8).cast::<u64>().read_unaligned());
            to.cast::<u64>().write_unaligned(head ^ wide);
            to.add(len - 8).cast::<u64>().write_unaligned(tail ^ wide.rotate_right(rotation(len)));
        } else if len >= 4 {
            let (head, tail) = (from.cast::<u32>().read_unaligned(), from.add(len - 4).cast::<u32>().read_unaligned());
            to.cast::<u32>().write_unaligned(head ^ key);
            to.add(len - 4).cast::<u32>().write_unaligned(tail ^ key.rotate_right(rotation(len)));
        } else {
            for (at, octet) in key.to_le_bytes().into_iter().enumerate().take(len) {
                to.add(at).write(from.add(at).read() ^ octet);
            }
        }
    }
}

/// By how many bits the key of what begins at a position is turned.
#[inline(always)]
fn rotation(position: usize) -> u32 {
    (position as u32 & 3) * 8
}

/// One to four lanes, of which the last ones cover a part of what the first ones do: all is read before it is written.
///
/// # Safety
/// As [`xor`].
#[inline(always)]
unsafe fn overlapped<L: Lane>(from: *const u8, to: *mut u8, len: usize, key: u32) {
    let width = size_of::<L>();
    // SAFETY: no access goes beyond `len`
    unsafe {
        let (begin, end) = (L::repeat(key), L::repeat(key.rotate_right(rotation(len))));
        let (first, last) = (L::load(from), L::load(from.add(len - width)));
        if len > 2 * width {
            let (second, third) = (L::load(from.add(width)), L::load(from.add(len - 2 * width)));
            second.xor(begin).store(to.add(width));
            third.xor(end).store(to.add(len - 2 * width));
        }
        first.xor(begin).store(to);
        last.xor(end).store(to.add(len - width));
    }
}

/// More than four lanes: stores are aligned, but for the first and the last one.
///
/// # Safety
/// As [`xor`].
#[inline(always)]
unsafe fn many<L: Lane>(from: *const u8, to: *mut u8, len: usize, key: u32) {
    let width = size_of::<L>();
    // SAFETY: no access goes beyond `len`
    unsafe {
        let (first, last) = (L::load(from), L::load(from.add(len - width)));
        let mut at = width - to.addr() % width;
        let turned = L::repeat(key.rotate_right(rotation(at)));
        while at + 4 * width <= len {
            let (from, to) = (from.add(at), to.add(at));
            let (one, two) = (L::load(from), L::load(from.add(width)));
            let (three, four) = (L::load(from.add(2 * width)), L::load(from.add(3 * width)));
            one.xor(turned).store(to);
            two.xor(turned).store(to.add(width));
            three.xor(turned).store(to.add(2 * width));
            four.xor(turned).store(to.add(3 * width));
            at += 4 * width;
        }
        while at + width <= len {
            L::load(from.add(at)).xor(turned).store(to.add(at));
            at += width;
        }
        // only now, as what they cover had to be read before
        first.xor(L::repeat(key)).store(to);
        last.xor(L::repeat(key.rotate_right(rotation(len)))).store(to.add(len - width));
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256i, __m512i, _mm_loadu_si128, _mm_set1_epi32, _mm_storeu_si128, _mm_xor_si128,
        _mm256_loadu_si256, _mm256_set1_epi32, _mm256_storeu_si256, _mm256_xor_si256, _mm512_loadu_si512,
        _mm512_set1_epi32, _mm512_storeu_si512, _mm512_xor_si512,
    };

    use super::{Lane, Task};

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn with_avx512<T: Task>(task: T) -> T::Output {
        // SAFETY: the processor has them, as the caller has promised
        unsafe { task.run::<__m512i>() }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn with_avx2<T: Task>(task: T) -> T::Output {
        // SAFETY: the processor has them, as the caller has promised
        unsafe { task.run::<__m256i>() }
    }

    macro_rules! lane {
        ($lane:ty, $load:ident, $store:ident, $xor:ident, $repeat:ident) => {
            impl Lane for $lane {
                #[inline(always)]
                unsafe fn load(from: *const u8) -> Self {
                    // SAFETY: as the caller has promised
                    unsafe { $load(from.cast()) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut u8) {
                    // SAFETY: as the caller has promised
                    unsafe { $store(to.cast(), self) }
                }

                #[inline(always)]
                unsafe fn xor(self, other: Self) -> Self {
                    // SAFETY: as the caller has promised
                    unsafe { $xor(self, other) }
                }

                #[inline(always)]
                unsafe fn repeat(key: u32) -> Self {
                    // SAFETY: as the caller has promised
                    unsafe { $repeat(key.cast_signed()) }
                }
            }
        };
    }

    lane!(__m128i, _mm_loadu_si128, _mm_storeu_si128, _mm_xor_si128, _mm_set1_epi32);
    lane!(__m256i, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_xor_si256, _mm256_set1_epi32);
    lane!(__m512i, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_xor_si512, _mm512_set1_epi32);
}

#[cfg(not(target_arch = "x86_64"))]
impl Lane for u128 {
    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: as the caller has promised
        unsafe { from.cast::<Self>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        // SAFETY: as the caller has promised
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    unsafe fn repeat(key: u32) -> Self {
        let key = Self::from(key);
        key << 96 | key << 64 | key << 32 | key
    }
}

#[cfg(test)]
mod tests {
    use super::{Lane, Narrow, Task, with_widest, xor};

    struct All;

    impl Task for All {
        type Output = ();

        #[inline(always)]
        unsafe fn run<L: Lane>(self) {
            let octets: Vec<u8> = (0..1500_u32).map(|at| (at * 7 + at / 251) as u8).collect();
            let key = [0x37, 0xFA, 0x21, 0x3D];
            for (begin, back) in (0..70).flat_map(|begin| [(begin + 8, 0), (begin + 8, 4), (begin + 8, 8)]) {
                for len in (0..300).chain([600, 1024, 1300]) {
                    let mut room = octets.clone();
                    let from = room[begin..].as_mut_ptr();
                    // SAFETY: the room is large enough, and what is written begins where what is read does, or before
                    unsafe { xor::<L>(from, from.sub(back), len, u32::from_le_bytes(key)) };
                    let plain = octets[begin..][..len].iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key);
                    assert!(plain.eq(room[begin - back..][..len].iter().copied()), "{begin} {back} {len}");
                    assert!(
                        room[..begin - back] == octets[..begin - back] && room[begin + len..] == octets[begin + len..]
                    );
                }
            }
        }
    }

    #[test]
    fn all_lengths_are_masked_at_all_places() {
        with_widest(All);
        // SAFETY: it needs no special instruction
        unsafe { All.run::<Narrow>() }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn all_lengths_are_masked_with_avx2() {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: it was detected
            unsafe { super::x86::with_avx2(All) }
        }
    }
}
