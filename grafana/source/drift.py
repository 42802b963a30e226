"""Drift: whether the traffic is still what the bundle was trained for."""

from .panels import (
    GREEN,
    RED,
    YELLOW,
    add,
    heat,
    lines,
    number,
    of_models,
    page,
    query,
    row,
    steps,
    unlike_lines,
    unlike_number,
)

PSI = steps(GREEN, (0.1, YELLOW), (0.25, RED))


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
        number(
            "Since the day before",
            "Population stability index of this day's themes against the day before.",
            of_models('max(model:themecast_psi:sum{, source="realized", baseline="day before"})'),
            unit="none",
            thresholds=PSI,
            none="no day before",
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
            of_models('max(model_ahead:themecast_excess_surprise_nats:mean{, ahead="0"})'),
            unit="none",
            thresholds=steps(GREEN, (0.1, YELLOW), (0.3, RED)),
        ),
        unlike_number(
            "Unlike the training data, an hour",
            "Share of segments beyond the training data's 99th percentile; 1 % is as trained.",
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
            none="no segments",
        ),
    ]


def moved(baseline):
    """How the shares of a day differ from a baseline's, of the themes that moved most."""
    day = 'window="1d", source="realized"'
    expr = (
        f"(model_theme:themecast_theme_share:ratio{{, {day}}}"
        " - ignoring (baseline) model_theme:themecast_baseline_share:ratio"
        f'{{, {day}, baseline="{baseline}"}})'
        " and on (model, theme) topk by (model) (10, model_theme:themecast_psi:contribution"
        f'{{, {day}, baseline="{baseline}"}})'
    )
    return of_models(expr, "{{theme}}")


def population():
    """How far the shares of themes have moved."""
    return [
        lines(
            "Population stability index",
            "Against the bundle's training data and the day before, over an hour and a day. "
            "Realised themes carry the head's own confusions, which the bundle's data do not, so "
            "it never is 0 exactly.",
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
            "The same distance on a scale of 0 to 1 (bits), also of the forecasts, which move "
            "before the themes come.",
            of_models(
                'model:themecast_jensen_shannon:sum{, source="realized", baseline="bundle"}',
                "{{model}} came, {{window}}",
            ),
            of_models(
                'model:themecast_jensen_shannon:sum{, source="forecast", baseline="bundle"}',
                "{{model}} {{ahead}} ahead, {{window}}",
            ),
            unit="none",
            width=12,
        ),
        lines(
            "Themes that moved most, against the bundle",
            "Share over a day minus the share in the training data, the ten largest parts of the "
            "population stability index.",
            moved("bundle"),
            unit="percentunit",
            low=None,
            width=12,
            height=10,
        ),
        lines(
            "Themes that moved most, against the day before",
            "The same against the traffic of the day before.",
            moved("day before"),
            unit="percentunit",
            low=None,
            none="no day before",
            width=12,
            height=10,
        ),
    ]


def calibration():
    """Whether forecasts mean what they say."""
    return [
        lines(
            "Excess surprise",
            "Mean over 6 hours, in nats, by how many segments ahead: 0 where forecasts are "
            "calibrated, above where they are too sure, below where they are too shy. Replicas "
            "that restarted within the 6 hours are left out.",
            of_models(
                "model_ahead:themecast_excess_surprise_nats:mean{}", "{{model}} {{ahead}} ahead"
            ),
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


def trust():
    """Whether residuals look like those of training."""
    return [
        heat(
            "Distance from the training data",
            "Of the residual as a segment begins, in standard deviations a dimension.",
            "themecast_residual_distance",
            unit="none",
            scheme="Greens",
        ),
        unlike_lines("Share beyond the training data's 99th percentile, over an hour.", width=12),
    ]


def dashboard():
    """The dashboard."""
    made = page(
        "drift",
        "Drift",
        "Population shift, calibration and trust, over all replicas.",
        since="now-7d",
    )
    add(made, row("Now"), *numbers(), row("Population"), *population())
    return add(made, row("Calibration"), *calibration(), row("Trust"), *trust())
