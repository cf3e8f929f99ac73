//! What `doctor` says of this program's own settings.

use crate::common::Setting;
use crate::only::june;
use crate::uploads::with_folder;

#[tokio::test]
async fn doctor_says_whether_the_upload_would_work() {
    let setting = Setting::new(with_folder()).await;
    let out = setting.out().display().to_string();
    let fine = setting.run(&["--out", &out, "--upload-to", "Falcon/Reports", "doctor"]).await;
    assert!(fine.stdout.contains("ok    upload_to: reports go to Falcon/Reports (folder 500)"), "{}", fine.stdout);
    assert!(fine.stdout.contains("ok    out: reports go to /home/report"), "{}", fine.stdout);
    let wrong = setting.run(&["--out", &out, "--upload-to", "Falcno", "doctor"]).await;
    assert_eq!(wrong.exit, 2, "{}", wrong.stdout);
    assert!(
        wrong.stdout.contains("FAIL  upload_to: there is no room with the exact title `Falcno`"),
        "{}",
        wrong.stdout
    );
}

#[tokio::test]
async fn doctor_says_that_all_of_it_is_there() {
    let setting = Setting::new(june()).await;
    let config = setting.config("[only]\nrooms = [\"71\"]\nfiles = [\"9300\"]");
    let checked = setting.run(&["--month", "2026-06", "--config", &config, "doctor"]).await;
    let fine =
        "ok    only: asked the portal for everything that `only.rooms`, `only.files` name, and all of it is there";
    assert!(checked.stdout.contains(fine), "{}", checked.stdout);
}

#[tokio::test]
async fn doctor_names_service_accounts_that_are_nobody() {
    let setting = Setting::new(june()).await;
    let config = setting.config("service_accounts = [\"nobody@example.com\"]");
    let checked = setting.run(&["--config", &config, "doctor"]).await;
    assert!(checked.stdout.contains("`nobody@example.com`"), "{}", checked.stdout);
}
