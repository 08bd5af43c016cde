//! How long things may take.

use std::time::Duration;

use super::Config;

impl Config {
    /// How long finding the host's addresses, connecting (to all of them, racing) and logging in
    /// may take together, and how long a command waits for a lost connection to come back (no longer
    /// than the [`Config::total_timeout`]); 5 seconds unless set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Config {
        self.connect_timeout = timeout;
        self
    }

    /// How long commands may wait while the server gives no sign of progress (it neither answers
    /// one nor takes in more) before the connection counts as dead; 1.5 seconds unless set.
    ///
    /// A server that works on one slow script answers nobody meanwhile: where scripts take longer, set
    /// more. One that keeps an answer back and serves others is waited for up to
    /// [`Config::relaxed_timeout`]: while it has paused its clients (`CLIENT PAUSE`, a planned
    /// failover), or a search takes its time.
    ///
    /// A server that has been silent for half of this time is asked for that on another connection,
    /// which is made for the question (`CLIENT LIST`, RESP3, which the user must be allowed to ask), and
    /// has the other half to answer. Blocking commands (`BLPOP`) have no such limit: they end when the
    /// server does, which is asked once in each [`Config::heartbeat`] whether it lives, and has all of
    /// this time to let somebody log in. Each question is about all connections of this configuration
    /// that are silent at the time, and a server is asked at most eight times in this time.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Config {
        self.response_timeout = timeout;
        self
    }

    /// How long an answer may take while the server has announced that it is busy with
    /// maintenance, or says that it keeps the answer back, if that is longer than the [`Config::response_timeout`]; 10 seconds unless set.
    #[must_use]
    pub fn relaxed_timeout(mut self, timeout: Duration) -> Config {
        self.relaxed_timeout = timeout;
        self
    }

    /// How long a command may take altogether, its repetitions and the waiting for a cluster to
    /// elect a new primary included; 10 seconds unless set.
    ///
    /// No request of any sort is sent again after this time, and one that was sent again and has no
    /// answer by then is given up: the error is the last reason to send it again, and says whether
    /// any of the attempts may have been executed. The first attempt takes what one may take by
    /// the other times. While a blocking command waits on the server the time stands still.
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Config {
        self.total_timeout = timeout;
        self
    }
}
