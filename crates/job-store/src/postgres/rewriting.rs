//! Statements are written once, for SQLite; here they become what PostgreSQL takes.

/// Placeholders with numbers, and the portal in the key that a conflict is about. No statement of ours has a `?` in a text.
pub(super) fn as_postgres(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 16);
    let mut number = 0;
    let mut rest = sql.chars().peekable();
    while let Some(next) = rest.next() {
        text.push(if next == '?' { '$' } else { next });
        // `?3` has its number
        if next == '?' && !rest.peek().is_some_and(char::is_ascii_digit) {
            number += 1;
            text.push_str(&number.to_string());
        }
    }
    text.replace("ON CONFLICT (", "ON CONFLICT (portal, ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_get_numbers_and_the_portal_in_their_keys() {
        for (ours, theirs) in [
            ("SELECT a FROM t WHERE b = ? AND c < ?", "SELECT a FROM t WHERE b = $1 AND c < $2"),
            ("SELECT ?3 || ?1, ?2 FROM t", "SELECT $3 || $1, $2 FROM t"),
            (
                "INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
                "INSERT INTO t (a) VALUES ($1) ON CONFLICT (portal, a) DO UPDATE SET b = excluded.b",
            ),
            ("INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING", "INSERT INTO t VALUES ($1) ON CONFLICT DO NOTHING"),
        ] {
            assert_eq!(as_postgres(ours), theirs);
        }
    }
}
