//! The keys of what a query finds, page by page, by a cursor that the server keeps.

use alizarin_core::resp::{Frame, Reader};

use super::QueryWriter;
use super::row::Cell;
use super::scope::{explain, index_name};
use super::send::finish;
use super::stream::rows;
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::{Client, Command, Error, FromReply, Result, Value};

/// How many keys a page has.
const PAGE: usize = 500;

/// Pages of keys. Dropping it gives the server's cursor back, wherever it was.
pub(crate) struct KeyPages {
    client: Client,
    index: String,
    next: Next,
}

enum Next {
    Begin(Command<Page>),
    Read(u64),
    Done,
}

impl KeyPages {
    /// The keys in whatever order the index has them: a document that changes meanwhile may come
    /// again, or not at all.
    pub(crate) fn new<M: RedisModel>(
        repository: &Repository<M>,
        query: &QueryWriter,
        timeout: Option<u64>,
    ) -> Result<KeyPages> {
        KeyPages::with(repository, query, timeout, false)
    }

    /// The keys in their own order. The server puts them in order before it gives the first, so
    /// that each comes once, whatever happens to the documents meanwhile.
    pub(crate) fn sorted<M: RedisModel>(
        repository: &Repository<M>,
        query: &QueryWriter,
        timeout: Option<u64>,
    ) -> Result<KeyPages> {
        KeyPages::with(repository, query, timeout, true)
    }

    fn with<M: RedisModel>(
        repository: &Repository<M>,
        query: &QueryWriter,
        timeout: Option<u64>,
        sorted: bool,
    ) -> Result<KeyPages> {
        let index = index_name(repository)?;
        let mut command = Command::new("FT.AGGREGATE")
            .arg((index.as_str(), query.text()))
            .arg(("LOAD", 1u32, "@__key"));
        if sorted {
            // Without `MAX` the server would keep the first ten only.
            command = command.arg(("SORTBY", 2u32, "@__key", "ASC", "MAX", i32::MAX));
        }
        command = command.arg(("WITHCURSOR", "COUNT", PAGE));
        if let Some(timeout) = timeout {
            command = command.arg(("TIMEOUT", timeout));
        }
        finish(&mut command, query, "2");
        let client = repository.client().steady();
        Ok(KeyPages { client, index, next: Next::Begin(command) })
    }

    /// The next page; `None` at the end. After an error it ends.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>> {
        // A cursor that is being read stays noted, so that it is given back when nobody waits.
        let command = match &mut self.next {
            Next::Begin(_) => match std::mem::replace(&mut self.next, Next::Done) {
                Next::Begin(command) => command,
                _ => return Ok(None),
            },
            Next::Read(cursor) => {
                let read = ("READ", self.index.as_str(), *cursor, "COUNT", PAGE);
                Command::new("FT.CURSOR").arg(read)
            }
            Next::Done => return Ok(None),
        };
        match self.client.run(command).await {
            Ok(Page { keys, cursor }) => {
                self.next = if cursor == 0 { Next::Done } else { Next::Read(cursor) };
                Ok(Some(keys))
            }
            Err(error) => {
                self.release();
                Err(explain(error, &self.index))
            }
        }
    }

    /// The client that has the cursor.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn release(&mut self) {
        if let Next::Read(cursor) = std::mem::replace(&mut self.next, Next::Done) {
            let delete = ("DEL", self.index.as_str(), cursor);
            self.client.fire(Command::<Value>::new("FT.CURSOR").arg(delete));
        }
    }
}

impl Drop for KeyPages {
    fn drop(&mut self) {
        self.release();
    }
}

/// A page of keys, and the cursor for those after it.
struct Page {
    keys: Vec<Vec<u8>>,
    cursor: u64,
}

impl FromReply for Page {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Page> {
        match reader.next()? {
            Frame::Array(2) => {}
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("a page and a cursor", &frame.describe())),
        }
        let mut keys = Vec::new();
        rows(reader, |row| {
            if let Some(Cell::Bytes(key)) = row.cell("__key") {
                keys.push(key.to_vec());
            }
            Ok(())
        })?;
        Ok(Page { keys, cursor: u64::from_reply(reader)? })
    }
}
