"""Drift: whether the traffic is still what the bundle was trained for."""

from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from .panels import (
    GREEN,
    MODELS,
    RED,
    YELLOW,
    add,
    ahead_choice,
    heat,
    joined,
    lines,
    named,
    now,
    number,
    of_models,
    page,
    query,
    row,
    rows,
    steps,
    unlike_lines,
    unlike_number,
)

PSI = steps(GREEN, (0.1, YELLOW), (0.25, RED))
DAY = 'window="1d", source="realized"'


def shift(baseline):
    """The population stability index of a day."""
    return f'model:themecast_psi:sum{{, {DAY}, baseline="{baseline}"}}'


def or_bundle(made):
    """What `made` returns for the day before; of models without one yet, for the bundle."""
    return f"({made('day before')}) or on (model) ({made('bundle')})"


def numbers():
    """The state at a glance."""
    return [
        number(
            "Population shift, a day",
            "Population stability index of the themes that came against the bundle's training data: "
            "0.1 some shift, 0.25 a large one. The model with the most; with fewer than some "
            "hundred segments it is mostly chance.",
            of_models(
                'max(model:themecast_psi:sum{, window="1d", source="realized", baseline="bundle"})'
            ),
            unit="none",
            thresholds=PSI,
        ),
        named(
            number(
                "Since the day before",
                "Population stability index of this day's themes against the day before, now; the "
                "model with the most. While a model has no day before, against the bundle's "
                "training data instead: the name says which.",
                of_models(
                    f"max by (baseline) ({or_bundle(shift)})",
                    "against {{baseline}}",
                    instant=True,
                ),
                unit="none",
                thresholds=PSI,
            )
        ),
        number(
            "Segments counted, a day",
            "What the shift is computed from; up to 2,000 no alert is raised on it.",
            of_models('sum(model:themecast_themes:increase{, window="1d", source="realized"})'),
            unit="short",
        ),
        number(
            "Excess surprise, 6 hours",
            "Mean, in nats: 0 where forecasts are calibrated, above where they are too sure.",
            of_models(
                'max(model_ahead:themecast_excess_surprise_nats:mean{, ahead="0", window="6h"})'
            ),
            unit="none",
            thresholds=steps(GREEN, (0.1, YELLOW), (0.3, RED)),
        ),
        unlike_number(
            "Unlike the training data, an hour",
            "Share of prompts (of segments, where the bundle has no recogniser) beyond the training "
            "data's 99th percentile; 1 % is as trained.",
        ),
        number(
            "Distance, the median",
            "Of residuals from the training distribution, in standard deviations a dimension; "
            "about 1 is as trained.",
            query(
                "histogram_quantile(0.5, sum by (le) (rate(themecast_residual_distance_bucket{}[1h])))"
            ),
            unit="none",
            thresholds=steps(GREEN, (1.25, YELLOW), (2, RED)),
            none="no answers",
        ),
    ]


def moved(baseline):
    """How the shares of a day differ from a baseline's, of the themes that moved most."""
    compared = f'{{, {DAY}, baseline="{baseline}"}}'
    return (
        f"(model_theme:themecast_theme_share:ratio{{, {DAY}}} - ignoring (baseline) group_right ()"
        f" model_theme:themecast_baseline_share:ratio{compared}) and on (model, theme)"
        f" topk by (model) (10, model_theme:themecast_psi:contribution{compared})"
    )


def population():
    """How far the shares of themes have moved."""
    return [
        lines(
            "Population stability index",
            "Against the bundle's training data, over 15 minutes, an hour and a day; against the "
            "day before, over a day. A short window shows a shift first, and is the most subject "
            "to chance. Realised themes carry the head's own confusions, which the bundle's data "
            "do not, so it never is 0 exactly.",
            of_models(
                'model:themecast_psi:sum{, source="realized"}',
                "{{model}} against {{baseline}}, {{window}}",
            ),
            unit="none",
            thresholds=PSI,
            width=12,
        ),
        lines(
            "Jensen-Shannon divergence",
            "The same distance from the bundle's data on a scale of 0 to 1 (bits), also of the "
            "forecasts of the next segment, which move before the themes come.",
            of_models(
                'model:themecast_jensen_shannon:sum{, source="realized", baseline="bundle"}',
                "{{model}} came, {{window}}",
            ),
            of_models(
                "model:themecast_jensen_shannon:sum"
                '{, source="forecast", ahead="1", baseline="bundle"}',
                "{{model}} forecast, {{window}}",
            ),
            unit="none",
            width=12,
        ),
        lines(
            "Themes that moved most, against the bundle",
            "Share over a day minus the share in the training data, the ten largest parts of the "
            "population stability index.",
            of_models(moved("bundle"), "{{theme}}"),
            unit="percentunit",
            low=None,
            width=12,
            height=10,
        ),
        lines(
            "Themes that moved most, against the day before",
            "The same against the traffic of the day before. While a model has no day before, "
            "against the bundle's training data instead: the legend says which.",
            of_models(or_bundle(moved), "{{theme}}, against {{baseline}}"),
            unit="percentunit",
            low=None,
            width=12,
            height=10,
        ),
    ]


