use super::*;
use crate::suspend::entry::{Decision, Intent, Try};
use crate::suspend::model::incident;

const ACCOUNT: u128 = 7;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds)
}

fn drill() -> Drill {
    Drill {
        revision: 0,
        mark: "dmark".to_owned(),
        account: Uuid::from_u128(ACCOUNT),
        name: "Dora".to_owned(),
        documents: 25,
        room: OwnRoom::Asked,
        stage: Stage::Making,
        began: at(0),
        lives_until: at(0) + LIVES_FOR,
        times: Times::default(),
        failure: None,
        is_told: false,
    }
}

/// A portal and a store, with runs that do what ordinary runs do.
struct World {
    now: i64,
    /// Whether it is archived; `None`: there is none.
    room: Option<bool>,
    documents: u64,
    is_renamed: bool,
    account: PersonStatus,
    entry: Option<Entry>,
    journal: Option<Drill>,
    /// So many steps are taken, commits and calls alike, before whoever takes them dies.
    steps_left: u32,
}

/// Dead.
struct Killed;

impl World {
    fn new(steps: u32) -> Self {
        World {
            now: 0,
            room: None,
            documents: 0,
            is_renamed: false,
            account: PersonStatus::Active,
            entry: None,
            journal: None,
            steps_left: steps,
        }
    }

    fn step(&mut self) -> Result<(), Killed> {
        self.now += 1;
        self.steps_left = self.steps_left.checked_sub(1).ok_or(Killed)?;
        Ok(())
    }

    fn commit(&mut self, drill: &Drill) -> Result<(), Killed> {
        self.step()?;
        self.journal = Some(drill.clone());
        Ok(())
    }

    fn room_seen(&self, drill: &Drill) -> RoomSeen {
        // the key of a disabled account rests
        match (self.account, &drill.room, self.room) {
            (PersonStatus::Active, OwnRoom::Refused, _) | (PersonStatus::Active, _, None) => RoomSeen::Gone,
            (PersonStatus::Active, _, Some(true)) => RoomSeen::Archived("71".into()),
            (PersonStatus::Active, _, Some(false)) => RoomSeen::Active("71".into()),
            _ => RoomSeen::Unread,
        }
    }

    /// What an ordinary run does about the account: one state further.
    fn run(&mut self, drill: &Drill) {
        self.now += 1;
        let is_found = self.is_renamed && !drill.is_spent(at(self.now));
        let Some(entry) = &mut self.entry else {
            let mut new = Entry::new(incident(ACCOUNT, at(self.now)), at(self.now));
            new.is_drill = true;
            new.incident.last.at = at(self.now);
            self.entry = is_found.then_some(new);
            return;
        };
        let is_approved = entry.decision(Decided::Approved).is_some();
        let is_to_be_released = entry.decision(Decided::Released).is_some();
        entry.looked_after = Some(at(self.now));
        match entry.state {
            State::Planned if !is_approved => {
                entry.state = State::Held;
                entry.held = Some(Held::Keys("in use".into()));
            }
            State::Held if is_approved => {
                self.account = PersonStatus::Disabled;
                entry.intent = Some(Intent {
                    at: at(self.now),
                    newest: 0,
                    deadline: None,
                    memberships: Default::default(),
                    is_answered: true,
                    asked_by: None,
                });
                entry.state = State::Done;
            }
            State::Done if is_to_be_released => {
                self.account = PersonStatus::Active;
                let now = at(self.now);
                entry.tried = Some(Try { at: now, newest: 0, number: 1, all_refused: false, next: now });
                entry.state = State::Released;
            }
            _ => {}
        }
    }

    fn decide(&mut self, what: Decided, state: Option<State>) {
        let at = at(self.now);
        let entry = self.entry.as_mut().expect("there is something to decide");
        entry.decisions.push(Decision { what, who: "drill".to_owned(), why: String::new(), at });
        entry.state = state.unwrap_or(entry.state);
    }

