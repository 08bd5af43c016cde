//! What can be executed: one command, a pipeline, a transaction.

use crate::command::{Batch, Command, Encoded, Flags, Replies, check, is_blocking};
use crate::error::Result;
use crate::resp::{FromReply, Packed, Reader};

use super::outbox::Wire;

/// Something that travels in one piece and is answered in one piece.
pub trait Work {
    /// What it decodes to.
    type Reply;

    #[doc(hidden)]
    fn wire(&self) -> Wire<'_>;

    /// What a cluster's client routes it by.
    #[doc(hidden)]
    fn route(&self) -> Route<'_>;

    #[doc(hidden)]
    fn name(&self) -> String;

    #[doc(hidden)]
    fn is_repeatable(&self) -> bool;

    #[doc(hidden)]
    fn is_blocking(&self) -> bool {
        false
    }

    /// Refuses what must not run on a shared connection.
    #[doc(hidden)]
    fn check(&self) -> Result<()>;

    #[doc(hidden)]
    fn decode(&self, reader: &mut Reader<'_>) -> Result<Self::Reply>;
}

impl<R: FromReply> Work for Command<R> {
    type Reply = R;

    #[inline]
    fn wire(&self) -> Wire<'_> {
        Wire::One(self.packed())
    }

    #[inline]
    fn route(&self) -> Route<'_> {
        Route::Command(self.packed(), self.known_flags())
    }

    fn name(&self) -> String {
        self.packed().name()
    }

    fn is_repeatable(&self) -> bool {
        self.known_flags().is_repeatable()
    }

    #[inline]
    fn is_blocking(&self) -> bool {
        is_blocking(self.packed(), self.known_flags())
    }

    #[inline]
    fn check(&self) -> Result<()> {
        check(self.packed(), self.known_flags())
    }

    #[inline]
    fn decode(&self, reader: &mut Reader<'_>) -> Result<R> {
        Command::decode(self, reader)
    }
}

/// What is to be routed.
#[doc(hidden)]
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "private in all but name")]
pub enum Route<'a> {
    /// One command.
    Command(&'a Packed, Flags),
    /// Several, each for itself.
    Pipeline(&'a Encoded),
    /// Several for one node.
    Transaction(&'a Encoded),
}

/// Several commands in one write, their replies in one read.
#[derive(Debug)]
pub struct Pipeline<P> {
    encoded: Encoded,
    replies: P,
}

/// Several commands between `MULTI` and `EXEC`, in one write.
#[derive(Debug)]
pub struct Transaction<P> {
    encoded: Encoded,
    replies: P,
}

impl<P: Replies> Pipeline<P> {
    /// With `routed`, notes what each command is routed by.
    pub(crate) fn new(batch: impl Batch<Replies = P>, routed: bool) -> Pipeline<P> {
        let mut encoded = Encoded::new(routed);
        let replies = batch.encode(&mut encoded);
        encoded.close();
        Pipeline { encoded, replies }
    }
}

impl<P: Replies> Transaction<P> {
    /// With `routed`, notes what each command is routed by.
    pub(crate) fn new(batch: impl Batch<Replies = P>, routed: bool) -> Transaction<P> {
        let mut encoded = Encoded::new(routed);
        encoded.word("MULTI");
        let replies = batch.encode(&mut encoded);
        encoded.word("EXEC");
        encoded.close();
        Transaction { encoded, replies }
    }
}

macro_rules! batches {
    ($($type:ident $name:literal $decode:ident)+) => {$(
        impl<P: Replies> Work for $type<P> {
            type Reply = P::Reply;

            fn wire(&self) -> Wire<'_> {
                Wire::Many { bytes: self.encoded.view(), frames: self.encoded.frames() }
            }

            fn route(&self) -> Route<'_> {
                Route::$type(&self.encoded)
            }

            fn name(&self) -> String {
                $name.to_owned()
            }

            fn is_repeatable(&self) -> bool {
                self.encoded.is_repeatable()
            }

            fn check(&self) -> Result<()> {
                self.encoded.check()
            }

            fn decode(&self, reader: &mut Reader<'_>) -> Result<P::Reply> {
                self.replies.$decode(&self.encoded, reader)
            }
        }
    )+};
}

batches! {
    Pipeline "pipeline" decode
    Transaction "transaction" decode_transaction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_changes_the_connection_is_refused() {
        for (command, part) in [
            (Command::<()>::new("multi"), "transaction"),
            (Command::new("SUBSCRIBE").arg("x"), "subscribe"),
            (Command::new("SELECT").arg(1), "database"),
            (Command::new("CLIENT").arg("reply").arg("OFF"), "cannot run"),
            (Command::new(""), "name"),
        ] {
            let error = command.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(Command::<()>::new("CLIENT").arg("ID").check().is_ok());
    }

    #[test]
    fn waiting_is_known_by_name_or_option() {
        assert!(Command::<()>::new("blpop").arg("k").arg(0).is_blocking());
        let read = Command::<()>::new("XREAD");
        assert!(read.arg("BLOCK").arg(0).arg("STREAMS").arg("k").is_blocking());
        let read = Command::<()>::new("XREAD");
        assert!(!read.arg("STREAMS").arg("BLOCK").arg("0").is_blocking());
        let batch = Pipeline::new(vec![Command::<()>::new("BLPOP")], false);
        assert_eq!(batch.check().unwrap_err().kind(), ErrorKind::Usage);
    }
}
