//! Who a distinct id is: how events make persons, update their properties and merge them.

use uuid::Uuid;

use super::persons::{Person, PersonState, Persons, id_of};
use super::properties::{Update, overlay};
use crate::ingest::StringTable;

/// What a new person takes from the event that makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creation {
    /// The event's time.
    pub(crate) at: i64,
    /// The event's id, if an event makes the person.
    pub(crate) event: Option<Uuid>,
    /// The person's id, where a file gives it.
    pub(crate) id: Option<Uuid>,
}

/// Which event asks for a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeKind {
    /// `$identify`.
    Identify,
    /// `$create_alias`.
    Alias,
    /// `$merge_dangerously`: identified persons are merged too.
    Dangerously,
}

/// What a merge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Nothing: one id was missing or both were the same.
    Nothing,
    /// The ids belong to one person now; `created` if it is new, `merged` if two existing became one.
    Joined {
        /// The person is new.
        created: bool,
        /// Two existing persons became one.
        merged: bool,
    },
    /// Nothing, because it must not be.
    Refused(MergeRefusal),
}

/// Why two ids are not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeRefusal {
    /// One of the ids is what a broken client sends for everybody.
    IllegalId,
    /// The person that would disappear is identified.
    AlreadyIdentified,
}

/// Ids that many clients send by mistake, in any case.
const GENERIC_IDS: [&str; 10] = [
    "anonymous",
    "guest",
    "distinctid",
    "distinct_id",
    "id",
    "not_authenticated",
    "email",
    "undefined",
    "true",
    "false",
];
/// Texts of missing values, in exactly this case.
const MISSING_IDS: [&str; 7] = [
    "[object Object]",
    "NaN",
    "None",
    "none",
    "null",
    "0",
    "undefined",
];

/// Must this id never be merged?
fn is_illegal(distinct_id: &str) -> bool {
    let bare = ['"', '\'']
        .iter()
        .find_map(|&quote| distinct_id.strip_prefix(quote)?.strip_suffix(quote));
    let id = bare.unwrap_or(distinct_id);
    distinct_id.trim().is_empty()
        || MISSING_IDS.contains(&id)
        || GENERIC_IDS
            .iter()
            .any(|generic| id.to_lowercase() == *generic)
}

impl Persons {
    /// The ref of a personless event's distinct id: its person if it has one, else an id without a profile.
    pub(crate) fn personless(&mut self, hash: u64, distinct_id: &str) -> u32 {
        self.find_hashed(hash, distinct_id).unwrap_or_else(|| {
            let r = self.push(Person::without_profile(id_of(distinct_id)));
            self.own(distinct_id, r);
            r
        })
    }

    /// The person of an ordinary event's distinct id, made if there is none, and whether it was made.
    ///
    /// A distinct id that is new joins the person whose id the event gives.
    pub(crate) fn ensure(
        &mut self,
        hash: u64,
        distinct_id: &str,
        creation: Creation,
    ) -> (u32, bool) {
        let r = match (self.find_hashed(hash, distinct_id), creation.id) {
            (Some(r), _) => r,
            (None, None) => self.personless(hash, distinct_id),
            (None, Some(id)) => {
                let known = self.find_id(id);
                let r = known.unwrap_or_else(|| self.push(Person::without_profile(id)));
                self.own(distinct_id, r);
                r
            }
        };
        (r, self.make_real(r, creation))
    }

    /// Lays an event's update over a person's properties.
    pub(crate) fn update(&mut self, r: u32, update: &Update<'_>) {
        if update.is_empty() || self.is_repeated(r, update.fingerprint()) {
            return;
        }
        let after = self
            .get(r)
            .and_then(|person| update.apply(&person.properties));
        if let Some(properties) = after {
            self.change(r, |person| person.properties = properties);
            self.is_repeated(r, update.fingerprint());
        }
    }

