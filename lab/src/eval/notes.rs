//! What a reader of a report has to know.

use themecast_forecast::bundle::Bundle;

/// The notes of every report, then `more`.
pub(super) fn of(bundle: &Bundle, more: Vec<String>) -> Vec<String> {
    let reads = match bundle.card.text.is_some() {
        true => "it reads the text beside its activations",
        false => "it reads no text",
    };
    let chain = match bundle.chain.is_some() {
        true => "",
        false => " It has no chain: where tables say so, products of its distributions stand.",
    };
    let ours = format!(
        "themecast: the bundle as it serves, with its own soft guesses of the themes so far as \
         history; {reads}.{chain}"
    );
    let own = [
        &*ours,
        "marginal: the training split's shares; at the position: by the segment's number. \
         persistence and Markov 1 and 2 (counted at each horizon, smoothed as the validation \
         split likes best) know the true themes so far; at the prompt's end they have the shares \
         at that place of an answer.",
        "text: TF-IDF of the prompt and all the text so far; MiniLM embeddings (mean of all \
         segments so far, the last one, the unfinished one, the prompt); or those with the 500 \
         commonest words and the layout; all with the true themes so far and the position, the \
         same regression as ours; penalty, a temperature for each place and weight of the text \
         chosen on the validation split.",
        "text + activations: the better text model's columns with ours. activations + true \
         themes: ours without its guesses. Within segments both are averaged with what they said \
         at the boundary before, as much as validates best. layer 0: means of token embeddings. shuffled labels: \
         ours on themes dealt out at random, which must do no better than the marginal.",
        "The best text baseline is the one among those without activations that loses the least \
         on the validation split at that place and horizon.",
        "Intervals: 95 %, over resamples of whole prompts with all their answers, wider than over \
         single documents. ECE: 15 bins of equal mass, equal probabilities pooled, before and after \
         the temperature that was found on the validation split (of ours the last one alone, which \
         mixed and averaged forecasts are served with); by chance: of forecasts that are \
         calibrated, the tokens of a segment drawn together. Sets: split conformal at 90 %, score \
         1 − p, thresholds from the validation split; that split chose penalties and temperatures \
         too.",
        "Changes: at the end of a segment the theme differs from that of the segment that ended; \
         within one, from that of the segment being written (or, for that segment itself, from \
         the one before).",
        "Recognisers: Mahalanobis distances are fitted on the training split with a covariance \
         shrunk by Ledoit and Wolf's rule; none is fitted on held-out groups, but the bundle's own \
         (its layer, its measure) was picked by this table, and so on them.",
        "Against the reader: of models learnt from what it said, \"ours\" in the differences is the \
         first of them, activations + true themes, not the bundle.",
        "Themes are labels, not truth: no forecast can be better than they are consistent.",
    ];
    own.iter().map(|&note| note.to_owned()).chain(more).collect()
}
