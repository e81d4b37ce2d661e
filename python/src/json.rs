//! Values of Python as JSON: an event on its way into the queue.
//!
//! What JSON has is written here; what it has not (a date, a data class, an exception, a model) is
//! made plain by `tachograph._plain` first. Not here: whether it is an event (`event`).

use crate::fault::Fault;
use event::limits;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use std::fmt::Write as _;

/// `tachograph._plain.plain`.
static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// An event as it was given, in JSON.
pub(crate) struct Draft {
    pub(crate) bytes: Vec<u8>,
    /// Its id, if it came with one.
    pub(crate) event_id: Option<String>,
}

/// Joins what was given to one event: fields count more than the event, that more than the context.
///
/// # Errors
/// What a conversion raised; a value that no event may have.
pub(crate) fn event(
    fields: Option<&Bound<'_, PyDict>>,
    event: Option<&Bound<'_, PyAny>>,
    context: Option<&Bound<'_, PyDict>>,
) -> PyResult<Draft> {
    let given = event.map(object).transpose()?;
    let sources = [fields, given.as_ref(), context];
    let mut draft = Draft { bytes: Vec::with_capacity(512), event_id: None };
    draft.bytes.push(b'{');
    for (position, source) in sources.iter().enumerate() {
        let Some(source) = source else { continue };
        for (key, value) in source.iter() {
            if value.is_none() || is_said(&sources, position, &key)? {
                continue;
            }
            write_member(&key, &value, &mut draft)?;
        }
    }
    draft.bytes.push(b'}');
    if draft.bytes.len() > limits::EVENT_BYTES_MAX {
        return Err(too_large().into());
    }
    Ok(draft)
}

/// Whether a source that counts more has this key, with a value.
fn is_said(
    sources: &[Option<&Bound<'_, PyDict>>],
    position: usize,
    key: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    for source in sources.iter().take(position).flatten() {
        if source.get_item(key)?.is_some_and(|value| !value.is_none()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write_member(
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    draft: &mut Draft,
) -> PyResult<()> {
    let Ok(name) = key.cast::<PyString>() else {
        return Err(Fault::refused("wrong_type", "", "the names of fields are texts").into());
    };
    match name.to_str()? {
        "producer" => {
            let reason = "the package numbers what it records itself; leave it out";
            return Err(Fault::refused("bad_value", "producer", reason).into());
        }
        "event_id" => draft.event_id = value.str()?.to_str().ok().map(str::to_owned),
        _ => {}
    }
    if draft.bytes.len() > 1 {
        draft.bytes.push(b',');
    }
    write_text(name, &mut draft.bytes)?;
    draft.bytes.push(b':');
    write(value, 2, &mut draft.bytes)
}

/// An event that is no dictionary: a data class, a model.
fn object<'py>(event: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(dict) = event.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    plain(event)?.cast_into::<PyDict>().map_err(|_| {
        Fault::refused("not_an_object", "", "an event is a dictionary, or a data class").into()
    })
}

/// One value, as JSON at this depth of nesting.
///
/// # Errors
/// What a conversion raised, and nesting beyond what an event may have.
pub(crate) fn write(value: &Bound<'_, PyAny>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return write_text(text, out);
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        return write_dict(dict, depth, out);
    }
    if let Ok(flag) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
        return Ok(());
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return write_int(number, out);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        write_float(number.value(), out);
        return Ok(());
    }
    if let Ok(list) = value.cast::<PyList>() {
        return write_items(list.iter(), depth, out);
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return write_items(tuple.iter(), depth, out);
    }
    // Of subclasses (an enumeration of texts, an ordered dictionary) the value counts.
    if let Ok(text) = value.cast::<PyString>() {
        return write_text(text, out);
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return write_dict(dict, depth, out);
    }
    if let Ok(number) = value.cast::<PyInt>() {
        return write_int(number, out);
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        write_float(number.value(), out);
        return Ok(());
    }
    fits(depth, out)?;
    write(&plain(value)?, depth + 1, out)
}

fn plain<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    PLAIN.import(py, "tachograph._plain", "plain")?.call1((value,))
}

/// Whether arrays and objects may nest so deep, and the event may be so large.
fn fits(depth: usize, out: &[u8]) -> Result<(), Fault> {
    if depth > limits::NESTING_MAX {
        let reason = format!(
            "arrays and objects nest deeper than {}, or hold themselves; record what matters of them",
            limits::NESTING_MAX
        );
        return Err(Fault::refused("too_deep", "", &reason));
    }
    if out.len() > limits::EVENT_BYTES_MAX {
        return Err(too_large());
    }
    Ok(())
}

fn too_large() -> Fault {
    let reason = format!(
        "the event is larger than {} bytes; store the large value elsewhere and record a reference",
        limits::EVENT_BYTES_MAX
    );
    Fault::refused("too_large", "", &reason)
}

fn write_dict(dict: &Bound<'_, PyDict>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    fits(depth, out)?;
    out.push(b'{');
    // A copy: making a value plain runs code that may change the dictionary.
    for (position, item) in dict.items().iter().enumerate() {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        if position > 0 {
            out.push(b',');
        }
        match key.cast::<PyString>() {
            Ok(text) => write_text(text, out)?,
            Err(_) => write_text(&key.str()?, out)?,
        }
        out.push(b':');
        write(&value, depth + 1, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_items<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    fits(depth, out)?;
    out.push(b'[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(&item, depth + 1, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(text) = text.to_str() {
        return write_str(text, out);
    }
    // Half a surrogate pair is no text; it is kept as its escape.
    let bytes = text.call_method1("encode", ("utf-8", "backslashreplace"))?;
    let bytes: Vec<u8> = bytes.extract()?;
    write_str(&String::from_utf8_lossy(&bytes), out)
}

fn write_str(text: &str, out: &mut Vec<u8>) -> PyResult<()> {
    serde_json::to_writer(out, text)
        .map_err(|error| Fault::refused("not_json", "", &error.to_string()).into())
}

fn write_int(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match number.extract::<i64>() {
        Ok(number) => write_display(number, out),
        // Not `str`, which an enumeration may have changed.
        Err(_) => {
            let digits = number.call_method1("__format__", ("d",))?;
            out.extend_from_slice(digits.cast::<PyString>()?.to_str()?.as_bytes());
        }
    }
    Ok(())
}

/// JSON has no word for what is no number: it stands as a text.
fn write_float(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        let mut text = String::new();
        // The shortest digits that read back as the same number; to a text nothing fails.
        let _ = write!(text, "{number:?}");
        out.extend_from_slice(text.as_bytes());
    } else if number.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        out.extend_from_slice(if number > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
}

fn write_display(number: i64, out: &mut Vec<u8>) {
    let mut text = String::new();
    let _ = write!(text, "{number}");
    out.extend_from_slice(text.as_bytes());
}
