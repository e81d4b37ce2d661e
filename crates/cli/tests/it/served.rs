//! A real server beside a home, which may be killed and started again; and one that is not ours.

use crate::program::Home;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// `tacho serve` on the data folder of a home.
pub(crate) struct Served {
    child: Child,
    /// Its address.
    pub(crate) url: String,
}

impl Served {
    /// Starts one on a port of its own choice.
    pub(crate) fn start(home: &Home) -> Self {
        Self::with(home, &["--listen", "127.0.0.1:0"])
    }

    /// Starts one with these options.
    pub(crate) fn with(home: &Home, options: &[&str]) -> Self {
        Self::of(home.command(&[&["serve"], options].concat()), "Listening on ").0
    }

    /// Starts a program that says where it serves behind `mark`; and what it says after that.
    pub(crate) fn of(mut command: Command, mark: &str) -> (Self, Receiver<String>) {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, receiver) = channel();
        // Read to its end, so that the server never waits for somebody to read.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut said = Vec::new();
        let url = loop {
            let line = receiver.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("the server ended: {said:?}"));
            match line.strip_prefix(mark) {
                Some(url) => break url.to_owned(),
                None => said.push(line),
            }
        };
        (Self { child, url }, receiver)
    }

    /// The port that it listens at.
    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Its number among the processes.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, after it was killed.
    pub(crate) fn again(home: &Home, port: u16) -> Self {
        Self::with(home, &["--listen", &format!("127.0.0.1:{port}")])
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Something between a client and a server that lets the first answer to a request that holds
/// `mark` get lost: the server has done what it was asked, and the client does not know.
pub(crate) fn losing_one_answer(to: u16, mark: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut is_lost = false;
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            if pass(client, server, mark, is_lost) {
                is_lost = true;
            }
        }
    });
    port
}

/// Passes on what both say; whether an answer was lost.
fn pass(mut client: TcpStream, mut server: TcpStream, mark: &str, is_lost: bool) -> bool {
    let mut block = vec![0; 1 << 16];
    let mut request = Vec::new();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    if is_lost {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
        });
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut server, &mut client);
        });
        return false;
    }
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    loop {
        match client.read(&mut block) {
            Ok(0) => return false,
            Ok(count) => {
                server.write_all(&block[..count]).unwrap();
                request.extend_from_slice(&block[..count]);
            }
            // It waits for the answer.
            Err(_) if !request.is_empty() => break,
            Err(_) => {}
        }
    }
    let count = server.read(&mut block).unwrap();
    let is_marked = String::from_utf8_lossy(&request).contains(mark);
    if !is_marked {
        client.write_all(&block[..count]).unwrap();
    }
    is_marked
}

/// A server that answers the first requests as it is told, and then passes everything on.
pub(crate) fn answering_first(answers: &'static [&'static str], to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (number, mut client) in listener.incoming().map_while(Result::ok).enumerate() {
            let Some(answer) = answers.get(number) else {
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                pass(client, server, "", true);
                continue;
            };
            client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let mut block = vec![0; 1 << 16];
            while client.read(&mut block).is_ok_and(|count| count > 0) {}
            let _ = client.write_all(answer.as_bytes());
        }
    });
    port
}
