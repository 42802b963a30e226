"""What the dashboards are made of: queries, panels with one look, variables, links.

A query's `{}` stands for the selector of the chosen model and replicas.
"""

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    heatmap as heatmaps,
    prometheus,
    stat,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models import dashboard as models, prometheus as queries
from grafana_foundation_sdk.models.common import (
    AxisPlacement,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.text import TextMode

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
REPLICAS = 'model=~"$model", instance=~"$instance"'
MODELS = 'model=~"$model"'

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


def query(expr, legend="", *, by=REPLICAS, instant=False, form=None):
    """A query; every `{}` in it, and `{,` before further matchers, is given the selector `by`."""
    expr = expr.replace("{}", "{" + by + "}").replace("{,", "{" + by + ",")
    made = prometheus.Dataquery().expr(expr).legend_format(legend).datasource(SOURCE)
    made = made.editor_mode(queries.QueryEditorMode.CODE)
    made = made.instant() if instant else made.range()
    return made.format(form) if form else made


def of_models(expr, legend="", *, instant=False):
    """A query of recording rules, which have no replicas any more."""
    return query(expr, legend, by=MODELS, instant=instant)


def _summed(function, metric, labels, only=""):
    matchers = "{, " + only + "}" if only else "{}"
    by = f"by ({', '.join(labels)}) " if labels else ""
    return f"sum {by}({function}({metric}{matchers}[$__rate_interval]))"


def steps(*marks):
    """Thresholds: colours, and from the second on the value from which each holds."""
    made = [models.Threshold(value=None, color=marks[0])]
    made += [models.Threshold(value=value, color=color) for value, color in marks[1:]]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(made)


def _with_queries(panel, made):
    for number, one in enumerate(made):
        panel = panel.with_target(one.ref_id(chr(ord("A") + number)))
    return panel


def _dressed(panel, title, description, made, width, height):
    panel = panel.title(title).description(description).datasource(SOURCE)
    return _with_queries(panel, made).span(width).height(height)


def number(title, description, made, *, unit, thresholds=None, width=4, none="no data"):
    """One number, the latest, with its course behind it."""
    panel = _dressed(stat.Panel(), title, description, [made], width, 4).unit(unit).no_value(none)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel = panel.graph_mode(BigValueGraphMode.AREA)
    if thresholds is None:
        fixed = dashboard.FieldColor().mode(models.FieldColorModeId.FIXED).fixed_color(BLUE)
        return panel.color_mode(BigValueColorMode.NONE).color_scheme(fixed)
    return panel.color_mode(BigValueColorMode.VALUE).thresholds(thresholds)


def named(panel):
    """A number as it is now, without its course, beside the name that its legend gives it."""
    return panel.graph_mode(BigValueGraphMode.NONE).text_mode(BigValueTextMode.VALUE_AND_NAME)


def lines(
    title,
    description,
    *made,
    unit,
    width=8,
    height=8,
    stacked=None,
    thresholds=None,
    low=0,
    none=None,
):
    """Lines over time; `stacked` as areas of their sum (`normal`) or of the whole (`percent`)."""
    panel = _dressed(timeseries.Panel(), title, description, made, width, height).unit(unit)
    panel = panel.legend(
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
    panel = panel.tooltip(
        common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    )
    panel = panel.draw_style(GraphDrawStyle.LINE).line_width(0 if stacked else 1)
    panel = panel.fill_opacity(70 if stacked else 5)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode(stacked)).group("A"))
    if thresholds is not None:
        style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(thresholds).thresholds_style(style)
    if low is not None:
        panel = panel.min(low)
    return panel.no_value(none) if none else panel


def counts(title, description, metric, *labels, over="increase", unit="none", **look):
    """Lines of a counter's `rate` or `increase`, one for each value of its labels."""
    legend = " ".join("{{" + label + "}}" for label in labels)
    made = query(_summed(over, metric, labels), legend)
    return lines(title, description, made, unit=unit, **look)


def heat(title, description, metric, *, unit, only="", width=12, height=8, scheme="Oranges"):
    """A histogram over time; `only` are further matchers."""
    expr = _summed("increase", f"{metric}_bucket", ["le"], only)
    made = query(expr, "{{le}}", form=queries.PromQueryFormat.HEATMAP)
    panel = _dressed(heatmaps.Panel(), title, description, [made], width, height)
    colors = heatmaps.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme(scheme).steps(64)
    axis = heatmaps.YAxisConfig().unit(unit).axis_placement(AxisPlacement.LEFT)
    cells = heatmaps.CellValues().decimals(1)
    panel = panel.calculate(False).color(colors).y_axis(axis).cell_values(cells)
    return (
        panel.mode(TooltipDisplayMode.SINGLE)
        .show_y_histogram()
        .show_color_scale(True)
        .hide_legend()
    )


