//! What people change of groups by hand. Properties are changed by events of their own, as PostHog does it, so that the
//! events alone tell the whole story.

use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use quintet_query::{GroupIndex, GroupType};
use quintet_store::{Format, GroupTypeEntry, Load, Source};
use serde_json::{Value, json};

use crate::{Engine, Error, Result};

impl Engine {
    /// The index of a group type, given by its name or by its index as text.
    ///
    /// # Errors
    /// `Invalid` for a name that no type has.
    pub async fn group_type_index(&self, group_type: &str) -> Result<GroupIndex> {
        let types = self.group_types().await?;
        let named = types.iter().find(|known| known.name == group_type);
        named
            .map(|known| known.index)
            .or_else(|| group_type.parse().ok())
            .and_then(GroupIndex::new)
            .ok_or_else(|| unknown_type(&GroupType::from(group_type), &types))
    }

    /// Sets how one and several groups of a type are called. What is `None` stays, an empty text takes a name away; the name
    /// that events use never changes.
    ///
    /// # Errors
    /// `Invalid` for an unknown type, `Unsupported` where the engine reads a plain folder.
    pub async fn rename_group_type(
        &self,
        group_type: impl Into<GroupType>,
        singular: Option<&str>,
        plural: Option<&str>,
    ) -> Result<()> {
        let store = self.store("renaming group types")?;
        let known = self.known_type(group_type.into()).await?;
        let owned = |name: Option<&str>| name.map(str::to_owned);
        Ok(store
            .rename_group_type(known.index, owned(singular), owned(plural))
            .await?)
    }

    /// Deletes a group type and what was declared of its groups; events stay as they are. The next new type takes the
    /// index, and sees no event from before its own first one.
    ///
    /// # Errors
    /// As [`rename_group_type`](Self::rename_group_type).
    pub async fn delete_group_type(&self, group_type: impl Into<GroupType>) -> Result<()> {
        let store = self.store("deleting group types")?;
        let known = self.known_type(group_type.into()).await?;
        Ok(store.delete_group_type(known.index).await?)
    }

    /// Lays properties, an object, over those of a group, which is declared by it if it was not.
    ///
    /// # Errors
    /// `Invalid` for an unknown type, an impossible key, or properties that are no object.
    pub async fn set_group_properties(
        &self,
        group_type: impl Into<GroupType>,
        key: &str,
        properties: &Value,
    ) -> Result<()> {
        self.store("changing groups")?;
        let known = self.known_type(group_type.into()).await?;
        if key.is_empty() {
            return Err(Error::invalid("group_key", "must not be empty"));
        }
        if !properties.is_object() {
            return Err(Error::invalid(
                "properties",
                r#"must be an object, such as {"plan": "pro"}"#,
            ));
        }
        self.told("$groupidentify", &known.name, key, "$group_set", properties)
            .await
    }

    /// Declares a group with its first properties, an object.
    ///
    /// # Errors
    /// As [`set_group_properties`](Self::set_group_properties); `Invalid` too if the group is declared already.
    pub async fn create_group(
        &self,
        group_type: impl Into<GroupType>,
        key: &str,
        properties: &Value,
    ) -> Result<()> {
        self.store("changing groups")?;
        let known = self.known_type(group_type.into()).await?;
        if self.properties(&known, key).await?.is_some() {
            return Err(Error::invalid(
                "group_key",
                format!(
                    "there is a group \"{key}\" of type {} already: set its properties, or take another key",
                    known.name
                ),
            ));
        }
        self.set_group_properties(known.index, key, properties)
            .await
    }

    /// Takes a property away from a declared group.
    ///
    /// # Errors
    /// `Invalid` for an unknown type, group or property.
    pub async fn unset_group_property(
        &self,
        group_type: impl Into<GroupType>,
        key: &str,
        property: &str,
    ) -> Result<()> {
        self.store("changing groups")?;
        let known = self.known_type(group_type.into()).await?;
        let has = self.properties(&known, key).await?.ok_or_else(|| {
            let reason = format!("there is no group \"{key}\" of type {}", known.name);
            Error::invalid("group_key", reason)
        })?;
        if has.get(property).is_none() {
            return Err(Error::invalid(
                "property",
                format!("group \"{key}\" has no property \"{property}\""),
            ));
        }
        let unset = json!([property]);
        self.told(
            "$delete_group_property",
            &known.name,
            key,
            "$group_unset",
            &unset,
        )
        .await
    }

    /// Deletes what was declared of a group. Events keep its key and are still counted for it.
    ///
    /// # Errors
    /// `Invalid` for an unknown type, or a group that nobody has declared.
    pub async fn delete_group(&self, group_type: impl Into<GroupType>, key: &str) -> Result<()> {
        let store = self.store("deleting groups")?;
        let known = self.known_type(group_type.into()).await?;
        Ok(store.delete_group(known.index, key).await?)
    }

    /// The properties of a declared group.
    async fn properties(&self, known: &GroupTypeEntry, key: &str) -> Result<Option<Value>> {
        let snapshot = self.store("changing groups")?.snapshot().await?;
        let entities = snapshot.entities().await?;
        let properties = entities.group_properties(usize::from(known.index), key);
        Ok(properties.map(|text| serde_json::from_str(text).unwrap_or_default()))
    }

    async fn known_type(&self, group_type: GroupType) -> Result<GroupTypeEntry> {
        let types = self.group_types().await?;
        let is_it = |known: &&GroupTypeEntry| match &group_type {
            GroupType::Index(index) => known.index == *index,
            GroupType::Name(name) => known.name == *name,
        };
        types
            .iter()
            .find(is_it)
            .cloned()
            .ok_or_else(|| unknown_type(&group_type, &types))
    }

    /// Loads the event that says what is changed, now.
    async fn told(
        &self,
        event: &str,
        group_type: &str,
        key: &str,
        change: &str,
        to: &Value,
    ) -> Result<()> {
        let now = Utc::now();
        let message = json!({
            "event": event,
            // The id that PostHog's libraries use, so that both tell of one person.
            "distinct_id": format!("${group_type}_{key}"),
            "timestamp": now.to_rfc3339_opts(SecondsFormat::Micros, true),
            "properties": {"$group_type": group_type, "$group_key": key, change: to},
        });
        let load = Load {
            sources: vec![Source::bytes("a change by hand", message.to_string())],
            format: Format::PostHog,
            received_at: Some(now.timestamp_micros()),
            ..Load::default()
        };
        let report = self
            .store("changing groups")?
            .ingest(load, Arc::new(()))
            .await?;
        match report.rejected.into_iter().next() {
            Some(rejection) => Err(Error::invalid("group_key", rejection.message)),
            None => Ok(()),
        }
    }
}

fn unknown_type(group_type: &GroupType, types: &[GroupTypeEntry]) -> Error {
    let asked = match group_type {
        GroupType::Index(index) => index.to_string(),
        GroupType::Name(name) => format!("\"{name}\""),
    };
    let known: Vec<String> = types
        .iter()
        .map(|known| format!("{} ({})", known.name, known.index))
        .collect();
    let known = if known.is_empty() {
        "there are none yet: name them with `quintet init --group-type`, or load events that have groups".to_owned()
    } else {
        format!("known are {}", known.join(", "))
    };
    Error::invalid(
        "group_type",
        format!("there is no group type {asked}; {known}"),
    )
}
