//! How do several servers have the same rooms? By Redis: it orders what happens, keeps what was said, and notices
//! when a server is gone.
//!
//! | key | what |
//! | --- | --- |
//! | channel `chat:events` | all that happens, as lines of a number and JSON; an empty line is a heartbeat |
//! | `chat:id` | the number of the last event |
//! | `chat:history:ROOM` | list of the last messages, as such lines |
//! | `chat:rooms` | sorted set of rooms that have such a list, by their last event |
//! | `chat:here:ROOM` | hash of who is here: member to name |
//! | `chat:members:SERVER` | hash of who is connected to a server: member to room |
//! | `chat:servers` | sorted set of servers, by when they will be taken for dead |
//! | `chat:said:KEY` | a message with this key has been said |
//!
//! Each server hears all rooms, and keeps those that somebody is in who is connected to it.
//!
//! Each step is one script, so that what is stored, its number and its place among the events cannot fall apart. Keys
//! are made in the scripts: this is for one Redis (and its replicas), not for a cluster of them. While Redis is away,
//! nothing can be said, and everybody is told so; it comes back empty or not, and the chat goes on.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ::redis::{Client, Connection, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, Value, cmd};

use crate::history::KEPT;
use crate::hub::Hub;
use crate::protocol::{Event, Kind, Member, Message};
use crate::room::Snapshot;
use crate::say;

/// Rooms of which the history is kept.
const ROOMS: usize = 1000;

/// How often a server says that it is there.
const BEAT: Duration = Duration::from_secs(1);

/// Without a heartbeat for so long, a server is taken for dead, and those who were connected to it have left.
const EXPIRY: Duration = Duration::from_secs(5);

/// Without anything from Redis for so long, not even our own heartbeat, the connection is given up.
const SILENCE: Duration = Duration::from_secs(4);

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pauses between attempts to connect.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What all scripts have: `happen(body)` numbers an event and publishes it, `leave(member, room)` is one of them.
/// Numbers begin at the time, in microseconds, so that they go on rising when Redis has forgotten the last one.
const COMMON: &str = r"
local function happen(body)
  local time = redis.call('TIME')
  redis.call('SET', 'chat:id', time[1] .. string.format('%06d', time[2]), 'NX')
  redis.call('INCR', 'chat:id')
  local line = redis.call('GET', 'chat:id') .. ' ' .. body
  redis.call('PUBLISH', 'chat:events', line)
  return line
end
local function leave(member, room)
  local name = redis.pcall('HGET', 'chat:here:' .. room, member)
  if type(name) == 'string' then
    redis.call('HDEL', 'chat:here:' .. room, member)
    happen(cjson.encode({ type = 'leave', room = room, member = member, name = name }))
  end
end
";

const SAY: &str = r"
local room, key, body, kept, rooms = unpack(ARGV)
redis.call('LLEN', 'chat:history:' .. room) -- fails before anything is done, if it fails
if not redis.call('SET', 'chat:said:' .. key, 1, 'NX', 'EX', 3600) then
  return false
end
redis.call('RPUSH', 'chat:history:' .. room, happen(body))
redis.call('LTRIM', 'chat:history:' .. room, -kept, -1)
redis.call('ZADD', 'chat:rooms', redis.call('GET', 'chat:id'), room)
if redis.call('ZCARD', 'chat:rooms') > tonumber(rooms) then
  redis.call('DEL', 'chat:history:' .. redis.call('ZPOPMIN', 'chat:rooms')[1])
end
return true
";

const ENTER: &str = r"
local server, room, member, name = unpack(ARGV)
redis.call('HSET', 'chat:members:' .. server, member, room)
if redis.call('HSET', 'chat:here:' .. room, member, name) == 1 then
  happen(cjson.encode({ type = 'join', room = room, member = member, name = name }))
end
";

const LEAVE: &str = r"
local server, room, member = unpack(ARGV)
redis.call('HDEL', 'chat:members:' .. server, member)
leave(member, room)
";

/// Says that a server is alive, and has those leave who were connected to dead ones. Whether it was known is returned.
const BEAT_SCRIPT: &str = r"
local server, expiry = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', 'chat:servers', '-inf', now)) do
  local members = redis.pcall('HGETALL', 'chat:members:' .. dead)
  for i = 1, #members, 2 do
    leave(members[i], members[i + 1])
  end
  redis.call('DEL', 'chat:members:' .. dead)
  redis.call('ZREM', 'chat:servers', dead)
end
redis.call('PUBLISH', 'chat:events', '')
return redis.call('ZADD', 'chat:servers', now + expiry, server) == 0
";

/// The room as it is now. What a server still knows and Redis has lost is put back, at the front of the history.
const LOOK: &str = r"
local room, kept = ARGV[1], ARGV[2]
local history = 'chat:history:' .. room
local first = redis.call('LINDEX', history, 0)
first = first and tonumber(first:match('^%d+')) or math.huge
for i = #ARGV, 3, -1 do
  if tonumber(ARGV[i]:match('^%d+')) < first then
    redis.call('LPUSH', history, ARGV[i])
    redis.call('ZADD', 'chat:rooms', 'NX', ARGV[i]:match('^%d+'), room)
  end
end
redis.call('LTRIM', history, -kept, -1)
local here = redis.call('HGETALL', 'chat:here:' .. room)
return { redis.call('GET', 'chat:id') or '0', redis.call('LRANGE', history, 0, -1), here }
";

const MEMBERS: &str = "return redis.call('HGETALL', 'chat:members:' .. ARGV[1])";

