//! Who is told what, once.

use portal_sim::PersonKind;

use crate::common::{Burst, hire, office, setting};

/// A second run tells nothing new; a dry run tells what it sees and plans, and remembers nothing.
#[tokio::test]
async fn a_finding_is_told_once() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(5018, 110).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    for (arguments, is_told) in [(vec!["--dry-run"], true), (vec![], true), (vec![], false)] {
        let told = setting.run(&arguments).await;
        assert_eq!(told.stdout.contains("would be suspended"), is_told, "{arguments:?} {}{}", told.stdout, told.stderr);
    }
}
