//! Properties: out of JSON, compared, and as numbers.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, ListBuilder, StringViewBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::ScalarUDF;
use quintet_behavior::property::{self, Entries, GroupPlace, Matcher};

use crate::function::{column_function, text, texts};

pub(crate) fn json_property() -> Arc<ScalarUDF> {
    column_function(
        "json_property",
        vec![DataType::Utf8View, DataType::Utf8],
        DataType::Utf8View,
        |column, literals| {
            let key = text(literals, 0, "the property's name")?;
            let found = texts(column)?
                .iter()
                .map(|json| property::from_json(json?, key));
            Ok(text_column(found))
        },
    )
}

pub(crate) fn group_key() -> Arc<ScalarUDF> {
    column_function(
        "group_key",
        vec![DataType::Utf8View, DataType::Utf8, DataType::Utf8],
        DataType::Utf8View,
        |column, literals| {
            let given = |place, what| {
                let name = text(literals, place, what)?;
                Ok::<_, DataFusionError>(Some(name).filter(|name| !name.is_empty()))
            };
            let place = GroupPlace {
                property: given(0, "the property of the group's number")?,
                name: given(1, "the type's name")?,
            };
            let found = texts(column)?.iter().map(|json| place.key(json?));
            Ok(text_column(found))
        },
    )
}

pub(crate) fn property_matches() -> Arc<ScalarUDF> {
    let arguments = vec![DataType::Utf8View, DataType::Utf8, DataType::Utf8];
    column_function(
        "property_matches",
        arguments,
        DataType::Boolean,
        |column, literals| {
            let operator = text(literals, 0, "the operator")?;
            let values: Vec<String> = serde_json::from_str(text(literals, 1, "the values")?)
                .map_err(|e| {
                    exec_datafusion_err!("the values must be a JSON list of texts: {e}")
                })?;
            let matcher =
                Matcher::new(operator, &values).map_err(|e| exec_datafusion_err!("{e}"))?;
            let matches: BooleanArray = texts(column)?
                .iter()
                .map(|value| Some(matcher.matches(value)))
                .collect();
            Ok(Arc::new(matches) as ArrayRef)
        },
    )
}

pub(crate) fn property_number() -> Arc<ScalarUDF> {
    column_function(
        "property_number",
        vec![DataType::Utf8View],
        DataType::Float64,
        |column, _| {
            let numbers: Float64Array = texts(column)?
                .iter()
                .map(|value| property::number(value?))
                .collect();
            Ok(Arc::new(numbers) as ArrayRef)
        },
    )
}

pub(crate) fn number_text() -> Arc<ScalarUDF> {
    column_function(
        "number_text",
        vec![DataType::Float64],
        DataType::Utf8View,
        |column, _| {
            let numbers = column.as_primitive::<Float64Type>();
            Ok(text_column(numbers.iter().map(|number| {
                Some(Cow::Owned(property::number_text(number?)))
            })))
        },
    )
}

pub(crate) fn normalize_url() -> Arc<ScalarUDF> {
    column_function(
        "normalize_url",
        vec![DataType::Utf8View],
        DataType::Utf8View,
        |column, _| {
            let urls = texts(column)?.iter();
            Ok(text_column(urls.map(|url| {
                Some(Cow::Borrowed(property::normalize_url(url?)))
            })))
        },
    )
}

fn text_column<'a>(values: impl Iterator<Item = Option<Cow<'a, str>>>) -> ArrayRef {
    let mut column = StringViewBuilder::with_capacity(values.size_hint().0);
    values.for_each(|value| column.append_option(value));
    Arc::new(column.finish())
}

pub(crate) fn json_entries() -> Arc<ScalarUDF> {
    column_function(
        "json_entries",
        vec![DataType::Utf8View, DataType::Utf8],
        DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true))),
        |column, literals| {
            let wanted: Entries =
                serde_json::from_str(text(literals, 0, "the names")?).map_err(|e| {
                    exec_datafusion_err!(
                        "the names must be {{\"only\": [..]}} or {{\"except\": [..]}}: {e}"
                    )
                })?;
            let mut entries = ListBuilder::new(StringViewBuilder::new());
            for json in texts(column)? {
                let found = wanted.of(json);
                found
                    .iter()
                    .for_each(|entry| entries.values().append_value(entry));
                entries.append(true);
            }
            Ok(Arc::new(entries.finish()) as ArrayRef)
        },
    )
}
