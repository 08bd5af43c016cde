//! Conditions joined and turned round: what is found is what Rust finds.

use super::{both_storages, finds};

const NAMES: [&str; 4] = ["Andrew", "Kim", "Anna", "kim"];
const HOBBIES: [&str; 3] = ["chess", "skating", "old maps"];

both_storages! {
    async fn trees_of_and_or_and_not() {
        let all = several(48, |number, member| {
            let at = number as usize;
            member.name = NAMES[at % 4].into();
            member.age = 30 + number % 5;
            member.active = number % 3 == 0;
            member.hobbies = HOBBIES[at % 4 % 3..].iter().map(|hobby| (*hobby).into()).collect();
            member.bio = ["sails on lakes", "climbs", "sails and climbs"][at % 3].into();
        });
        with(&all, async |members| {
            macro_rules! check {
                ($filter:expr, $test:expr) => {{
                    let test: &dyn Fn(&Member) -> bool = &$test;
                    let want = all.iter().filter(|member| test(member)).map(|member| member.number);
                    finds!(members, $filter, want);
                }};
            }
            let kim = |member: &Member| member.name.eq_ignore_ascii_case("kim");
            let anna = |member: &Member| member.name == "Anna";
            let has = |member: &Member, hobby: &str| member.hobbies.contains(&hobby.to_owned());
            // One step.
            check!(|m| m.name.eq("Kim"), kim);
            check!(|m| m.name.ne("Kim"), |w| !kim(w));
            check!(|m| m.name.eq("Kim") & m.age.eq(33), |w| kim(w) && w.age == 33);
            check!(|m| m.name.eq("Kim") | m.age.eq(33), |w| kim(w) || w.age == 33);
            // Not, around each.
            check!(|m| !(m.name.eq("Kim") & m.active.eq(true)), |w| !(kim(w) && w.active));
            check!(|m| !(m.name.eq("Kim") | m.active.eq(true)), |w| !kim(w) && !w.active);
            check!(|m| m.name.eq("Kim") & !m.active.eq(true), |w| kim(w) && !w.active);
            check!(|m| !m.name.eq("Kim") & !m.active.eq(true), |w| !kim(w) && !w.active);
            check!(|m| !m.name.eq("Kim") | m.active.eq(true), |w| !kim(w) || w.active);
            check!(|m| !!m.name.eq("Kim"), kim);
            check!(|m| !(!(m.name.eq("Kim") | m.name.eq("Anna")) & m.age.lt(32)),
                |w| kim(w) || anna(w) || w.age >= 32);
            // Three levels.
            check!(
                |m| (m.name.eq("Kim") & (m.age.lt(32) | (m.active.eq(true) & m.age.eq(34))))
                    | (m.name.eq("Anna") & !m.hobbies.has("chess")),
                |w| kim(w) && (w.age < 32 || (w.active && w.age == 34))
                    || (anna(w) && !has(w, "chess"))
            );
            check!(
                |m| !(m.hobbies.has("chess") | m.hobbies.has("old maps") & !m.age.between(31, 33)),
                |w| !(has(w, "chess") || has(w, "old maps") && !(31..=33).contains(&w.age))
            );
            // Text beside tags and numbers.
            check!(|m| m.bio.matches("sail") & m.hobbies.has("skating"),
                |w| w.bio.contains("sails") && has(w, "skating"));
            check!(|m| m.bio.matches("sails climbs") | m.name.eq("Anna"),
                |w| w.bio == "sails and climbs" || anna(w));
            check!(|m| !m.bio.matches("climb") & m.active.eq(true),
                |w| !w.bio.contains("climbs") && w.active);
            // One value, none, and all of them.
            check!(|m| m.name.is_in(["Anna"]), anna);
            check!(|m| m.age.not_in([30u32; 0]), |_| true);
            check!(|m| m.age.is_in(30..=34), |_| true);
            check!(|m| m.age.is_in([] as [u32; 0]) | m.name.eq("Anna"), anna);
        })
        .await;
    }

    async fn conditions_added_one_by_one_all_hold() {
        let all = several(12, |number, member| {
            member.age = number;
            member.active = number % 2 == 0;
        });
        with(&all, async |members| {
            let found = members.find(|m| m.age.gt(3)).and(|m| m.active.eq(true)).and(|m| m.age.ne(8));
            let found = found.sort_by(|m| m.age.desc()).ids().await.unwrap();
            assert_eq!(found, [10, 6, 4]);
        })
        .await;
    }
}
