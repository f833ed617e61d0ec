//! The path of a route: exact segments, segments that take any one value, and a last one that takes all that follow.

/// The segments between the slashes. Two patterns are equal when they match the same paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Vec<Segment>,
}

/// In the order in which they win, from the left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    Exact(String),
    /// `{name}`: any one non-empty segment. The name is for the reader only.
    Any,
    /// `{name...}`: one segment or more to the end, with or without a slash there. It is the last one.
    Rest,
}

impl PathPattern {
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    #[must_use]
    pub fn has_rest(&self) -> bool {
        self.segments.last() == Some(&Segment::Rest)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some(inner) = text.strip_prefix('/') else {
            return Err(format!("path `{text}` must start with a slash"));
        };
        if inner.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        let segments: Vec<Segment> =
            inner.split('/').map(|segment| parse_segment(text, segment)).collect::<Result<_, _>>()?;
        if segments.iter().rev().skip(1).any(|segment| *segment == Segment::Rest) {
            return Err(format!("`{{…...}}` in path `{text}` takes all that follows, so it must be the last segment"));
        }
        Ok(Self { segments })
    }
}

fn parse_segment(path: &str, segment: &str) -> Result<Segment, String> {
    if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let (name, kind) = match name.strip_suffix("...") {
            Some(name) => (name, Segment::Rest),
            None => (name, Segment::Any),
        };
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        return if named { Ok(kind) } else { Err(format!("`{segment}` in path `{path}` needs a name: {{a-z_}}")) };
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.!$&'()*+,=:@".contains(&byte);
    if segment.is_empty() || segment == "." || segment == ".." {
        return Err(format!("path `{path}` has an empty or dot segment"));
    }
    if !segment.bytes().all(plain) {
        return Err(format!("`{segment}` in path `{path}` may hold only letters, digits and -_~.!$&'()*+,=:@"));
    }
    Ok(Segment::Exact(segment.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_its_segments() {
        assert_eq!(PathPattern::parse("/").unwrap().segments(), []);
        assert_eq!(
            PathPattern::parse("/v1/artifacts/{id}").unwrap().segments(),
            [Segment::Exact("v1".into()), Segment::Exact("artifacts".into()), Segment::Any]
        );
        let rest = PathPattern::parse("/billing/{rest...}").unwrap();
        assert_eq!((rest.segments(), rest.has_rest()), (&[Segment::Exact("billing".into()), Segment::Rest][..], true));
        assert!(!PathPattern::parse("/a...").unwrap().has_rest());
        let shapes = ["", "v1", "//", "/v1/", "/a/../b", "/{}", "/{Id}", "/a{b}", "/%61", "/a;b", "/a b"];
        let rests = ["/{...}", "/{a..}", "/{a....}", "/{A...}", "/{a...}/", "/{a...}/b", "/{a...}/{b...}", "/a{b...}"];
        for wrong in shapes.into_iter().chain(rests) {
            assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
