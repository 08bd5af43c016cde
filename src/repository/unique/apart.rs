//! Writes on a cluster, where reservations lie in other slots than the document.
//!
//! No step is atomic with another one, so each is safe by itself, and what a crash leaves is mended
//! by the next write that meets it:
//!
//! 1. Read what the document's fields hold, and its *claims' word*: a random word beside the
//!    document, in its slot.
//! 2. Reserve the new values: each reservation names the document and a token. One of another
//!    document stands when that document has the value. When it has not, the reservation is stale,
//!    or that document's write is on its way: for a second it is waited for; later the other
//!    document's claims' word is changed, in the same step that sees that it lacks the value, and
//!    the reservation replaced, if it is still the same.
//! 3. Write the document, if the claims' word and the fields are what was read. A write of which
//!    reservations were taken away, or that another one outran, thereby does not take place, and
//!    starts again. A write that changes unique fields changes the word in the same step.
//! 4. Give back what the old values had reserved, if the reservation is still the one that was
//!    there in step 2.
//!
//! So at all times a value that a document has is reserved for it: nobody takes a reservation away
//! without seeing, in the document's slot, that the document lacks the value, and without stopping
//! in that same step all writes that might still give it the value. No clock is trusted for that.

use std::time::Duration;

use tokio::time::Instant;

use super::constraint::{Change, Constraints, Values, owner};
use super::taken;
use crate::model::UniqueSchema;
use crate::repository::failure::explain;
use crate::repository::lock::{companion, has_tag, token};
use crate::repository::script::{Call, RESERVE, UNIQUE_READ, UNIQUE_VERIFY, UNLOCK};
use crate::repository::update::pause;
use crate::{Client, Error, ErrorKind, FromReply, Result, Sent, ServerCode};

/// How often a write starts again that others outran.
const ATTEMPTS: u32 = 64;

/// For how long a reservation whose document lacks the value is taken for that of a write on its way.
const GRACE: Duration = Duration::from_secs(1);

/// For how long reservations that others make again and again are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A write of one document whose reservations lie elsewhere.
#[derive(Debug)]
pub(crate) struct Apart {
    pub(crate) constraints: Constraints,
    pub(crate) document: String,
    /// What the whole document does to the fields, and what parts of it do: of both, parts are
    /// written where the document exists.
    whole: Option<Vec<Change>>,
    part: Option<Vec<Change>>,
}

/// What step 1 read.
struct Seen {
    word: String,
    time: String,
    digest: String,
    there: bool,
    values: Values,
}

/// A reservation, and what it held.
struct Reserved {
    key: String,
    record: String,
}

impl Apart {
    /// Adds to a write or deletion what it does to unique fields; where the reservations lie in other
    /// slots, it becomes one of several steps.
    pub(crate) fn put_into(
        call: &mut Call,
        constraints: Constraints,
        document: String,
        whole: Option<Vec<Change>>,
        part: Option<Vec<Change>>,
    ) {
        constraints.write_to(call);
        for (name, changes) in [("values", &whole), ("parts", &part)] {
            if let Some(changes) = changes {
                let texts: Vec<Vec<u8>> = changes.iter().map(Change::text).collect();
                call.section(name, &texts);
            }
        }
        if constraints.apart {
            call.set_apart(Apart { constraints, document, whole, part });
        }
    }

    fn changes(&self, there: bool) -> &[Change] {
        match (&self.whole, &self.part) {
            (Some(whole), Some(_)) if !there => whole,
            (_, Some(part)) => part,
            (Some(whole), None) => whole,
            (None, None) => &[],
        }
    }

    /// Does it; `call` is the write's script without what is found out here.
    pub(crate) async fn write<R: FromReply>(&self, client: &Client, call: &Call) -> Result<R> {
        check(&self.document)?;
        for attempt in 1.. {
            match self.attempt(client, call).await {
                Err(error) if moved(&error) && attempt < ATTEMPTS => {
                    tracing::debug!(document = self.document, attempt, "unique fields: again");
                    client.pause(pause(attempt)).await;
                }
                Err(error) if moved(&error) => {
                    let message = format!(
                        "the unique fields of `{}` were changed by others in all {ATTEMPTS} attempts; \
                         nothing was written",
                        self.document
                    );
                    return Err(Error::new(ErrorKind::Conflict, message)
                        .with_sent(Sent::Yes)
                        .with_source(error));
                }
                outcome => return outcome.map_err(|error| explain(error, &self.document)),
            }
        }
        Err(Error::new(ErrorKind::Conflict, "no attempt was made"))
    }

    async fn attempt<R: FromReply>(&self, client: &Client, call: &Call) -> Result<R> {
        let (constraints, document) = (&self.constraints, &self.document);
        let seen = read(client, constraints, document).await?;
        let after = constraints.after(&seen.values, self.changes(seen.there));
        let (mut made, mut old) = (Vec::new(), Vec::new());
        let outcome = async {
            let token = token()?;
            for one in constraints.all {
                let from = constraints.reservation(one, &seen.values);
                let to = constraints.reservation(one, &after);
                let moves = from != to;
                if let Some(to) = to {
                    let claim = Claim { constraints, one, key: &to, document };
                    let record = claim.make(client, &token, moves).await?;
                    if moves {
                        made.push((one, Reserved { key: to, record }));
                    }
                }
                if let Some(key) = from.filter(|_| moves) {
                    let command = crate::commands::get::<Option<String>>(&key);
                    if let Some(record) = client.run(command).await? {
                        old.push(Reserved { key, record });
                    }
                }
            }
            let mut call = call.clone();
            let number = call.key(claims(constraints, document)).to_string();
            call.section("apart", &[&number, &seen.word, &seen.digest, &seen.time, &token]);
            call.run_once(client).await
        }
        .await;
        if outcome.is_ok() {
            for old in old.iter().filter(|old| owner(&old.record) == Some(document)) {
                // Should it fail, whoever wants the value finds that the document lacks it.
                let _ = give_back(client, old).await;
            }
        } else {
            for (one, made) in &made {
                let claim = Claim { constraints, one, key: &made.key, document };
                // Should it fail, the same holds.
                if let Ok(false) = claim.verify(client, document, true).await {
                    let _ = give_back(client, made).await;
                }
            }
        }
        outcome
    }
}

