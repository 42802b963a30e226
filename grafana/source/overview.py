"""Overview: traffic, latency, tokens, and whether forecasts are made."""

from .panels import (
    GREEN,
    RED,
    YELLOW,
    add,
    counts,
    heat,
    lines,
    now,
    number,
    of_models,
    only,
    page,
    query,
    row,
    rows,
    steps,
    unlike_number,
)


def quantiles(metric):
    """The median and the tail of a histogram."""
    return [
        query(
            f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{}}[$__rate_interval])))",
            name,
        )
        for q, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
    ]


def numbers():
    """The state at a glance."""
    return [
        number(
            "Replicas up",
            "Servers that Prometheus could read at its last try.",
            query('sum(up{job="themecast", model=~"$model", instance=~"$instance"})'),
            unit="none",
            thresholds=steps(RED, (1, GREEN)),
            width=3,
        ),
        number(
            "Engines running",
            "Idle and busy engines; dead ones are started again.",
            query('sum(themecast_engines{, state=~"idle|busy"})'),
            unit="none",
            thresholds=steps(RED, (1, GREEN)),
            width=3,
        ),
        number(
            "Requests",
            "Answered, whatever the status.",
            query("sum(rate(themecast_requests_total{}[$__rate_interval]))"),
            unit="reqps",
            width=3,
        ),
        number(
            "Failed",
            "Share of requests answered with 500 or above.",
            query(
                '(sum(rate(themecast_requests_total{, status=~"5.."}[$__rate_interval])) or vector(0))'
                " / (sum(rate(themecast_requests_total{}[$__rate_interval])) > 0)"
            ),
            unit="percentunit",
            thresholds=steps(GREEN, (0.01, YELLOW), (0.05, RED)),
            width=3,
            none="no requests",
        ),
        number(
            "First token",
            "95 % of the streamed answers begin within this time, waiting included.",
            quantiles("themecast_time_to_first_token_seconds")[1],
            unit="s",
            thresholds=steps(GREEN, (2.5, YELLOW), (10, RED)),
            width=3,
            none="no answers",
        ),
        number(
            "Tokens written",
            "Of all answers together.",
            query('sum(rate(themecast_tokens_total{, kind="completion"}[$__rate_interval]))'),
            unit="cps",
            width=3,
        ),
        number(
            "Answers off their path",
            "Share of answers with a divergence alarm, 15 minutes, the detector with the most. "
            "Of the martingale at most 1 % where answers are like those it was tuned on. All replicas.",
            of_models(
                'max(model_detector:themecast_drift_alarms:ratio{, window="15m"})'
                ' or 0 * max(model:themecast_answers:increase{, window="15m"} > 0)'
            ),
            unit="percentunit",
            thresholds=steps(GREEN, (0.03, YELLOW), (0.2, RED)),
            width=3,
            none="no answers",
        ),
        unlike_number(
            "Unlike the training data",
            "Share of prompts (of segments, where the bundle has no recogniser) whose residuals lie "
            "beyond the training data's 99th percentile, 1 hour, the model with the most; 1 % is as trained. All replicas.",
            width=3,
        ),
    ]


def traffic():
    """Requests, tokens, engines."""
    return [
        counts(
            "Requests by status",
            "499: the client went away.",
            "themecast_requests_total",
            "status",
            "route",
            over="rate",
            unit="reqps",
            stacked="normal",
        ),
        lines(
            "Under way and waiting",
            "Requests being answered, and those of them that wait for an engine.",
            query("sum(themecast_requests_in_flight{})", "being answered"),
            query("sum(themecast_requests_waiting{})", "waiting"),
            unit="none",
        ),
        counts(
            "Tokens",
            "Read (prompt) and written (completion).",
            "themecast_tokens_total",
            "kind",
            over="rate",
            unit="cps",
        ),
    ]


def latency():
    """How long clients wait."""
    return [
        lines(
            "Time to first token",
            "From a request to its first token, waiting included; streamed answers.",
            *quantiles("themecast_time_to_first_token_seconds"),
            unit="s",
        ),
        lines(
            "Time between tokens",
            "Between two tokens of a streamed answer.",
            *quantiles("themecast_inter_token_seconds"),
            unit="s",
        ),
        heat(
            "Time between tokens, all of them",
            "How many tokens took how long.",
            "themecast_inter_token_seconds",
            unit="s",
            width=8,
        ),
    ]


def forecasts():
    """Whether each step gets its forecast, and at what cost."""
    return [
        counts(
            "Forecasts by outcome",
            "Steps shown to the plugin. ok: said something; none: had nothing to say; error: the "
            "session had failed, and the answer goes on without forecasts.",
            "themecast_forecasts_total",
            "outcome",
            over="rate",
            unit="cps",
            stacked="normal",
            width=6,
        ),
        lines(
            "Time to forecast",
            "From the tap of a step to its annotation, on a thread beside decoding.",
            *quantiles("themecast_forecast_seconds"),
            unit="s",
            width=6,
        ),
        lines(
            "Time to tap",
            "Copying a step's residuals, the only work done on the engine's own thread.",
            *quantiles("themecast_tap_seconds"),
            unit="s",
            width=6,
        ),
        lines(
            "Residuals copied",
            "Bytes from the model to the plugin.",
            query("sum(rate(themecast_tap_bytes_total{}[$__rate_interval]))", "copied"),
            unit="Bps",
            width=6,
        ),
        counts(
            "Annotations dropped",
            "behind: a session's queue was full; late: the stream did not wait any longer. Tokens "
            "are never held back.",
            "themecast_annotations_dropped_total",
            "reason",
            over="rate",
            unit="cps",
            none="none dropped",
            width=6,
        ),
        counts(
            "Sessions given up",
            "By what went wrong: error and open come with a message in the log, panic and "
            "not_finite are bugs of the plugin, tap: residuals could not be read.",
            "themecast_plugin_failures_total",
            "kind",
            none="none given up",
            width=6,
        ),
        only(
            rows(
                "Bundles in use",
                "All replicas of a model should have the same one.",
                [now("themecast_bundle_info{}")],
                none="no forecasts",
            ),
            "model",
            "instance",
            "predictor",
            "architecture",
            "themes",
            "horizons",
            "created",
        ),
    ]


def replicas():
    """Each server apart."""
    return [
        lines(
            "Engines by state",
            "Dead engines are started again.",
            query("sum by (state) (themecast_engines{})", "{{state}}"),
            unit="none",
            stacked="normal",
        ),
        lines(
            "Isolation check",
            "1: requests sent at once were answered as alone. 0: they were mixed, so the replica "
            "runs one sequence an engine.",
            query(
                "themecast_isolation_check{} and on (model, instance) "
                "sum by (model, instance) (themecast_engines{}) > 0",
                "{{instance}}",
            ),
            unit="none",
            thresholds=steps(RED, (1, GREEN)),
        ),
        counts(
            "Bundles swapped",
            "While serving, by outcome; a refused bundle changes nothing.",
            "themecast_bundle_reloads_total",
            "instance",
            "outcome",
            none="none swapped",
        ),
    ]


def dashboard():
    """The dashboard."""
    made = page("overview", "Overview", "Traffic, latency, tokens, and the forecast's health.")
    add(made, row("Now"), *numbers(), row("Traffic"), *traffic(), row("Latency"), *latency())
    return add(made, row("Forecast"), *forecasts(), row("Replicas"), *replicas())
