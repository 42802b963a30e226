//! How many tokens an average comes after the forecasts that it averages.

/// One token: whether a segment begins there, and whether the forecast and the average name what
/// comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) begins: bool,
    pub(super) momentary: bool,
    pub(super) averaged: bool,
}

/// The mean, over segments, of the token at which the average first names what comes minus the one
/// at which the forecast first does. Segments count whose forecast does so only after their
/// beginning (where both are the same), and of which both name it at all; also how many these are.
pub(super) fn lag(tokens: impl IntoIterator<Item = Names>) -> (f32, usize) {
    let (mut sum, mut segments) = (0.0, 0);
    let mut open = Segment::default();
    let mut close = |open: &Segment| {
        if let (Some(momentary @ 1..), Some(averaged)) = (open.momentary, open.averaged) {
            sum += averaged as f32 - momentary as f32;
            segments += 1;
        }
    };
    for token in tokens {
        if token.begins {
            close(&open);
            open = Segment::default();
        }
        let place = open.tokens;
        open.tokens += 1;
        open.momentary = open.momentary.or(token.momentary.then_some(place));
        open.averaged = open.averaged.or(token.averaged.then_some(place));
    }
    close(&open);
    (sum / (segments as f32).max(1.0), segments)
}

#[derive(Default)]
struct Segment {
    tokens: usize,
    momentary: Option<usize>,
    averaged: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_from_where_the_forecast_first_names_what_comes() {
        let segment = |momentary: usize, averaged: usize| {
            (0..10).map(move |token| Names {
                begins: token == 0,
                momentary: token >= momentary,
                averaged: token >= averaged,
            })
        };
        // Named at once, never by the average, and late by 2 and by 4.
        let all = [segment(0, 0), segment(2, 99), segment(1, 3), segment(5, 9)];
        assert_eq!(lag(all.into_iter().flatten()), (3.0, 2));
        assert_eq!(lag([]), (0.0, 0));
    }
}
