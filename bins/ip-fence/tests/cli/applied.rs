//! What becomes of a list that was applied: what runs, other hosts and people make of it afterwards.

use chrono::TimeDelta;
use cli_test::Run;
use portal_sim::{Event, Login};
use serde_json::Value;
use tempfile::TempDir;

use crate::apply::{
    self, CONFIG, FAST, SLOW, applied, before, command, now_at, path, planned, planned_on, puts, said, scenario,
    started,
};
use crate::common::{Setting, portal_with};

async fn ran(setting: &Setting, words: &[&str]) -> Run {
    cli_test::run(command(setting, words, FAST)).await
}

fn id_of_plan(setting: &Setting) -> String {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path(setting, "list.plan")).unwrap()).unwrap();
    file["id"].as_str().unwrap().to_owned()
}

fn restoring(setting: &Setting) -> std::path::PathBuf {
    path(setting, "state").join(format!("restore-{}-1.sh", id_of_plan(setting)))
}

/// Nothing is written unless there is the file that restores the list by hand; it holds the list as it was.
#[tokio::test]
async fn the_file_that_restores_is_there_before_the_first_write() {
    let setting = planned().await;
    let file = restoring(&setting);
    std::fs::create_dir(&file).unwrap();
    let ended = applied(&setting).await;
    assert_eq!((ended.exit, puts(&setting.sim)), (1, 0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("cannot be written, so nothing is written to the portal"), "{}", ended.stderr);
    std::fs::remove_dir(&file).unwrap();
    applied(&setting).await;
    assert!(puts(&setting.sim) > 0);
    let text = std::fs::read_to_string(&file).unwrap();
    let body = text.lines().find(|line| line.starts_with('{')).unwrap();
    let entry = |ip| serde_json::json!({ "ip": ip, "forAdmin": false });
    let expected =
        serde_json::json!({ "ipRestrictions": [entry("192.0.2.12"), entry("203.0.113.250")], "enable": false });
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected, "{text}");
    let url = format!("-X PUT '{}/api/2.0/settings/iprestrictions'", setting.sim.url().trim_end_matches('/'));
    assert!(text.contains(&url), "{text}");
}

/// Whatever was written after it goes first.
#[tokio::test]
async fn taking_back_to_one_takes_back_all_that_came_after_it() {
    let setting = planned().await;
    let first = format!("{}-1", id_of_plan(&setting));
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    setting.sim.edit(|scenario| scenario.now += TimeDelta::minutes(1));
    let confirm = ["confirm", "--by", "ben", "--without-witness"];
    let confirmed = cli_test::run(command(&setting, &confirm, SLOW)).await;
    assert_eq!(confirmed.exit, 0, "{}{}", confirmed.stdout, confirmed.stderr);
    cli_test::in_time(child.wait()).await.unwrap();

    let policy = std::fs::read_to_string(path(&setting, "policy.toml")).unwrap();
    setting.file("policy.toml", &policy.replace("\"192.0.2.12\"", "\"192.0.2.12\", \"192.0.2.13\""));
    apply::plan(&setting, &["--own-address", "192.0.2.12"]).await;
    let second = id_of_plan(&setting);
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    child.kill().await.unwrap();
    assert_eq!(now_at(&setting.sim), (vec!["192.0.2.12".to_owned(), "192.0.2.13".to_owned()], true));

    let unknown = ran(&setting, &["rollback", "--to", "aaaa-aaaa-1"]).await;
    assert_eq!(unknown.exit, 2, "{}", unknown.stderr);
    let nothing = ran(&setting, &["rollback", "--to", ""]).await;
    assert!(nothing.exit == 2 && nothing.stderr.contains("the value of '--to <ID>' is empty"), "{}", nothing.stderr);
    let back = ran(&setting, &["rollback", "--to", &first, "--by", "ben", "--reason", "a mistake"]).await;
    assert_eq!((back.exit, now_at(&setting.sim)), (0, before()), "{}{}", back.stdout, back.stderr);
    let taken_back = |plan: &str| back.stdout.find(&format!("plan {plan} was taken back")).unwrap();
    assert!(taken_back(&second) < taken_back(first.trim_end_matches("-1")), "{}", back.stdout);
}

