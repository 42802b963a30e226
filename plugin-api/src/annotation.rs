//! What a plugin says of a token: a tree of plain values.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// A plain value, serialised as JSON would have it.
///
/// ```
/// use themecast_plugin_api::Value;
///
/// let value = Value::from(vec![Value::from(1_i64), Value::from("a"), Value::from(0.5_f32)]);
/// assert_eq!(serde_json::to_string(&value).unwrap(), r#"[1,"a",0.5]"#);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; one that is not finite is refused by the host.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Named values, in this order.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A map of named values.
    ///
    /// ```
    /// # use themecast_plugin_api::Value;
    /// let value = Value::map([("p", 0.25_f32.into())]);
    /// assert_eq!(value.get("p"), Some(&Value::Float(0.25)));
    /// ```
    pub fn map<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The value under `key`, where this is a map that has it.
    ///
    /// ```
    /// # use themecast_plugin_api::Value;
    /// assert_eq!(Value::Null.get("p"), None);
    /// ```
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Whether every number in the tree is finite.
    ///
    /// ```
    /// # use themecast_plugin_api::Value;
    /// assert!(!Value::from(vec![Value::from(f32::NAN)]).is_finite());
    /// ```
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Float(number) => number.is_finite(),
            Self::List(values) => values.iter().all(Self::is_finite),
            Self::Map(fields) => fields.iter().all(|(_, value)| value.is_finite()),
            _ => true,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => values.serialize(serializer),
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

from!(bool => Bool, i64 => Int, u32 => Int, f32 => Float, f64 => Float, &str => Text, String => Text, Vec<Value> => List);

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// What a plugin says beside one token, or of a whole answer.
///
/// ```
/// use themecast_plugin_api::Annotation;
///
/// let annotation = Annotation::new([("norm", 3.5_f32.into())]).milestone(true);
/// assert!(annotation.milestone);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Annotation {
    /// The content, a map.
    pub value: Value,
    /// Worth sending to clients that asked for milestones alone (`"every": "segment"`).
    pub milestone: bool,
    /// The answer is to end at the next token, with OpenAI's `finish_reason` `content_filter`.
    pub stop: bool,
}

impl Annotation {
    /// An annotation of these named values, no milestone.
    ///
    /// ```
    /// # use themecast_plugin_api::Annotation;
    /// assert!(Annotation::new([("a", true.into())]).value.get("a").is_some());
    /// ```
    pub fn new<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self { value: Value::map(fields), milestone: false, stop: false }
    }

    /// The same, marked as a milestone or not.
    ///
    /// ```
    /// # use themecast_plugin_api::Annotation;
    /// assert!(!Annotation::default().milestone(false).milestone);
    /// ```
    #[must_use]
    pub fn milestone(mut self, milestone: bool) -> Self {
        self.milestone = milestone;
        self
    }

    /// The same, marked as the answer's end or not.
    ///
    /// ```
    /// # use themecast_plugin_api::Annotation;
    /// assert!(Annotation::default().stop(true).stop);
    /// ```
    #[must_use]
    pub fn stop(mut self, stop: bool) -> Self {
        self.stop = stop;
        self
    }
}
