"""Trajectories: which themes come, which were forecast, and how surprising that was."""

from .panels import (
    MODELS,
    add,
    ahead_choice,
    choice,
    heat,
    joined,
    lines,
    now,
    of_models,
    only,
    page,
    query,
    row,
    rows,
)

REALIZED = "sum by (theme) (increase(themecast_realized_themes_total{}[{window}]))"
FORECAST = (
    'sum by (theme) (increase(themecast_forecast_probability_total{, ahead=~"{ahead}"}[{window}]))'
)


def share(counts, window, ahead=""):
    """Shares of one from counts by theme."""
    counts = counts.replace("{window}", window).replace("{ahead}", ahead)
    return f"{counts} / on () group_left () (sum({counts}) > 0)"


def flow():
    """Themes over time."""
    return [
        lines(
            "Themes that came",
            "Share of each theme in the segments that ended, by the head for the current theme.",
            query(share(REALIZED, "$__rate_interval"), "{{theme}}"),
            unit="percentunit",
            stacked="percent",
            width=12,
            height=11,
        ),
        lines(
            "Themes that were forecast",
            "Mean probability of each theme for the next segment, over forecasts made as a segment "
            "began. Where conversations follow their forecast it is the same picture, a little "
            "earlier.",
            query(share(FORECAST, "$__rate_interval", "1"), "{{theme}}"),
            unit="percentunit",
            stacked="percent",
            width=12,
            height=11,
        ),
    ]


def against():
    """Forecast against realised."""
    names = ["bundle", "came", "forecast at its start", "1 ahead", "2 ahead", "3 ahead"]
    made = [now("max by (theme) (themecast_reference_theme_share{})")]
    made.append(now(share(REALIZED, "$__range")))
    made += [now(share(FORECAST, "$__range", str(ahead))) for ahead in range(4)]
    table = rows(
        "Forecast against realised",
        "Over the time shown: share in the bundle's training data, share of the segments that came, "
        "and mean forecast probability by how many segments ahead. Calibrated forecasts have the "
        "share that came, up to answers that end early.",
        made,
        width=12,
        height=12,
        none="no segments yet",
    )
    table = joined(table.unit("percentunit").decimals(1), "theme", names)
    chosen = lines(
        "Chosen themes: forecast and realised",
        "Of the themes chosen above, over an hour and all replicas; forecast is for the next "
        "segment.",
        of_models(
            'model_theme:themecast_theme_share:ratio{, theme=~"$theme", window="1h", source="realized"}',
            "{{theme}}: came"),
        of_models(
            'model_theme:themecast_theme_share:ratio{, theme=~"$theme", window="1h", source="forecast", ahead="1"}',
            "{{theme}}: forecast"),
        unit="percentunit",
        width=12,
        height=12,
    )
    return [table, chosen]


def chains():
    """Which themes follow which."""
    step = "sum by (from, to) (increase(themecast_theme_transitions_total{}[$__range]))"
    table = rows(
        "Commonest steps of chains",
        "Over the time shown: how often a theme (to) came right after another (from) in the same "
        "answer, the 25 commonest. A theme that goes on is a step from itself to itself.",
        [now(f"topk(25, {step} > 0)")],
        width=12,
        height=12,
        none="no answer of two segments yet",
    )
    after = (
        'sum by (to) (increase(themecast_theme_transitions_total{, from=~"$theme"}[$__rate_interval]))'
    )
    following = lines(
        "What came after the chosen themes",
        "Share of each theme among the segments that followed one of the themes chosen above.",
        query(f"{after} / on () group_left () (sum({after}) > 0)", "{{to}}"),
        unit="percentunit",
        stacked="percent",
        width=12,
        height=12,
    )
    return [only(table.decimals(0), "from", "to", "Value", Value="times"), following]


def surprise():
    """How far what came was from what was forecast."""
    mean = (
        "sum by (ahead) (rate(themecast_surprise_nats_sum{}[$__rate_interval]))"
        " / (sum by (ahead) (rate(themecast_surprise_nats_count{}[$__rate_interval])) > 0)"
    )
    ahead = 'ahead=~"$ahead"'
    return [
        heat(
            "Surprise",
            "Minus the log of the probability that the theme had which came; 0.7 nats: as likely "
            "as not. By how many segments ahead it was forecast: choose above.",
            "themecast_surprise_nats",
            only=ahead,
            unit="none",
        ),
        heat(
            "Excess surprise",
            "Surprise minus the forecast's own entropy, in nats: 0 on average where forecasts are "
            "calibrated, so an honest fork is none. CUSUM and Page-Hinkley are sums of this.",
            "themecast_excess_surprise_nats",
            only=ahead,
            unit="none",
            scheme="Purples",
        ),
        heat(
            "Shift",
            "Jensen-Shannon divergence (base 2) between the first forecast of a segment, up to the "
            "horizon before its start, and its theme's distribution at its end. A forecast that "
            "comes true has some too: 0.2 to 0.35 where its theme had 0.45.",
            "themecast_forecast_shift",
            unit="none",
            scheme="Blues",
        ),
        heat(
            "Divergence score",
            "The drift statistic at segment ends, as a fraction of its alarm level: what nears 1 "
            "is about to raise an alarm.",
            "themecast_divergence_score",
            unit="none",
            scheme="Reds",
        ),
        lines(
            "Mean surprise by distance",
            "How foresight fades: ahead 0 is forecast as the segment begins. Nats; always guessing "
            "evenly among 24 themes gives 3.2.",
            query(mean, "{{ahead}} ahead"),
            unit="none",
            width=12,
        ),
        lines(
            "Segments",
            "Segments that ended, and forecasts made as one began.",
            query(
                'sum(rate(themecast_surprise_nats_count{, ahead="0"}[$__rate_interval]))',
                "segments ended",
            ),
            query(
                'sum(rate(themecast_forecast_samples_total{, ahead="1"}[$__rate_interval]))',
                "forecasts of the next",
            ),
            unit="cps",
            width=12,
        ),
    ]


def dashboard():
    """The dashboard."""
    made = page(
        "trajectories",
        "Trajectories",
        "The flow of themes, forecast against realised, and surprise. Choose one model: models "
        "have different themes.",
    )
    made = made.with_variable(
        choice(
            "theme",
            "Theme",
            f"label_values(themecast_reference_theme_share{{{MODELS}}}, theme)",
            "Themes for the panel of chosen themes.",
        )
    )
    made = made.with_variable(
        ahead_choice(
            "How many segments before its start a segment was forecast, for the heat maps of surprise."
        )
    )
    add(made, row("Flow"), *flow(), row("Forecast against realised"), *against())
    add(made, row("Chains"), *chains())
    return add(made, row("Surprise and shift"), *surprise())
