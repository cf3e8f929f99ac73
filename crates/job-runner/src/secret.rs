//! Where the API key comes from. What it is good for is left to the portal client.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use alerting::Fault;
use job_store::ServerUrl;
use secrecy::SecretString;

use crate::Error;
use crate::environment::Environment;
use crate::key_origin::KEY_VARIABLE;
pub use crate::key_origin::KeyOrigin;

/// Where systemd puts credentials (`LoadCredential=`).
pub(crate) const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// The credential's name in that folder.
const CREDENTIAL: &str = "docspace-api-key";
/// The same for the mail server's password.
const PASSWORD_CREDENTIAL: &str = "smtp-password";
/// The same for the server that keeps the state.
const STATE_CREDENTIAL: &str = "postgres-password";
/// Names a file with the passwords of servers, as `psql` reads it.
const PASS_FILE_VARIABLE: &str = "PGPASSFILE";
/// The same for the key of pseudonyms.
const NAMES_CREDENTIAL: &str = "names-key";

/// Fewer could be guessed by trying.
const SHORTEST_NAMES_KEY: usize = 16;

/// The API key, and what to know about where it was.
#[derive(Debug)]
pub struct FoundKey {
    /// One word of visible ASCII.
    pub key: SecretString,
    /// Where it was.
    pub origin: KeyOrigin,
}

/// Finds the API key: `--key-file`, then `DOCSPACE_API_KEY`, then the credential, then the setting `key_file`. The first
/// place that is there counts; if it is unusable, the others are not asked.
///
/// # Errors
/// No place has one, or the first one is unreadable, empty or not one word.
pub fn find_key(flag: Option<&Path>, environment: &Environment, setting: Option<&Path>) -> Result<FoundKey, Error> {
    if let Some(path) = flag {
        return from_file(path, KeyOrigin::Flag(path.to_owned()));
    }
    if let Some(text) = environment.get(KEY_VARIABLE) {
        let key = checked(text.to_owned(), &KeyOrigin::Environment)?;
        return Ok(FoundKey { key, origin: KeyOrigin::Environment });
    }
    if let Some(path) = credential(environment, CREDENTIAL) {
        return from_file(&path, KeyOrigin::Credential(path.clone()));
    }
    let path = setting.ok_or(Error::NoKey)?;
    from_file(path, KeyOrigin::Setting(path.to_owned()))
}

/// Whether systemd hands over a key.
pub(crate) fn has_credential(environment: &Environment) -> bool {
    credential(environment, CREDENTIAL).is_some()
}

/// The password for the mail server: the credential `smtp-password`, else the file of the setting. Without its line break.
pub(crate) fn find_password(environment: &Environment, setting: Option<&Path>) -> Result<String, Error> {
    let credential = credential(environment, PASSWORD_CREDENTIAL);
    let message = "is missing: `mail.user` needs it, or the credential `smtp-password`";
    let path = credential.as_deref().or(setting).ok_or_else(|| Error::setting("mail.password_file", message))?;
    password_in(path, "mail.password_file")
}

/// The URL of the server that keeps the state, with its password: of the URL itself, the credential `postgres-password`, the file of the
/// setting, and the files for `psql` that the URL (`passfile`) and `PGPASSFILE` name. Without any, as servers want it that know their
/// clients otherwise.
///
/// # Errors
/// One of the files cannot be read.
pub(crate) fn with_state_password(
    url: ServerUrl,
    environment: &Environment,
    setting: Option<&Path>,
) -> Result<ServerUrl, Error> {
    if url.has_password() {
        return Ok(url);
    }
    let credential = credential(environment, STATE_CREDENTIAL);
    if let Some(path) = credential.as_deref().or(setting) {
        return Ok(url.with_password(&password_in(path, "state_password_file")?));
    }
    let variable = environment.get(PASS_FILE_VARIABLE).map(PathBuf::from);
    match url.pass_file().map(Path::to_owned).or(variable) {
        Some(path) => url.with_pass_file(&path).map_err(Error::StateAddress),
        None => Ok(url),
    }
}

