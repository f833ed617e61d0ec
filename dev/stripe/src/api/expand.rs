//! `expand[]`: ids become the objects they name, and fields that are shown on request are shown.

use serde_json::Value;

use super::error::ApiError;
use crate::world::World;
use crate::world::kind::Kind;

/// Stripe's own limit.
const DEPTH_MAX: usize = 4;

/// One object as its asker wants it.
pub fn show(world: &World, kind: Kind, document: &Value, wanted: &[String]) -> Result<Value, ApiError> {
    let mut shown = document.clone();
    let paths = paths(wanted)?;
    expand(world, kind, &mut shown, &paths)?;
    Ok(shown)
}

/// A list, whose paths begin with `data`.
pub fn show_list(world: &World, kind: Kind, list: &mut Value, wanted: &[String]) -> Result<(), ApiError> {
    let paths = paths(wanted)?;
    let inner = after(&paths, "data");
    if inner.len() < paths.len() {
        return Err(ApiError::invalid("What is expanded in a list begins with data.").param("expand"));
    }
    for document in list["data"].as_array_mut().into_iter().flatten() {
        expand(world, kind, document, &inner)?;
    }
    Ok(())
}

type Path<'a> = Vec<&'a str>;

fn paths(wanted: &[String]) -> Result<Vec<Path<'_>>, ApiError> {
    let paths: Vec<Path<'_>> = wanted.iter().map(|path| path.split('.').collect()).collect();
    if paths.iter().any(|path| path.len() > DEPTH_MAX) {
        return Err(ApiError::invalid("You cannot expand more than 4 levels of a property.").param("expand"));
    }
    Ok(paths)
}

/// What the paths that begin with `first` go on with.
fn after<'a>(paths: &[Path<'a>], first: &str) -> Vec<Path<'a>> {
    paths.iter().filter(|path| path.first() == Some(&first)).map(|path| path[1..].to_vec()).collect()
}

fn expand(world: &World, kind: Kind, document: &mut Value, paths: &[Path<'_>]) -> Result<(), ApiError> {
    let Some(fields) = document.as_object_mut() else { return Ok(()) };
    for name in kind.private() {
        fields.remove(*name);
    }
    for name in kind.on_request() {
        if !paths.iter().any(|path| path.first() == Some(name)) {
            fields.remove(*name);
        }
    }
    walk(world, document, paths)
}

/// Follows the paths into fields and lists, and replaces an id at the end of a step by its object.
fn walk(world: &World, value: &mut Value, paths: &[Path<'_>]) -> Result<(), ApiError> {
    if let Some(each) = value.as_array_mut() {
        return each.iter_mut().try_for_each(|one| walk(world, one, paths));
    }
    let mut firsts: Vec<&str> = paths.iter().filter_map(|path| path.first().copied()).collect();
    firsts.sort_unstable();
    firsts.dedup();
    for first in firsts {
        let Some(field) = value.get_mut(first) else {
            return Err(ApiError::invalid(format!("This property cannot be expanded ({first}).")).param("expand"));
        };
        let inner = after(paths, first);
        step(world, field, &inner)?;
    }
    Ok(())
}

fn step(world: &World, field: &mut Value, inner: &[Path<'_>]) -> Result<(), ApiError> {
    match field.as_str().and_then(|id| world.shelves.any(id)) {
        Some((kind, found)) => {
            let mut object = found.clone();
            expand(world, kind, &mut object, inner)?;
            *field = object;
            Ok(())
        }
        None if field.is_null() => Ok(()),
        None => {
            let inner: Vec<Path<'_>> = inner.iter().filter(|path| !path.is_empty()).cloned().collect();
            walk(world, field, &inner)
        }
    }
}
