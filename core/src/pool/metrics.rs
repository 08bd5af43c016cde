//! What can be counted of a pool.

/// How a client's pool stands, and what it has done since the client was made; of a cluster's
/// nodes together. From [`Client::pool_metrics`](crate::Client::pool_metrics).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolMetrics {
    /// Connections that nobody uses at the moment.
    pub idle: usize,
    /// Connections in use, those that are being made included.
    pub in_use: usize,
    /// Callers that wait for a connection.
    pub waiting: usize,
    /// Connections made.
    pub created: u64,
    /// Callers that waited in vain.
    pub timeouts: u64,
    /// Connections closed.
    pub closed: PoolClosed,
}

/// How many connections of a pool were closed, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolClosed {
    /// Not used for long ([`PoolConfig::idle_timeout`](crate::PoolConfig::idle_timeout)).
    pub idle: u64,
    /// Old ([`PoolConfig::lifetime`](crate::PoolConfig::lifetime)), or of before the client lost
    /// its server or went to another one.
    pub old: u64,
    /// Found dead, or holding what nobody asked for, before its next use.
    pub unhealthy: u64,
    /// Failed while it was used.
    pub broken: u64,
    /// Given back with something undone: a reply not read, `MULTI` without `EXEC`, watched keys,
    /// another database.
    pub dirty: u64,
    /// With the client, or by its user ([`Exclusive::close`](crate::Exclusive::close)).
    pub closed: u64,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Idle,
    Old,
    Unhealthy,
    Broken,
    Dirty,
    Closed,
}

impl PoolClosed {
    pub(super) fn count(&mut self, reason: Reason) {
        let counter = match reason {
            Reason::Idle => &mut self.idle,
            Reason::Old => &mut self.old,
            Reason::Unhealthy => &mut self.unhealthy,
            Reason::Broken => &mut self.broken,
            Reason::Dirty => &mut self.dirty,
            Reason::Closed => &mut self.closed,
        };
        *counter += 1;
    }
}

impl PoolMetrics {
    /// Both pools' numbers together.
    pub(crate) fn plus(self, other: PoolMetrics) -> PoolMetrics {
        let (a, b) = (self.closed, other.closed);
        PoolMetrics {
            idle: self.idle + other.idle,
            in_use: self.in_use + other.in_use,
            waiting: self.waiting + other.waiting,
            created: self.created + other.created,
            timeouts: self.timeouts + other.timeouts,
            closed: PoolClosed {
                idle: a.idle + b.idle,
                old: a.old + b.old,
                unhealthy: a.unhealthy + b.unhealthy,
                broken: a.broken + b.broken,
                dirty: a.dirty + b.dirty,
                closed: a.closed + b.closed,
            },
        }
    }
}
