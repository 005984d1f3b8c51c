//! A WebSocket over HTTP/2 (RFC 8441), both ends, on `websocket_proto` and `h2`; `http2.mjs` judges it.

mod connect;
mod serve;
mod stream;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use tokio::runtime::Builder;
use websocket_proto::HeadError;

const USAGE: &str = "\
usage: interop-http2 serve         an echo server on a free port of 127.0.0.1, in plain text
       interop-http2 connect URL   opens the ws: URL, has messages echoed, and closes

exit status: 0 all well, 1 a failure, 2 this text, 3 the server does not allow an extended CONNECT
";

/// What ends the work on a connection or a stream.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let work = async {
        match args[..] {
            ["serve"] => serve::serve().await,
            ["connect", url] => connect::connect(url).await,
            _ => Err(USAGE.into()),
        }
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let Err(failure) = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(work)) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{failure}");
    match failure.downcast_ref() {
        Some(HeadError::ExtendedConnectDisabled) => ExitCode::from(3),
        _ if failure.to_string() == USAGE => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}
