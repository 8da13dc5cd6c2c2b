//! An app without a browser on the same cart: `native-cart URL KEY`, the customer's token in `HILO_USER_TOKEN`.
//!
//! In: one act a line (`add ID N`, `set ID N`, `dec ID N`, `remove ID`, `offline`, `online`, `show`, `end`). Out: for `show`
//! the lines as JSON. The replica is the page's; only the sending differs, which is `hub.rs`.

mod hub;

use std::io::BufRead as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::{Duration, Instant};

use hilo_core::cart::{LineInfo, LineKey, ReplicaId};
use hilo_core::money::Currency;
use hilo_tracker::cart::sync::Next;
use hilo_tracker::cart::{Act, Identity, Replica};
use hub::{Answer, Hub};

/// How long acts are collected before they are sent.
const PAUSE: Duration = Duration::from_millis(250);
/// After how many pauses the hub is asked for news.
const POLL_EVERY: u32 = 4;

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err(
            "usage: native-cart URL KEY, with HILO_USER_TOKEN in the environment".to_owned()
        );
    };
    let token = std::env::var("HILO_USER_TOKEN").map_err(|_| "HILO_USER_TOKEN is not set")?;
    let mut client = Client {
        replica: Replica::new(Box::new(mint)),
        hub: Hub::new(&url, &key, &token),
        is_online: true,
        must_ask: true,
    };
    let (lines, acts) = channel();
    spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
    });
    let (mut turn, mut speaks_at) = (0, Instant::now() + PAUSE);
    loop {
        // By the clock, not by silence: acts without a pause must not delay the messages.
        match acts.recv_timeout(speaks_at.saturating_duration_since(Instant::now())) {
            Ok(line) if line == "end" => return Ok(()),
            Ok(line) => client.act(&line)?,
            Err(RecvTimeoutError::Timeout) => {
                turn += 1;
                client.must_ask |= turn % POLL_EVERY == 0;
                client.speak();
                speaks_at = Instant::now() + PAUSE;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// The replica and its way to the hub.
struct Client {
    replica: Replica,
    hub: Hub,
    is_online: bool,
    must_ask: bool,
}

impl Client {
    fn act(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        let (verb, id) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let units: u32 = words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
        let act = match verb {
            "add" => Act::Add(units),
            "set" => Act::Set(units),
            "dec" => Act::Dec(units),
            "remove" => Act::Set(0),
            "offline" | "online" => {
                self.is_online = verb == "online";
                return Ok(());
            }
            "show" => {
                self.show();
                return Ok(());
            }
            _ => return Err(format!("there is no act \"{verb}\"")),
        };
        let currency = Currency::parse("EUR").ok_or("EUR is a currency")?;
        let line = LineKey { variant: id.to_owned(), options_hash: 0, currency };
        self.replica
            .act(&line, act, &LineInfo::default(), true)
            .map_err(|refusal| refusal.code().to_owned())
    }

    /// Sends the operations that wait and learns what is new, until nothing is left to send.
    fn speak(&mut self) {
        while self.is_online {
            let next = if self.must_ask {
                self.must_ask = false;
                let answer = self.hub.ask(self.replica.position());
                self.hear(answer, false)
            } else if let Some(message) = self.replica.message() {
                let answer = self.hub.send(&message);
                self.hear(answer, true)
            } else {
                return;
            };
            match next {
                Next::Go => {}
                Next::Ask => self.must_ask = true,
                Next::Wait => return,
            }
        }
    }

    fn hear(&mut self, answer: Answer, was_message: bool) -> Next {
        match answer {
            Answer::View(view) => self.replica.learn(view),
            Answer::Refused(why) if was_message => self.replica.learn_refusal(why),
            Answer::Refused(_) => Next::Wait,
            Answer::Nothing => {
                // The message may have arrived or not. The next one is the same message, and the hub counts it once.
                self.must_ask |= !was_message;
                Next::Wait
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "the program's answer to `show`")]
    fn show(&self) {
        let shown = self.replica.shown().shown();
        let lines: Vec<_> = shown.map(|(line, quantity)| (&line.variant, quantity)).collect();
        let (waiting, lost) = (self.replica.waiting(), self.replica.lost());
        println!("{}", serde_json::json!({"lines": lines, "waiting": waiting, "lost": lost}));
    }
}

/// A new writer. The system seeds each instance of the standard library's hasher.
fn mint() -> Identity {
    use std::hash::{BuildHasher as _, RandomState};
    let random = || RandomState::new().hash_one(Instant::now());
    Identity {
        replica: ReplicaId(random().max(1)),
        token: format!("{:016x}{:016x}", random(), random()),
    }
}
