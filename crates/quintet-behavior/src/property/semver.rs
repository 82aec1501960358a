//! Versions as sortable numeric tuples.

/// Major, minor and patch; a pre-release suffix is left out, missing parts are 0.
pub(super) type Version = [u64; 3];

/// Reads `1.2.3`, `v1.2`, `1.2.3-beta.1+build`.
pub(super) fn parse(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let core = text.split(['-', '+']).next()?;
    let mut version = [0; 3];
    for (i, part) in core.split('.').enumerate() {
        let number = part.parse().ok()?;
        if let Some(slot) = version.get_mut(i) {
            *slot = number;
        }
    }
    Some(version)
}

/// `~1.2.3`: from 1.2.3 up to 1.3.0.
pub(super) fn tilde(text: &str) -> Option<(Version, Version)> {
    let from @ [major, minor, _] = parse(text)?;
    Some((from, [major, minor.saturating_add(1), 0]))
}

/// `^1.2.3`: up to the next change of the leftmost part that is not zero.
pub(super) fn caret(text: &str) -> Option<(Version, Version)> {
    let from @ [major, minor, patch] = parse(text)?;
    let to = match (major, minor) {
        (0, 0) => [0, 0, patch.saturating_add(1)],
        (0, _) => [0, minor.saturating_add(1), 0],
        _ => [major.saturating_add(1), 0, 0],
    };
    Some((from, to))
}

/// `1.2.*`: every version that starts so.
pub(super) fn wildcard(text: &str) -> Option<(Version, Version)> {
    let prefix = text.trim().trim_end_matches('*').trim_end_matches('.');
    if prefix.is_empty() {
        return Some(([0; 3], [u64::MAX; 3]));
    }
    let from @ [major, minor, patch] = parse(prefix)?;
    let to = match prefix.split('.').count() {
        1 => [major.saturating_add(1), 0, 0],
        2 => [major, minor.saturating_add(1), 0],
        _ => [major, minor, patch.saturating_add(1)],
    };
    Some((from, to))
}