/// The reservation of one value for one document.
pub(crate) struct Claim<'a> {
    pub(crate) constraints: &'a Constraints,
    pub(crate) one: &'a UniqueSchema,
    /// The reservation.
    pub(crate) key: &'a str,
    pub(crate) document: &'a str,
}

impl Claim<'_> {
    /// Reserves it; gives what the reservation holds now. One that the document has already stays
    /// as it is, unless the value is new for the document: then no other write of it relies on it.
    ///
    /// # Errors
    /// `Taken` when another document has the value.
    pub(crate) async fn make(&self, client: &Client, token: &str, new: bool) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut replaced = String::new();
        for attempt in 1u32.. {
            let mut call = Call::new(&RESERVE, self.key);
            call.arg(self.document).arg(token).arg(if new { "take" } else { "keep" });
            call.arg(&replaced);
            let reply: Vec<String> = call.run_once(client).await?;
            let mut reply = reply.into_iter();
            let record = reply.next().unwrap_or_default();
            let Some(age) = reply.next() else { return Ok(record) };
            let Some(other) = owner(&record) else {
                let message = format!("`{}` holds no reservation", self.key);
                return Err(Error::new(ErrorKind::Decode, message).with_sent(Sent::Yes));
            };
            let late = Instant::now() >= deadline;
            let stale = late || age.parse().is_ok_and(|age: u64| age >= GRACE.as_millis() as u64);
            if self.verify(client, other, stale).await? {
                return Err(taken(self.constraints.model, self.one.name, other));
            }
            if stale {
                replaced = record;
            } else {
                client.pause(pause(attempt).max(Duration::from_millis(1))).await;
            }
        }
        Err(Error::new(ErrorKind::Conflict, "no attempt was made"))
    }

    /// Whether `document` has the value. If not, and `stop` says so, no write of it that was
    /// prepared before takes place any more.
    pub(crate) async fn verify(&self, client: &Client, document: &str, stop: bool) -> Result<bool> {
        check(document)?;
        let mut call = Call::new(&UNIQUE_VERIFY, document);
        call.key(claims(self.constraints, document));
        self.constraints.write_one(&mut call, self.one);
        let word = if stop { token()? } else { String::new() };
        call.section("verify", &["1", self.key, &word]);
        match call.run_once(client).await.map_err(|error| explain(error, document)) {
            // Whatever took the document's place is none of this model, and has no such value.
            Err(error) if error.server_code() == Some(ServerCode::WrongType) => Ok(false),
            outcome => outcome,
        }
    }
}

/// Removes a reservation, if it is still the same.
async fn give_back(client: &Client, reserved: &Reserved) -> Result<bool> {
    let mut call = Call::new(&UNLOCK, &reserved.key);
    call.arg(&reserved.record);
    call.run_once(client).await
}

/// Removes a stale reservation that is old enough, and says whether there was one.
pub(crate) async fn sweep(
    client: &Client,
    claim: &Claim<'_>,
    record: &str,
    dry: bool,
) -> Result<bool> {
    if claim.verify(client, claim.document, false).await? {
        return Ok(false);
    }
    if dry {
        return Ok(true);
    }
    if claim.verify(client, claim.document, true).await? {
        return Ok(false);
    }
    let reserved = Reserved { key: claim.key.to_owned(), record: record.to_owned() };
    give_back(client, &reserved).await
}

async fn read(client: &Client, constraints: &Constraints, document: &str) -> Result<Seen> {
    let mut call = Call::new(&UNIQUE_READ, document);
    call.key(claims(constraints, document));
    constraints.write_all(&mut call);
    let reply: Vec<Option<Vec<u8>>> =
        call.run_once(client).await.map_err(|error| explain(error, document))?;
    let mut reply = reply.into_iter();
    let mut text = || reply.next().flatten().and_then(|text| String::from_utf8(text).ok());
    let (Some(word), Some(time), Some(digest), Some(there)) = (text(), text(), text(), text())
    else {
        return Err(Error::decode("what unique fields hold", "something else"));
    };
    Ok(Seen { word, time, digest, there: there == "1", values: reply.collect() })
}

/// What a document's unique fields hold.
pub(crate) async fn values(
    client: &Client,
    constraints: &Constraints,
    document: &str,
) -> Result<Values> {
    read(client, constraints, document).await.map(|seen| seen.values)
}

/// The key of a document's claims' word.
fn claims(constraints: &Constraints, document: &str) -> String {
    companion(&constraints.namespace, "claims", document)
}

/// Refuses documents that nothing can lie beside.
fn check(document: &str) -> Result<()> {
    if has_tag(document) || !document.contains('}') {
        return Ok(());
    }
    let text = format!(
        "the key `{document}` has a brace that is no hash tag: on a cluster its unique fields cannot \
         be written, since nothing can lie beside it"
    );
    Err(Error::new(ErrorKind::Value, text))
}

/// Whether another write was faster.
fn moved(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(_)) && error.message().contains("ALZMOVED")
}
