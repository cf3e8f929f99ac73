//! What is kept about people is forgotten: of one who asks, and of all when it is old.

use std::path::Path;

use chrono::TimeDelta;

use super::{Program, server};
use crate::faults::world;
use crate::{Clock, Setting};

/// The schema of what `store show` prints.
const SHOWN: &str = "../job-runner/schema/store-show-1.schema.json";

/// Name, e-mail address, and id with hyphens and without, of everybody on the portal whose e-mail address is meant.
pub fn names_of(setting: &Setting, is_meant: impl Fn(&str) -> bool) -> Vec<[String; 4]> {
    let people = setting.scenario.people.iter().filter(|person| is_meant(&person.email));
    let names = people.map(|person| {
        let name = format!("{} {}", person.first_name, person.last_name);
        [name, person.email.clone(), person.id.to_string(), person.id.simple().to_string()]
    });
    names.collect()
}

/// Which of these stand in the bytes of the store, in whatever case.
pub fn named_in_store(setting: &Setting, people: &[[String; 4]]) -> Vec<String> {
    let mut bytes = Vec::new();
    for path in std::fs::read_dir(setting.state.path().join("state")).unwrap().map(|file| file.unwrap().path()) {
        if path.to_string_lossy().contains(".sqlite") {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    named_in(bytes, people)
}

fn named_in(mut bytes: Vec<u8>, people: &[[String; 4]]) -> Vec<String> {
    bytes.make_ascii_lowercase();
    // the standard library's search of texts is optimised in debug builds, too; what is no text cannot be a name
    let text = String::from_utf8_lossy(&bytes);
    let is_in = |needle: &&String| text.contains(&needle.to_ascii_lowercase());
    people.iter().flatten().filter(|needle| needle.trim().len() > 3).filter(is_in).cloned().collect()
}

async fn named(setting: &Setting, people: &[[String; 4]]) -> Vec<String> {
    match &setting.server {
        Some(place) => named_in(server::rows(place).await, people),
        None => named_in_store(setting, people),
    }
}

impl Program {
    /// Whoever asks to be forgotten is named nowhere in the store, the next run keeps it so for what is stored, and when all is old enough,
    /// nobody is named.
    pub async fn forgets(&self) {
        for setting in self.settings(world()).await {
            self.forgets_in(setting).await;
        }
    }

    async fn forgets_in(&self, mut setting: Setting) {
        self.run(&setting, &[]).await;
        let all = names_of(&setting, |_| true);
        let kept = named(&setting, &all).await;
        let one = all.iter().find(|[_, _, id, simple]| kept.contains(id) && kept.contains(simple));
        let one = one.or_else(|| all.iter().find(|[.., simple]| kept.contains(simple))).unwrap().clone();
        let shown = self.run(&setting, &["store", "show", &one[2]]).await;
        assert!(shown.exit == 0 && shown.stdout.contains("kept about one person"), "{} {}", shown.stdout, shown.stderr);
        let told = self.run(&setting, &["store", "show", &one[2], "--format", "json"]).await;
        crate::assert_keeps(&Path::new(env!("CARGO_MANIFEST_DIR")).join(SHOWN), &told.stdout);
        let forgotten = self.run(&setting, &["store", "forget", &one[2], "--reason", "asked for it"]).await;
        assert_eq!((forgotten.exit, forgotten.stderr.as_str()), (0, ""), "{}", forgotten.stdout);
        assert_eq!(named(&setting, &[one]).await, Vec::<String>::new(), "{}", shown.stdout);
        // whoever has done something stands in other tables
        if let Some(found) = self.found.first() {
            let email = format!("{found}@example.com");
            let forgotten = self.run(&setting, &["store", "forget", &email, "--reason", "asked, too"]).await;
            assert_eq!((forgotten.exit, forgotten.stderr.as_str()), (0, ""), "{}", forgotten.stdout);
            assert_eq!(named(&setting, &names_of(&setting, |of| of == email)).await, Vec::<String>::new());
        }
        let next = self.run(&setting, &[]).await;
        assert!(matches!(next.exit, 0 | 4) && !next.stderr.contains("memory"), "{}", next.stderr);
        setting.clock = Clock::At(setting.scenario.now + TimeDelta::days(900));
        let pruned = self.run(&setting, &["store", "prune", "--before", "800d"]).await;
        assert_eq!((pruned.exit, pruned.stderr.as_str()), (0, ""), "{}", pruned.stdout);
        assert_eq!(named(&setting, &all).await, Vec::<String>::new(), "{}", pruned.stdout);
    }
}
