//! The server: judges requests, and echoes.

use bytes::Bytes;
use h2::RecvStream;
use h2::ext::Protocol;
use h2::server::{Builder, SendResponse};
use http::Request as HttpRequest;
use tokio::net::{TcpListener, TcpStream};
use websocket_proto::handshake::Request;
use websocket_proto::{Config, Message};

use crate::Failure;
use crate::stream::Stream;

/// Serves until the program is ended from outside.
pub(crate) async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (tcp, _) = listener.accept().await?;
        tokio::spawn(async {
            if let Err(failure) = connection(tcp).await {
                eprintln!("connection: {failure}");
            }
        });
    }
}

/// One connection of HTTP/2: a task for each of its streams.
async fn connection(tcp: TcpStream) -> Result<(), Failure> {
    tcp.set_nodelay(true)?;
    let mut http = Builder::new().enable_connect_protocol().handshake(tcp).await?;
    while let Some(accepted) = http.accept().await {
        let (request, respond) = accepted?;
        tokio::spawn(async {
            match answer(request, respond).await {
                Ok(line) => println!("{line}"),
                Err(failure) => println!("failed: {failure}"),
            }
        });
    }
    Ok(())
}

/// One stream, from its request to its end; gives a line that says how it went.
async fn answer(request: HttpRequest<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<String, Failure> {
    let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
    let (head, ws) = match Request::from_http(&request, protocol, &Config::default()) {
        Ok(asked) => match asked.select_subprotocol(&["chat"]) {
            Some(name) => asked.accept().subprotocol(name).respond()?,
            None => asked.accept().respond()?,
        },
        Err(refusal) => {
            respond.send_response(refusal.response().to_http()?, true)?;
            return Ok(format!("refused: {refusal}"));
        }
    };
    let sender = respond.send_response(head.to_http()?, false)?;
    let mut stream = Stream::new(ws, request.into_body(), sender);
    let echoed = echo(&mut stream).await;
    let outcome = stream.ws.close_outcome();
    stream.end().await;
    echoed?;
    let end = outcome.ok_or("not at an end")?;
    let how = if end.clean { "clean" } else { "not clean" };
    Ok(format!("closed {how}, sent {}, received {}", end.sent, end.received))
}

/// Sends back each message. Pings and the Close are answered by themselves.
async fn echo(stream: &mut Stream) -> Result<(), Failure> {
    while let Some(message) = stream.receive().await? {
        match message {
            Message::Text(text) => stream.ws.send_text(&text, &mut stream.output)?,
            Message::Binary(data) => stream.ws.send_binary(&data, &mut stream.output)?,
            _ => {}
        }
    }
    Ok(())
}