    /// Makes the person of `other` part of the person of `distinct_id`, if the rules let it.
    pub(crate) fn merge(
        &mut self,
        other: &str,
        distinct_id: &str,
        kind: MergeKind,
        creation: Creation,
    ) -> Merge {
        if other.is_empty() || other == distinct_id {
            return Merge::Nothing;
        }
        if is_illegal(other) || is_illegal(distinct_id) {
            return Merge::Refused(MergeRefusal::IllegalId);
        }
        let (source, target) = (self.find(other), self.find(distinct_id));
        let real = |r: Option<u32>| r.filter(|&r| self.is_real(r));
        match (real(source), real(target)) {
            (Some(source), Some(target)) if source == target => {
                self.identify(target);
                Merge::Joined {
                    created: false,
                    merged: false,
                }
            }
            (Some(source), Some(target)) => {
                let identified = self.get(source).is_some_and(|p| p.is_identified);
                if identified && kind != MergeKind::Dangerously {
                    if kind == MergeKind::Identify {
                        self.identify(target);
                    }
                    return Merge::Refused(MergeRefusal::AlreadyIdentified);
                }
                self.join(source, target);
                Merge::Joined {
                    created: false,
                    merged: true,
                }
            }
            (Some(person), None) => self.add(distinct_id, target, person),
            (None, Some(person)) => self.add(other, source, person),
            (None, None) => {
                let hash = StringTable::hash(distinct_id);
                let (person, created) = self.ensure(hash, distinct_id, creation);
                let source = self.find(other);
                self.add(other, source, person);
                Merge::Joined {
                    created,
                    merged: false,
                }
            }
        }
    }

    /// Gives a distinct id to a person whatever the rules on merging say, and says whether an
    /// existing person became part of it.
    pub(crate) fn unite(&mut self, distinct_id: &str, person: u32) -> bool {
        let known = self.find(distinct_id);
        match known {
            Some(source) if source == person => false,
            Some(source) if self.is_real(source) => {
                self.join(source, person);
                true
            }
            _ => {
                self.attach(distinct_id, known, person);
                false
            }
        }
    }

    /// Marks a person as identified.
    pub(crate) fn identify(&mut self, r: u32) {
        if self.get(r).is_some_and(|person| !person.is_identified) {
            self.change(r, |person| person.is_identified = true);
        }
    }

    /// Sets when a person began.
    pub(crate) fn set_created_at(&mut self, r: u32, at: i64) {
        if self.get(r).is_some_and(|person| person.created_at != at) {
            self.change(r, |person| person.created_at = at);
        }
    }

    /// Gives a further distinct id, with what it may have done personless, to an existing person.
    fn add(&mut self, distinct_id: &str, personless: Option<u32>, person: u32) -> Merge {
        self.attach(distinct_id, personless, person);
        self.identify(person);
        Merge::Joined {
            created: false,
            merged: false,
        }
    }

    fn attach(&mut self, distinct_id: &str, personless: Option<u32>, person: u32) {
        match personless {
            Some(r) if r != person => {
                self.change(r, |p| {
                    p.state = PersonState::Merged {
                        into: person,
                        squashed: false,
                    }
                });
            }
            _ => self.own(distinct_id, person),
        }
    }

    /// Makes one existing person part of another, whose values win.
    fn join(&mut self, source: u32, target: u32) {
        let Some((properties, created_at)) = self
            .get(source)
            .map(|p| (p.properties.clone(), p.created_at))
        else {
            return;
        };
        self.change(source, |p| {
            p.state = PersonState::Merged {
                into: target,
                squashed: false,
            }
        });
        self.change(target, |p| {
            p.properties = overlay(&properties, &p.properties).unwrap_or(properties);
            p.created_at = p.created_at.min(created_at);
            p.is_identified = true;
        });
    }

    fn is_real(&self, r: u32) -> bool {
        self.get(r)
            .is_some_and(|person| person.state == PersonState::Real)
    }

    /// Makes a person of an id without a profile, and says whether it had none.
    fn make_real(&mut self, r: u32, creation: Creation) -> bool {
        let new = !self.is_real(r);
        if new {
            self.change(r, |person| {
                person.state = PersonState::Real;
                person.created_at = creation.at;
                if let Some(event) = creation.event {
                    person.properties = format!("{{\"$creator_event_uuid\":\"{event}\"}}");
                }
            });
        }
        new
    }
}
