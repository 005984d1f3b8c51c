//! Which JSON do the page and the server, and the servers among each other, say?

use serde_json::{Value, json};

use crate::clean;

/// The last number of an event, and the last milliseconds since 1970, that a page can take.
const LAST_ID: u64 = (1 << 53) - 1;
const LAST_DATE: u64 = 8_640_000_000_000_000;

/// What a page may ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// To be in this room, and in no other.
    Join { room: String, name: String },
    /// To say something there.
    Say { text: String, key: String },
}

/// Why something that was asked for is not done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Of the message that is not sent.
    pub(crate) key: Option<String>,
    pub(crate) why: String,
    /// It may go well later.
    pub(crate) try_again: bool,
}

/// What happens in a room; so it goes through Redis, and to the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Later events have higher numbers.
    pub(crate) id: u64,
    pub(crate) room: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Message(Message),
    Join(Member),
    Leave(Member),
}

/// A message as a room has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) text: String,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
    /// The page's own number of it.
    pub(crate) key: String,
}

/// Somebody who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Different for each connection to each server.
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Request {
    /// Reads what a page sent, cleaned.
    pub(crate) fn parse(json: &str) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_str(json).map_err(|_| Refusal::of("this is not JSON"))?;
        let field = |name: &str| value[name].as_str().unwrap_or_default();
        match field("type") {
            "join" => Ok(Self::Join {
                room: clean::name(field("room")).ok_or(Refusal::of("a room has a name of 1 to 32 characters"))?,
                name: clean::name(field("name")).ok_or(Refusal::of("a name has 1 to 32 characters"))?,
            }),
            "say" => {
                let key =
                    clean::key(field("key")).ok_or(Refusal::of("a message has a key of 8 to 64 letters and digits"))?;
                let why = format!("a message has 1 to {} characters", clean::TEXT);
                match clean::text(field("text")) {
                    Some(text) => Ok(Self::Say { text, key }),
                    None => Err(Refusal { key: Some(key), why, try_again: false }),
                }
            }
            _ => Err(Refusal::of("there is no request of this type")),
        }
    }
}

impl Refusal {
    pub(crate) fn of(why: &str) -> Self {
        Self { key: None, why: why.to_owned(), try_again: false }
    }

    pub(crate) fn to_page(&self) -> String {
        json!({ "type": "refused", "key": self.key, "why": self.why, "again": self.try_again }).to_string()
    }
}

impl Event {
    /// Reads a line of Redis: the number, a space, the JSON of the rest.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (id, body) = line.split_once(' ')?;
        let id = id.parse().ok().filter(|id| *id <= LAST_ID)?;
        let body: Value = serde_json::from_str(body).ok()?;
        let field = |name: &str| body[name].as_str().map(str::to_owned);
        let (room, name) = (field("room")?, field("name")?);
        let kind = match body["type"].as_str()? {
            "message" => {
                let (text, key) = (field("text")?, field("key")?);
                Kind::Message(Message { id, name, text, at: body["at"].as_u64().filter(|at| *at <= LAST_DATE)?, key })
            }
            "join" => Kind::Join(Member { id: field("member")?, name }),
            "leave" => Kind::Leave(Member { id: field("member")?, name }),
            _ => return None,
        };
        Some(Self { id, room, kind })
    }

    pub(crate) fn to_page(&self) -> String {
        let (kind, Member { id, name }) = match &self.kind {
            Kind::Message(message) => return message.to_page(),
            Kind::Join(member) => ("join", member),
            Kind::Leave(member) => ("leave", member),
        };
        json!({ "type": kind, "member": id, "name": name }).to_string()
    }
}

impl Message {
    fn json(&self) -> Value {
        let Self { id, name, text, at, key } = self;
        json!({ "type": "message", "id": id, "name": name, "text": text, "at": at, "key": key })
    }

    pub(crate) fn to_page(&self) -> String {
        self.json().to_string()
    }

    /// What of it goes to Redis, which gives it its number.
    pub(crate) fn body(&self, room: &str) -> String {
        let Self { id: _, name, text, at, key } = self;
        json!({ "type": "message", "room": room, "name": name, "text": text, "at": at, "key": key }).to_string()
    }

    /// As [`Event::parse`] reads it.
    pub(crate) fn line(&self, room: &str) -> String {
        format!("{} {}", self.id, self.body(room))
    }
}

