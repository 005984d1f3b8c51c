//! The server under load, in a process of its own: which has as many files to open, and can be ended and weighed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{self, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use websocket_proto::Event;

use super::Failure;
use super::blocking::Socket;

/// How long the server may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Killed when it is dropped.
pub(super) struct Child {
    process: process::Child,
    pub(super) address: SocketAddr,
}

impl Child {
    /// Starts this very program as a server; with port 0, on any that is free.
    pub(super) fn start(port: u16, flags: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--listen", &format!("127.0.0.1:{port}")]).args(flags);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let read = process.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let mut child = Self { process, address: ([127, 0, 0, 1], port).into() };
        read.transpose()?;
        let address = line.trim().strip_prefix("listening on ws://").ok_or("the server does not listen")?;
        child.address = address.parse()?;
        Ok(child)
    }

    /// Its figures, once they are as expected; or those that they were when the time was up.
    pub(super) fn figures_when(&self, is_so: impl Fn(&Figures) -> bool) -> Result<Figures, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let figures = figures(self.address)?;
            if is_so(&figures) || Instant::now() >= deadline {
                return Ok(figures);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) -> Result<(), Failure> {
        Ok(kill(Pid::from_raw(self.process.id().try_into()?), Signal::SIGTERM)?)
    }

    /// How it has ended.
    pub(super) fn wait(&mut self) -> Result<ExitStatus, Failure> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.process.try_wait()? {
                Some(status) => return Ok(status),
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
        Err("the server does not end".into())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the path `/stats` gives.
#[derive(Debug, Default)]
pub(super) struct Figures(HashMap<String, u64>);

impl Figures {
    pub(super) fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

/// What the server says of itself.
pub(super) fn figures(address: SocketAddr) -> Result<Figures, Failure> {
    let mut socket = Socket::open(address, "/stats")?;
    let mut text = String::new();
    while let Some(()) = socket.receive(|event| {
        if let Event::Text(figures) = event {
            figures.clone_into(&mut text);
        }
    })? {}
    let figures = text.split(' ').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Ok(Figures(figures.collect()))
}
