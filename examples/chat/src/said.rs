//! Which messages have been said before?

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// So many are known, of all rooms: more than can be on their way to a page that asks again.
const KNOWN: usize = 10_000;

/// The keys of the last messages.
#[derive(Debug, Default)]
pub(crate) struct Said {
    keys: HashSet<Arc<str>>,
    /// In the order in which they came.
    order: VecDeque<Arc<str>>,
}

impl Said {
    /// Takes note of a key, and forgets the oldest for it; false if it is known.
    pub(crate) fn note(&mut self, key: &str) -> bool {
        let key = Arc::<str>::from(key);
        let is_new = self.keys.insert(Arc::clone(&key));
        if is_new {
            self.order.push_back(key);
        }
        if self.order.len() > KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_for_long_and_not_for_ever() {
        let mut said = Said::default();
        assert!(said.note("first"));
        for number in 1..KNOWN {
            assert!(said.note(&format!("key-{number}")));
        }
        assert!(!said.note("first"), "after so many others");
        assert!(said.note("one more"));
        assert!(said.note("first"), "it is forgotten");
        assert_eq!((said.keys.len(), said.order.len()), (KNOWN, KNOWN));
    }
}
