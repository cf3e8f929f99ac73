//! The same sentences in German.

use audit_model::{ActClass, Sentence};
use report::words::german::{counted, list_of, number};

use super::{Above, FOLDERS_NAMED, Kinds, Open, Reason, frequent, share};
use crate::rule::limits::{Basis, Span};

impl Reason {
    pub(super) fn german(&self) -> String {
        match self {
            Reason::Above(above) => above.german(),
            Reason::UncountedFolders(actions) => {
                let actions = counted(*actions, "Aktion", "Aktionen");
                format!("{actions} an Ordnern, von denen niemand weiß, was sie enthielten")
            }
            Reason::Kinds(kinds) => kinds.german(),
            Reason::NotListed(names) => {
                let german: Vec<&str> = names.iter().map(Sentence::german).collect();
                let names = list_of(&german, FOLDERS_NAMED, names.len() as u64);
                format!("wie viele Dokumente es dort waren, war nicht festzustellen: {names}; es können mehr sein")
            }
            Reason::Open(open) => open.german(),
        }
    }
}

impl Above {
    /// `41 Aktionen innerhalb von 1 h, mehr als 20`
    fn german(&self) -> String {
        let Above { limit, acts, documents, at_least, hours } = self;
        let counted = match limit.class {
            Some(class) => of_class(class, *acts),
            None => counted(*acts, "Aktion", "Aktionen"),
        };
        let at_least = if *at_least { "≥ " } else { "" };
        let (span, most) = (span(limit.span), number(limit.acts));
        match limit.basis {
            Basis::Actions => format!("{at_least}{counted} {span}, mehr als {most}"),
            Basis::UnusualHours => {
                let hours = hours.map(|hours| hours.german()).unwrap_or_default();
                format!("{at_least}{counted} {span} außerhalb der üblichen Zeiten ({hours}), mehr als {most}")
            }
            Basis::ShareOfRoom { percent, documents: all } => {
                let (share, taken) = (share(*documents, all), number((*documents).min(all)));
                let of_all = format!("{taken} von {}", self::counted(all, "Dokument", "Dokumenten"));
                format!("{at_least}{of_all} des Raums {span} heruntergeladen ({share} %), mehr als {percent} %")
            }
        }
    }
}

impl Kinds {
    /// `38 Downloads, 3 Änderungen (40 Dokumente)`
    pub(crate) fn german(&self) -> String {
        format!("{} ({})", self.by_class_german(), counted(self.documents, "Dokument", "Dokumente"))
    }

    /// `38 Downloads, 3 Änderungen`, most frequent first.
    pub(crate) fn by_class_german(&self) -> String {
        let classes = frequent(&self.classes).into_iter().map(|(class, count)| of_class(class, count));
        let classes = classes.collect::<Vec<_>>().join(", ");
        if self.at_least { format!("≥ {classes}") } else { classes }
    }
}

impl Open {
    fn german(&self) -> String {
        const NOT_LOOKED_UP: &str = "wo die Dokumente sind, war nicht zu ermitteln";
        let several = |is_unplaced: bool| {
            let why =
                if is_unplaced { NOT_LOOKED_UP } else { "die Aufzeichnungen des Portals unterscheiden sie nicht" };
            format!("mehrere Räume hatten diesen Titel, und {why}")
        };
        match self {
            Open::Twins { is_unplaced } => several(*is_unplaced),
            Open::Perhaps { room, is_unplaced } => format!(
                "{}; gezählt sind alle Aktionen, die sicher oder möglicherweise im Raum {room} waren",
                several(*is_unplaced)
            ),
            Open::Unknown { is_unplaced: true } => {
                format!("kein bekannter Raum hatte damals diesen Titel, und {NOT_LOOKED_UP}")
            }
            Open::Unknown { is_unplaced: false } => {
                "kein bekannter Raum hatte damals diesen Titel; vielleicht wurde er seither umbenannt oder gelöscht"
                    .to_owned()
            }
            Open::MayBeAgent => {
                "die Liste der KI-Agenten war nicht lesbar: Es kann in einem Agenten dieses Titels gewesen sein und nicht im Raum"
                    .to_owned()
            }
        }
    }
}

fn span(span: Span) -> &'static str {
    match span {
        Span::Hour => "innerhalb von 1 h",
        Span::Day => "innerhalb von 24 h",
        Span::Month => "innerhalb von 30 Tagen",
        Span::WholeWindow => "im ganzen Zeitraum",
    }
}

fn of_class(class: ActClass, count: u64) -> String {
    let (one, many) = match class {
        ActClass::View => ("Aufruf", "Aufrufe"),
        ActClass::Download => ("Download", "Downloads"),
        ActClass::Change => ("Änderung", "Änderungen"),
        ActClass::Delete => ("Löschung", "Löschungen"),
        ActClass::Share => ("Freigabe", "Freigaben"),
        ActClass::Membership => ("Änderung der Mitglieder", "Änderungen der Mitglieder"),
    };
    counted(count, one, many)
}
