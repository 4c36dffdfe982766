// Draws each figure's table as a plot with uPlot. The table is the data, and stays beside it.
"use strict";

(() => {
  const HEIGHT = 190;
  // How far apart the marks of an axis may be.
  const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5];
  const SPANS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800,
    3600, 7200, 18000, 36000, 86400, 172800, 604800];
  const colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  const two = (number) => String(number).padStart(2, "0");

  // Short forms of the words of webapp/presentation.py, for an axis.
  const length = (seconds) => {
    if (seconds === null) return "-";
    if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
    const whole = Math.round(seconds);
    const rest = whole % 60 ? `:${two(whole % 60)}` : "";
    if (whole < 3600) return `${Math.floor(whole / 60)}${rest} min`;
    return `${Number((seconds / 3600).toPrecision(2))} h`;
  };

  const read = (figure) => {
    const rows = [...figure.querySelectorAll("tbody tr")];
    const heads = [...figure.querySelectorAll("thead th[data-tone]")];
    const cells = rows.map((row) => [...row.querySelectorAll("td[data-value]")]);
    return {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      links: rows.map((row) => row.cells[0].querySelector("a")?.href),
      series: heads.map((head, place) => ({
        label: head.textContent,
        tone: head.dataset.tone,
        values: cells.map((row) => (row[place].dataset.value === "" ? null : Number(row[place].dataset.value))),
      })),
    };
  };

  // Bars stand on one another: each reaches from zero to the sum of itself and those below.
  const stacked = (series) => {
    const below = series[0].values.map(() => 0);
    return series.map(({ values }) => values.map((value, place) => (below[place] += value)));
  };

  const seriesOf = (kind, { label, tone }, order) => {
    const ink = colour(`--${tone}`);
    if (kind === "bars") {
      return { label, stroke: ink, fill: ink, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 34] }) };
    }
    return { label, stroke: ink, width: 2, dash: order ? [6, 4] : [], spanGaps: true, points: { show: true, size: 5, fill: ink } };
  };

  const axes = (labels, unit) => {
    const common = { stroke: colour("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
    const grid = { stroke: colour("--line"), width: 1 };
    return [
      { ...common, grid: { show: false }, space: 90, size: 38, gap: 13, incrs: [1, 2, 3, 4, 7, 14], values: (_, splits) => splits.map((split) => labels[split] ?? "") },
      { ...common, grid, size: 62, values: (_, splits) => splits.map((split) => (unit ? length(split) : String(split))), incrs: unit ? SPANS : COUNTS },
    ];
  };

  // What the pointer is over, in words beside the title.
  const showValues = (figure, { labels, series }, unit) => (plot) => {
    const place = plot.cursor.idx;
    const legend = figure.querySelector(".legend");
    legend.replaceChildren(...series.map(({ label, tone, values }) => {
      const [key, swatch] = [document.createElement("span"), document.createElement("span")];
      swatch.className = `swatch fill-${tone}`;
      const value = values[place];
      const text = place === null || value === undefined ? "" : ` ${unit ? length(value) : value}`;
      key.append(swatch, ` ${label}${text}`);
      return key;
    }));
    if (place !== null && labels[place]) legend.append(`, ${labels[place]}`);
  };

  const draw = (figure) => {
    const data = read(figure);
    const { plot: kind, unit } = figure.dataset;
    const picture = figure.querySelector(".plot-picture");
    const columns = kind === "bars" ? stacked(data.series) : data.series.map(({ values }) => values);
    // The tallest is drawn first, so that what it stands on is seen before it.
    const order = data.series.map((_, place) => (kind === "bars" ? data.series.length - 1 - place : place));
    picture.replaceChildren();
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", picture.dataset.words);
    const chart = new uPlot({
      width: picture.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === "lines" } },
      scales: { x: { time: false, range: [-0.6, data.labels.length - 0.4] }, y: { range: (_, __, most) => [0, (most || 1) * 1.08] } },
      axes: axes(data.labels, unit),
      series: [{}, ...order.map((place) => seriesOf(kind, data.series[place], place))],
      hooks: { setCursor: [showValues(figure, data, unit)], ready: [showValues(figure, data, unit)] },
    }, [data.labels.map((_, place) => place), ...order.map((place) => columns[place])], picture);
    chart.over.addEventListener("click", () => {
      const link = data.links[chart.cursor.idx];
      if (link) location.href = link;
    });
    return chart;
  };

  document.addEventListener("DOMContentLoaded", () => {
    const charts = new Map();
    const figures = [...document.querySelectorAll("[data-plot]")];
    const drawAll = () => {
      for (const figure of figures) {
        charts.get(figure)?.destroy();
        charts.set(figure, draw(figure));
      }
    };
    for (const figure of figures) {
      figure.querySelector("details").open = false;
      figure.classList.add("is-drawn");
    }
    drawAll();
    const resized = new ResizeObserver((entries) => {
      for (const { target } of entries) charts.get(target.parentElement).setSize({ width: target.clientWidth, height: HEIGHT });
    });
    for (const figure of figures) resized.observe(figure.querySelector(".plot-picture"));
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  });
})();
