//! Where frames end, in pieces and with lies in them.

use super::*;

fn whole(bytes: &[u8]) -> Result<Scan> {
    Scanner::new(Limits::default()).scan(bytes)
}

#[test]
fn every_type_ends_where_it_ends_in_any_chunking() {
    for frame in [
        "+OK\r\n",
        "-ERR no\r\n",
        ":12\r\n",
        "$3\r\nabc\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "_\r\n",
        "#t\r\n",
        ",1.5\r\n",
        "(123\r\n",
        "=7\r\ntxt:abc\r\n",
        "!3\r\nERR\r\n",
        "*0\r\n",
        "*2\r\n:1\r\n*1\r\n+a\r\n",
        "%1\r\n+a\r\n:1\r\n",
        "~1\r\n:1\r\n",
        ">2\r\n+a\r\n+b\r\n",
        "|1\r\n+a\r\n:1\r\n:7\r\n",
        "$?\r\n;2\r\nab\r\n;0\r\n",
        "*?\r\n:1\r\n.\r\n",
        "%?\r\n+a\r\n:1\r\n.\r\n",
    ] {
        let mut bytes = frame.as_bytes().to_vec();
        bytes.extend_from_slice(b"+next\r\n");
        assert!(
            matches!(whole(&bytes), Ok(Scan::Frame { len, .. }) if len == frame.len()),
            "{frame:?}"
        );
        let mut scanner = Scanner::new(Limits::default());
        for end in 0..frame.len() {
            assert!(
                matches!(scanner.scan(&bytes[..end]), Ok(Scan::NeedMore { .. })),
                "{frame:?} {end}"
            );
        }
        assert!(matches!(scanner.scan(frame.as_bytes()), Ok(Scan::Frame { .. })), "{frame:?}");
    }
}

#[test]
fn a_line_is_searched_once_and_ends_at_the_same_length_in_any_chunking() {
    for (len, fits) in [(MAX_LINE, true), (MAX_LINE + 1, false)] {
        let line = format!("+{}\r\n", "x".repeat(len));
        assert_eq!(whole(line.as_bytes()).is_ok(), fits);
        let mut scanner = Scanner::new(Limits::default());
        let mut outcome = Ok(Scan::NeedMore { hint: 1 });
        for end in 0..=line.len() {
            outcome = scanner.scan(&line.as_bytes()[..end]);
            if outcome.is_err() {
                break;
            }
            assert!(end < 2 || end == line.len() || scanner.searched >= end - 1);
        }
        assert_eq!(outcome.is_ok(), fits);
    }
}

#[test]
fn what_has_no_length_in_front_is_bounded_too() {
    let mut limits = Limits { max_elements: 1_000, ..Limits::default() };
    let endless = format!("*?\r\n{}", "_\r\n".repeat(1_001));
    assert!(Scanner::new(limits).scan(endless.as_bytes()).is_err());
    let nested = format!("*?\r\n{}", "*0\r\n".repeat(1_001));
    assert!(Scanner::new(limits).scan(nested.as_bytes()).is_err());
    limits.max_frame_bytes = 1_000;
    for part in ["|0\r\n", "|1\r\n+a\r\n+b\r\n"] {
        let attributes = part.repeat(300);
        assert!(Scanner::new(limits).scan(attributes.as_bytes()).is_err(), "{part}");
    }
    let chunks = format!("$?\r\n{}", ";1\r\nx\r\n".repeat(200));
    assert!(Scanner::new(limits).scan(chunks.as_bytes()).is_err());
}

#[test]
fn lies_are_errors() {
    for lie in [
        "$-2\r\n",
        "*-7\r\n",
        "%-1\r\n",
        "~-1\r\n",
        ">-1\r\n",
        "!-1\r\n",
        "$3\r\nabcd\r\n",
        "?x\r\n",
        "*x\r\n",
        "$99999999999999999999\r\n",
        "%9223372036854775807\r\n",
        "HTTP/1.1 400\r\n",
        ".\r\n",
        ";1\r\na\r\n",
    ] {
        assert!(whole(lie.as_bytes()).is_err(), "{lie:?}");
    }
    assert!(whole("*1\r\n".repeat(1_000_000).as_bytes()).is_err());
}
