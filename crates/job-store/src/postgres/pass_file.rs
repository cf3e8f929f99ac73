//! Files with passwords, as `psql` reads them: a line for each, `host:port:database:role:password`.

use super::url::ServerUrl;

/// The password of the first line that is meant for this server.
pub(super) fn password(text: &str, url: &ServerUrl) -> Option<String> {
    let (host, port) = (url.host(), url.port().to_string());
    let asked = [host.as_str(), &port, url.database(), url.role()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields = fields(line);
        let [wanted @ .., password] = fields.as_slice() else { continue };
        let is_meant = |(place, (wanted, asked)): (usize, (&String, &str))| {
            wanted == "*" || wanted == asked || (place == 0 && url.is_socket() && wanted == "localhost")
        };
        if wanted.len() == asked.len() && wanted.iter().zip(asked).enumerate().all(is_meant) {
            return Some(password.clone());
        }
    }
    None
}

/// The fields between colons; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let (mut done, mut field) = (Vec::new(), String::new());
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        match next {
            // the password is the rest of the line
            ':' if done.len() < 4 => done.push(std::mem::take(&mut field)),
            '\\' => field.push(rest.next().unwrap_or('\\')),
            next => field.push(next),
        }
    }
    done.push(field);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# host:port:database:role:password
db.example.com:5433:audit:vdr:other port
db.example.com:5432:audit:vdr:one\\:two\\\\:three
localhost:*:*:vdr:at the socket
*:*:*:*:of all others
";

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        for (url, found) in [
            ("postgres://vdr@db.example.com/audit", "one:two\\:three"),
            ("postgres://vdr@db.example.com:5433/audit", "other port"),
            ("postgres://vdr@/audit?host=/run/postgresql", "at the socket"),
            ("postgres://vdr@10.0.0.1/other", "of all others"),
        ] {
            assert_eq!(password(FILE, &url.parse().unwrap()).as_deref(), Some(found), "{url}");
        }
        let url = "postgres://vdr@db.example.com/audit".parse().unwrap();
        assert_eq!(password("other.example.com:*:*:*:x\ndb.example.com:5432:audit\n", &url), None);
    }

    #[test]
    fn a_password_in_the_url_wins() {
        let url: ServerUrl = "postgres://vdr:one@db.example.com/audit".parse().unwrap();
        let url = url.with_password("two");
        assert_eq!(url.config().get_password(), Some(b"one".as_slice()));
        let none: ServerUrl = "postgres://vdr@db.example.com/audit".parse().unwrap();
        assert!(!none.has_password() && none.clone().with_password("two").has_password());
        let missing = none.with_pass_file(std::path::Path::new("/nowhere")).unwrap_err();
        assert!(missing.to_string().contains("/nowhere; correct its name"), "{missing}");
    }
}
