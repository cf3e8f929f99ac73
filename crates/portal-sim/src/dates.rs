//! Instants as the portal writes them and as it reads them, with its mistakes.
//!
//! Reading relative times of scenario files is here too; what a date means to a route is the route's business.

use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// The largest offset the portal's parser takes, in minutes.
const MAX_OFFSET_MINUTES: i64 = 14 * 60;

/// The date of an audit or login event: portal-local time, seven digits.
///
/// The portal forgets which pass of the repeated autumn hour it was and assumes the second, so events of the first
/// pass come out one hour late.
pub(crate) fn write_event(at: DateTime<Utc>, zone: Tz) -> String {
    let mut out = String::new();
    write_event_to(at, zone, &mut out);
    out
}

/// The same at the end of a text.
pub(crate) fn write_event_to(at: DateTime<Utc>, zone: Tz, out: &mut String) {
    let date = at.with_timezone(&zone);
    match zone.from_local_datetime(&date.naive_local()) {
        LocalResult::Ambiguous(_, second) => render_to(&second, out),
        LocalResult::Single(_) | LocalResult::None => render_to(&date, out),
    }
}

/// The instant that a reader gets from [`write_other`].
///
/// The portal takes the UTC digits for local ones first; if they fall into the skipped spring hour it adds an hour.
pub(crate) fn reported_other(at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&at.naive_utc()) {
        LocalResult::None => at + Duration::hours(1),
        LocalResult::Single(_) | LocalResult::Ambiguous(..) => at,
    }
}

/// Any other date of the portal (room log, rooms, people, keys): portal-local time, seven digits.
pub(crate) fn write_other(at: DateTime<Utc>, zone: Tz) -> String {
    render(&reported_other(at, zone).with_timezone(&zone))
}

fn render(date: &DateTime<Tz>) -> String {
    let mut out = String::new();
    render_to(date, &mut out);
    out
}

fn render_to(date: &DateTime<Tz>, out: &mut String) {
    let local = date.naive_local();
    let offset = date.offset().fix().local_minus_utc();
    let away = offset.unsigned_abs() / 60;
    digits(local.year().unsigned_abs(), 4, out);
    for (separator, number, width) in [
        ('-', local.month(), 2),
        ('-', local.day(), 2),
        ('T', local.hour(), 2),
        (':', local.minute(), 2),
        (':', local.second(), 2),
        ('.', local.nanosecond() / 100, 7),
    ] {
        out.push(separator);
        digits(number, width, out);
    }
    if offset == 0 {
        out.push('Z');
    } else {
        out.push(if offset < 0 { '-' } else { '+' });
        digits(away / 60, 2, out);
        out.push(':');
        digits(away % 60, 2, out);
    }
}

/// A number with leading zeros; formatting by template is several times as slow, and pages hold many dates.
fn digits(number: u32, width: u32, out: &mut String) {
    for place in (0..width).rev() {
        out.push(char::from_digit(number / 10u32.pow(place) % 10, 10).expect("a digit"));
    }
}

/// The instant of a query value, or `None` for whatever the portal answers with 400.
///
/// Taken: `yyyy-MM-ddTHH:mm:ss` (or `HH-mm-ss`), no fraction or exactly 3 or 7 digits, then `Z` or `±hh:mm`.
pub(crate) fn parse_query(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix('T')?;
    let (time, rest) = rest.split_at_checked(8)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?,
        None => ("", rest),
    };
    if rest.starts_with('.') && !matches!(fraction.len(), 3 | 7) {
        return None;
    }
    let date = fields(date, '-', [4, 2, 2])?;
    let time = fields(time, ':', [2, 2, 2]).or_else(|| fields(time, '-', [2, 2, 2]))?;
    if date[0] == 0 || time[2] > 59 {
        return None;
    }
    let nanos = if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
    let day = NaiveDate::from_ymd_opt(i32::try_from(date[0]).ok()?, date[1], date[2])?;
    let clock = NaiveTime::from_hms_nano_opt(time[0], time[1], time[2], nanos)?;
    let utc = NaiveDateTime::new(day, clock) - Duration::minutes(offset_minutes(zone)?);
    // beyond the year 9999 .NET has no date; before year 1 it clamps, which no row can tell from the true value
    (utc.date() <= NaiveDate::from_ymd_opt(9999, 12, 31)?).then(|| utc.and_utc())
}

/// Whether this is the portal's "no date at all", which as a bound means no bound.
pub(crate) fn is_minimal(at: DateTime<Utc>) -> bool {
    at.naive_utc() == NaiveDate::from_ymd_opt(1, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default()
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes] = fields(&zone[1..], ':', [2, 2])?;
    let total = i64::from(hours) * 60 + i64::from(minutes);
    (minutes < 60 && total <= MAX_OFFSET_MINUTES).then_some(sign * total)
}

/// Numbers of exactly these widths, separated by `separator`.
fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u32; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let mut out = [0; N];
    if parts.len() != N {
        return None;
    }
    for (index, part) in parts.iter().enumerate() {
        if part.len() != widths[index] || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        out[index] = part.parse().ok()?;
    }
    Some(out)
}

/// A length such as `3h12m`, `-2d`, `+90s` or `0`, from a scenario file.
pub(crate) fn parse_relative(text: &str) -> Option<Duration> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if digits == "0" {
        return Some(Duration::zero());
    }
    let mut seconds = 0i64;
    let mut number = String::new();
    for c in digits.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !digits.is_empty()).then(|| Duration::seconds(sign * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a fixed instant")
    }

    #[test]
    fn the_first_pass_of_the_autumn_hour_is_written_an_hour_late() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(write_event(at("2025-10-25T23:59:00Z"), berlin), "2025-10-26T01:59:00.0000000+02:00");
        assert_eq!(write_event(at("2025-10-26T00:30:00Z"), berlin), "2025-10-26T02:30:00.0000000+01:00");
        assert_eq!(write_event(at("2025-10-26T01:30:00Z"), berlin), "2025-10-26T02:30:00.0000000+01:00");
    }

    #[test]
    fn other_dates_are_right_in_autumn_and_an_hour_late_in_spring() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(write_other(at("2025-10-26T00:30:00Z"), berlin), "2025-10-26T02:30:00.0000000+02:00");
        assert_eq!(write_other(at("2025-03-30T02:30:00Z"), berlin), "2025-03-30T05:30:00.0000000+02:00");
        assert_eq!(write_event(at("2025-03-30T02:30:00Z"), berlin), "2025-03-30T04:30:00.0000000+02:00");
    }

    #[test]
    fn offsets_without_whole_hours_and_zero_offsets() {
        assert_eq!(
            write_event(at("2025-01-31T07:00:00Z"), chrono_tz::America::St_Johns),
            "2025-01-31T03:30:00.0000000-03:30"
        );
        assert_eq!(
            write_event(at("2025-01-31T07:00:00.123456Z"), chrono_tz::Europe::London),
            "2025-01-31T07:00:00.1234560Z"
        );
    }

    #[test]
    fn relative_times() {
        assert_eq!(parse_relative("-3h12m"), Some(Duration::minutes(-192)));
        assert_eq!(parse_relative("0"), Some(Duration::zero()));
        assert_eq!(parse_relative("+2d"), Some(Duration::days(2)));
        for bad in ["", "-", "3", "3x", "h", "1h3"] {
            assert_eq!(parse_relative(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_the_minimal_date_in_utc_is_no_bound() {
        assert!(is_minimal(parse_query("0001-01-01T00:00:00Z").expect("taken")));
        assert!(!is_minimal(parse_query("0001-01-01T00:00:00+03:00").expect("taken")));
    }
}
