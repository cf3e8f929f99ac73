//! The manifests for Kubernetes: that they are what its API takes, as far as the rules below know it, and start what is printed there.
//! What its published schemas say is asked in `kubernetes_schemas`; they do not know what a run needs.

use std::collections::BTreeSet;
use std::fs;

use yaml_rust2::{Yaml, YamlLoader};

use super::Program;
use super::deploy::{Machine, words};

/// Members that the API knows, of those that a manifest of ours may need, by the place of the object; `*` is any element of a list.
const KNOWN: [(&str, &[&str]); 14] = [
    ("", &["apiVersion", "kind", "metadata", "spec"]),
    ("metadata", &["name", "labels"]),
    (
        "POD",
        &[
            "restartPolicy",
            "automountServiceAccountToken",
            "enableServiceLinks",
            "terminationGracePeriodSeconds",
            "securityContext",
            "containers",
            "volumes",
        ],
    ),
    (
        "POD.securityContext",
        &["runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile"],
    ),
    ("POD.securityContext.seccompProfile", &["type"]),
    ("POD.containers.*", &["name", "image", "command", "args", "env", "resources", "securityContext", "volumeMounts"]),
    ("POD.containers.*.env.*", &["name", "value"]),
    ("POD.containers.*.resources", &["requests", "limits"]),
    ("POD.containers.*.securityContext", &["allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"]),
    ("POD.containers.*.volumeMounts.*", &["name", "mountPath", "readOnly"]),
    ("POD.volumes.*", &["name", "secret", "persistentVolumeClaim", "emptyDir"]),
    ("POD.volumes.*.secret", &["secretName", "defaultMode"]),
    ("POD.volumes.*.persistentVolumeClaim", &["claimName"]),
    ("POD.volumes.*.emptyDir", &["sizeLimit"]),
];

/// What starts pods: its members besides, where it describes the pod, and what has to be so.
struct Controller {
    known: &'static [(&'static str, &'static [&'static str])],
    pod: &'static str,
    fixed: &'static [(&'static str, Yaml)],
}

/// A pod at certain hours.
static CRON_JOB: Controller = Controller {
    known: &[
        (
            "spec",
            &[
                "schedule",
                "timeZone",
                "concurrencyPolicy",
                "startingDeadlineSeconds",
                "successfulJobsHistoryLimit",
                "failedJobsHistoryLimit",
                "jobTemplate",
            ],
        ),
        ("spec.jobTemplate", &["spec"]),
        ("spec.jobTemplate.spec", &["backoffLimit", "activeDeadlineSeconds", "template"]),
        ("spec.jobTemplate.spec.template", &["metadata", "spec"]),
    ],
    pod: "spec.jobTemplate.spec.template.spec",
    fixed: &[("spec.jobTemplate.spec.backoffLimit", Yaml::Integer(0))],
};

/// One pod that stays.
static DEPLOYMENT: Controller = Controller {
    known: &[
        ("spec", &["replicas", "revisionHistoryLimit", "strategy", "selector", "template"]),
        ("spec.strategy", &["type"]),
        ("spec.selector", &["matchLabels"]),
        ("spec.template", &["metadata", "spec"]),
    ],
    pod: "spec.template.spec",
    // two pods would share one memory
    fixed: &[("spec.replicas", Yaml::Integer(1)), ("POD.restartPolicy", Yaml::BadValue)],
};

impl Controller {
    fn of(document: &Yaml) -> &'static Controller {
        if at(document, "kind").as_str() == Some("Deployment") { &DEPLOYMENT } else { &CRON_JOB }
    }

    /// What has to be so, in words.
    fn words(&self) -> &'static [(&'static str, &'static str)] {
        if self.pod == DEPLOYMENT.pod {
            &[("apiVersion", "apps/v1"), ("kind", "Deployment"), ("spec.strategy.type", "Recreate")]
        } else {
            &[
                ("apiVersion", "batch/v1"),
                ("kind", "CronJob"),
                ("spec.concurrencyPolicy", "Forbid"),
                ("POD.restartPolicy", "Never"),
            ]
        }
    }
}

/// A value in the description of the pod.
fn of_pod<'y>(document: &'y Yaml, path: &str) -> &'y Yaml {
    at(document, &format!("{}.{path}", Controller::of(document).pod))
}

