//! What a load learns from its sources that rows of other sources, or later rows, depend on.

use super::group_ids::GroupIds;
use super::indexes::Indexes;
use super::replay::Replay;
use super::report::{LoadReport, code};
use crate::entities::EntityState;

/// What a load has learned so far.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// The types of groups that events name by their ids alone.
    pub(crate) ids: GroupIds,
    /// The types behind the group columns of exports.
    pub(super) indexes: Indexes,
    /// What exports say of persons and groups, in no order.
    pub(super) replay: Replay,
}

impl Learned {
    /// These persons are known from an export of persons: what events tell of them is older.
    pub(crate) fn keep_persons(&mut self, persons: &[u32]) {
        self.replay.keep(persons);
    }

    /// Applies what had to wait for the last source, and reports what stayed unknown.
    pub(crate) fn finish(self, state: &mut EntityState, report: &mut LoadReport) {
        self.replay.finish(&mut state.groups, report);
        for (index, events) in self.indexes.unnamed(&state.groups) {
            report.warn_times(code::UNKNOWN_GROUP_TYPE, events, || {
                format!(
                    "no `$groups` says which type the groups in `$group_{index}` have; declare the types with `quintet init --group-type`"
                )
            });
        }
    }
}
