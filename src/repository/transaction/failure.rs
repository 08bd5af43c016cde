//! What the errors of transactions mean.

use alizarin_core::command::slot;

use super::{Planned, explain};
use crate::repository::failure::code;
use crate::{Error, ErrorKind, ServerCode};

/// The error for a key that another step writes too.
pub(super) fn twice(step: usize, key: &str) -> Error {
    let text = format!(
        "step {step} writes `{key}` too: what is checked here would not see what that step writes"
    );
    Error::new(ErrorKind::Usage, text)
}

/// The error for a key in another slot than the transaction's first.
pub(super) fn cross_slot(first: &[u8], key: &str, at: u16) -> Error {
    let text = format!(
        "`{}` is in slot {} of the cluster, `{key}` in slot {at}: give both the same {{tag}}",
        String::from_utf8_lossy(first),
        slot(first)
    );
    Error::new(ErrorKind::Server(ServerCode::CrossSlot), text)
}

/// Says of the script's error which step it is about, and what it means there.
pub(super) fn in_step(error: Error, steps: &[Planned]) -> Error {
    match located(&error, steps) {
        Some(located) => located.with_source(error),
        None => error,
    }
}

/// `ALZSTEP number done text`: the steps that were done by their numbers, or `-`.
fn located(error: &Error, steps: &[Planned]) -> Option<Error> {
    let ("ALZSTEP", rest) = code(error.message())? else { return None };
    let mut words = rest.splitn(3, ' ');
    let number: usize = words.next()?.parse().ok()?;
    let done = words.next()?.split(',').filter_map(|number| number.parse().ok()).collect();
    let cause = Error::server(words.next()?);
    let step = steps.get(number.checked_sub(1)?)?;
    let first = steps.iter().find_map(|step| step.keys.first());
    let cause = match step.body {
        "command" => of_command(cause, &step.about.name, first),
        _ => explain(cause, step.about.key.as_deref().unwrap_or_default()),
    };
    Some(cause.with_step(step.about.failed(number, done)))
}

/// What the error of a raw command means.
fn of_command(error: Error, name: &str, first: Option<&Vec<u8>>) -> Error {
    let told = match code(error.message()) {
        Some(("ALZDENIED", _)) => Error::new(
            ErrorKind::Server(ServerCode::NoPerm),
            format!("this user may not {name} so; nothing was written"),
        ),
        Some(("ALZREFUSED", _)) => Error::new(
            ErrorKind::Usage,
            format!("{name} cannot run inside of a transaction; nothing was written"),
        ),
        Some(("ALZSAME", rest)) => {
            let (step, key) = rest.split_once(' ').unwrap_or((rest, ""));
            twice(step.parse().unwrap_or_default(), key)
        }
        Some(("ALZSLOT", rest)) => {
            let (at, key) = rest.split_once(' ').unwrap_or((rest, ""));
            let first = first.map(Vec::as_slice).unwrap_or_default();
            cross_slot(first, key, at.parse().unwrap_or_default())
        }
        _ => return error,
    };
    told.with_sent(error.sent())
}