impl Program {
    /// Each manifest has the form that the API takes and a folder for what is remembered, never two runs at once, and no right that a run
    /// does not need; its command runs with the files that it mounts.
    pub async fn kubernetes_manifests(&self) {
        // of a job that comes every few minutes the next one would wait for the slowest portal
        let (fleet, other) = if self.is_frequent() { ("deployment", "fleet") } else { ("fleet", "deployment") };
        assert!(!self.path("deploy").join(format!("{}-{other}.yaml", self.name())).exists());
        for (ending, is_fleet) in [("cronjob", false), (fleet, true)] {
            let file = self.path("deploy").join(format!("{}-{ending}.yaml", self.name()));
            let text = fs::read_to_string(&file).unwrap();
            let documents = YamlLoader::load_from_str(&text).unwrap();
            let [job, claim] = documents.as_slice() else { panic!("a job and a claim: {}", file.display()) };
            let wrong = wrong(job);
            assert!(wrong.is_empty(), "{}: {wrong:#?}", file.display());
            if ending == "deployment" {
                let (selected, labels) = ("spec.selector.matchLabels", "spec.template.metadata.labels");
                assert_eq!(at(job, selected), at(job, labels), "it finds its own pod");
            } else {
                self.schedule(at(job, "spec.schedule").as_str().unwrap());
            }
            let secret_mode = of_pod(job, "volumes.0.secret.defaultMode");
            // a number with a zero before it is octal for YAML 1.1, which the API reads, and decimal for 1.2
            assert_eq!(secret_mode.as_i64().map(|mode| mode.to_string()).as_deref(), Some("400"), "for nobody else");
            assert_eq!(
                (at(claim, "apiVersion").as_str(), at(claim, "kind").as_str()),
                (Some("v1"), Some("PersistentVolumeClaim"))
            );
            let claimed = claims(job);
            assert_eq!(claimed, [at(claim, "metadata.name").as_str().unwrap()], "what is remembered");
            assert!(at(claim, "spec.resources.requests.storage").as_str().is_some());
            self.starts(job, Machine::new(self).await, is_fleet).await;
        }
        self.without_volume("cronjob", false).await;
        self.without_volume(fleet, true).await;
    }

    /// The same job without what it remembers on a volume runs where the settings name a server for that.
    async fn without_volume(&self, ending: &str, is_fleet: bool) {
        let file = |ending: &str| {
            let path = self.path("deploy").join(format!("{}-{ending}.yaml", self.name()));
            fs::read_to_string(path).unwrap()
        };
        let (with, text) = (file(ending), file(&format!("{ending}-server")));
        let with = &YamlLoader::load_from_str(&with).unwrap()[0];
        let documents = YamlLoader::load_from_str(&text).unwrap();
        let [job] = documents.as_slice() else { panic!("a job alone: {text}") };
        assert_eq!(
            job,
            &without(with, "", &|path, value| {
                let is_state = ["state", "STATE_DIRECTORY"].map(Some).contains(&value["name"].as_str());
                is_state || path.ends_with(".fsGroupChangePolicy")
            })
        );
        assert!(wrong(job).is_empty() && claims(job).is_empty(), "{:#?}", wrong(job));
        let Some(place) = job_store::testing::place() else { return };
        let mut machine = Machine::new(self).await;
        machine.keep_on(place);
        self.starts(job, machine, is_fleet).await;
    }

    /// At the hours of the cron file.
    fn schedule(&self, schedule: &str) {
        let fields = words(schedule);
        assert!(fields.len() == 5 && fields[..2] == words(self.shipped.cron[0])[..2], "{schedule}");
    }

    /// The command with the files and folders that are mounted, in the environment that is set.
    async fn starts(&self, job: &Yaml, machine: Machine<'_>, is_fleet: bool) {
        let container = of_pod(job, "containers.0");
        let list = |key: &str| container[key].as_vec().unwrap().iter().map(|word| word.as_str().unwrap());
        let line: Vec<&str> = list("command").chain(list("args")).collect();
        assert_eq!(line[0], format!("/usr/local/bin/{}", self.name()));
        assert_eq!(line.contains(&"fleet"), is_fleet);
        let stays = at(job, "kind").as_str() == Some("Deployment");
        let line = self.one_round(&line.join(" "), stays);
        machine.mount(is_fleet);
        let environment: Vec<(&str, String)> = container["env"]
            .as_vec()
            .unwrap()
            .iter()
            .map(|variable| (variable["name"].as_str().unwrap(), machine.here(variable["value"].as_str().unwrap())))
            .filter(|(name, _)| *name != "TMPDIR")
            .collect();
        machine.start(&line, &environment).await;
    }
}

/// The value at a path; a number names an element of a list.
fn at<'y>(document: &'y Yaml, path: &str) -> &'y Yaml {
    path.split('.').fold(document, |value, name| match name.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[name],
    })
}

/// The same without some members and elements.
fn without(value: &Yaml, path: &str, is_left_out: &impl Fn(&str, &Yaml) -> bool) -> Yaml {
    match value {
        Yaml::Hash(members) => {
            let members = members.iter().filter_map(|(name, inner)| {
                let path = format!("{path}.{}", name.as_str().unwrap_or_default());
                (!is_left_out(&path, inner)).then(|| (name.clone(), without(inner, &path, is_left_out)))
            });
            Yaml::Hash(members.collect())
        }
        Yaml::Array(elements) => {
            let elements = elements.iter().filter(|inner| !is_left_out(path, inner));
            Yaml::Array(elements.map(|inner| without(inner, path, is_left_out)).collect())
        }
        other => other.clone(),
    }
}

fn claims(job: &Yaml) -> Vec<&str> {
    let volumes = of_pod(job, "volumes").as_vec().unwrap();
    volumes.iter().filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str()).collect()
}

