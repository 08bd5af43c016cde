//! What an index takes in: by filter, by tenant, by prefix; and models that have none.

use alizarin::Value;
use alizarin::index::Synced;
use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::{namespace, on};

macro_rules! indexes {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "wine", index, filter = "@stock > 0")]
            struct InStock {
                #[redis(id)]
                id: u32,
                #[redis(numeric)]
                stock: u32,
                #[redis(tag)]
                colour: String,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis(
                $storage, prefix = "page", index, prefixes = "draft paper",
                language = "german", language_field = "lang", score = 0.5, score_field = "rank",
                stop_words = "und", max_text_fields
            )]
            struct Page {
                #[redis(id)]
                id: u32,
                #[redis(text)]
                text: String,
                lang: Option<String>,
                rank: Option<f64>,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "draft")]
            struct Draft {
                #[redis(id)]
                id: u32,
                text: String,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "brief", index, no_offsets, no_frequencies)]
            struct Brief {
                #[redis(id)]
                id: u32,
                #[redis(text)]
                text: String,
            }

            fn wine(id: u32, stock: u32) -> InStock {
                InStock { id, stock, colour: "red".into() }
            }

            #[tokio::test]
            async fn only_documents_for_which_the_filter_holds_are_found() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let wines: Repository<InStock> = on(&server, protocol).await;
                    wines.save(&wine(1, 0)).await.unwrap();
                    wines.save(&wine(2, 5)).await.unwrap();
                    wines.index().sync().await.unwrap();
                    wines.save(&wine(3, 7)).await.unwrap();
                    let red = async || {
                        let mut ids = wines.find(|m| m.colour.eq("red")).ids().await.unwrap();
                        ids.sort();
                        ids
                    };
                    assert_eq!(red().await, [2, 3]);
                    // Sold out, and back again.
                    wines.save(&wine(2, 0)).await.unwrap();
                    assert_eq!(red().await, [3]);
                    wines.save(&wine(1, 1)).await.unwrap();
                    assert_eq!(red().await, [1, 3]);
                    assert_eq!(wines.index().sync().await.unwrap(), Synced::Unchanged);
                    wines.index().rebuild().await.unwrap();
                    assert_eq!(red().await, [1, 3]);
                }
            }

            #[tokio::test]
            async fn languages_scores_stop_words_and_further_prefixes() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let pages: Repository<Page> = on(&server, protocol).await;
                    assert_eq!(pages.index().sync().await.unwrap(), Synced::Created);
                    assert_eq!(pages.index().drift().await.unwrap(), []);
                    pages.index().check().await.unwrap();
                    let page = |id, text: &str, lang: Option<&str>| Page {
                        id, text: text.into(), lang: lang.map(str::to_owned), rank: Some(0.25),
                    };
                    pages.save(&page(1, "zwei Häuser", None)).await.unwrap();
                    pages.save(&page(2, "running", Some("english"))).await.unwrap();
                    let drafts: Repository<Draft> =
                        pages.client().repository().with_namespace(pages.namespace());
                    drafts.save(&Draft { id: 3, text: "das Haus und der Garten".into() }).await.unwrap();
                    // Stemmed as the document says, or the index.
                    let of = async |word: &'static str, language: &'static str| {
                        let found: Value = pages
                            .client()
                            .command("FT.SEARCH")
                            .arg((pages.index().name().unwrap(), format!("@text:{word}")))
                            .arg(("NOCONTENT", "LANGUAGE", language))
                            .await
                            .unwrap();
                        format!("{found:?}")
                    };
                    let both = of("haus", "german").await;
                    assert!(both.contains("page:1") && both.contains("draft:3"), "{both}");
                    assert!(of("run", "english").await.contains("page:2"));
                    let mut ids = pages.find(|m| m.text.matches("Garten")).ids().await.unwrap();
                    ids.sort();
                    assert_eq!(ids, [3]);
                    let read = pages.find(|m| m.text.matches("Garten")).one().await.unwrap();
                    assert_eq!((read.id, read.rank), (3, None));
                    // `und` is no word of the index.
                    let error = pages.find(|m| m.text.matches("und")).all().await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Value, "{error}");
                }
            }

            #[tokio::test]
            async fn a_smaller_index() {
                let server = Server::shared().unwrap();
                let briefs: Repository<Brief> = on(&server, 3).await;
                briefs.save(&Brief { id: 1, text: "one two".into() }).await.unwrap();
                briefs.index().sync().await.unwrap();
                assert_eq!(briefs.find(|m| m.text.matches("two")).ids().await.unwrap(), [1]);
                let mut options = briefs.index().info().await.unwrap().options;
                options.sort();
                assert_eq!(options, ["NOFREQS", "NOHL", "NOOFFSETS"]);
                assert_eq!(briefs.index().sync().await.unwrap(), Synced::Unchanged);
            }

            #[tokio::test]
            async fn a_tenants_index_knows_nothing_of_the_others() {
                let server = Server::shared().unwrap();
                let one: Repository<InStock> = on(&server, 3).await;
                let other = one.with_namespace(namespace(&server));
                for tenant in [&one, &other] {
                    assert_eq!(tenant.index().sync().await.unwrap(), Synced::Created);
                }
                one.save(&wine(1, 1)).await.unwrap();
                other.save(&wine(2, 1)).await.unwrap();
                assert_eq!(one.find(|m| m.stock.gt(0)).ids().await.unwrap(), [1]);
                assert_eq!(other.find(|m| m.stock.gt(0)).ids().await.unwrap(), [2]);
                one.index().rebuild().await.unwrap();
                assert_eq!(other.index().versions().await.unwrap().len(), 1);
                one.index().drop().await.unwrap();
                assert_eq!(other.find(|m| m.stock.gt(0)).ids().await.unwrap(), [2]);
                other.index().check().await.unwrap();
            }

            #[tokio::test]
            async fn a_model_without_an_index_is_stored_and_says_that_it_has_none() {
                let server = Server::shared().unwrap();
                let drafts: Repository<Draft> = on(&server, 3).await;
                drafts.save(&Draft { id: 1, text: "x".into() }).await.unwrap();
                assert!(drafts.exists(&1).await.unwrap());
                let errors = [
                    drafts.index().sync().await.unwrap_err(),
                    drafts.index().rebuild().await.unwrap_err(),
                    drafts.index().plan().await.unwrap_err(),
                    drafts.index().check().await.unwrap_err(),
                    drafts.index().drop().await.unwrap_err(),
                    drafts.index().rollback().await.unwrap_err(),
                    drafts.index().retire().await.unwrap_err(),
                    drafts.index().adopt("x").await.unwrap_err(),
                ];
                for error in errors {
                    assert_eq!(error.kind(), ErrorKind::Usage);
                    assert!(error.message().contains("Draft has no index"), "{error}");
                }
            }
        }
    )+};
}

indexes!(hash json);
