//! Who is in a room, what was said there last, and who of them is told what happens?

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use websocket_proto::Prepared;

use crate::connection::Outbox;
use crate::history::History;
use crate::protocol::{self, Event, Kind, Member, Message};

/// A room, as far as this server knows it.
#[derive(Default)]
pub(crate) struct Room {
    /// Those who are connected to this server.
    members: HashMap<String, Local>,
    /// The names of all who are here, on whichever server.
    here: BTreeMap<String, String>,
    history: History,
    /// The last event that is in it.
    seen: u64,
}

/// Somebody who is connected to this server.
pub(crate) struct Local {
    pub(crate) member: Member,
    pub(crate) outbox: Arc<Outbox>,
}

/// A room as it is for all servers, at the event with the number `seen`.
pub(crate) struct Snapshot {
    pub(crate) seen: u64,
    pub(crate) messages: Vec<Message>,
    pub(crate) here: BTreeMap<String, String>,
}

impl Room {
    /// Lets somebody in, who gets to see what is there.
    pub(crate) fn admit(&mut self, room: &str, local: Local) {
        let Member { id, name } = &local.member;
        self.here.insert(id.clone(), name.clone());
        let first = protocol::joined(room, &local.member, self.history.iter(), self.here.iter());
        local.outbox.offer(&Prepared::text(&first));
        self.members.insert(id.clone(), local);
    }

    /// Takes an event, unless it has it, and tells those who are here. It is framed once for all of them.
    pub(crate) fn apply(&mut self, event: &Event) {
        if event.id <= self.seen {
            return;
        }
        self.seen = event.id;
        let is_news = match &event.kind {
            Kind::Message(message) => self.history.push(message.clone()),
            Kind::Join(member) => {
                self.here.insert(member.id.clone(), member.name.clone());
                true
            }
            Kind::Leave(member) => self.here.remove(&member.id).is_some(),
        };
        if is_news {
            self.tell(&Prepared::text(&event.to_page()));
        }
    }

    /// Becomes what the snapshot says; those who are here are told what they have missed.
    pub(crate) fn adopt(&mut self, snapshot: Snapshot) {
        for message in snapshot.messages {
            let missed = Prepared::text(&message.to_page());
            if self.history.push(message) {
                self.tell(&missed);
            }
        }
        self.here = snapshot.here;
        self.seen = snapshot.seen;
        self.tell(&Prepared::text(&protocol::here(self.here.iter())));
    }

    /// Lets go of somebody who was connected to this server; false if there is no such one.
    pub(crate) fn dismiss(&mut self, member: &str) -> bool {
        self.members.remove(member).is_some()
    }

    /// Hands a message to all who are connected to this server; waits for none of them.
    pub(crate) fn tell(&self, message: &Prepared) {
        for local in self.members.values() {
            local.outbox.offer(message);
        }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().map(|local| &local.member)
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Nobody of this server is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}