/// Everything that the API would refuse, and every right too many.
fn wrong(job: &Yaml) -> Vec<String> {
    let mut wrong = Vec::new();
    let controller = Controller::of(job);
    unknown(job, "", controller, &mut wrong);
    let words = controller.words().iter().map(|(path, word)| (*path, Yaml::from_str(word)));
    let fixed = controller.fixed.iter().cloned();
    for (path, expected) in words.chain(fixed).chain([
        ("POD.automountServiceAccountToken", Yaml::Boolean(false)),
        ("POD.securityContext.runAsNonRoot", Yaml::Boolean(true)),
        ("POD.securityContext.seccompProfile.type", Yaml::from_str("RuntimeDefault")),
        ("POD.containers.0.securityContext.allowPrivilegeEscalation", Yaml::Boolean(false)),
        ("POD.containers.0.securityContext.readOnlyRootFilesystem", Yaml::Boolean(true)),
        ("POD.containers.0.securityContext.capabilities.drop.0", Yaml::from_str("ALL")),
    ]) {
        let found = at(job, &path.replace("POD", controller.pod));
        if *found != expected {
            wrong.push(format!("{path} is {found:?}, not {expected:?}"));
        }
    }
    for quantity in ["requests.cpu", "requests.memory", "limits.memory"] {
        let found = of_pod(job, &format!("containers.0.resources.{quantity}"));
        if !found.as_str().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit())) {
            wrong.push(format!("{quantity} is {found:?}"));
        }
    }
    let name = at(job, "metadata.name").as_str().unwrap_or_default();
    // of a job of it 52, because the API adds eleven
    if name.is_empty() || name.len() > 52 || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
        wrong.push(format!("{name:?} is no name for a job"));
    }
    let names = |path: &str| -> BTreeSet<String> {
        let list = of_pod(job, path).as_vec().cloned().unwrap_or_default();
        list.iter().filter_map(|entry| Some(entry["name"].as_str()?.to_owned())).collect()
    };
    let (volumes, mounts) = (names("volumes"), names("containers.0.volumeMounts"));
    if volumes != mounts {
        wrong.push(format!("mounted are {mounts:?}, there are {volumes:?}"));
    }
    wrong
}

/// Members that the list above does not have.
fn unknown(value: &Yaml, path: &str, controller: &Controller, wrong: &mut Vec<String>) {
    let place = path.replacen(controller.pod, "POD", 1);
    let known = KNOWN.iter().chain(controller.known).find(|(known, _)| *known == place).map(|(_, members)| *members);
    if let Some(table) = value.as_hash() {
        for (name, inner) in table {
            let name = name.as_str().unwrap_or_default();
            if known.is_some_and(|known| !known.contains(&name)) {
                wrong.push(format!("unknown: {name} in {place}"));
            }
            let inner_path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            unknown(inner, &inner_path, controller, wrong);
        }
    }
    for inner in value.as_vec().into_iter().flatten() {
        unknown(inner, &format!("{path}.*"), controller, wrong);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = include_str!("../../../../bins/vdr-watch/deploy/vdr-watch-cronjob.yaml");
    const DEPLOYED: &str = include_str!("../../../../bins/vdr-watch/deploy/vdr-watch-deployment.yaml");

    fn wrong_with(before: &str, after: &str) -> Vec<String> {
        wrong_in(JOB, before, after)
    }

    fn wrong_in(manifest: &str, before: &str, after: &str) -> Vec<String> {
        assert!(manifest.contains(before), "{before}");
        wrong(&YamlLoader::load_from_str(&manifest.replacen(before, after, 1)).unwrap()[0])
    }

    #[test]
    fn a_pod_that_stays_is_the_only_one() {
        assert_eq!(wrong_in(DEPLOYED, "x", "x"), [""; 0]);
        for (before, after, says) in [
            ("replicas: 1", "replicas: 2", "spec.replicas"),
            ("type: Recreate", "type: RollingUpdate", "spec.strategy.type"),
            ("  strategy:", "  schedule: daily\n  strategy:", "unknown: schedule in spec"),
            ("      enableServiceLinks", "      restartPolicy: Never\n      enableServiceLinks", "POD.restartPolicy"),
        ] {
            let wrong = wrong_in(DEPLOYED, before, after).join("; ");
            assert!(wrong.contains(says), "{says} in {wrong}");
        }
    }

    #[test]
    fn what_the_api_would_refuse_is_found() {
        assert_eq!(wrong_with("x", "x"), [""; 0]);
        for (before, after, says) in [
            ("concurrencyPolicy: Forbid", "concurrencyPolicy: Allow", "concurrencyPolicy"),
            ("backoffLimit", "backOffLimit", "unknown: backOffLimit in spec.jobTemplate.spec"),
            ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "readOnlyRootFilesystem"),
            ("                - name: tmp\n", "                - name: temp\n", "mounted are"),
            ("mountPath: /tmp", "path: /tmp", "unknown: path in POD.containers.*.volumeMounts.*"),
            ("memory: 64Mi", "memory: lots", "requests.memory"),
        ] {
            let wrong = wrong_with(before, after).join("; ");
            assert!(wrong.contains(says), "{says} in {wrong}");
        }
    }
}
