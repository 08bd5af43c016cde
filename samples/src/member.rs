//! A model with unique fields.

use alizarin::prelude::*;

use crate::Outcome;

/// A member of a club.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "member", unique(team, number))]
pub struct Member {
    /// Their own number in the club.
    #[redis(id)]
    pub id: u32,
    /// Where to write to; nobody else has it.
    #[redis(unique)]
    pub email: String,
    /// What they play for.
    pub team: String,
    /// What is on their shirt; nobody else in the team has it.
    pub number: Option<u32>,
}

impl Member {
    /// A new one.
    pub fn new(id: u32, email: &str, team: &str, number: Option<u32>) -> Member {
        Member { id, email: email.to_owned(), team: team.to_owned(), number }
    }
}

/// Runs an example with the members 1, Ann, who wears the red team's 7, and 2, Bob, in the same team
/// without a number.
pub fn members(example: impl AsyncFnOnce(Repository<Member>) -> Outcome) {
    crate::client(async |client, namespace| {
        let members = client.repository::<Member>().with_namespace(namespace);
        members.save(&Member::new(1, "ann@example.com", "red", Some(7))).await?;
        members.save(&Member::new(2, "bob@example.com", "red", None)).await?;
        example(members).await
    });
}
