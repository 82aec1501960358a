//! `quintet group-types`: the kinds of groups.

use super::engine;
use super::query::print_answer;
use crate::arguments::{GroupTypes, Limits};
use crate::failure::Result;
use crate::output::{self, tell};

pub(super) async fn run(types: GroupTypes, limits: Limits) -> Result<()> {
    match types {
        GroupTypes::List(list) => {
            let format = output::format(list.output.format)?;
            let engine = engine(limits).open(&list.store).await?;
            print_answer(&engine.query(r#"{"kind": "GroupTypes"}"#).await?, format)
        }
        GroupTypes::Rename(rename) => {
            let engine = engine(limits).open(&rename.store).await?;
            let group_type = engine.group_type_index(&rename.group_type).await?;
            engine
                .rename_group_type(
                    group_type,
                    rename.singular.as_deref(),
                    rename.plural.as_deref(),
                )
                .await?;
            tell(&format!("renamed {}", rename.group_type));
            Ok(())
        }
        GroupTypes::Delete(delete) => {
            let engine = engine(limits).open(&delete.store).await?;
            let group_type = engine.group_type_index(&delete.group_type).await?;
            engine.delete_group_type(group_type).await?;
            tell(&format!(
                "deleted {}; index {} is free",
                delete.group_type,
                group_type.get()
            ));
            Ok(())
        }
    }
}
