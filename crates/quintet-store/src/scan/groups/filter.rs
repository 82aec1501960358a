//! What conditions say of the keys of groups.

use std::collections::BTreeSet;

use datafusion::common::Column;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::schema::GROUPS;

/// Groups of one type by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    /// 0 to 4.
    pub(super) index: usize,
    pub(super) keys: BTreeSet<String>,
}

/// The groups that a condition asks for, if it is about nothing else.
pub(super) fn keys(condition: &Expr) -> Option<Keys> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Or => {
                let (one, other) = (keys(left)?, keys(right)?);
                (one.index == other.index).then(|| Keys {
                    index: one.index,
                    keys: &one.keys | &other.keys,
                })
            }
            Operator::Eq => equals(left, right).or_else(|| equals(right, left)),
            _ => None,
        },
        Expr::InList(list) if !list.negated => Some(Keys {
            index: index(&list.expr)?,
            keys: list.list.iter().map(text).collect::<Option<_>>()?,
        }),
        _ => None,
    }
}

/// The column of keys of which a condition asks for any key at all. Events never have the key '', which stands for none.
pub(super) fn any(condition: &Expr) -> Option<&Column> {
    match condition {
        Expr::IsNotNull(column) => column_of(column),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if *op == Operator::NotEq => {
            let (column, key) = match text(left) {
                Some(key) => (right, key),
                None => (left, text(right)?),
            };
            key.is_empty().then(|| column_of(column))?
        }
        _ => None,
    }
}

fn column_of(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        _ => None,
    }
}

/// The type whose keys a column has.
fn index(expr: &Expr) -> Option<usize> {
    let column = column_of(expr)?;
    GROUPS.iter().position(|name| *name == column.name)
}

fn equals(column: &Expr, literal: &Expr) -> Option<Keys> {
    Some(Keys {
        index: index(column)?,
        keys: BTreeSet::from([text(literal)?]),
    })
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str()?.map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::lit;

    use super::*;

    fn group(index: usize) -> Expr {
        Expr::Column(Column::from_name(GROUPS[index]))
    }

    fn asked(condition: &Expr) -> Option<(usize, Vec<String>)> {
        keys(condition).map(|keys| (keys.index, keys.keys.into_iter().collect()))
    }

    #[test]
    fn keys_are_found_in_equalities_lists_and_alternatives_of_one_type() {
        let one = || Some((1, vec!["a".to_owned()]));
        let two = || Some((1, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(asked(&group(1).eq(lit("a"))), one());
        assert_eq!(asked(&lit("a").eq(group(1))), one());
        assert_eq!(
            asked(&group(1).in_list(vec![lit("b"), lit("a")], false)),
            two()
        );
        assert_eq!(
            asked(&group(1).eq(lit("a")).or(group(1).eq(lit("b")))),
            two()
        );
    }

    #[test]
    fn other_conditions_are_left_alone() {
        let others = [
            group(1).not_eq(lit("a")),
            group(1).in_list(vec![lit("a")], true),
            group(1).eq(lit("a")).or(group(2).eq(lit("b"))),
            group(1).eq(lit("a")).or(lit(true)),
            group(1).eq(group(2)),
            group(1).eq(lit(datafusion::scalar::ScalarValue::Utf8View(None))),
            Expr::Column(Column::from_name("event")).eq(lit("a")),
        ];
        for other in others {
            assert_eq!(keys(&other), None, "{other}");
        }
    }

    #[test]
    fn any_group_is_one_with_a_key() {
        let of = |condition: Expr| any(&condition).map(|column| column.name.clone());
        let second = || Some(GROUPS[2].to_owned());
        assert_eq!(of(group(2).is_not_null()), second());
        assert_eq!(of(group(2).not_eq(lit(""))), second());
        assert_eq!(of(lit("").not_eq(group(2))), second());
        assert_eq!(of(group(2).not_eq(lit("a"))), None);
        assert_eq!(of(group(2).is_null()), None);
    }
}
