//! YAML to read: short things in one line, everything else one below the other.

/// Columns that a mapping in one line may take.
const WIDTH: usize = 120;

/// A value to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// Text, quoted when it has to be.
    Text(String),
    /// A number or truth value, as it is.
    Plain(String),
    /// Nothing: leaves an attribute out.
    Null,
    /// A mapping, in this order.
    Map(Vec<(String, Yaml)>),
    /// A sequence.
    List(Vec<Yaml>),
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Yaml {
        Yaml::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Yaml {
        Yaml::Text(text)
    }
}

/// A mapping of one key.
pub fn one(key: impl Into<String>, value: impl Into<Yaml>) -> Yaml {
    Yaml::Map(vec![(key.into(), value.into())])
}

impl Yaml {
    /// In one line.
    pub fn flow(&self) -> String {
        match self {
            Yaml::Text(text) => scalar(text),
            Yaml::Plain(text) => text.clone(),
            Yaml::Null => "~".to_owned(),
            Yaml::Map(pairs) if pairs.is_empty() => "{}".to_owned(),
            Yaml::Map(pairs) => {
                let inside: Vec<String> = pairs
                    .iter()
                    .map(|(key, value)| format!("{}: {}", scalar(key), value.flow()))
                    .collect();
                format!("{{ {} }}", inside.join(", "))
            }
            Yaml::List(items) => {
                let inside: Vec<String> = items.iter().map(Yaml::flow).collect();
                format!("[{}]", inside.join(", "))
            }
        }
    }

    /// As the value of a key that stands `indent` columns in: what follows the colon.
    pub fn block(&self, indent: usize, out: &mut String) {
        let flow = self.flow();
        let fits = indent + flow.len() < WIDTH;
        match self {
            Yaml::Map(pairs) if !fits && !pairs.is_empty() => {
                out.push('\n');
                for (key, value) in pairs {
                    pair(indent + 2, key, value, out);
                }
            }
            Yaml::List(items) if !fits && !items.is_empty() => {
                out.push('\n');
                for item in items {
                    item.item(indent + 2, out);
                }
            }
            _ => {
                out.push(' ');
                out.push_str(&flow);
                out.push('\n');
            }
        }
    }

    /// As an item of a sequence that stands `indent` columns in.
    pub fn item(&self, indent: usize, out: &mut String) {
        let flow = self.flow();
        match self {
            Yaml::Map(pairs) if indent + 2 + flow.len() >= WIDTH || pairs.len() == 1 => {
                let mut inner = String::new();
                for (key, value) in pairs {
                    pair(indent + 2, key, value, &mut inner);
                }
                out.push_str(&" ".repeat(indent));
                out.push_str("- ");
                out.push_str(inner.trim_start());
            }
            _ => {
                out.push_str(&format!("{}- {flow}\n", " ".repeat(indent)));
            }
        }
    }
}

/// A key with its value.
pub fn pair(indent: usize, key: &str, value: &Yaml, out: &mut String) {
    out.push_str(&" ".repeat(indent));
    out.push_str(&scalar(key));
    out.push(':');
    value.block(indent, out);
}

/// A scalar, in quotes unless it is a plain word that can be nothing else.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '.' | '/' | '-' | ':'))
        && !text.contains(": ")
        && !text.ends_with(':');
    let word = !matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if plain && word {
        text.to_owned()
    } else {
        // JSON's strings are YAML's.
        serde_json::Value::from(text).to_string()
    }
}
