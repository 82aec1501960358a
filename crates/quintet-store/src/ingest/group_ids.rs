//! Which type a group has whose events name only its id: what OpenPanel's `group` messages and the store's groups say.

use hashbrown::HashMap;

use super::lines::Block;
use super::openpanel;
use super::report::{LoadReport, code};
use crate::entities::Groups;
use crate::ingest::GROUP_TYPES;

/// The type of each known id, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupIds {
    types: HashMap<String, String>,
    /// The type of ids that nobody has declared.
    default: Option<String>,
}

/// The ids and types that a block declares, with their lines, in the order of receipt.
pub(super) type Declared = Vec<(u64, String, String)>;

impl GroupIds {
    /// The groups that a store has declared, and the type of all others if there is one.
    pub(crate) fn of(groups: &Groups, default: Option<&str>) -> Self {
        let mut types = HashMap::new();
        for index in (0..GROUP_TYPES).rev() {
            let name = groups.types().get(index).and_then(Option::as_ref);
            let declared = groups
                .iter(index)
                .filter(|(_, group)| group.properties.is_some());
            for (_, group) in declared {
                if let Some(name) = name {
                    types.insert(group.key.clone(), name.name.clone());
                }
            }
        }
        Self {
            types,
            default: default.map(str::to_owned),
        }
    }

    /// The type of an id.
    pub(super) fn type_of(&self, id: &str) -> Option<&str> {
        self.types
            .get(id)
            .or(self.default.as_ref())
            .map(String::as_str)
    }

    /// Takes over what a block declares; of several types the last stays.
    pub(super) fn learn(&mut self, file: &str, declared: Declared, report: &mut LoadReport) {
        for (line, id, name) in declared {
            match self.types.get_mut(&id) {
                Some(known) if *known == name => {}
                Some(known) => {
                    report.warn(code::GROUP_TYPE_CONFLICT, || {
                        format!("{file}:{line}: `{id}` was a `{known}` and is a `{name}` now")
                    });
                    *known = name;
                }
                None => {
                    self.types.insert(id, name);
                }
            }
        }
    }
}

/// What the `group` messages of a block declare.
pub(super) fn declared(block: Block) -> Declared {
    let decoded = block.decode();
    let mut found = Vec::new();
    for (line, unit) in decoded.units() {
        // Nearly all other messages are ruled out by this without parsing.
        if !unit.contains("\"group\"") {
            continue;
        }
        for item in super::json::items(unit).unwrap_or_default() {
            if let Some((id, name)) = openpanel::group_of(item) {
                found.push((line, id.into_owned(), name.into_owned()));
            }
        }
    }
    found
}