/// What a hash has.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Why Redis has not done what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be asked at the moment.
    Away,
    /// What it has there is not what it should be; all else goes on.
    Damaged,
}

/// Our place among the servers.
pub(crate) struct Redis {
    client: Client,
    /// The name of this server among them.
    server: String,
    /// For what is asked of Redis; events come on another connection.
    commands: Mutex<Option<Connection>>,
}

impl Redis {
    pub(crate) fn new(url: &str, server: String) -> RedisResult<Self> {
        Ok(Self { client: Client::open(url.into_connection_info()?)?, server, commands: Mutex::new(None) })
    }

    /// Has somebody come into a room.
    pub(crate) fn enter(&self, room: &str, member: &Member) -> Result<(), Trouble> {
        self.run(ENTER, &[&self.server, room, &member.id, &member.name])
    }

    /// Says something in a room; false if it was said before.
    pub(crate) fn say(&self, room: &str, message: &Message) -> Result<bool, Trouble> {
        self.run(SAY, &[room, &message.key, &message.body(room), &KEPT.to_string(), &ROOMS.to_string()])
    }

    /// Has somebody leave.
    pub(crate) fn leave(&self, room: &str, member: &str) -> Result<(), Trouble> {
        self.run(LEAVE, &[&self.server, room, member])
    }

    /// A room as it is for all servers; `kept` is what is known here of its history.
    pub(crate) fn look(&self, room: &str, kept: &[String]) -> Result<Snapshot, Trouble> {
        let most = KEPT.to_string();
        let args: Vec<&str> = [room, &most].into_iter().chain(kept.iter().map(String::as_str)).collect();
        let (seen, lines, here): (u64, Vec<Vec<u8>>, Pairs) = self.run(LOOK, &args)?;
        let message = |line: Vec<u8>| match Event::parse(str::from_utf8(&line).ok()?)?.kind {
            Kind::Message(message) => Some(message),
            Kind::Join(_) | Kind::Leave(_) => None,
        };
        Ok(Snapshot { seen, messages: lines.into_iter().filter_map(message).collect(), here: texts(here).collect() })
    }

    /// Who is connected to this server, as far as Redis knows, and in which room.
    pub(crate) fn members(&self) -> Result<Vec<(String, String)>, Trouble> {
        Ok(texts(self.run(MEMBERS, &[&self.server])?).collect())
    }

    /// Says from time to time that this server is there, and never returns.
    pub(crate) fn beat_on(&self) -> Infallible {
        loop {
            thread::sleep(BEAT);
            // who was taken for dead has to come anew: the thread that listens notices
            if matches!(self.beat(), Ok(false)) {
                *self.lock() = None;
            }
        }
    }

    /// Hears what happens on all servers, connects again whenever Redis has gone away, and never returns.
    pub(crate) fn listen(&self, hub: &Hub) -> Infallible {
        let mut pause = PAUSE.0;
        loop {
            let Err(error) = self.listen_once(hub);
            *self.lock() = None;
            if hub.is_online() {
                say(format_args!("Redis has gone away: {error}"));
                pause = PAUSE.0;
            }
            hub.set_online(false);
            thread::sleep(pause);
            pause = PAUSE.1.min(pause * 2);
        }
    }

    fn listen_once(&self, hub: &Hub) -> RedisResult<Infallible> {
        let mut connection = self.connect()?;
        let mut events = connection.as_pubsub();
        events.set_read_timeout(Some(SILENCE))?;
        events.subscribe("chat:events")?;
        *self.lock() = Some(self.connect()?);
        self.beat()?;
        hub.resync(self)?;
        hub.set_online(true);
        say(format_args!("connected to Redis"));
        loop {
            // whoever may publish there: what is no event is passed over
            let line: Vec<u8> = events.get_message()?.get_payload()?;
            match str::from_utf8(&line).ok().and_then(Event::parse) {
                Some(event) => hub.hear(&event, self)?,
                None if self.lock().is_none() => return Err(Trouble::Away.into()),
                None => {}
            }
        }
    }

    fn beat(&self) -> Result<bool, Trouble> {
        self.run(BEAT_SCRIPT, &[&self.server, &EXPIRY.as_millis().to_string()])
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        Ok(connection)
    }

    /// Runs a script. Where only the connection has broken, a second time on a new one: no step does harm done twice.
    fn run<T: FromRedisValue>(&self, script: &str, args: &[&str]) -> Result<T, Trouble> {
        let mut commands = self.lock();
        let connection = commands.as_mut().ok_or(Trouble::Away)?;
        let script = format!("{COMMON}{script}");
        let command = cmd("EVAL").arg(script).arg(0).arg(args).take();
        let answer: RedisResult<Value> = match command.query(connection) {
            Err(error) if error.is_connection_dropped() => {
                self.connect().and_then(|anew| command.query(commands.insert(anew)))
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| {
            say(format_args!("Redis does not do what it is asked: {error}"));
            // such is the answer of a script that fails at what a key has; others are of a Redis that is not ready
            if matches!(error.code(), Some("ERR" | "WRONGTYPE")) {
                return Trouble::Damaged;
            }
            *commands = None;
            Trouble::Away
        })?;
        T::from_redis_value(answer).map_err(|_| Trouble::Damaged)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of the pairs that are text.
fn texts(pairs: Pairs) -> impl Iterator<Item = (String, String)> {
    let text = |octets| String::from_utf8(octets).ok();
    pairs.into_iter().filter_map(move |(key, value)| Some((text(key)?, text(value)?)))
}

impl From<Trouble> for RedisError {
    fn from(_: Trouble) -> Self {
        (ErrorKind::Client, "a command failed").into()
    }
}
