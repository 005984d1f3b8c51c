//! What is answered to the first request on a connection: a page, a refusal, or a WebSocket?

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use websocket_proto::handshake::{Asked, OriginPolicy, PageRequest, Request, ServerHandshake};
use websocket_proto::{Connection, HeadError, ReadBuffer};

use crate::limits::Seat;
use crate::token::{COOKIE, SUBPROTOCOL};
use crate::{Failure, Server};

/// Octets to ask the stream for at a time.
pub(crate) const READ: usize = 4096;

/// How long to wait for a peer to end its half of the stream.
const LINGER: Duration = Duration::from_secs(1);

/// Nothing but what this server has; nothing in the text of a page runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Reads the request and answers it; `None` if it was for something else than a WebSocket, or refused.
pub(crate) fn open(
    server: &Server,
    stream: &TcpStream,
    seat: &mut Seat,
    deadline: Option<Duration>,
) -> Result<Option<(Connection, ReadBuffer, Vec<u8>)>, Failure> {
    let mut handshake = ServerHandshake::new(&server.config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let answered = loop {
        match handshake.receive_any(&mut input, &mut output) {
            Ok(Some(Asked::WebSocket(request))) => break judge(server, seat, request, &mut output)?,
            Ok(Some(Asked::Page(request))) => {
                page(server, request, &mut output)?;
                break None;
            }
            Ok(None) => {}
            Err(_) => break None, // the answer that says what is wrong is in the output
        }
        if read_until(server, deadline, stream, &mut input)? == 0 {
            handshake.receive_eof()?;
        }
    };
    stream.set_read_timeout(None)?;
    if answered.is_none() {
        stream.set_write_timeout(Some(LINGER))?;
        (&*stream).write_all(&output)?;
        finish(stream);
    }
    Ok(answered.map(|ws| (ws, input, output)))
}

/// Whether this request is given a WebSocket.
fn judge(
    server: &Server,
    seat: &mut Seat,
    request: Request<'_>,
    output: &mut Vec<u8>,
) -> Result<Option<Connection>, HeadError> {
    let refused = if request.path() != "/ws" {
        Some((404, "there is no WebSocket here"))
    } else if !is_at_home(server, &request) {
        Some((403, "this page may not connect here"))
    } else if !server.token.is_in(&request) {
        Some((401, "the token is missing or wrong"))
    } else if !server.hub.is_online() {
        Some((503, "the other servers cannot be reached"))
    } else if !seat.open() {
        Some((429, "too many connections from this address"))
    } else {
        None
    };
    if let Some((status, why)) = refused {
        let rejection = request.reject(status).header("Content-Type", "text/plain").body(why.as_bytes());
        match status {
            401 => rejection.header("WWW-Authenticate", "Bearer").send(output)?,
            429 | 503 => rejection.header("Retry-After", "10").send(output)?,
            _ => rejection.send(output)?,
        }
        return Ok(None);
    }
    match request.select_subprotocol(&[SUBPROTOCOL]) {
        Some(name) => request.accept().subprotocol(name).send(output).map(Some),
        None => request.accept().send(output).map(Some),
    }
}

/// Whether the request comes from a page of ours, or from a program that is no browser.
fn is_at_home(server: &Server, request: &Request<'_>) -> bool {
    let own = |scheme| format!("{scheme}://{}", request.authority());
    match &server.origins {
        Some(listed) => listed.allows(request.origin()),
        None => {
            OriginPolicy::new([own("http"), own("https")]).is_ok_and(|own| own.allow_absent().allows(request.origin()))
        }
    }
}

/// Answers a GET that is for no WebSocket.
fn page(server: &Server, request: PageRequest<'_>, output: &mut Vec<u8>) -> Result<(), HeadError> {
    let (path, query) = (request.path(), request.query());
    let answer = |status| {
        request
            .answer(status)
            .header("Cache-Control", "no-store")
            .header("Content-Security-Policy", POLICY)
            .header("Referrer-Policy", "no-referrer")
            .header("X-Content-Type-Options", "nosniff")
    };
    let (kind, body) = match path {
        "/" if server.token.is_in_query(query) => {
            // from now on the browser shows the token by itself, and no address that is passed on has it
            let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/", server.token.as_str());
            return answer(303).header("Location", "/").header("Set-Cookie", cookie).send(output);
        }
        "/" => ("text/html", include_str!("../page/index.html")),
        "/chat.css" => ("text/css", include_str!("../page/chat.css")),
        "/chat.js" => ("text/javascript", include_str!("../page/chat.js")),
        _ => return answer(404).header("Content-Type", "text/plain").body(b"there is nothing here\n").send(output),
    };
    answer(200).header("Content-Type", format!("{kind}; charset=utf-8")).body(body.as_bytes()).send(output)
}

/// One read, which has to be over at some time.
fn read_until(
    server: &Server,
    deadline: Option<Duration>,
    stream: &TcpStream,
    input: &mut ReadBuffer,
) -> io::Result<usize> {
    let left = deadline.map(|deadline| deadline.saturating_sub(server.now()));
    if left == Some(Duration::ZERO) {
        return Err(io::Error::new(ErrorKind::TimedOut, "the request takes too long"));
    }
    stream.set_read_timeout(left)?;
    read(stream, input)
}

/// Reads what is there into the buffer; 0 at the end of the stream.
pub(crate) fn read(mut stream: &TcpStream, input: &mut ReadBuffer) -> io::Result<usize> {
    loop {
        match stream.read(input.room(READ)) {
            Ok(n) => {
                input.filled(n);
                return Ok(n);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ends the stream such that what was written last arrives: a reset, for octets that nobody read, could overtake it.
pub(crate) fn finish(mut stream: &TcpStream) {
    let end = Instant::now() + LINGER;
    let mut discarded = [0; READ];
    let _ = stream.shutdown(Shutdown::Write);
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        let read = stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut discarded));
        if !matches!(read, Ok(n) if n > 0) {
            return;
        }
    }
}
