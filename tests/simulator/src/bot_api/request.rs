//! What came over HTTP, made plain: arguments by name, as text, and uploaded files.
//!
//! Telegram takes a query string, JSON, a urlencoded form or multipart, and does not care which. JSON values that are no
//! strings stand for their own text. Whatever comes is parsed or refused; nothing here panics.

use super::refusal::Refusal;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The arguments of one call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments {
    values: BTreeMap<String, String>,
    files: BTreeMap<String, Arc<[u8]>>,
}

impl Arguments {
    /// Reads the query string and the body.
    ///
    /// # Errors
    /// A body that is not what its content type says.
    pub fn parse(query: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Result<Arguments, Refusal> {
        let mut arguments = Arguments::default();
        arguments.add_form(query.unwrap_or_default().as_bytes());
        let content_type = content_type.unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => arguments.add_json(body)?,
            "application/x-www-form-urlencoded" => arguments.add_form(body),
            "multipart/form-data" => arguments.add_multipart(content_type, body)?,
            _ if body.is_empty() => {}
            _ => return Err(Refusal::bad("unsupported content type of the request")),
        }
        Ok(arguments)
    }

    /// The arguments of a JSON object, as a webhook's answer carries them.
    #[must_use]
    pub fn from_object(object: &serde_json::Map<String, serde_json::Value>) -> Arguments {
        let mut arguments = Arguments::default();
        for (name, value) in object {
            let text = match value {
                serde_json::Value::Null => continue,
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            arguments.values.insert(name.clone(), text);
        }
        arguments
    }

    fn add_form(&mut self, form: &[u8]) {
        self.values.extend(url::form_urlencoded::parse(form).into_owned());
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(());
        }
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)
            .map_err(|error| Refusal::bad(format!("failed to parse JSON object: {error}")))?;
        self.values.extend(Arguments::from_object(&object).values);
        Ok(())
    }

    fn add_multipart(&mut self, content_type: &str, body: &[u8]) -> Result<(), Refusal> {
        let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty());
        let boundary = boundary.ok_or_else(|| Refusal::bad("boundary field not found in the request"))?;
        let delimiter = format!("--{boundary}");
        let broken = || Refusal::bad("the multipart body is broken");
        let mut rest = after(body, delimiter.as_bytes()).ok_or_else(broken)?;
        let delimiter = format!("\r\n{delimiter}");
        // Each turn eats a delimiter, so it ends.
        while !rest.starts_with(b"--") {
            let part = rest.strip_prefix(b"\r\n").ok_or_else(broken)?;
            let end = find(part, delimiter.as_bytes()).ok_or_else(broken)?;
            self.add_part(&part[..end]).ok_or_else(broken)?;
            rest = &part[end + delimiter.len()..];
        }
        Ok(())
    }

    fn add_part(&mut self, part: &[u8]) -> Option<()> {
        let headers_len = find(part, b"\r\n\r\n")?;
        let headers = std::str::from_utf8(&part[..headers_len]).ok()?;
        let content = &part[headers_len + 4..];
        let disposition = headers.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let name = parameter(disposition, "name")?;
        if parameter(disposition, "filename").is_some() || parameter(disposition, "filename*").is_some() {
            self.files.insert(name, Arc::from(content));
        } else {
            self.values.insert(name, String::from_utf8(content.to_vec()).ok()?);
        }
        Some(())
    }

    /// An argument, if it is given and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A number; anything else counts as not given, as Telegram has it.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A switch.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1"))
    }

    /// A JSON-serialized argument.
    ///
    /// # Errors
    /// It is not what it has to be; `what` names it in the refusal.
    pub fn json<T: DeserializeOwned>(&self, name: &str, what: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|error| Refusal::bad(format!("can't parse {what}: {error}")))
    }

    /// An uploaded file: under the name itself, or under the one that `attach://` names.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Arc<[u8]>> {
        self.files.get(name.strip_prefix("attach://").unwrap_or(name))
    }

    /// Replaces an argument.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }
}

/// `name=value` or `name="value"` of a header.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        key.trim().eq_ignore_ascii_case(name).then(|| bare.to_owned())
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn after<'b>(bytes: &'b [u8], wanted: &[u8]) -> Option<&'b [u8]> {
    find(bytes, wanted).map(|at| &bytes[at + wanted.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_send_arguments_says_the_same() {
        let expected = [("chat_id", "7"), ("text", "a & b"), ("reply_markup", r#"{"inline_keyboard":[]}"#)];
        let form = "chat_id=7&text=a+%26+b&reply_markup=%7B%22inline_keyboard%22%3A%5B%5D%7D";
        let json = r#"{"chat_id": 7, "text": "a & b", "reply_markup": {"inline_keyboard": []}, "entities": null}"#;
        let part = |name: &str, text: &str| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let parts: String = expected.iter().map(|(name, text)| part(name, text)).collect();
        let multipart = format!("{parts}--X--\r\n");
        let ways = [
            Arguments::parse(Some(form), None, b""),
            Arguments::parse(None, Some("application/x-www-form-urlencoded; charset=utf-8"), form.as_bytes()),
            Arguments::parse(None, Some("application/json"), json.as_bytes()),
            Arguments::parse(None, Some("multipart/form-data; boundary=X"), multipart.as_bytes()),
        ];
        for (n, arguments) in ways.into_iter().enumerate() {
            let arguments = arguments.unwrap();
            for (name, text) in expected {
                assert_eq!(arguments.text(name), Some(text), "way {n}");
            }
            assert_eq!(arguments.number("chat_id"), Some(7));
        }
    }

    #[test]
    fn files_are_found_by_their_name_and_by_attach() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a;b.png\"\r\nContent-Type: image/png\r\n\r\n\x00\r\n--\xff\r\n--b--";
        let arguments = Arguments::parse(None, Some("multipart/form-data; boundary=\"b\""), body).unwrap();
        assert_eq!(arguments.file("attach://media").unwrap().as_ref(), b"\x00\r\n--\xff");
        assert_eq!(arguments.file("media"), arguments.file("attach://media"));
        assert_eq!(arguments.file("other"), None);
    }

    #[test]
    fn broken_bodies_are_refused() {
        for (kind, body) in [
            ("application/json", "{"),
            ("application/json", "[1]"),
            ("multipart/form-data", ""),
            ("multipart/form-data; boundary=X", "--X\r\n"),
            ("multipart/form-data; boundary=X", "--Y\r\n\r\n"),
            ("text/plain", "hello"),
        ] {
            let refusal = Arguments::parse(None, Some(kind), body.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, 400, "{kind} {body}");
        }
    }
}