/// Runs were kept off while it waited. The next one judges what happened then, and knows its own writes from those that only say so.
#[cfg(unix)]
#[tokio::test]
async fn the_run_after_a_list_that_waited_judges_that_time_and_knows_own_writes() {
    let setting = planned().await;
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    setting.sim.edit(|scenario| {
        scenario.now += TimeDelta::minutes(1);
        let hana = scenario.person_by_email("hana@example.com").unwrap().clone();
        scenario.add_login(Login { ip: "203.0.113.77".to_owned(), ..Login::success(&hana, scenario.now) });
        let anna = scenario.person_by_email("anna@example.com").unwrap().id;
        let own = scenario.events.iter().rfind(|event| event.action == 6094).unwrap();
        let page = own.stored.as_ref().unwrap().page.as_ref().unwrap();
        assert!(page.contains("/ip-fence/"), "{page}");
        let mut theirs = Event { id: 0, actor: anna, at: scenario.now, ..own.clone() };
        theirs.stored.as_mut().unwrap().ip = Some("203.0.113.9".to_owned());
        scenario.add_event(theirs);
        // longer than the next run looks back
        scenario.now += TimeDelta::minutes(13);
    });
    let meanwhile = ran(&setting, &[]).await;
    assert_eq!((meanwhile.exit, meanwhile.stdout.as_str()), (0, ""), "{}", meanwhile.stderr);
    cli_test::send("TERM", child.id().unwrap()).await;
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(3));
    assert_eq!(now_at(&setting.sim), before());
    // the machine that writes is no place of the owner, whose key it uses
    let policy = std::fs::read_to_string(path(&setting, "policy.toml")).unwrap();
    let own = "[[rule]]\nlabel = \"owner\"\npeople = [\"olga@example.com\"]\nallow = [\"198.51.100.250\"]\n";
    setting.file("policy.toml", &format!("{policy}{own}"));
    let next = ran(&setting, &["--since", "5m", "--format", "json"]).await;
    let report = next.json();
    let of_kind = |kind: &str| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == kind);
        let text =
            |one: &Value| format!("{} {} {}", one["person"]["name"], one["evidence"][0]["ip"], one["evidence_total"]);
        findings.map(text).collect()
    };
    assert_eq!(of_kind("list_changed"), ["\"Anna Schmidt\" \"203.0.113.9\" 1"], "{}", next.stdout);
    assert!(!of_kind("not_allowed").iter().any(|told| told.contains("Olga")), "{}", next.stdout);
    assert!(of_kind("not_allowed").contains(&"\"Hana Sato\" \"203.0.113.77\" 1".to_owned()), "{}", next.stdout);
}

/// Another machine, with the files that everybody has, and one store on a server.
#[tokio::test]
async fn of_two_hosts_with_one_store_one_writes_and_either_takes_back() {
    let mut setting = portal_with(scenario()).await;
    if !setting.keep_on_server() {
        return;
    }
    let mut setting = planned_on(setting, CONFIG).await;
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    let here = other_host(&mut setting);
    let policy = std::fs::read_to_string(path(&setting, "policy.toml")).unwrap();
    setting.file("policy.toml", &policy.replace("\"192.0.2.12\"", "\"192.0.2.12\", \"192.0.2.13\""));
    apply::plan(&setting, &["--own-address", "192.0.2.12"]).await;
    let nothing = async |why: &str| {
        let ended = applied(&setting).await;
        assert_eq!((ended.exit, puts(&setting.sim)), (3, 2), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(why), "{}", ended.stdout);
    };
    nothing("is still open (switched): olga began to apply it at").await;
    child.kill().await.unwrap();
    setting.lease_ends().await;
    nothing("is still open (switched)").await;
    setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
    let next = ran(&setting, &[]).await;
    assert_eq!((next.exit, now_at(&setting.sim)), (0, before()), "{}{}", next.stdout, next.stderr);
    assert!(next.stdout.contains("nobody has confirmed it in time"), "{}", next.stdout);
    drop(here);
}

