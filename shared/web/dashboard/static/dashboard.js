// The page works without this. It draws the trend from the table beside it, and spares a click on the filters.
"use strict";

(() => {
  const chart = document.querySelector(".chart");
  if (chart && window.uPlot) trend(chart);
  const form = document.querySelector(".filters");
  if (form) filters(form);

  function trend(place) {
    const HEIGHT = 240;
    const rows = [...document.querySelectorAll(`#${place.dataset.table} tbody tr`)].reverse();
    const figure = (row, cell) => {
      const value = parseFloat(row.cells[cell].textContent);
      return Number.isNaN(value) ? null : value;
    };
    const data = [
      rows.map((row) => Date.parse(row.cells[0].textContent.replace(" UTC", "Z").replace(" ", "T")) / 1000),
      rows.map((row) => figure(row, 3)),
      rows.map((row) => figure(row, 4)),
    ];
    place.closest("section").querySelector("details").open = false;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    let plot;
    const draw = () => {
      const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      const axis = { stroke: colour("--soft"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
      plot?.destroy();
      plot = new uPlot({
        width: place.clientWidth || 600,
        height: HEIGHT,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        legend: { markers: { fill: (u, i) => u.series[i].stroke?.(u, i) ?? "transparent" } },
        cursor: { y: false, points: { size: 7 } },
        scales: { y: { range: (_, low, high) => [Math.max(0, Math.floor(low - 2)), Math.min(100, Math.ceil(high + 2))] } },
        axes: [{ ...axis, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(5, 10)) }, { ...axis, size: 44, values: (_, ticks) => ticks.map((tick) => `${tick} %`) }],
        series: [
          { label: "Sweep", value: (_, seconds) => (seconds == null ? "–" : new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")) },
          { label: "Restorable", stroke: colour("--good-fill"), width: 2, value: (_, v) => (v == null ? "–" : `${v.toFixed(1)} %`) },
          { label: "Score", stroke: colour("--link"), width: 2, dash: [6, 4], value: (_, v) => (v == null ? "–" : v.toFixed(1)) },
        ],
      }, data, place);
    };
    draw();
    dark.addEventListener("change", draw);
    new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  }

  function filters(form) {
    // A choice with the mouse asks at once. With the keys a choice passes over others on its way: Enter or the button asks.
    const kept = "aks-backup-guard-filter";
    let pointed = false;
    form.addEventListener("pointerdown", () => { pointed = true; });
    form.addEventListener("keydown", () => { pointed = false; });
    form.addEventListener("change", (event) => {
      if (pointed && event.target.tagName === "SELECT") {
        sessionStorage.setItem(kept, event.target.name);
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", () => {
      for (const field of form.elements) field.disabled = !field.value && field.tagName !== "BUTTON";
    });
    const name = sessionStorage.getItem(kept);
    sessionStorage.removeItem(kept);
    // Going to #clusters takes the focus away, so it is given back afterwards.
    if (name) addEventListener("load", () => requestAnimationFrame(() => form.elements[name]?.focus({ preventScroll: true })));
  }
})();
