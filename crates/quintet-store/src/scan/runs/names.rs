//! What a scan's filters say of the names of events and of time.

use std::collections::BTreeSet;
use std::ops::Range;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::schema;

/// The names that events may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scan) enum Names {
    /// Any.
    Any,
    /// One of these.
    These(BTreeSet<String>),
}

impl Names {
    /// What both allow.
    pub(in crate::scan) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, other) | (other, Self::Any) => other,
            (Self::These(one), Self::These(other)) => Self::These(&one & &other),
        }
    }
}

/// The names for which a filter holds, if it is about nothing else.
pub(in crate::scan) fn of(filter: &Expr) -> Option<Names> {
    found(filter).map(Names::These)
}

fn found(filter: &Expr) -> Option<BTreeSet<String>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Or => Some(&found(left)? | &found(right)?),
            Operator::And => Some(&found(left)? & &found(right)?),
            Operator::Eq => name(left, right).or_else(|| name(right, left)),
            _ => None,
        },
        Expr::InList(list) if !list.negated && is_event(&list.expr) => {
            list.list.iter().map(text).collect()
        }
        _ => None,
    }
}

fn name(column: &Expr, literal: &Expr) -> Option<BTreeSet<String>> {
    is_event(column).then(|| text(literal).map(|name| BTreeSet::from([name])))?
}

fn is_event(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == schema::EVENT)
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str()?.map(str::to_owned),
        _ => None,
    }
}

/// The times that events may have, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scan) struct Times {
    from: i64,
    to: i64,
}

impl Times {
    /// What plain bounds among the filters leave.
    pub(in crate::scan) fn of(filters: &[Expr]) -> Self {
        let bounds = filters.iter().filter_map(Self::bound);
        let all = Self {
            from: i64::MIN,
            to: i64::MAX,
        };
        bounds.fold(all, |times, bound| Self {
            from: times.from.max(bound.from),
            to: times.to.min(bound.to),
        })
    }

    /// The times for which a filter holds, if it is a plain bound: no more and no fewer.
    pub(super) fn bound(filter: &Expr) -> Option<Self> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
            return None;
        };
        let at = is_time(left).then(|| micros(right))??;
        let (from, to) = match op {
            Operator::GtEq => (at, i64::MAX),
            Operator::Gt => (at.checked_add(1)?, i64::MAX),
            Operator::LtEq => (i64::MIN, at),
            Operator::Lt => (i64::MIN, at.checked_sub(1)?),
            _ => return None,
        };
        Some(Self { from, to })
    }

    /// May a row with a time within these bounds be among them?
    pub(in crate::scan) fn may_be_in(&self, min: i64, max: i64) -> bool {
        min <= self.to && max >= self.from
    }

    /// Are all rows with times within these bounds among them?
    pub(super) fn hold(&self, min: i64, max: i64) -> bool {
        self.from <= min && max <= self.to
    }

    /// Which of these ascending times are among them.
    pub(super) fn within(&self, ascending: &[i64]) -> Range<usize> {
        let start = ascending.partition_point(|at| *at < self.from);
        let end = ascending.partition_point(|at| *at <= self.to);
        start..end.max(start)
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == schema::TIMESTAMP)
}

fn micros(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::TimestampMicrosecond(at, _), _) => *at,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::Column;
    use datafusion::logical_expr::expr_fn::in_list;
    use datafusion::prelude::lit;

    use super::*;

    fn column(name: &str) -> Expr {
        Expr::Column(Column::from_name(name))
    }

    fn names(filter: &Expr) -> Option<Vec<String>> {
        found(filter).map(|names| names.into_iter().collect())
    }

    #[test]
    fn names_are_read_off_equality_lists_and_their_combinations() {
        let is = |name: &str| column(schema::EVENT).eq(lit(name));
        let listed = in_list(column(schema::EVENT), vec![lit("b"), lit("a")], false);
        assert_eq!(names(&is("a")), Some(vec!["a".into()]));
        assert_eq!(names(&listed), Some(vec!["a".into(), "b".into()]));
        assert_eq!(
            names(&is("c").or(listed.clone())),
            Some(vec!["a".into(), "b".into(), "c".into()])
        );
        assert_eq!(names(&is("a").and(listed)), Some(vec!["a".into()]));
        assert_eq!(names(&is("a").or(column("x").eq(lit("b")))), None);
        assert_eq!(
            names(&in_list(column(schema::EVENT), vec![lit("a")], true)),
            None
        );
        assert_eq!(names(&column(schema::EVENT).not_eq(lit("a"))), None);
    }

    #[test]
    fn bounds_of_time_narrow_each_other() {
        let at = |micros| {
            lit(ScalarValue::TimestampMicrosecond(
                Some(micros),
                Some("UTC".into()),
            ))
        };
        let time = || column(schema::TIMESTAMP);
        let times = Times::of(&[
            time().gt_eq(at(5)),
            time().lt_eq(at(9)),
            time().gt_eq(at(3)),
        ]);
        assert_eq!(times, Times { from: 5, to: 9 });
        assert!(times.may_be_in(0, 5) && times.may_be_in(9, 20));
        assert!(!times.may_be_in(0, 4) && !times.may_be_in(10, 20));
        assert!(times.hold(5, 9) && !times.hold(4, 9) && !times.hold(5, 10));
        assert_eq!(times.within(&[1, 4, 5, 5, 9, 10]), 2..5);
        assert_eq!(times.within(&[1, 2]), 2..2);
        let open = Times::of(&[time().gt(at(5)), time().lt(at(9))]);
        assert_eq!(open, Times { from: 6, to: 8 });
        assert_eq!(Times::bound(&time().eq(at(5))), None);
    }
}
