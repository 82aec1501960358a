//! `quintet init`: an empty store.

use quintet::{Engine, Settings};

use crate::arguments::Init;
use crate::failure::Result;
use crate::output::tell;

pub(super) async fn run(init: Init) -> Result<()> {
    let types = match init.group_types.as_slice() {
        [] => "group types by first use".to_owned(),
        names => format!("group types {}", names.join(", ")),
    };
    let settings = Settings {
        timezone: init.timezone,
        week_start: init.week_start.into(),
        group_types: init.group_types,
    };
    let timezone = settings.timezone.clone();
    Engine::create(&init.store, settings).await?;
    tell(&format!(
        "made an empty store in {}: {timezone}, {types}",
        init.store
    ));
    Ok(())
}
