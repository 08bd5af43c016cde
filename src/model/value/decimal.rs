//! Numbers as JSON text, so that they come back from the server as they went.

/// The parts of a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

impl<'a> Decimal<'a> {
    /// Takes a number apart; `None` for what JSON does not allow, such as `+1`, `.5` and `01`.
    fn parse(text: &'a str) -> Option<Decimal<'a>> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                (mantissa, are_digits(digits).then(|| exponent.parse().ok())??)
            }
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, are_digits(fraction).then_some(fraction)?),
            None => (mantissa, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        (are_digits(whole) && !leading_zero).then_some(Decimal {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// The digits of the whole number that this is; `None` for one with a fraction, or far past
    /// the range of any integer.
    fn integer(&self) -> Option<String> {
        let mut digits = String::with_capacity(self.whole.len() + self.fraction.len() + 1);
        if self.negative {
            digits.push('-');
        }
        digits.push_str(self.whole);
        digits.push_str(self.fraction);
        if digits.bytes().all(|digit| matches!(digit, b'0' | b'-')) {
            return Some("0".to_owned());
        }
        let shift = self.exponent.checked_sub(i32::try_from(self.fraction.len()).ok()?)?;
        let count = usize::try_from(shift.unsigned_abs()).ok()?;
        if shift >= 0 {
            // 39 digits hold every `u128`.
            (count < 40).then(|| digits.extend(std::iter::repeat_n('0', count)))?;
            return Some(digits);
        }
        let keep = digits.len().checked_sub(count)?;
        digits.bytes().skip(keep).all(|digit| digit == b'0').then(|| digits.truncate(keep))?;
        Some(digits)
    }
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text is a number in JSON.
pub(crate) fn is_number(text: &str) -> bool {
    Decimal::parse(text).is_some()
}

/// The digits of a JSON number that is whole: also of `3.0` and `1e3`, as the server may print
/// a number that it has calculated with.
pub(crate) fn whole_number(text: &str) -> Option<String> {
    Decimal::parse(text)?.integer()
}

/// Appends a finite float in its shortest form. The server's rounding of it as a double is far
/// below what an `f32` tells apart.
pub(crate) fn write_f32(value: f32, out: &mut Vec<u8>) {
    out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
}

/// Appends a finite float as JSON.
///
/// RedisJSON reads a number's digits as an integer and scales that by a power of ten, two
/// roundings where there should be one: of the shortest forms of doubles many come back as the
/// neighbouring double. So a form is chosen that it reads right; mostly that is the shortest. One in
/// 400 of the doubles with 16 digits or more has no such form: those the server changes by their
/// last bit.
pub(crate) fn write_f64(value: f64, out: &mut Vec<u8>) {
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(value);
    if read_by_server(shortest) == Some(value) {
        out.extend_from_slice(shortest.as_bytes());
        return;
    }
    let form = longer_forms(value.abs())
        .find(|form| read_by_server(form) == Some(value.abs()) && form.parse() == Ok(value.abs()));
    if value.is_sign_negative() && form.is_some() {
        out.push(b'-');
    }
    out.extend_from_slice(form.as_deref().unwrap_or(shortest).as_bytes());
}

/// Longer decimal forms of a positive float, nearest first for each number of digits.
fn longer_forms(value: f64) -> impl Iterator<Item = String> {
    // With 17 to 20 digits; the last fit a `u64` only when they begin with a 1.
    (16..20_u32).flat_map(move |fraction| {
        let printed = format!("{value:.*e}", fraction as usize);
        let (digits, exponent) = printed.split_once('e').unwrap_or((&printed, "0"));
        let digits: u64 = digits.replace('.', "").parse().unwrap_or(u64::MAX);
        let exponent = exponent.parse().unwrap_or(0_i64) - i64::from(fraction);
        // Half the distance to the next double is 11 units of the 17th digit at most.
        let step = (10_u64.pow(fraction - 16) / 8).max(1);
        (0..=88).flat_map(move |away| {
            let up = digits.saturating_add(away * step);
            let down = digits.saturating_sub(away * step);
            [format!("{up}e{exponent}"), format!("{down}e{exponent}")]
        })
    })
}

/// What the server makes of a JSON number that has a fraction or an exponent.
fn read_by_server(text: &str) -> Option<f64> {
    let Decimal { negative, whole, fraction, mut exponent } = Decimal::parse(text)?;
    let mut significand = 0_u64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        significand = significand.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "this is the server's first rounding")]
    let mut value = significand as f64;
    while exponent < -308 && value != 0.0 {
        value /= 1e308;
        exponent += 308;
    }
    let power = power_of_ten(exponent.unsigned_abs())?;
    value = if exponent >= 0 { value * power } else { value / power };
    Some(if negative { -value } else { value })
}

fn power_of_ten(exponent: u32) -> Option<f64> {
    /// The powers that a double holds exactly; few numbers need others.
    const EXACT: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    if let Some(power) = EXACT.get(exponent as usize) {
        return Some(*power);
    }
    format!("1e{exponent}").parse().ok().filter(|power: &f64| power.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_numbers_and_no_others() {
        for text in ["0", "-0", "10", "1.5", "1e3", "1E+3", "1.0e-7", "-0.0"] {
            assert!(is_number(text), "{text}");
        }
        for text in
            ["", "-", "+1", ".5", "1.", "1.e3", "01", "-01", "1e", "1e+", "inf", "nan", "0x1", " 1"]
        {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn whole_numbers_in_every_form() {
        let digits = |text| whole_number(text);
        assert_eq!(digits("3.0").as_deref(), Some("3"));
        assert_eq!(digits("-1.20e1").as_deref(), Some("-12"));
        assert_eq!(digits("1e21").as_deref(), Some("1000000000000000000000"));
        assert_eq!(digits("-0.0").as_deref(), Some("0"));
        assert_eq!(digits("0e999999").as_deref(), Some("0"));
        assert_eq!(digits("0.5"), None);
        assert_eq!(digits("1e-1"), None);
        assert_eq!(digits("-1e-1"), None);
        assert_eq!(digits("1e999999"), None);
        assert_eq!(digits("1e99999999999999999999"), None);
        assert_eq!(digits("1e-2147483648"), None);
    }

    #[test]
    fn the_server_reads_some_doubles_as_their_neighbours() {
        // Seen on a server; if this model of it is right for these, it is for others.
        assert_eq!(read_by_server("0.029356123692050762"), Some(0.02935612369205076));
        assert_eq!(read_by_server("1e-45"), Some(1.0000000000000001e-45));
        assert_eq!(read_by_server("0.1"), Some(0.1));
    }

    fn written(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_floats_are_plain() {
        assert_eq!(written(0.1), "0.1");
        assert_eq!(written(-0.0), "-0.0");
        assert_eq!(written(3.0), "3.0");
        assert_eq!(written(1e21), "1e21");
    }

    #[test]
    fn nearly_all_doubles_come_back_from_the_server() {
        let (mut state, mut lost) = (0x9e37_79b9_7f4a_7c15_u64, 0);
        for _ in 0..10_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let value = (state >> 11) as f64 / (1_u64 << 53) as f64;
            lost += u32::from(read_by_server(&written(value)) != Some(value));
        }
        // Ten per cent without `longer_forms`.
        assert!(lost < 50, "{lost}");
    }

    proptest! {
        #[test]
        fn floats_are_the_nearest_json(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = written(value);
            prop_assert!(is_number(&text));
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }

        #[test]
        fn whole_numbers_are_exact(value: i128) {
            prop_assert_eq!(whole_number(&value.to_string()), Some(value.to_string()));
        }

        #[test]
        fn nothing_panics(text in "[-+0-9.eE]{0,30}") {
            let _ = whole_number(&text);
            let _ = read_by_server(&text);
        }

        #[test]
        fn an_f32_survives_the_servers_double(bits: u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            let mut out = Vec::new();
            write_f32(value, &mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), bits);
            if let Some(kept) = read_by_server(&text) {
                let printed = ryu::Buffer::new().format_finite(kept).to_owned();
                prop_assert_eq!(printed.parse::<f32>().unwrap().to_bits(), bits);
            }
        }
    }
}
