"""Alarms: what fires, and what to look at then."""

from grafana_foundation_sdk.builders import dashboard as builders

from .panels import (
    GREEN,
    MODELS,
    RED,
    YELLOW,
    add,
    counts,
    lines,
    note,
    now,
    number,
    of_models,
    only,
    page,
    query,
    row,
    rows,
    steps,
    unlike_lines,
)

FIRING = 'alertname=~"Themecast.*", alertstate="firing"'
READING = """
- **Which answers?** A click on a replica in *Alarms by replica* lists its recent alarms
  (`GET /v1/themecast/alarms`), each with the path of its answer's trace: every annotation of it.
  Alerts on divergence and watches carry the same addresses in their annotation `answers`.
  Running answers: `GET /v1/themecast/live`, or the page at `/`. Metrics carry no ids of requests.
- **What is an alarm?** The martingale is a bet against the forecast that pays where themes come that
  it held unlikely, or residuals leave the answer's course. At most 1 % of clean answers ever raise
  it, as long as they are like those it was tuned on (of up to 256 tokens); an answer that forks
  where a fork was forecast pays nothing. CUSUM and Page-Hinkley are references without such a guarantee.
- **What is a watch alarm?** A theme named in a `[[watch]]` of the server's TOML became as likely as
  `raise` there, before a word of it was written. Its policy under `[alarms.policy]` may stop it.
- **What is held back?** A divergence in an answer whose prompt is unlike the training data raises
  nothing and stops nothing: it is counted under *Held back* alone. Give `out_of_distribution` a
  policy if such answers matter.
- **Is it the answers or the forecast?** If *Unlike the training data* or *Excess surprise*
  on the dashboard *Drift* went up as well, the forecast no longer fits the traffic. If they did not,
  the answers left their path.
- Each alert carries a runbook: open it in the table's data source, or in Alertmanager.
"""


def firing():
    """Alerts."""
    table = rows(
        "Firing now",
        "Alerts of the rules in grafana/prometheus/rules. Each says in its annotations what to do; "
        "the answers behind it: Alarms by replica, below.",
        [now("ALERTS{, " + FIRING + "}", by=MODELS)],
        none="nothing fires",
        width=12,
        height=9,
    )
    table = only(table, "alertname", "severity", "model", "instance", "detector")
    over_time = lines(
        "Over time",
        "How many alerts of each name fire.",
        of_models("count by (alertname) (ALERTS{, " + FIRING + "})", "{{alertname}}"),
        unit="none",
        stacked="normal",
        none="nothing fired",
        width=12,
        height=9,
    )
    return [table, over_time]


def divergence():
    """Answers that leave their path."""
    ratio = "model_detector:themecast_drift_alarms:ratio"
    answers = "model:themecast_answers:increase"
    limits = {"15m": 0.2, "6h": 0.03}
    shares = [
        lines(
            f"Answers with an alarm, {window}",
            "Share of answers, by detector, over all replicas. Of the martingale at most 1 % where "
            "answers are like those it was tuned on; the others have no such guarantee. The dashed "
            "line is where the alert begins.",
            of_models(ratio + '{, window="' + window + '"}', "{{model}} {{detector}}"),
            of_models(
                "0 * (" + answers + '{, window="' + window + '"} > 0)'
                " unless on (model) " + ratio + '{, window="' + window + '"}',
                "{{model}} none"),
            unit="percentunit",
            thresholds=steps("transparent", (limit, RED)),
            width=8,
        )
        for window, limit in limits.items()
    ]
    return shares + [
        lines(
            "Answers watched",
            "Answers of which at least one segment ended, and their alarms, over 15 minutes.",
            of_models(answers + '{, window="15m"}', "{{model}} answers"),
            of_models(
                'model_detector:themecast_drift_alarms:increase{, window="15m"}',
                "{{model}} alarms, {{detector}}"),
            unit="short",
            width=8,
        ),
        lines(
            "Near the alarm",
            "Share of segment ends with a score of half the alarm level or more.",
            query(
                '1 - sum(rate(themecast_divergence_score_bucket{, le="0.5"}[$__rate_interval]))'
                " / (sum(rate(themecast_divergence_score_count{}[$__rate_interval])) > 0)",
                "score above 0.5",
            ),
            unit="percentunit",
            width=8,
        ),
        by_replica(),
        counts(
            "Held back",
            "Divergences in answers unlike the training data, by detector: they raise no alarm and "
            "stop nothing.",
            "themecast_drift_alarms_held_back_total",
            "detector",
            stacked="normal",
            none="no answers",
            width=8,
        ),
        unlike_lines(
            "Over 15 minutes, an hour and a day. Where it is high, alarms say little about the "
            "answers; the alert looks at the hour.",
            width=8,
        ),
    ]


