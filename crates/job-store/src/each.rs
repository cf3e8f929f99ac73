//! A statement for each of many rows, in SQLite.

use rusqlite::{Connection, ErrorCode, Statement};

use crate::statement::{Dictionary, Failure, Numbers, Value, Why};

/// So many new rows are stored by one statement: each costs a third less than by one of its own, and more at once gain nothing.
const AT_ONCE: usize = 20;

/// What [`Write::for_each`](crate::Write::for_each) does.
pub(crate) fn for_each(
    connection: &Connection,
    [sql, otherwise]: [&str; 2],
    values: &[Value],
    dictionary: &Dictionary,
) -> Result<Vec<bool>, Failure> {
    let mut numbers = Numbers::of(dictionary, connection)?;
    let mut statement = connection.prepare(sql)?;
    let mut otherwise = if otherwise.is_empty() { None } else { Some(connection.prepare(otherwise)?) };
    let width = statement.parameter_count().max(1);
    let mut several = match of_several(sql, width) {
        Some(sql) if values.len() > AT_ONCE * width => Some(connection.prepare(&sql)?),
        _ => None,
    };
    let mut changed = Vec::with_capacity(values.len() / width);
    let mut rest = values;
    while !rest.is_empty() {
        let mut one_by_one = 1;
        // behind a row that is new there are mostly others
        if let Some(several) = several.as_mut().filter(|_| changed.last() == Some(&true))
            && let Some(rows) = rest.get(..AT_ONCE * width)
        {
            if are_new(several, rows, &mut numbers)? {
                changed.extend([true; AT_ONCE]);
                rest = &rest[rows.len()..];
                continue;
            }
            one_by_one = AT_ONCE;
        }
        let (rows, behind) = rest.split_at(rest.len().min(one_by_one * width));
        for row in rows.chunks(width) {
            let mut rows = done_with(&mut statement, row, &mut numbers)?;
            if let Some(otherwise) = otherwise.as_mut().filter(|_| rows == 0) {
                rows = done_with(otherwise, row, &mut numbers)?;
            }
            changed.push(rows > 0);
        }
        rest = behind;
    }
    Ok(changed)
}

/// Stores several rows at once, if all are new. Where one is not, the statement fails, and has stored none of them.
fn are_new(several: &mut Statement<'_>, rows: &[Value], numbers: &mut Numbers<'_>) -> Result<bool, Failure> {
    match done_with(several, rows, numbers) {
        Ok(_) => Ok(true),
        Err(Failure(Why::Sqlite(error))) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// The statement that stores [`AT_ONCE`] rows or fails; `None` for one that does something else than to store the values as they stand.
fn of_several(sql: &str, width: usize) -> Option<String> {
    let (before, values) = sql.split_once("VALUES (")?;
    let (row, after) = values.split_once(')')?;
    let are_in_order = |(place, value): (usize, &str)| {
        let number = value.trim().strip_prefix('?');
        number.is_some_and(|number| number.is_empty() || number.parse() == Ok(place + 1))
    };
    if row.split(',').count() != width
        || !row.split(',').enumerate().all(are_in_order)
        || !(after.is_empty() || after.ends_with("DO NOTHING"))
    {
        return None;
    }
    let row = format!("({})", vec!["?"; width].join(", "));
    Some(format!("{before}VALUES {}", vec![row; AT_ONCE].join(", ")))
}

/// Does a statement with these values; gives the number of rows that it changed.
fn done_with(statement: &mut Statement<'_>, row: &[Value], numbers: &mut Numbers<'_>) -> Result<usize, Failure> {
    bind(statement, row, numbers)?;
    Ok(statement.raw_execute()?)
}

fn bind(statement: &mut Statement<'_>, values: &[Value], numbers: &mut Numbers<'_>) -> Result<(), Failure> {
    for (value, place) in values.iter().zip(1..) {
        match value {
            Value::Shared(text) => statement.raw_bind_parameter(place, numbers.number(text)?)?,
            value => statement.raw_bind_parameter(place, value)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stores_values_as_they_stand_is_done_for_several_rows() {
        let several = of_several("INSERT INTO t (a, b) VALUES (?1, ?2) ON CONFLICT DO NOTHING", 2).unwrap();
        assert!(
            several.starts_with("INSERT INTO t (a, b) VALUES (?, ?), (?, ?), ") && several.ends_with(", (?, ?)"),
            "a row that is there makes it fail"
        );
        assert_eq!(several.matches('?').count(), 2 * AT_ONCE);
        assert_eq!(of_several("INSERT INTO t VALUES (?, ?)", 2).unwrap().matches('?').count(), 2 * AT_ONCE);
        for other in [
            "UPDATE t SET a = ?2 WHERE b = ?1",
            "INSERT INTO t VALUES (?2, ?1)",
            "INSERT INTO t VALUES (?1, max(?2, 7))",
            "INSERT INTO t VALUES (?1, ?2) ON CONFLICT (a) DO UPDATE SET b = ?2",
            "INSERT INTO t SELECT ?1, ?2",
        ] {
            assert_eq!(of_several(other, 2), None, "{other}");
        }
    }
}
