//! Where do all rooms come together?
//!
//! What happens becomes an [`Event`], and all see the events of a room in one order. In a single process that is the
//! order in which they take the lock; between servers it is the order in which Redis publishes them, and who said
//! something hears it from there as everybody else does.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use websocket_proto::Prepared;

use crate::connection::Outbox;
use crate::protocol::{self, Event, Kind, Member, Message, Refusal};
use crate::redis::{Redis, Trouble};
use crate::room::{Local, Room, Snapshot};
use crate::said::Said;

/// Why nobody can be in a room of which Redis has something else than a room.
const DAMAGED: &str = "what is stored of this room is damaged";

/// Rooms at a time.
const ROOMS: usize = 200;

pub(crate) struct Hub {
    state: Mutex<State>,
    /// Where the other servers are; without it there are none.
    redis: Option<Redis>,
    is_online: AtomicBool,
}

struct State {
    rooms: HashMap<String, Room>,
    /// Those whose coming is on its way through Redis, with their rooms.
    waiting: HashMap<String, (String, Local)>,
    /// What has been said, where there is no Redis to know it.
    said: Said,
    /// Of the last event, where there is no Redis to number them.
    last: u64,
}

impl Hub {
    pub(crate) fn new(redis: Option<Redis>) -> Self {
        // by the clock, so that after a restart no number comes again
        let last = since_1970().as_micros().try_into().unwrap_or(0);
        let state = State { rooms: HashMap::new(), waiting: HashMap::new(), said: Said::default(), last };
        Self { state: Mutex::new(state), is_online: AtomicBool::new(redis.is_none()), redis }
    }

    /// Hears what happens on other servers; returns if there are none.
    pub(crate) fn listen(&self) {
        let _ = self.redis.as_ref().map(|redis| redis.listen(self));
    }

    /// Lets other servers know that this one is there; returns if there are none.
    pub(crate) fn beat(&self) {
        let _ = self.redis.as_ref().map(Redis::beat_on);
    }

    /// Asks for somebody to be let into a room. The first news from there come when it is so: where Redis is away, once
    /// it is back.
    pub(crate) fn join(&self, room: &str, member: &Member, outbox: &Arc<Outbox>) -> Result<(), Refusal> {
        let mut state = self.lock();
        if !state.make_room(room, self.redis.is_none()) {
            return Err(Refusal { try_again: true, ..Refusal::of("there are too many rooms") });
        }
        let local = Local { member: member.clone(), outbox: Arc::clone(outbox) };
        state.waiting.insert(member.id.clone(), (room.to_owned(), local));
        let Some(redis) = &self.redis else {
            state.rooms.entry(room.to_owned()).or_default();
            state.happen(room, Kind::Join(member.clone()));
            return Ok(());
        };
        drop(state);
        match redis.enter(room, member) {
            Ok(()) => {}
            Err(Trouble::Away) => outbox.offer(&Prepared::text(&protocol::status(false))),
            Err(Trouble::Damaged) => {
                self.leave(room, member);
                return Err(Refusal::of(DAMAGED));
            }
        }
        Ok(())
    }

    /// Says something in a room. Whoever is there hears it, and so does who said it; false if it was said before.
    pub(crate) fn say(&self, room: &str, name: &str, text: String, key: String) -> Result<bool, Refusal> {
        let at = since_1970().as_millis().try_into().unwrap_or(0);
        let message = Message { id: 0, name: name.to_owned(), text, at, key };
        if let Some(redis) = &self.redis {
            return redis.say(room, &message).map_err(|trouble| match trouble {
                Trouble::Away => unavailable(message.key),
                Trouble::Damaged => Refusal { key: Some(message.key), ..Refusal::of(DAMAGED) },
            });
        }
        let mut state = self.lock();
        let is_new = state.said.note(&message.key);
        if is_new {
            state.happen(room, Kind::Message(message));
        }
        Ok(is_new)
    }

    /// Says that somebody is gone.
    pub(crate) fn leave(&self, room: &str, member: &Member) {
        let mut state = self.lock();
        state.waiting.remove(&member.id);
        let was_here = state.rooms.get_mut(room).is_some_and(|room| room.dismiss(&member.id));
        let Some(redis) = &self.redis else {
            if was_here {
                state.happen(room, Kind::Leave(member.clone()));
            }
            return;
        };
        state.forget_if_empty(room);
        drop(state);
        let _ = redis.leave(room, &member.id); // Redis is told when it is back, or notices
    }

    /// Whether the other servers are in reach.
    pub(crate) fn is_online(&self) -> bool {
        self.is_online.load(Ordering::Relaxed)
    }

    /// Takes note of whether the other servers are in reach, and tells everybody.
    pub(crate) fn set_online(&self, is_online: bool) {
        if self.is_online.swap(is_online, Ordering::Relaxed) != is_online {
            let status = Prepared::text(&protocol::status(is_online));
            self.lock().rooms.values().for_each(|room| room.tell(&status));
        }
    }

