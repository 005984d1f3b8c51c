//! Which messages does who comes into a room get to see?

use std::collections::VecDeque;

use crate::protocol::Message;

/// So many of them.
pub(crate) const KEPT: usize = 50;

/// The last messages of a room, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct History {
    messages: VecDeque<Message>,
}

impl History {
    /// Takes a message that is new, and forgets the oldest for it; false if it is not new.
    pub(crate) fn push(&mut self, message: Message) -> bool {
        let is_new = message.id > self.last();
        if is_new {
            self.messages.push_back(message);
            self.messages.drain(..self.messages.len().saturating_sub(KEPT));
        }
        is_new
    }

    /// The number of the last message; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.messages.back().map_or(0, |message| message.id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64) -> Message {
        Message { id, name: "Ada".into(), text: format!("number {id}"), at: 0, key: format!("key-{id}") }
    }

    #[test]
    fn the_last_fifty_are_kept_in_order_and_none_twice() {
        let mut history = History::default();
        assert_eq!(history.last(), 0);
        for id in 1..=60 {
            assert!(history.push(message(id)));
            assert!(!history.push(message(id)), "no second time");
        }
        assert!(!history.push(message(3)), "nor too late");
        assert_eq!(history.iter().map(|message| message.id).collect::<Vec<_>>(), (11..=60).collect::<Vec<_>>());
        assert_eq!(history.last(), 60);
    }
}
