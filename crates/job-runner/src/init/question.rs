//! What `init` asks besides the portal and the key.

use figment::value::Value;

/// One question; its answer is a setting.
#[derive(Clone, Debug)]
pub struct Question {
    pub(super) key: &'static str,
    pub(super) text: String,
    pub(super) form: Form,
    /// The setting without which its answer is of no use.
    pub(super) only_with: Option<&'static str>,
}

/// What an answer looks like.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// One line; nothing typed leaves the setting as it is.
    Line,
    /// Several of these; none of them leaves the setting as it is.
    Several(Vec<Choice>),
}

/// Something that the portal has, and that can be chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// How a person knows it. Text of the portal has to be made fit for a terminal first.
    pub label: String,
    /// What stands in the setting.
    pub value: String,
}

impl Question {
    /// One line of text for the setting `key`, dots between levels. `text` is a question that says what happens without an answer.
    pub fn line(key: &'static str, text: impl Into<String>) -> Self {
        Question { key, text: text.into(), form: Form::Line, only_with: None }
    }

    /// Any number of what the portal has, for a setting that is a list.
    pub fn several(key: &'static str, text: impl Into<String>, choices: impl IntoIterator<Item = Choice>) -> Self {
        Question { key, text: text.into(), form: Form::Several(choices.into_iter().collect()), only_with: None }
    }

    /// The same, asked only where the setting `key` was given before.
    pub fn only_with(self, key: &'static str) -> Self {
        Question { only_with: Some(key), ..self }
    }
}

/// What all programs that send alerts ask.
pub(super) fn of_alerts() -> Vec<Question> {
    vec![Question::line(
        "alerts.webhook.url",
        "Webhook that gets each alert, as a URL (Enter: none; cron mails the report)",
    )]
}

/// What all programs ask.
pub(super) fn of_all() -> Vec<Question> {
    vec![Question::line(
        "heartbeat.url",
        "Heartbeat that is told of every run, so that somebody notices when runs stop, as a URL (Enter: none)",
    )]
}

/// How choices are marked, for whoever has not seen such a list before.
pub(super) fn with_keys(text: &str) -> String {
    format!("{text} [arrows move, the space bar marks, Enter goes on]")
}

/// The answer to a question with choices.
pub(super) fn chosen(choices: &[Choice], which: &[usize]) -> Value {
    which.iter().filter_map(|index| choices.get(*index)).map(|choice| choice.value.clone()).collect::<Vec<_>>().into()
}
