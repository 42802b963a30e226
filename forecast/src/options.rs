//! What a client may ask of the forecast, with its bounds.

use themecast_plugin_api::{PluginError, Value};

/// How much of a forecast an annotation shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// How many themes of each distribution.
    pub(crate) top: usize,
    /// How many segments ahead.
    pub(crate) horizon: usize,
    /// How many chains.
    pub(crate) chains: usize,
    /// Which phrases to watch for.
    pub(crate) watch: Vec<String>,
}

struct Asked {
    top: Option<usize>,
    horizon: Option<usize>,
    chains: Option<usize>,
    watch: Vec<String>,
}

const KNOWN: [&str; 4] = ["top", "horizon", "chains", "watch"];
/// The most phrases of a request.
const MOST_PHRASES: usize = 16;
/// The most characters of a phrase.
const MOST_CHARS: usize = 200;

impl Options {
    /// Reads the options of a request for a bundle that forecasts `horizons` segments ahead, and
    /// scores phrases or does not.
    ///
    /// # Errors
    /// [`PluginError::InvalidOption`] for an unknown key or a value out of range.
    pub(crate) fn read(
        options: &Value,
        horizons: usize,
        scores_phrases: bool,
    ) -> Result<Self, PluginError> {
        check_keys(options)?;
        let asked = Asked::read(options)?;
        check_watch(&asked.watch, scores_phrases)?;
        Ok(Self {
            top: within("top", asked.top, 3, 1, 64)?,
            horizon: within("horizon", asked.horizon, horizons, 1, horizons)?,
            chains: within("chains", asked.chains, 3, 0, 16)?,
            watch: asked.watch,
        })
    }
}

impl Asked {
    /// Reads each field on its own, so that an error names the field.
    fn read(options: &Value) -> Result<Self, PluginError> {
        let whole = |key: &'static str| match options.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Int(number)) => usize::try_from(*number).map(Some).map_err(|_| {
                PluginError::invalid(key, format!("must not be below 0, was {number}"))
            }),
            Some(other) => {
                let shown = serde_json::to_string(other).unwrap_or_default();
                Err(PluginError::invalid(key, format!("must be a whole number, was {shown}")))
            }
        };
        let watch = phrases(options.get("watch"))
            .ok_or_else(|| PluginError::invalid("watch", "must be a list of phrases"))?;
        Ok(Self { top: whole("top")?, horizon: whole("horizon")?, chains: whole("chains")?, watch })
    }
}

/// The phrases of a list of texts; none where it is anything else.
fn phrases(value: Option<&Value>) -> Option<Vec<String>> {
    let phrase = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::List(values)) => values.iter().map(phrase).collect(),
        Some(_) => None,
    }
}

fn check_keys(options: &Value) -> Result<(), PluginError> {
    let fields = match options {
        Value::Null => return Ok(()),
        Value::Map(fields) => fields,
        _ => return Err(PluginError::invalid("themecast", "must be an object of options")),
    };
    match fields.iter().find(|(key, _)| !KNOWN.contains(&key.as_str())) {
        None => Ok(()),
        Some((key, _)) => {
            let known = KNOWN.join(", ");
            Err(PluginError::invalid(key, format!("is not known: want every, {known}")))
        }
    }
}

/// Phrases to watch for: first that they could be any bundle's, then that this one scores them.
fn check_watch(phrases: &[String], scores_phrases: bool) -> Result<(), PluginError> {
    if phrases.len() > MOST_PHRASES {
        let message = format!("must be {MOST_PHRASES} phrases or fewer, was {}", phrases.len());
        return Err(PluginError::invalid("watch", message));
    }
    phrases
        .iter()
        .try_for_each(|phrase| check_phrase(phrase))
        .map_err(|message| PluginError::invalid("watch", message))?;
    match phrases.is_empty() || scores_phrases {
        true => Ok(()),
        false => {
            let why = "needs a bundle with an open-vocabulary head, which this one has not";
            Err(PluginError::invalid("watch", why))
        }
    }
}

/// Whether a phrase can be watched for.
///
/// # Errors
/// What it must be, in one line.
pub(crate) fn check_phrase(phrase: &str) -> Result<(), String> {
    let chars = phrase.chars().count();
    match (1..=MOST_CHARS).contains(&chars) {
        true => Ok(()),
        false => Err(format!("a phrase must have 1 to {MOST_CHARS} characters, had {chars}")),
    }
}

fn within(
    option: &str,
    asked: Option<usize>,
    default: usize,
    least: usize,
    most: usize,
) -> Result<usize, PluginError> {
    match asked {
        None => Ok(default),
        Some(value) if (least..=most).contains(&value) => Ok(value),
        Some(value) => {
            Err(PluginError::invalid(option, format!("must be {least} to {most}, was {value}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[(&str, Value)]) -> Result<Options, String> {
        let options = Value::map(fields.iter().map(|(k, v)| (*k, v.clone())));
        Options::read(&options, 3, false).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_and_values_within_bounds() {
        let watch = Vec::new();
        assert_eq!(check(&[]).unwrap(), Options { top: 3, horizon: 3, chains: 3, watch });
        let asked = check(&[("top", Value::Int(64)), ("chains", Value::Int(0))]).unwrap();
        assert_eq!((asked.top, asked.chains), (64, 0));
        assert_eq!(Options::read(&Value::Null, 2, false).unwrap().horizon, 2);
        for nothing in [Value::Null, Value::List(Vec::new())] {
            assert!(check(&[("watch", nothing)]).is_ok());
        }
        let phrase = Value::map([("watch", Value::from(vec![Value::from("refunds")]))]);
        assert_eq!(Options::read(&phrase, 3, true).unwrap().watch, ["refunds"]);
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for (key, value, says) in [
            ("top", Value::Int(0), "top: must be 1 to 64, was 0"),
            ("top", Value::Int(-1), "top: must not be below 0"),
            ("top", Value::from("3"), "top: must be a whole number, was \"3\""),
            ("horizon", Value::Int(4), "horizon: must be 1 to 3, was 4"),
            ("chains", Value::Int(17), "chains: must be 0 to 16"),
            ("depth", Value::Int(1), "depth: is not known"),
            ("watch", Value::Int(1), "watch: must be a list"),
            ("watch", Value::from(vec![Value::Int(1)]), "watch: must be a list"),
            ("watch", Value::from(vec![Value::from("refunds")]), "watch: needs a bundle"),
            ("watch", Value::from(vec![Value::from("a"); 17]), "watch: must be 16 phrases or"),
            ("watch", Value::from(vec![Value::from("")]), "200 characters, had 0"),
            ("watch", Value::from(vec![Value::from("é".repeat(201))]), "characters, had 201"),
        ] {
            let error = check(&[(key, value)]).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let error = Options::read(&Value::Int(5), 3, true).unwrap_err().to_string();
        assert!(error.contains("must be an object"), "{error}");
    }
}
