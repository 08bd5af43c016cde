//! Writers that get in each other's way.

use alizarin::prelude::*;

use crate::common::everywhere;

crate::each_storage! {
    async fn of_fifty_writers_one_wins_each_version() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.insert(&draft(1, "first")).await.unwrap();
            for version in 1..=4 {
                let writers: Vec<_> = (0..50u64)
                    .map(|number| {
                        let drafts = drafts.clone();
                        tokio::spawn(async move {
                            let mine = Draft { count: number, ..draft(1, "mine") };
                            drafts.save(&mine).if_version(version).await.map(|_| number)
                        })
                    })
                    .collect();
                let mut winner = None;
                for writer in writers {
                    match writer.await.unwrap() {
                        Ok(number) => assert_eq!(winner.replace(number), None, "two writers won"),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                    }
                }
                let stored = drafts.get(&1).await.unwrap().unwrap();
                assert_eq!((stored.version, Some(stored.count)), (version + 1, winner));
            }
            let error = drafts.delete(&1).if_version(4).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(drafts.delete(&1).if_version(5).await.unwrap());
        })
        .await;
    }
}