    /// Takes an event of Redis. One thread does so, in their order.
    pub(crate) fn hear(&self, event: &Event, redis: &Redis) -> Result<(), Trouble> {
        let mut state = self.lock();
        if !state.rooms.contains_key(&event.room) {
            // a room that nobody here is in is looked up when somebody enters it
            if !matches!(&event.kind, Kind::Join(member) if state.waiting.contains_key(&member.id)) {
                return Ok(());
            }
            drop(state);
            let Some(snapshot) = self.look(&event.room, &[], redis)? else { return Ok(()) };
            state = self.lock();
            let mut room = Room::default();
            room.adopt(snapshot);
            state.rooms.insert(event.room.clone(), room);
        }
        state.apply(event);
        state.forget_if_empty(&event.room);
        Ok(())
    }

    /// Brings this server and Redis together again after they were apart: each learns what it has missed.
    pub(crate) fn resync(&self, redis: &Redis) -> Result<(), Trouble> {
        for (member, room) in redis.members()? {
            if !self.lock().has(&member) {
                redis.leave(&room, &member)?;
            }
        }
        let locals = self.lock().locals();
        for (room, member) in &locals {
            match redis.enter(room, member) {
                Err(Trouble::Damaged) => continue, // as is found below
                entered => entered?,
            }
            if !self.lock().has(&member.id) {
                redis.leave(room, &member.id)?;
            }
        }
        let mut rooms: Vec<String> = locals.into_iter().map(|(room, _)| room).collect();
        rooms.sort_unstable();
        rooms.dedup();
        for room in rooms {
            let lines = |room: &str, known: &Room| known.history().iter().map(|message| message.line(room)).collect();
            let kept: Vec<String> = self.lock().rooms.get(&room).map(|known| lines(&room, known)).unwrap_or_default();
            let Some(snapshot) = self.look(&room, &kept, redis)? else { continue };
            let mut state = self.lock();
            state.rooms.entry(room.clone()).or_default().adopt(snapshot);
            state.admit_waiting(&room);
            state.forget_if_empty(&room);
        }
        Ok(())
    }

    /// A room as Redis has it. `None` if that is damaged: who waits to be let in is refused.
    fn look(&self, room: &str, kept: &[String], redis: &Redis) -> Result<Option<Snapshot>, Trouble> {
        match redis.look(room, kept) {
            Err(Trouble::Damaged) => {}
            looked => return looked.map(Some),
        }
        let refused = self.lock().take_waiting(room);
        for Local { member, outbox } in refused {
            outbox.offer(&Prepared::text(&Refusal::of(DAMAGED).to_page()));
            redis.leave(room, &member.id)?;
        }
        Ok(None)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Something happens on this server, which is the only one.
    fn happen(&mut self, room: &str, mut kind: Kind) {
        self.last += 1;
        if let Kind::Message(message) = &mut kind {
            message.id = self.last;
        }
        self.apply(&Event { id: self.last, room: room.to_owned(), kind });
    }

    fn apply(&mut self, event: &Event) {
        let Some(room) = self.rooms.get_mut(&event.room) else { return };
        if let Kind::Join(member) = &event.kind
            && let Some((_, local)) = self.waiting.remove(&member.id)
        {
            room.admit(&event.room, local);
        }
        room.apply(event);
    }

    fn admit_waiting(&mut self, room: &str) {
        let here = self.take_waiting(room);
        let Some(room_here) = self.rooms.get_mut(room) else { return };
        for local in here {
            room_here.admit(room, local);
        }
    }

    /// Those who wait to be let into a room, which they do no more.
    fn take_waiting(&mut self, room: &str) -> Vec<Local> {
        self.waiting.extract_if(|_, (wanted, _)| wanted == room).map(|(_, (_, local))| local).collect()
    }

    /// Whether there may be one more room with this name. An old one that is empty and kept for its history gives way.
    fn make_room(&mut self, name: &str, may_forget: bool) -> bool {
        let awaited = self.waiting.values().map(|(room, _)| room);
        let names: HashSet<&String> = self.rooms.keys().chain(awaited).collect();
        if names.len() < ROOMS || names.iter().any(|known| *known == name) {
            return true;
        }
        let empty = self.rooms.iter().filter(|(_, room)| may_forget && room.is_empty());
        let oldest = empty.min_by_key(|(_, room)| room.history().last()).map(|(name, _)| name.clone());
        oldest.is_some_and(|name| self.rooms.remove(&name).is_some())
    }

    /// What Redis has of a room need not be here as well, if nobody here is in it.
    fn forget_if_empty(&mut self, room: &str) {
        if self.rooms.get(room).is_some_and(Room::is_empty) {
            self.rooms.remove(room);
        }
    }

    fn has(&self, member: &str) -> bool {
        self.waiting.contains_key(member)
            || self.rooms.values().any(|room| room.members().any(|local| local.id == member))
    }

    /// All who are connected to this server, with their rooms.
    fn locals(&self) -> Vec<(String, Member)> {
        let waiting = self.waiting.values().map(|(room, local)| (room.clone(), local.member.clone()));
        let here =
            self.rooms.iter().flat_map(|(room, here)| here.members().map(|member| (room.clone(), member.clone())));
        waiting.chain(here).collect()
    }
}

fn unavailable(key: String) -> Refusal {
    Refusal { key: Some(key), why: "the other servers cannot be reached".to_owned(), try_again: true }
}

fn since_1970() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