def unlike_number(title, description, *, width=4):
    """The share of answers unlike the training data, of the model with the most; of segments where
    its bundle has no recogniser."""
    return number(
        title,
        description,
        of_models('max(model:themecast_out_of_distribution:ratio{, window="1h"})'),
        unit="percentunit",
        thresholds=steps(GREEN, (0.03, YELLOW), (0.1, RED)),
        width=width,
        none="no answers",
    )


def unlike_lines(description, *, width):
    """The same of each model over time; the dashed line is where the alert on an hour begins."""
    return lines(
        "Unlike the training data",
        description,
        of_models("model:themecast_out_of_distribution:ratio{}", "{{model}}, {{window}}"),
        unit="percentunit",
        thresholds=steps("transparent", (0.1, RED)),
        width=width,
    )


def rows(title, description, made, *, width=12, height=8, none=None):
    """A table of what `made` returns now; more queries are joined on their common labels."""
    panel = _dressed(table.Panel(), title, description, made, width, height)
    return panel.no_value(none) if none else panel


def now(expr, *, by=REPLICAS):
    """A query for a table."""
    return query(expr, by=by, instant=True, form=queries.PromQueryFormat.TABLE)


def joined(panel, label, names, keep=()):
    """Joins a table's queries on `label` and names their values."""
    values = {f"Value #{chr(ord('A') + i)}": name for i, name in enumerate(names)}
    order = {name: i for i, name in enumerate([label, *keep, *values])}
    panel = panel.with_transformation(
        models.DataTransformerConfig(
            id_val="joinByField", options={"byField": label, "mode": "outer"}
        )
    )
    panel = panel.with_transformation(
        models.DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": [label, *keep, *values]}}
        )
    )
    return panel.with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={"indexByName": order, "renameByName": values, "excludeByName": {}},
        )
    )


def only(panel, *columns, **renamed):
    """Shows a table's columns of these names, in this order."""
    panel = panel.with_transformation(
        models.DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": list(columns)}}
        )
    )
    order = {name: i for i, name in enumerate(columns)}
    return panel.with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={"indexByName": order, "renameByName": renamed, "excludeByName": {}},
        )
    )


def note(title, content, *, width=24, height=6):
    """Text for people."""
    return (
        text.Panel()
        .title(title)
        .mode(TextMode.MARKDOWN)
        .content(content)
        .span(width)
        .height(height)
    )


def row(title):
    """A heading over the panels that follow."""
    return dashboard.Row(title)


def choice(name, label, values, description):
    """A variable: some of the values that a label has."""
    every = models.VariableOption(selected=True, text="All", value="$__all")
    variable = (
        dashboard.QueryVariable(name).label(label).description(description).datasource(SOURCE)
    )
    variable = variable.query(
        {"query": values, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
    )
    variable = variable.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable = variable.sort(models.VariableSort.ALPHABETICAL_ASC)
    return variable.multi(True).include_all(True).all_value(".*").current(every)


def ahead_choice(description):
    """A variable: by how many segments ahead."""
    values = f"label_values(themecast_forecast_samples_total{{{MODELS}}}, ahead)"
    return choice("ahead", "Ahead", values, description)


def page(slug, title, description, *, replicas=True, since="now-6h"):
    """A dashboard with the variables, links and alert marks that all of them have."""
    made = (
        dashboard.Dashboard(f"Themecast: {title}").uid(f"themecast-{slug}").description(description)
    )
    made = made.tags(["themecast"]).time(since, "now").refresh("30s").timezone("browser").editable()
    made = made.tooltip(models.DashboardCursorSync.CROSSHAIR)
    made = made.link(
        dashboard.DashboardLink("Themecast")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags(["themecast"])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    made = made.annotation(
        dashboard.AnnotationQuery()
        .name("Pages")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(RED)
        .expr('ALERTS{alertstate="firing", alertname=~"Themecast.*", severity="critical"}')
    )
    made = made.with_variable(
        dashboard.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .description("The Prometheus that reads the servers.")
    )
    made = made.with_variable(
        choice(
            "model",
            "Model",
            "label_values(themecast_engines, model)",
            "As named in Prometheus's targets. Models have different themes and are never added up.",
        )
    )
    if replicas:
        made = made.with_variable(
            choice(
                "instance",
                "Replica",
                f"label_values(themecast_engines{{{MODELS}}}, instance)",
                "Servers of this model.",
            )
        )
    return made


def add(made, *panels):
    """Adds rows and panels in their order."""
    for panel in panels:
        made = made.with_row(panel) if isinstance(panel, dashboard.Row) else made.with_panel(panel)
    return made
