//! The client: opens a WebSocket, has messages echoed, and closes.

use std::iter;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{Ping, PingPong};
use tokio::net::TcpStream;
use tokio::time::timeout;
use websocket_proto::handshake::{Answer, ClientRequest, ErrorCode, ExtendedConnect, Uri};
use websocket_proto::{CloseCode, Config, Message};

use crate::Failure;
use crate::stream::Stream;

/// How long all may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lengths of the messages.
const LENGTHS: [usize; 6] = [0, 1, 125, 126, 65536, 1 << 20];

/// Opens one connection of HTTP/2 for one WebSocket. Fails unless each message is echoed and the close is clean.
pub(crate) async fn connect(url: &str) -> Result<(), Failure> {
    let uri = Uri::parse(url)?;
    timeout(PATIENCE, async {
        let tcp = TcpStream::connect((uri.host(), uri.port())).await?;
        tcp.set_nodelay(true)?;
        let (requests, mut connection) = h2::client::handshake(tcp).await?;
        let pings = connection.ping_pong().ok_or("the pings are somebody else's")?;
        let connection = tokio::spawn(connection);
        let talked = talk(&uri, requests, pings).await;
        let sent = connection.await?; // which ends when all handles are gone and what they had to send is sent
        talked?;
        Ok(sent?)
    })
    .await?
}

/// All that is done on the connection.
async fn talk(uri: &Uri, requests: SendRequest<Bytes>, pings: PingPong) -> Result<(), Failure> {
    let mut stream = open(uri, requests, pings).await?;
    let outcome = converse(&mut stream).await;
    stream.end().await;
    outcome
}

/// Opens a WebSocket on a stream, if the server allows that.
async fn open(uri: &Uri, requests: SendRequest<Bytes>, mut pings: PingPong) -> Result<Stream, Failure> {
    // its settings are the first that a server sends: when the answer to a ping is there, so are they
    pings.ping(Ping::opaque()).await?;
    let setting = ExtendedConnect::from(requests.is_extended_connect_protocol_enabled());
    let request = ClientRequest::new(uri).subprotocol("chat");
    let (head, mut handshake) = request.extended_connect(setting, &Config::default())?;
    let request = head.to_http(Protocol::from_static(ExtendedConnect::PROTOCOL))?;
    let (response, mut sender) = requests.ready().await?.send_request(request, false)?;
    let response = response.await?;
    let ws = match handshake.receive_http(&response) {
        Ok(Some(Answer::Accepted { connection, response, .. })) => {
            println!("accepted, subprotocol {:?}", response.subprotocol());
            connection
        }
        Ok(Some(Answer::Rejected { response, .. })) => {
            return Err(format!("rejected with status {}", response.status()).into());
        }
        Ok(None) => return Err("an interim response".into()), // h2 keeps those to itself
        Err(error) => {
            sender.send_reset(ErrorCode::from(error).http2().into());
            return Err(error.into());
        }
    };
    Ok(Stream::new(ws, response.into_body(), sender))
}

/// Sends messages, each to be echoed, and a ping; then closes.
async fn converse(stream: &mut Stream) -> Result<(), Failure> {
    for length in LENGTHS {
        let text = text(length);
        stream.ws.send_text(&text, &mut stream.output)?;
        expect(stream, &Message::Text(text.as_str().into())).await?;
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        stream.ws.send_binary(&data, &mut stream.output)?;
        expect(stream, &Message::Binary(data.into())).await?;
    }
    stream.ws.send_ping(b"are you there?", &mut stream.output)?;
    expect(stream, &Message::Pong(Bytes::from_static(b"are you there?"))).await?;
    stream.ws.close(CloseCode::NORMAL, "", &mut stream.output)?;
    while stream.receive().await?.is_some() {}
    match stream.ws.close_outcome() {
        Some(end) if end.clean && end.received == CloseCode::NORMAL => {
            println!("echoed and closed");
            Ok(())
        }
        end => Err(format!("not a clean end: {end:?}").into()),
    }
}

/// Waits for this message, over pings, which are answered by themselves.
async fn expect(stream: &mut Stream, expected: &Message) -> Result<(), Failure> {
    loop {
        match stream.receive().await? {
            Some(Message::Ping(_)) => {}
            Some(message) if message == *expected => return Ok(()),
            Some(_) => return Err("not what was sent came back".into()),
            None => return Err(format!("the server closed: {:?}", stream.ws.close_outcome()).into()),
        }
    }
}

/// Characters of one to four octets, so many octets in all.
fn text(length: usize) -> String {
    let text = "aé€😀".repeat(length / 10);
    let rest = length - text.len();
    text.chars().chain(iter::repeat_n('x', rest)).collect()
}