def by_replica():
    """Where alarms were raised, with the way to their answers."""
    raised = "sum by (instance, detector) (increase(themecast_drift_alarms_total{}[$__range]))"
    watches = "sum by (instance) (increase(themecast_watch_alarms_total{}[$__range]))"
    table = rows(
        "Alarms by replica",
        "Over the time shown. One replica alone: look at its deployment; all of them: look at the "
        "traffic. A click lists the replica's recent alarms with the traces of their answers.",
        [now(f'{raised} or label_replace({watches}, "detector", "watch", "", "")')],
        none="no alarms",
        width=8,
    )
    recent = builders.DashboardLink("Recent alarms and their traces").url(
        "http://${__data.fields.instance}/v1/themecast/alarms?detector=${__data.fields.detector}"
    )
    table = table.decimals(0).data_links([recent.target_blank(True)])
    return only(table, "instance", "detector", "Value", Value="alarms")


def consequences():
    """Watched themes, and what became of alarms of all kinds."""
    watches = rows(
        "Watches, a day",
        "Alarms by the name that each [[watch]] has in the server's TOML, over all replicas; 0 is "
        "a watch that nothing set off.",
        [now('model_theme:themecast_watch_alarms:increase{, window="1d"}', by=MODELS)],
        none="no watches",
        width=8,
    )
    return [
        counts(
            "Watch alarms",
            "How often a watched theme became as likely as its watch allows. Each pages.",
            "themecast_watch_alarms_total",
            "theme",
            thresholds=steps("transparent", (1, RED)),
            none="no watches",
        ),
        only(watches.decimals(0), "model", "theme", "Value", theme="watch", Value="alarms"),
        counts(
            "What became of alarms",
            "By policy and outcome. annotate and stop: done. webhook: delivered, or failed, dropped "
            "(queue full), rejected by the receiver; retried counts further attempts. shadow: what "
            "it would have done. logged and log_failed: of all alarms, where a log is configured.",
            "themecast_policy_actions_total",
            "policy",
            "outcome",
            stacked="normal",
            none="no alarms",
        ),
    ]


def share(title, description, ratio):
    """A share of one that is alerted on from 1 % on."""
    return number(
        title,
        description,
        of_models(f"max({ratio}{{}})"),
        unit="percentunit",
        thresholds=steps(GREEN, (0.001, YELLOW), (0.01, RED)),
        none="no answers",
    )


def none_wanted(title, description, made):
    """A number that is red from one on."""
    return number(
        title, description, made, unit="none", thresholds=steps(GREEN, (1, RED)), none="none"
    )


def blind():
    """What keeps alarms from being raised at all."""
    return [
        share(
            "Forecasts that fail",
            "Share over 15 minutes, the model with the most. Answers without forecasts raise no alarm.",
            "model:themecast_forecasts_failed:ratio",
        ),
        share(
            "Annotations dropped",
            "Share over 15 minutes, the model with the most.",
            "model:themecast_annotations_dropped:ratio",
        ),
        none_wanted(
            "Dead engines",
            "Engines that died and have not come back yet.",
            query('sum(themecast_engines{, state="dead"})'),
        ),
        none_wanted(
            "Failed isolation checks",
            "Replicas that mixed up requests sent at once and now run one sequence an engine.",
            # The gauge is 0 as well until the check has run, when no engine is there yet.
            query(
                "sum((1 - themecast_isolation_check{}) and on (model, instance) "
                "sum by (model, instance) (themecast_engines{}) > 0) or vector(0)"
            ),
        ),
        none_wanted(
            "Alarms not delivered",
            "Over 15 minutes, the model with the most: failed, dropped, rejected or not logged.",
            of_models("max(model:themecast_policy_failures:increase{})"),
        ),
        none_wanted(
            "Audits dropped",
            "Answers over an hour that were to be audited and were not, the model with the most.",
            of_models("max(model:themecast_audits_dropped:increase{})"),
        ),
    ]


def dashboard():
    """The dashboard."""
    made = page(
        "alarms", "Alarms", "Alerts, divergence alarms, and what keeps them from being raised."
    )
    add(made, row("Alerts"), *firing(), row("Divergence"), *divergence())
    add(made, row("Watches and policies"), *consequences(), row("Blind spots"), *blind())
    return add(made, row("Reading"), note("What to do on an alarm", READING.strip(), height=9))