/// The first that a page gets of a room.
pub(crate) fn joined<'m>(
    room: &str,
    you: &Member,
    history: impl Iterator<Item = &'m Message>,
    here: impl Iterator<Item = (&'m String, &'m String)>,
) -> String {
    json!({
        "type": "joined", "room": room, "name": you.name, "member": you.id,
        "welcome": format!("Welcome to {room}, {}.", you.name),
        "history": history.map(Message::json).collect::<Vec<_>>(), "here": members(here),
    })
    .to_string()
}

/// Who is in a room, after the servers have lost sight of each other.
pub(crate) fn here<'m>(here: impl Iterator<Item = (&'m String, &'m String)>) -> String {
    json!({ "type": "here", "here": members(here) }).to_string()
}

fn members<'m>(here: impl Iterator<Item = (&'m String, &'m String)>) -> Vec<Value> {
    here.map(|(member, name)| json!({ "member": member, "name": name })).collect()
}

/// Whether the other servers are in reach.
pub(crate) fn status(is_online: bool) -> String {
    json!({ "type": "status", "online": is_online }).to_string()
}

/// A message that came a second time, and need not be sent again.
pub(crate) fn said(key: &str) -> String {
    json!({ "type": "said", "key": key }).to_string()
}

/// A word to the person.
pub(crate) fn notice(text: &str) -> String {
    json!({ "type": "notice", "text": text }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_cleaned() {
        let join = Request::Join { room: "lobby".into(), name: "Ada L".into() };
        assert_eq!(Request::parse(r#"{"type":"join","room":" lobby","name":"Ada\n L"}"#), Ok(join));
        let say = Request::Say { text: "hi".into(), key: "12345678".into() };
        assert_eq!(Request::parse(r#"{"type":"say","text":"hi\u0007","key":"12345678"}"#), Ok(say));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for json in ["", "1", "null", "[]", "{}", r#"{"type":"dance"}"#, r#"{"type":["say"]}"#] {
            assert!(Request::parse(json).is_err_and(|refusal| refusal.key.is_none()), "{json}");
        }
        assert!(Request::parse(r#"{"type":"join","room":"","name":"Ada"}"#).is_err());
        assert!(Request::parse(r#"{"type":"join","room":"lobby","name":7}"#).is_err());
        assert!(Request::parse(r#"{"type":"say","text":"hi","key":"no key"}"#).is_err());
        let refused = Request::parse(r#"{"type":"say","text":"","key":"12345678"}"#).unwrap_err();
        assert_eq!(refused.key.as_deref(), Some("12345678"));
        assert!(refused.to_page().contains("12345678"));
        assert!(Request::parse(&"[".repeat(16_000)).is_err());
    }

    #[test]
    fn events_come_back_from_redis_as_they_went() {
        let (id, room) = (1_700_000_000_000_001, String::from("lobby"));
        let (name, text) = (String::from("A\"da"), String::from("<script>\n\u{1f600}"));
        let message = Message { id, name, text, at: 7, key: "12345678".into() };
        let line = message.line("lobby");
        assert_eq!(Event::parse(&line), Some(Event { id, room: room.clone(), kind: Kind::Message(message) }));
        let member = Member { id: "server-1".into(), name: "Ada".into() };
        let leave = Event { id: 5, room, kind: Kind::Leave(member) };
        let line = r#"5 {"name":"Ada","type":"leave","member":"server-1","room":"lobby"}"#;
        assert_eq!(Event::parse(line), Some(leave));
    }

    #[test]
    fn what_is_no_event_is_none() {
        for line in ["", "5", "x {}", "5 {}", "5 []", r#"5 {"type":"join","room":"lobby","name":"Ada"}"#] {
            assert_eq!(Event::parse(line), None, "{line}");
        }
        let line = |id: u64, at: u64| {
            format!(r#"{id} {{"type":"message","room":"a","name":"b","text":"c","key":"d","at":{at}}}"#)
        };
        assert!(Event::parse(&line(LAST_ID, LAST_DATE)).is_some());
        assert_eq!(Event::parse(&line(LAST_ID + 1, 0)), None);
        assert_eq!(Event::parse(&line(5, LAST_DATE + 1)), None);
    }
}