    /// One turn of whoever goes on with it; `false` when nothing follows.
    fn turn(&mut self, drill: &mut Drill) -> Result<bool, Killed> {
        let entries: Vec<Entry> = self.entry.iter().cloned().collect();
        let seen = Seen {
            now: at(self.now),
            suspension: drill.suspension(&entries),
            account: Some(self.account),
            room: self.room_seen(drill),
            late: None,
        };
        let (after, what) = next(drill, &seen);
        self.commit(&after)?;
        *drill = after;
        if what == Do::Nothing {
            return Ok(false);
        }
        self.step()?;
        match what {
            Do::MakeRoom => {
                self.room = Some(false);
                drill.room = OwnRoom::Made("71".into());
            }
            Do::Upload(_) => {
                self.documents = drill.documents;
                drill.stage = Stage::Renaming;
            }
            Do::Rename(_) => {
                self.is_renamed = true;
                drill.times.made = Some(at(self.now));
                drill.stage = Stage::Watching;
            }
            Do::Approve => self.decide(Decided::Approved, None),
            Do::Cancel => self.decide(Decided::Cancelled, Some(State::Cancelled)),
            Do::Release => self.decide(Decided::Released, None),
            Do::Archive(_) => self.room = Some(true),
            Do::Delete(_) => (self.room, self.documents) = (None, 0),
            Do::Wait => self.run(drill),
            Do::Nothing => {}
        }
        Ok(true)
    }

    fn carry_out(&mut self) -> Result<Drill, Killed> {
        let mut drill = drill();
        self.commit(&drill)?;
        while self.turn(&mut drill)? {}
        Ok(drill)
    }

    /// Runs after the drill has died.
    fn settle(&mut self) -> Option<Drill> {
        self.now += 1_000;
        self.steps_left = u32::MAX;
        let mut drill = self.journal.clone()?;
        if drill.stage == Stage::Over {
            return Some(drill);
        }
        drill = drill.cut_off();
        for _ in 0..40 {
            match self.turn(&mut drill) {
                Ok(true) => {}
                _ => return Some(drill),
            }
        }
        panic!("it is not over: {drill:?} {:?}", self.entry);
    }
}

/// As many steps as a drill takes that nobody kills.
#[test]
fn a_drill_that_is_left_alone_passes() {
    let mut world = World::new(u32::MAX);
    let Ok(drill) = world.carry_out() else { panic!("it was not killed") };
    assert_eq!((drill.stage, &drill.failure, drill.expected()), (Stage::Over, &None, Step::Cleaned));
    assert_eq!((world.room, world.documents, world.account), (None, 0, PersonStatus::Active));
    let Times { made, found, suspended, proven, released, back } = drill.times;
    let times = [made, found, suspended, proven, released, back];
    assert!(times.is_sorted() && times.iter().all(Option::is_some), "{times:?}");
}

/// Before each commit, before each call, and between a call and what is noted of it.
#[test]
fn whatever_it_dies_of_nothing_is_left() {
    let mut passed = 0;
    for steps in 0.. {
        let mut world = World::new(steps);
        if world.carry_out().is_ok() {
            passed += 1;
            if passed > 1 {
                break;
            }
        }
        let over = world.settle();
        assert_eq!((world.room, world.documents, world.account), (None, 0, PersonStatus::Active), "{steps}");
        if let Some(drill) = over {
            assert_eq!(drill.stage, Stage::Over, "{steps}");
            assert_eq!(drill.failure.is_none(), passed > 0, "{steps} {drill:?}");
        }
        if let Some(entry) = &world.entry {
            assert!(matches!(entry.state, State::Released | State::Cancelled), "{steps} {:?}", entry.state);
        }
        // nothing is found afterwards
        let before = world.entry.clone();
        if let Some(drill) = world.journal.clone() {
            world.run(&drill);
            assert_eq!(world.entry.map(|entry| entry.state), before.map(|entry| entry.state), "{steps}");
        }
        assert!(steps < 100);
    }
}

fn seen<'a>(suspension: Option<&'a Entry>, account: PersonStatus, late: Option<&'a Sentence>) -> Seen<'a> {
    Seen { now: at(600), suspension, account: Some(account), room: RoomSeen::Active("71".into()), late }
}

fn watching() -> Drill {
    let times = Times { made: Some(at(5)), ..Times::default() };
    Drill { stage: Stage::Watching, room: OwnRoom::Made("71".into()), times, ..drill() }
}

