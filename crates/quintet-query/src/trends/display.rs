//! How a trend is shown, as far as that decides what is computed.

/// How the figures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each is its wire name")]
pub enum Display {
    #[default]
    ActionsLineGraph,
    ActionsLineGraphCumulative,
    ActionsAreaGraph,
    ActionsBar,
    ActionsUnstackedBar,
    ActionsStackedBar,
    BoldNumber,
    ActionsPie,
    ActionsBarValue,
    ActionsTable,
    WorldMap,
    CalendarHeatmap,
}

pub(super) const WIRE_NAMES: &[(&str, Display)] = &[
    ("ActionsLineGraph", Display::ActionsLineGraph),
    (
        "ActionsLineGraphCumulative",
        Display::ActionsLineGraphCumulative,
    ),
    ("ActionsAreaGraph", Display::ActionsAreaGraph),
    ("ActionsBar", Display::ActionsBar),
    ("ActionsUnstackedBar", Display::ActionsUnstackedBar),
    ("ActionsStackedBar", Display::ActionsStackedBar),
    ("BoldNumber", Display::BoldNumber),
    ("ActionsPie", Display::ActionsPie),
    ("ActionsBarValue", Display::ActionsBarValue),
    ("ActionsTable", Display::ActionsTable),
    ("WorldMap", Display::WorldMap),
    ("CalendarHeatmap", Display::CalendarHeatmap),
];

impl Display {
    /// True when there is one number for the whole range instead of one per bucket.
    pub const fn is_one_number(self) -> bool {
        matches!(
            self,
            Self::BoldNumber
                | Self::ActionsPie
                | Self::ActionsBarValue
                | Self::ActionsTable
                | Self::WorldMap
                | Self::CalendarHeatmap
        )
    }

    /// True when each point adds up all points before it.
    pub const fn is_cumulative(self) -> bool {
        matches!(self, Self::ActionsLineGraphCumulative)
    }
}