def calibration():
    """Whether forecasts mean what they say."""
    excess = "model_ahead:themecast_excess_surprise_nats:mean"
    legend = "{{model}} {{ahead}} ahead, {{window}}"
    return [
        lines(
            "Excess surprise",
            "Mean over 6 hours, in nats, by how many segments ahead; of 0 ahead also over 15 "
            "minutes and a day. 0 where forecasts are calibrated, above where they are too sure, "
            "below where they are too shy. Replicas that restarted within the window are left out. "
            "The dashed line is where the alert on 0 ahead over 6 hours begins.",
            of_models(excess + '{, window="6h"}', legend),
            of_models(excess + '{, ahead="0", window=~"15m|1d"}', legend),
            unit="none",
            low=None,
            thresholds=steps("transparent", (0.3, RED)),
            width=12,
        ),
        lines(
            "Forecast minus realised, by theme",
            "Mean forecast of the next segment minus the share that came, over a day: themes that "
            "are forecast too often (above 0) and too rarely. Answers end, so themes of endings "
            "are forecast more often than they come.",
            of_models(
                'model_theme:themecast_theme_share:ratio{, window="1d", source="forecast", ahead="1"}'
                " - ignoring (source, ahead)"
                ' model_theme:themecast_theme_share:ratio{, window="1d", source="realized"}',
                "{{theme}}",
            ),
            unit="percentunit",
            low=None,
            width=12,
        ),
    ]


def reliability():
    """What forecasts promised and kept, by the tenth of their highest probability."""
    ahead = '{, window="1d", ahead=~"$ahead"}'
    samples, confidence, hits = (
        f"sum by (bin) (model_ahead_bin:themecast_calibration_{part}:increase{ahead})"
        for part in ("samples", "confidence", "hits")
    )
    table = rows(
        "Confidence against hits",
        "Of audited segments, a day: bin 3 has the forecasts whose highest probability was 0.3 to "
        "0.4. Confidence is its mean, hits the share of them that named the theme that came: "
        "above confidence they are too shy, below too sure. Of the distances chosen above; "
        "choose one model.",
        [
            now(f"{samples} > 0", by=MODELS),
            now(f"{confidence} / ({samples} > 0)", by=MODELS),
            now(f"{hits} / ({samples} > 0)", by=MODELS),
        ],
        width=12,
        height=10,
        none="no audits",
    )
    table = joined(table.unit("percentunit").decimals(0), "bin", ["forecasts", "confidence", "hits"])
    table = table.sort_by([TableSortByFieldState().display_name("bin")])
    return table.override_by_name("forecasts", [DynamicConfigValue("unit", "short")])


def audited():
    """What the labeller says of forecasts and of the head for the current theme."""
    by_distance = "{{model}} {{ahead}} ahead"
    return [
        lines(
            "Calibration error",
            "Expected calibration error over a day, by how many segments ahead: how far confidence "
            "and hits are apart, bin by bin. Chance alone makes about one over the root of the "
            "number of forecasts; the alert begins where it is above that by the dashed line.",
            of_models("model_ahead:themecast_calibration_error:ratio{}", by_distance),
            of_models(
                '1 / sqrt(model_ahead:themecast_calibration_samples:increase{, ahead="1"})',
                "{{model}} by chance, 1 ahead",
            ),
            unit="percentunit",
            thresholds=steps("transparent", (0.1, RED)),
            none="no audits",
            width=12,
            height=10,
        ),
        reliability(),
        lines(
            "Brier score",
            "Mean over a day, by how many segments ahead: 0 where the theme that came was certain, "
            "2 where another was; always guessing evenly among many themes gives nearly 1.",
            of_models("model_ahead:themecast_brier:mean{}", by_distance),
            unit="none",
            none="no audits",
        ),
        lines(
            "Head and labeller agree",
            "Share of audited segments, a day, from 20 segments on. What came is decided by the "
            "head, so alarms and surprise rest on it; the alert begins where it is below the dashed "
            "line beyond chance.",
            of_models(
                "model:themecast_label_agreement:ratio{}"
                " and model:themecast_label_agreement:increase{} > 20",
                "{{model}}",
            ),
            unit="percentunit",
            thresholds=steps(RED, (0.5, "transparent")),
            none="no audits",
        ),
        lines(
            "Answers audited",
            "And answers that were to be and were not: the labeller was behind or failed.",
            query("sum(increase(themecast_audited_answers_total{}[$__rate_interval]))", "audited"),
            query("sum(increase(themecast_audits_dropped_total{}[$__rate_interval]))", "dropped"),
            unit="short",
        ),
    ]


def trust():
    """Whether residuals look like those of training."""
    return [
        heat(
            "Distance from the training data",
            "Of the residual at the prompt's end, or as each segment begins where the bundle has no "
            "recogniser, in standard deviations a dimension.",
            "themecast_residual_distance",
            unit="none",
            width=8,
            scheme="Greens",
        ),
        lines(
            "Mean distance",
            "The mean of the same, over 15 minutes, an hour and a day; about 1 is as trained.",
            of_models("model:themecast_residual_distance:mean{}", "{{model}}, {{window}}"),
            unit="none",
        ),
        unlike_lines(
            "Share beyond the training data's 99th percentile, over 15 minutes, an hour and a day; "
            "the alert looks at the hour.",
            width=8,
        ),
    ]


def dashboard():
    """The dashboard."""
    made = page(
        "drift",
        "Drift",
        "Population shift, calibration and trust, over all replicas.",
        since="now-7d",
    )
    made = made.with_variable(
        ahead_choice("How many segments before its start one was forecast, for confidence and hits.")
    )
    add(made, row("Now"), *numbers(), row("Population"), *population())
    add(made, row("Calibration"), *calibration())
    add(made, row("Calibration of audited answers"), *audited())
    return add(made, row("Trust"), *trust())
