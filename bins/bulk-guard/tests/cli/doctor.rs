//! What `doctor` says besides what all programs say.

use crate::common::{office, setting};

#[tokio::test]
async fn doctor_says_how_soon_and_whom() {
    let setting = setting(office()).await;
    let url = setting.sim.url();
    let told = setting.run_with(&["doctor", "--portal", &url]).await.stdout;
    for line in
        ["time_to_detection", "41 people can sign in, DocSpace admins included", "20 documents changed within 10 min"]
    {
        assert!(told.contains(line), "{line} in\n{told}");
    }
}

/// A service that would not start, or whose token others can read, is no "ok".
#[cfg(unix)]
#[tokio::test]
async fn doctor_reads_the_token() {
    use std::os::unix::fs::PermissionsExt;
    let setting = setting(office()).await;
    let line = async |config: &str, name: &str| {
        let url = setting.sim.url();
        let config = setting.file("bulk-guard.toml", config);
        let told = setting.run_with(&["doctor", "--portal", &url, "--config", &config]).await.stdout;
        told.lines().find(|line| line.contains(&format!(" {name}: "))).unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    assert!(line("", "serve_token").await.starts_with("ok    serve_token: `serve.token_file` is not set"));
    let named = "[serve]\ntoken_file = \"token\"\n";
    assert!(line(named, "serve_token").await.starts_with("FAIL"));
    let token = setting.file("token", "short");
    assert!(line(named, "serve_token").await.contains("at least 16 characters"));
    setting.file("token", "a-token-that-nobody-guesses");
    assert!(line(named, "serve_token").await.starts_with("ok    serve_token: `serve.token_file` was read"));
    assert!(line(named, "private").await.starts_with("ok"));
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = line(named, "private").await;
    assert!(told.starts_with("warn") && told.contains("the token in") && told.contains("chmod 600"), "{told}");
}
