//! Many documents that a query finds, while somebody else is at work.

use alizarin::repository::Item;

use super::{Rank, both_storages};
use crate::common::somebody;

both_storages! {
    async fn three_rows_are_changed_by_a_query_and_fields_taken_out() {
        let members = several(5, |number, member| {
            member.rank = Some(if number < 3 { Rank::Guest } else { Rank::Chair });
            member.nick = Some("nick".into());
        });
        with(&members, async |found| {
            let guests = |m: MemberFields| m.rank.eq(Rank::Guest);
            let dry = found.set_where(guests, |m| m.age.to(7)).dry_run().report().await.unwrap();
            assert_eq!((dry.done, dry.absent, dry.failed), (3, 0, 0));
            let read = found.get_many(&[0, 1, 2, 3, 4]).await.unwrap();
            assert_eq!(read.into_iter().flatten().collect::<Vec<_>>(), members);
            let changes = |m: MemberFields| (m.age.to(7), m.nick.clear(), m.home.city.to("Ulm"));
            assert_eq!(found.set_where(guests, changes).await.unwrap(), 3);
            for (mut member, number) in members.iter().cloned().zip(0..) {
                if number < 3 {
                    (member.age, member.nick) = (7, None);
                    member.home.city = "Ulm".into();
                }
                assert_eq!(found.get(&number).await.unwrap(), Some(member));
            }
            found.index().wait().await.unwrap();
            // The index knows of it too.
            assert_eq!(found.find(|m| m.nick.is_missing()).count().await.unwrap(), 3);
        })
        .await;
    }

    async fn what_is_deleted_during_work_on_a_query_counts_as_absent() {
        let members = several(60, |_, member| member.age = 30);
        with(&members, async |found| {
            let last = found.key(&59);
            let mut gone = Vec::new();
            // The keys are in their order as texts: 0, 1, 10, 11, ... 59, 6, 7, 8, 9.
            let delete = found.delete_where(|m| m.age.eq(30)).batch(10);
            let delete = delete.on_each(|number, item| match item {
                Item::Done if *number == 0 => drop(somebody(&["DEL", &last])),
                Item::Done => {}
                Item::Absent => gone.push(*number),
                other => panic!("{number}: {other:?}"),
            });
            let report = delete.report().await.unwrap();
            assert_eq!((report.done, report.absent, report.failed), (59, 1, 0));
            assert_eq!(gone, [59]);

            found.save_all(&members).await.unwrap();
            found.index().wait().await.unwrap();
            let set = found.set_where(|m| m.age.eq(30), |m| m.age.add(1)).batch(10);
            let set = set.on_each(|number, _| {
                if *number == 0 {
                    somebody(&["DEL", &last]);
                }
            });
            let report = set.report().await.unwrap();
            assert_eq!((report.done, report.absent, report.failed), (59, 1, 0));
            // Nothing came to life again.
            assert!(!found.exists(&59).await.unwrap());
        })
        .await;
    }
}