/// A secret of a channel of alerts: the variable, then the credential, then the file of the setting, without its line break; `None` where
/// none of them is.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn find_alert_secret(
    environment: &Environment,
    channel: &str,
    member: &str,
    setting: Option<&Path>,
) -> Result<Option<SecretString>, Fault> {
    if let Some(text) = environment.get(&alerting::variable_of(channel, member)) {
        return Ok(Some(SecretString::from(text.to_owned())));
    }
    let credential = credential(environment, &alerting::credential_of(channel, member));
    let Some(path) = credential.as_deref().or(setting) else { return Ok(None) };
    let text = fs::read_to_string(path).map_err(|error| {
        Fault::new(format!("{member}_file"), format!("cannot be read from {} ({error})", path.display()))
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Fault::new(format!("{member}_file"), format!("names {}, which is empty", path.display())));
    }
    Ok(Some(SecretString::from(text)))
}

/// `None` where a unit has other credentials, just not this one. One that cannot be looked at is not passed over.
fn credential(environment: &Environment, name: &str) -> Option<PathBuf> {
    let credential = environment.get(CREDENTIALS_VARIABLE).map(|folder| Path::new(folder).join(name));
    credential.filter(|path| path.try_exists().unwrap_or(true))
}

/// Without its line break.
fn password_in(path: &Path, setting: &'static str) -> Result<String, Error> {
    let text = fs::read_to_string(path)
        .map_err(|error| Error::setting(setting, format!("cannot be read from {} ({error})", path.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The file with the key of pseudonyms: the credential `names-key`, else that of the setting.
pub(crate) fn names_key_file(environment: &Environment, setting: Option<&Path>) -> Option<PathBuf> {
    credential(environment, NAMES_CREDENTIAL).or_else(|| setting.map(Path::to_owned))
}

/// The key of pseudonyms, without its line break.
pub(crate) fn read_names_key(path: &Path) -> Result<SecretString, Error> {
    const SETTING: &str = "names_key_file";
    let text = password_in(path, SETTING)?;
    if text.len() < SHORTEST_NAMES_KEY {
        let message = format!(
            "names {}, which holds fewer than {SHORTEST_NAMES_KEY} characters; make a key with `openssl rand -hex 32`",
            path.display()
        );
        return Err(Error::setting(SETTING, message));
    }
    Ok(SecretString::from(text))
}

fn from_file(path: &Path, origin: KeyOrigin) -> Result<FoundKey, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(Error::KeyMalformed { origin }),
        Err(source) => return Err(Error::KeyUnreadable { origin, source }),
    };
    let key = checked(text, &origin)?;
    Ok(FoundKey { key, origin })
}

/// The text without its last line break, if it is one word that fits into an HTTP header.
fn checked(mut text: String, origin: &KeyOrigin) -> Result<SecretString, Error> {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(Error::KeyEmpty { origin: origin.clone() });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::KeyMalformed { origin: origin.clone() });
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::*;

    /// A folder with a readable-by-owner file for each name, holding the name as its key.
    fn folder(names: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for name in names {
            write(&folder, name, &format!("sk-{name}\n"));
        }
        folder
    }

    fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        // tempfile makes the folder for the owner only; the file gets its mode from here
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        set_mode(&path, 0o600);
        path
    }

    #[cfg(unix)]
    fn set_mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[cfg(not(unix))]
    fn set_mode(_path: &Path, _mode: u32) {}

    fn environment(key: bool, credentials: Option<&Path>) -> Environment {
        let key = key.then(|| (KEY_VARIABLE, "sk-variable".to_owned()));
        let credentials = credentials.map(|path| (CREDENTIALS_VARIABLE, path.display().to_string()));
        key.into_iter().chain(credentials).collect()
    }

    #[test]
    fn the_order_is_flag_environment_credential_setting() {
        let files = folder(&["flag", "setting"]);
        let credentials = folder(&[CREDENTIAL]);
        let (flag, setting) = (files.path().join("flag"), files.path().join("setting"));
        let credential = credentials.path().join(CREDENTIAL);
        let all = environment(true, Some(credentials.path()));
        let without_key = environment(false, Some(credentials.path()));
        let none = Environment::default();
        for (flag, environment, key, origin) in [
            (Some(flag.as_path()), &all, "sk-flag", KeyOrigin::Flag(flag.clone())),
            (None, &all, "sk-variable", KeyOrigin::Environment),
            (None, &without_key, "sk-docspace-api-key", KeyOrigin::Credential(credential)),
            (None, &none, "sk-setting", KeyOrigin::Setting(setting.clone())),
        ] {
            let found = find_key(flag, environment, Some(&setting)).unwrap();
            assert_eq!(found.key.expose_secret(), key);
            assert_eq!(found.origin, origin);
        }
    }

    #[test]
    fn a_missing_credential_and_an_empty_variable_are_passed_over() {
        let files = folder(&["setting"]);
        let mut variables = vec![(KEY_VARIABLE, String::new())];
        variables.push((CREDENTIALS_VARIABLE, files.path().display().to_string()));
        let found = find_key(None, &variables.into_iter().collect(), Some(&files.path().join("setting"))).unwrap();
        assert_eq!(found.key.expose_secret(), "sk-setting");
    }

    #[test]
    fn no_key_names_all_four_places() {
        let message = find_key(None, &Environment::default(), None).unwrap_err().to_string();
        for place in ["--key-file", "DOCSPACE_API_KEY", "$CREDENTIALS_DIRECTORY", "`key_file`"] {
            assert!(message.contains(place), "{message}");
        }
    }

    #[test]
    fn a_flag_that_names_no_file_does_not_fall_back() {
        let files = folder(&["setting"]);
        let missing = files.path().join("missing");
        let error = find_key(Some(&missing), &environment(true, None), None).unwrap_err();
        assert!(matches!(error, Error::KeyUnreadable { .. }));
        assert!(error.to_string().contains("missing"), "{error}");
    }

    #[test]
    fn line_breaks_at_the_end_are_trimmed_and_nothing_else() {
        let files = folder(&[]);
        let none = Environment::default();
        for text in ["sk-1", "sk-1\n", "sk-1\r\n"] {
            let path = write(&files, "key", text);
            assert_eq!(find_key(Some(&path), &none, None).unwrap().key.expose_secret(), "sk-1", "{text:?}");
        }
        for text in ["", "\n", "\r\n"] {
            let path = write(&files, "key", text);
            assert!(matches!(find_key(Some(&path), &none, None), Err(Error::KeyEmpty { .. })), "{text:?}");
        }
        for text in ["sk 1", " sk-1", "sk-1 ", "sk-1\nsk-2\n", "sk-\t1", "\u{feff}sk-1", "sk-é"] {
            let path = write(&files, "key", text);
            assert!(matches!(find_key(Some(&path), &none, None), Err(Error::KeyMalformed { .. })), "{text:?}");
        }
        let path = files.path().join("key");
        fs::write(&path, [b's', 0xff]).unwrap();
        assert!(matches!(find_key(Some(&path), &none, None), Err(Error::KeyMalformed { .. })));
    }

    #[test]
    fn a_malformed_variable_is_refused_without_showing_it() {
        let environment = Environment::from_iter([(KEY_VARIABLE, "sk-one sk-two")]);
        let error = find_key(None, &environment, None).unwrap_err();
        assert!(matches!(error, Error::KeyMalformed { origin: KeyOrigin::Environment }));
        assert!(!format!("{error} {error:?}").contains("sk-"));
    }

    #[test]
    fn the_password_for_the_state_is_that_of_the_first_place_that_is_there() {
        let folder = TempDir::new().unwrap();
        let (file, for_psql) =
            (write(&folder, "password", "of the setting\n"), write(&folder, "pgpass", "*:*:*:*:for psql\n"));
        let with = |url: &str, variables: &[(&str, &Path)], setting: Option<&Path>| {
            let environment = variables.iter().map(|(name, path)| (*name, path.display().to_string())).collect();
            let url = with_state_password(url.parse().unwrap(), &environment, setting);
            url.map(|url| url.has_password())
        };
        let plain = "postgres://vdr@db.example.com/audit";
        let missing = folder.path().join("nowhere");
        assert!(!with(plain, &[], None).unwrap());
        assert!(with(plain, &[], Some(&file)).unwrap());
        assert!(with(plain, &[("PGPASSFILE", &for_psql)], None).unwrap());
        assert!(with(&format!("{plain}?passfile={}", for_psql.display()), &[("PGPASSFILE", &missing)], None).unwrap());
        // what is not asked need not be there
        assert!(with("postgres://vdr:secret@db.example.com/audit", &[], Some(&missing)).unwrap());
        let error = with(plain, &[], Some(&missing)).unwrap_err().to_string();
        assert!(error.contains("state_password_file") && error.contains("nowhere"), "{error}");
        let error = with(plain, &[("PGPASSFILE", &missing)], None).unwrap_err().to_string();
        assert!(error.contains("password file") && error.contains("nowhere"), "{error}");
        write(&folder, STATE_CREDENTIAL, "credential\n");
        assert!(with(plain, &[(CREDENTIALS_VARIABLE, folder.path())], Some(&missing)).unwrap());
    }

    #[test]
    fn a_secret_of_a_channel_is_that_of_the_first_place_that_is_there() {
        let folder = TempDir::new().unwrap();
        let file = write(&folder, "url", "of the file\n");
        let found = |variables: &[(&str, &str)], setting: Option<&Path>| {
            let environment = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            let found = find_alert_secret(&environment, "soc-hook", "url", setting);
            found.map(|found| found.map(|secret| secret.expose_secret().to_owned()))
        };
        assert_eq!(found(&[], None), Ok(None));
        assert_eq!(found(&[], Some(&file)), Ok(Some("of the file".to_owned())));
        let fault = found(&[], Some(&folder.path().join("nowhere"))).unwrap_err();
        assert!(fault.member == "url_file" && fault.message.contains("nowhere"), "{fault:?}");
        write(&folder, "alert-soc-hook-url", "credential\n");
        let credentials = (CREDENTIALS_VARIABLE, folder.path().to_str().unwrap());
        assert_eq!(found(&[credentials], Some(&file)), Ok(Some("credential".to_owned())));
        let variable = ("ALERT_SOC_HOOK_URL", "variable");
        assert_eq!(found(&[credentials, variable], Some(&file)), Ok(Some("variable".to_owned())));
    }

    /// A space at the end may belong to a password; a line break does not.
    #[test]
    fn the_password_is_the_credential_before_the_file() {
        let folder = TempDir::new().unwrap();
        let file = write(&folder, "password", "from file \n");
        let none = Environment::default();
        assert_eq!(find_password(&none, Some(&file)).unwrap(), "from file ");
        assert!(find_password(&none, None).unwrap_err().to_string().contains("smtp-password"));
        let missing = folder.path().join("nowhere");
        assert!(find_password(&none, Some(&missing)).unwrap_err().to_string().contains("nowhere"));
        write(&folder, PASSWORD_CREDENTIAL, "credential\n");
        let pair = (CREDENTIALS_VARIABLE.to_owned(), folder.path().display().to_string());
        let environment: Environment = [pair].into_iter().collect();
        assert_eq!(find_password(&environment, Some(&file)).unwrap(), "credential");
    }
}
