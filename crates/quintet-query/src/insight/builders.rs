//! Methods that the queries of several insights have: the builder's common words, and what reads and resolves these.

/// Methods of every insight: which events it is about.
macro_rules! event_builders {
    () => {
        /// From and to, as absolute (`2024-01-31`) or relative (`-7d`, `mStart`) dates; no end is now.
        #[must_use]
        pub fn date_range(mut self, from: impl Into<String>, to: Option<&str>) -> Self {
            self.date_range = $crate::DateRange {
                date_from: Some(from.into()),
                date_to: to.map(str::to_owned),
                explicit: false,
            };
            self
        }

        /// Counts only events that satisfy this too, whatever they count for.
        #[must_use]
        pub fn filter(mut self, condition: $crate::filter::PropertyNode) -> Self {
            self.properties.and(condition);
            self
        }

        /// Leaves out the project's test accounts.
        #[must_use]
        pub fn without_test_accounts(mut self) -> Self {
            self.filter_test_accounts = true;
            self
        }

        /// Reads which events count, but not when.
        pub(super) fn parse_conditions(
            &mut self,
            object: &mut $crate::reader::Object<'_>,
        ) -> $crate::Result<()> {
            self.properties = $crate::filter::PropertyNode::parse_field(object, "properties")?;
            self.filter_test_accounts = object.flag("filterTestAccounts")?;
            self.sampling_factor = object.number("samplingFactor")?;
            Ok(())
        }

        /// What it asks of every event.
        pub(super) fn conditions(&self) -> $crate::series::Conditions<'_> {
            $crate::series::Conditions {
                properties: &self.properties,
                filter_test_accounts: self.filter_test_accounts,
            }
        }
    };
}

/// Methods of insights that cut their range into intervals.
macro_rules! interval_builders {
    () => {
        $crate::insight::event_builders!();

        /// Cuts time into buckets of this size.
        #[must_use]
        pub fn interval(mut self, interval: $crate::Interval) -> Self {
            self.interval = interval;
            self
        }

        /// True when [`Context::earliest`](crate::Context::earliest) is needed to resolve it: its range starts with the first event.
        pub fn needs_earliest(&self) -> bool {
            self.date_range.starts_with_first_event()
        }
    };
}

/// Methods of insights about series; `$node` is what these are.
macro_rules! series_builders {
    () => {
        $crate::insight::series_builders!($crate::series::SeriesNode);
    };
    ($node:ty) => {
        /// Adds a series.
        #[must_use]
        pub fn series(mut self, series: impl Into<$node>) -> Self {
            self.series.push(series.into());
            self
        }

        $crate::insight::interval_builders!();
    };
}

/// Methods of insights that follow persons or groups.
macro_rules! group_builders {
    () => {
        /// Follows groups of this type, by index or by name, instead of persons.
        #[must_use]
        pub fn by_group(mut self, group_type: impl Into<$crate::GroupType>) -> Self {
            self.group_type = Some(group_type.into());
            self
        }
    };
}

/// Methods of insights that can be broken down.
macro_rules! breakdown_builders {
    () => {
        /// Adds a property to break down by: one row per value. A single one gives plain values, several give lists.
        #[must_use]
        pub fn breakdown(mut self, property: $crate::breakdown::BreakdownProperty) -> Self {
            self.breakdown.add(property);
            self
        }

        /// Keeps a row of their own for this many values.
        #[must_use]
        pub fn breakdown_limit(mut self, limit: usize) -> Self {
            self.breakdown.limit = Some(limit);
            self
        }
    };
}

/// Methods of insights that can be broken down and compared.
macro_rules! breakdown_and_compare_builders {
    () => {
        $crate::insight::breakdown_builders!();

        /// Compares with the range before, or with the range this much earlier (`-1w`).
        #[must_use]
        pub fn compare(mut self, to: Option<&str>) -> Self {
            self.compare = $crate::compare::CompareFilter {
                compare: true,
                compare_to: to.map(str::to_owned),
            };
            self
        }
    };
}

pub(crate) use {
    breakdown_and_compare_builders, breakdown_builders, event_builders, group_builders,
    interval_builders, series_builders,
};