/// The step that does not happen is named, and the way back begins.
#[test]
fn a_step_that_does_not_happen_is_said_and_cleaned_up_after() {
    let entry = |state: State, held: Option<Held>| {
        let mut entry = Entry::new(incident(ACCOUNT, at(10)), at(10)).into_state(state, Some("the reason".into()));
        entry.held = held;
        entry
    };
    let breaker = Some(Held::Breaker("too many".into()));
    for (entry, late, step, what) in [
        (None, Some(&"nobody looked".into()), Step::Found, Do::Archive("71".into())),
        (Some(entry(State::Planned, None)), Some(&"slow".into()), Step::Suspended, Do::Cancel),
        (Some(entry(State::Held, breaker)), None, Step::Suspended, Do::Cancel),
        (Some(entry(State::Failed, None)), None, Step::Suspended, Do::Archive("71".into())),
        (Some(entry(State::Dropped, None)), None, Step::Suspended, Do::Archive("71".into())),
    ] {
        let (after, follows) = next(&watching(), &seen(entry.as_ref(), PersonStatus::Active, late));
        let failed = after.failure.as_ref().map(|failure| failure.step);
        assert_eq!((failed, follows), (Some(step), what), "{:?}", entry.map(|entry| entry.state));
    }
    // while there is time, it is waited for
    assert_eq!(next(&watching(), &seen(None, PersonStatus::Active, None)).1, Do::Wait);
}

/// Somebody has disabled the account by hand: that stands, and nothing is done behind their back.
#[test]
fn what_somebody_else_has_decided_stands() {
    let mut settled = Entry::new(incident(ACCOUNT, at(10)), at(10)).into_state(State::Settled, None);
    settled.intent = Some(Intent {
        at: at(11),
        newest: 0,
        deadline: None,
        memberships: Default::default(),
        is_answered: true,
        asked_by: None,
    });
    let off = seen(Some(&settled), PersonStatus::Disabled, None);
    assert_eq!(next(&watching(), &off).1, Do::Wait);
    let kept = Entry { state: State::Kept, ..settled.clone() };
    assert_eq!(next(&watching(), &seen(Some(&kept), PersonStatus::Disabled, None)).1, Do::Wait);
    // once it is enabled, the room goes
    assert_eq!(next(&watching(), &seen(Some(&settled), PersonStatus::Active, None)).1, Do::Archive("71".into()));
}

/// A call that broke may still arrive.
#[test]
fn a_room_that_is_not_there_yet_is_waited_for() {
    let asked = drill().cut_off();
    let gone = |seconds| Seen { now: at(seconds), room: RoomSeen::Gone, ..seen(None, PersonStatus::Active, None) };
    assert_eq!(next(&asked, &gone(5)).1, Do::Wait);
    assert_eq!(next(&asked, &gone(61)).0.stage, Stage::Over);
    let refused = Drill { room: OwnRoom::Refused, ..asked };
    assert_eq!(next(&refused, &gone(5)).0.stage, Stage::Over);
}

/// An entry of another person, or of before, is none of the drill's.
#[test]
fn only_its_own_suspension_is_touched() {
    let of_drill = |second: i64| Entry { is_drill: true, ..Entry::new(incident(ACCOUNT, at(second)), at(second)) };
    let (own, earlier) = (of_drill(10), of_drill(-500));
    let other = Entry::new(incident(8, at(10)), at(10));
    // somebody has the key of the account, and does with it what no drill does
    let real = Entry::new(incident(ACCOUNT, at(60)), at(60)).into_state(State::Done, None);
    let mut lost = real.clone();
    lost.state = State::Settled;
    let others = [other, earlier, real, lost];
    assert_eq!(watching().suspension(&others), None);
    assert_eq!(watching().suspension(&[others.as_slice(), std::slice::from_ref(&own)].concat()), Some(&own));
    // rows have whole seconds
    let quick = Drill { began: own.incident.last.at + TimeDelta::milliseconds(669), ..watching() };
    assert_eq!(quick.suspension(std::slice::from_ref(&own)), Some(&own));
}
