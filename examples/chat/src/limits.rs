//! How much may come from one address?

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections of all addresses together; each has two threads.
const TOTAL: usize = 2000;

/// Connections of one address that may be there besides those that are open: they ask for the page, or are refused.
const SPARE: usize = 16;

/// What each address has.
pub(crate) struct Limits {
    /// Those that are open, by address.
    connections: usize,
    /// Messages per second, in the long run.
    rate: u32,
    addresses: Mutex<HashMap<IpAddr, Address>>,
}

struct Address {
    /// Connections.
    taken: usize,
    /// Of those, the ones that are open: not asking for a page, nor refused.
    open: usize,
    bucket: Bucket,
}

/// A place that a connection takes up, given back when it is dropped.
pub(crate) struct Seat {
    limits: Arc<Limits>,
    address: IpAddr,
    is_open: bool,
}

impl Limits {
    pub(crate) fn new(connections: usize, rate: u32) -> Self {
        Self { connections, rate, addresses: Mutex::default() }
    }

    /// A place for one more connection of this address, if there is one.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, now: Duration) -> Option<Seat> {
        let address = network(address);
        let mut addresses = self.lock();
        // who is gone is remembered until he could say as much as anybody who is new
        addresses.retain(|_, address| address.taken > 0 || !address.bucket.is_full(self.rate, now));
        let taken: usize = addresses.values().map(|address| address.taken).sum();
        let new = || Address { taken: 0, open: 0, bucket: Bucket::new(self.rate, now) };
        let entry = addresses.entry(address).or_insert_with(new);
        if taken >= TOTAL || entry.taken >= self.connections.saturating_add(SPARE) {
            return None;
        }
        entry.taken += 1;
        drop(addresses);
        Some(Seat { limits: Arc::clone(self), address, is_open: false })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Address>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Takes note that the connection becomes a WebSocket; false if the address has as many as it may have.
    pub(crate) fn open(&mut self) -> bool {
        let most = self.limits.connections;
        if let Some(address) = self.limits.lock().get_mut(&self.address).filter(|address| address.open < most) {
            address.open += 1;
            self.is_open = true;
        }
        self.is_open
    }

    /// Whether the address may say something now; if so, it counts.
    pub(crate) fn may_say(&self, now: Duration) -> bool {
        let rate = self.limits.rate;
        self.limits.lock().get_mut(&self.address).is_none_or(|address| address.bucket.take(rate, now))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(address) = self.limits.lock().get_mut(&self.address) {
            address.taken -= 1;
            address.open -= usize::from(self.is_open);
        }
    }
}

/// A token bucket: holds what may be said at once, three seconds' worth of it, and fills steadily.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    /// When there were so many.
    at: Duration,
}

impl Bucket {
    fn new(rate: u32, now: Duration) -> Self {
        Self { tokens: Self::most(rate), at: now }
    }

    fn take(&mut self, rate: u32, now: Duration) -> bool {
        self.tokens = self.filled(rate, now);
        self.at = self.at.max(now);
        let is_there = self.tokens >= 1.0;
        if is_there {
            self.tokens -= 1.0;
        }
        is_there
    }

    fn is_full(&self, rate: u32, now: Duration) -> bool {
        self.filled(rate, now) >= Self::most(rate)
    }

    fn filled(&self, rate: u32, now: Duration) -> f64 {
        let since = now.saturating_sub(self.at).as_secs_f64();
        since.mul_add(f64::from(rate), self.tokens).min(Self::most(rate))
    }

    fn most(rate: u32) -> f64 {
        f64::from(rate) * 3.0
    }
}

/// Who has one IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(2, millis(0));
        let mut taken = |now, tries: usize| (0..tries).filter(|_| bucket.take(2, now)).count();
        assert_eq!(taken(millis(0), 10), 6, "three seconds' worth at once");
        assert_eq!(taken(millis(400), 10), 0);
        assert_eq!(taken(millis(500), 10), 1);
        assert_eq!(taken(millis(2500), 10), 4);
        assert_eq!(taken(millis(2000), 10), 0, "time does not run backwards");
        assert_eq!(taken(millis(3_600_000), 10), 6, "nothing is saved up beyond the burst");
        assert!(!bucket.is_full(2, millis(3_600_000)));
        assert!(bucket.is_full(2, millis(3_603_000)));
    }

    #[test]
    fn a_rate_of_none_gives_none() {
        assert!(!Bucket::new(0, millis(0)).take(0, millis(1_000_000)));
    }

    #[test]
    fn seats_are_counted_by_address_and_given_back() {
        let limits = Arc::new(Limits::new(2, 1));
        let admit = |address: &str| limits.admit(address.parse().unwrap(), millis(0));
        let (mut first, mut second) = (admit("192.0.2.1").unwrap(), admit("::ffff:192.0.2.1").unwrap());
        assert!(first.open() && second.open());
        let mut third = admit("192.0.2.1").unwrap();
        assert!(!third.open());
        assert!(admit("192.0.2.2").unwrap().open(), "others have their own");
        drop(second);
        assert!(third.open());
        let more: Vec<_> = (0..100).filter_map(|_| admit("192.0.2.1")).collect();
        assert_eq!(more.len(), SPARE);
    }

    #[test]
    fn to_come_again_fills_no_bucket() {
        let limits = Arc::new(Limits::new(2, 1));
        let address = "2001:db8::1".parse().unwrap();
        let seat = limits.admit(address, millis(0)).unwrap();
        assert_eq!((0..9).filter(|_| seat.may_say(millis(0))).count(), 3);
        drop(seat);
        let again = limits.admit("2001:db8::2".parse().unwrap(), millis(10)).unwrap();
        assert!(!again.may_say(millis(10)));
        drop(again);
        limits.admit("192.0.2.1".parse().unwrap(), millis(9000)).unwrap();
        assert_eq!(limits.lock().len(), 1, "but nobody is remembered for ever");
    }
}
