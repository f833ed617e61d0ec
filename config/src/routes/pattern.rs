//! The path of a route: exact segments, and segments that take any one value.

/// The segments between the slashes. Two patterns are equal when they match the same paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    Exact(String),
    /// `{name}`: any one non-empty segment. The name is for the reader only.
    Any,
}

impl PathPattern {
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some(inner) = text.strip_prefix('/') else {
            return Err(format!("path `{text}` must start with a slash"));
        };
        if inner.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        let segments = inner.split('/').map(|segment| parse_segment(text, segment)).collect::<Result<_, _>>()?;
        Ok(Self { segments })
    }
}

fn parse_segment(path: &str, segment: &str) -> Result<Segment, String> {
    if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        return if named {
            Ok(Segment::Any)
        } else {
            Err(format!("`{segment}` in path `{path}` needs a name: {{a-z_}}"))
        };
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
        for wrong in ["", "v1", "//", "/v1/", "/a/../b", "/{}", "/{Id}", "/a{b}", "/%61", "/a;b", "/a b"] {
            assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