/// A host is held up between the note of a write and the write itself for so long that another one takes the lease over: it writes nothing
/// more, says why, and the next run takes back what was written before.
#[tokio::test]
async fn a_host_that_has_lost_its_lease_writes_nothing() {
    for written in [0, 1] {
        let mut setting = portal_with(scenario()).await;
        if !setting.keep_on_server() {
            return;
        }
        let setting = planned_on(setting, CONFIG).await;
        let is_taken_over = LeaseTaken::with_note(&setting, written + 1).await;
        let ended = applied(&setting).await;
        assert_eq!((ended.exit, puts(&setting.sim)), (1, written), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains("has passed to another run"), "{}", ended.stderr);
        assert!(!now_at(&setting.sim).1, "{}", ended.stdout);
        is_taken_over.end().await;
        setting.lease_ends().await;
        setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
        let next = ran(&setting, &[]).await;
        assert_eq!((next.exit, now_at(&setting.sim)), (0, before()), "{}{}", next.stdout, next.stderr);
        assert_eq!(puts(&setting.sim), 2 * written, "{}", next.stdout);
    }
}

/// Another host that takes the lease over in the moment in which a write is noted.
struct LeaseTaken {
    store: job_store::Store,
    name: String,
}

impl LeaseTaken {
    /// With the note of the write of this number.
    async fn with_note(setting: &Setting, number: usize) -> Self {
        let place = setting.server.as_ref().unwrap();
        let store = job_store::Store::on_server(place).await.unwrap();
        let portal = &place.portal;
        let name = format!("taken_over_{}", portal.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
        // other tests have rows of other portals in the same tables
        let sql = format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF json_array_length(NEW.payload::json -> 'puts') = {number} THEN
                     UPDATE lease SET holder = 'another host', fence = fence + 1;
                 END IF;
                 RETURN NULL;
             END $$;
             CREATE TRIGGER {name} AFTER UPDATE ON journal_entry FOR EACH ROW WHEN (NEW.portal = '{portal}')
                 EXECUTE FUNCTION {name}()"
        );
        store.script("waiting", sql).await.unwrap();
        LeaseTaken { store, name }
    }

    async fn end(self) {
        let sql = format!("DROP FUNCTION {} CASCADE", self.name);
        self.store.script("waiting", sql).await.unwrap();
        self.store.close().await;
    }
}

/// Two hosts with a store each, and one plan: what one has written and taken back is not the other's, and while the list of one stands, the
/// other stops.
#[tokio::test]
async fn of_two_hosts_with_a_store_each_the_second_stops() {
    let mut setting = planned().await;
    let here = other_host(&mut setting);
    ran(&setting, &[]).await;
    let there = std::mem::replace(&mut setting.state, here);
    applied(&setting).await;
    let here = std::mem::replace(&mut setting.state, there);
    let alone = applied(&setting).await;
    assert_eq!((alone.exit, now_at(&setting.sim)), (3, before()), "{}{}", alone.stdout, alone.stderr);
    assert!(alone.stdout.contains("is taken back: nobody has confirmed it in time"), "{}", alone.stdout);
    let there = std::mem::replace(&mut setting.state, here);
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    let here = std::mem::replace(&mut setting.state, there);
    let written = puts(&setting.sim);
    let second = applied(&setting).await;
    assert_eq!((second.exit, puts(&setting.sim)), (3, written), "{}{}", second.stdout, second.stderr);
    assert!(second.stdout.contains("the portal's list has changed since"), "{}", second.stdout);
    child.kill().await.unwrap();
    drop(here);
    setting.sim.edit(|scenario| {
        let pages = scenario.events.iter().filter(|event| event.action == 6094);
        let pages: Vec<_> = pages.map(|event| event.stored.as_ref().unwrap().page.clone().unwrap()).collect();
        let different: std::collections::BTreeSet<&String> = pages.iter().collect();
        assert_eq!(different.len(), written, "each write says whose it is: {pages:#?}");
    });
}

/// From now on programs run on another machine; gives the folder of this one.
fn other_host(setting: &mut Setting) -> TempDir {
    let there = TempDir::new().unwrap();
    for name in ["policy.toml", "ip-fence.toml", "list.plan"] {
        std::fs::copy(path(setting, name), there.path().join(name)).unwrap();
    }
    std::mem::replace(&mut setting.state, there)
}
