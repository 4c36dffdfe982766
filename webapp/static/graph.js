// Draws the dependencies that a nested list on the page spells out: dagre finds the places, the SVG
// is our own. After each swap the colours follow the list; only new nodes make a new picture.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 46;
  const READABLE = 0.62;
  const LONGEST_WORD = "Cancelled";

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  const ink = document.createElement("canvas").getContext("2d");
  const widthOf = (text, font) => {
    ink.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
    return ink.measureText(text).width;
  };

  const split = (text) => (text ? text.split(" ") : []);
  const read = (list) => [...list.querySelectorAll("li[data-node]")].map((item) => {
    const link = item.querySelector("a");
    return {
      id: item.dataset.node,
      needs: split(item.dataset.needs),
      tolerates: new Set(split(item.dataset.tolerates)),
      tone: item.dataset.tone,
      word: item.dataset.word,
      note: item.dataset.note,
      icon: item.dataset.icon,
      label: link.textContent.trim(),
      href: link.getAttribute("href"),
    };
  });

  const place = (nodes) => {
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 52, marginx: 3, marginy: 3 });
    graph.setDefaultEdgeLabel(() => ({}));
    const texts = nodes.flatMap(({ label, note }) => [
      widthOf(label, "600 13px"), widthOf(`${LONGEST_WORD} · ${note}`, "12px"),
    ]);
    const width = Math.ceil(Math.max(...texts)) + 48;
    for (const node of nodes) graph.setNode(node.id, { width, height: HEIGHT });
    for (const node of nodes) {
      for (const need of node.needs) if (graph.hasNode(need)) graph.setEdge(need, node.id);
    }
    dagre.layout(graph);
    return graph;
  };

  // From the middle of a right side to the middle of a left one, level at both ends.
  const line = (graph, { v, w }) => {
    const [from, to] = [graph.node(v), graph.node(w)];
    const inner = graph.edge(v, w).points.slice(1, -1).filter(
      ({ x }) => x > from.x + from.width / 2 && x < to.x - to.width / 2,
    );
    let x = from.x + from.width / 2;
    let y = from.y;
    let path = `M${x} ${y}`;
    for (const point of [...inner, { x: to.x - to.width / 2, y: to.y }]) {
      const middle = (x + point.x) / 2;
      path += `C${middle} ${y} ${middle} ${point.y} ${point.x} ${point.y}`;
      ({ x, y } = point);
    }
    return path;
  };

  const drawNode = (node, { x, y, width }) => {
    const left = x - width / 2;
    const top = y - HEIGHT / 2;
    return make(
      "a",
      { href: node.href, class: "graph-node", "data-id": node.id, tabindex: "-1" },
      make("rect", { class: "graph-box", x: left, y: top, width, height: HEIGHT, rx: 9 }),
      make("rect", { class: "graph-mark", x: left + 5, y: top + 8, width: 4, height: HEIGHT - 16, rx: 2 }),
      make("use", { class: "graph-icon", x: left + 16, y: top + 8, width: 13, height: 13 }),
      make("text", { class: "graph-label", x: left + 36, y: top + 19 }, node.label),
      make("text", { class: "graph-note", x: left + 36, y: top + 36 }),
    );
  };

  const paint = (drawn, nodes) => {
    for (const node of nodes) {
      const link = drawn.links.get(node.id);
      link.setAttribute("class", `graph-node tone-${node.tone}`);
      link.setAttribute("aria-label", `${node.label}, ${node.word}`);
      link.querySelector("use").setAttribute("href", node.icon);
      const note = `${node.word} · ${node.note}`;
      const text = link.querySelector(".graph-note");
      if (text.textContent !== note) text.textContent = note;
    }
  };

  const draw = (host, nodes) => {
    const graph = place(nodes);
    const { width, height } = graph.graph();
    const tolerated = new Set(nodes.flatMap((node) => [...node.tolerates].map((need) => `${need}>${node.id}`)));
    const edges = graph.edges().map(({ v, w }) => make("path", {
      class: tolerated.has(`${v}>${w}`) ? "graph-edge tolerant" : "graph-edge",
      d: line(graph, { v, w }), "data-from": v, "data-to": w, "marker-end": `url(#${host.id}-arrow)`,
    }));
    const links = new Map(nodes.map((node) => [node.id, drawNode(node, graph.node(node.id))]));
    const arrow = make("marker", {
      id: `${host.id}-arrow`, class: "graph-arrow", viewBox: "0 0 8 8", refX: 7, refY: 4,
      markerWidth: 7, markerHeight: 7, orient: "auto",
    }, make("path", { d: "M0 0L8 4L0 8z" }));
    const svg = make("svg", {
      class: "graph-picture", viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
      width: Math.ceil(width), height: Math.ceil(height), role: "group", "aria-label": host.dataset.label,
    }, make("defs", {}, arrow), ...edges, ...links.values());
    const fits = document.createElement("button");
    fits.type = "button";
    fits.className = "btn btn-sm btn-quiet graph-fit";
    const fit = (small) => {
      host.classList.toggle("fits", small);
      fits.textContent = small ? "Actual size" : "Fit to width";
    };
    fits.addEventListener("click", () => fit(!host.classList.contains("fits")));
    const room = host.parentElement.clientWidth - 34;
    fit(room >= width * READABLE);
    fits.hidden = room >= width;
    const frame = document.createElement("div");
    frame.className = "graph-frame";
    frame.append(svg);
    host.replaceChildren(fits, frame);
    const drawn = { shape: shapeOf(nodes), graph, links, edges };
    links.values().next().value?.setAttribute("tabindex", "0");
    walk(svg, drawn);
    return drawn;
  };

  // One node is in the tab order; arrows lead along the edges, and up and down within a column.
  const walk = (svg, { graph, links, edges }) => {
    const nearest = (ids, at) => ids
      .map((id) => ({ id, far: Math.abs(graph.node(id).y - at.y) }))
      .sort((one, other) => one.far - other.far)[0]?.id;
    const column = (id, sign) => {
      const at = graph.node(id);
      const ids = graph.nodes().filter((other) => {
        const { x, y, width } = graph.node(other);
        return Math.abs(x - at.x) < width && (y - at.y) * sign > 0;
      });
      return nearest(ids, at);
    };
    const ways = {
      ArrowRight: (id) => nearest(graph.successors(id), graph.node(id)),
      ArrowLeft: (id) => nearest(graph.predecessors(id), graph.node(id)),
      ArrowDown: (id) => column(id, 1),
      ArrowUp: (id) => column(id, -1),
    };
    const go = (id) => {
      for (const link of links.values()) link.setAttribute("tabindex", "-1");
      links.get(id).setAttribute("tabindex", "0");
      links.get(id).focus();
    };
    svg.addEventListener("keydown", (event) => {
      const link = event.target.closest(".graph-node");
      if (!link || !(event.key in ways)) return;
      event.preventDefault();
      const next = ways[event.key](link.dataset.id);
      if (next) go(next);
    });
    const near = (event) => {
      const id = event.target.closest?.(".graph-node")?.dataset.id;
      for (const edge of edges) {
        edge.classList.toggle("near", edge.dataset.from === id || edge.dataset.to === id);
      }
    };
    for (const name of ["focusin", "focusout", "mouseover", "mouseleave"]) {
      svg.addEventListener(name, name === "focusout" ? () => near({ target: svg }) : near);
    }
  };

  const shapeOf = (nodes) => JSON.stringify(nodes.map(({ id, label, needs }) => [id, label, needs]));
  const pictures = new WeakMap();
  const refresh = () => {
    for (const host of document.querySelectorAll("[data-graph]")) {
      const list = document.getElementById(host.dataset.graph);
      const nodes = list ? read(list) : [];
      if (!nodes.length) continue;
      let drawn = pictures.get(host);
      if (!drawn) list.closest("details").open = false;  // the picture says the same
      if (drawn?.shape !== shapeOf(nodes)) {
        drawn = draw(host, nodes);
        pictures.set(host, drawn);
      }
      paint(drawn, nodes);
    }
  };
  document.addEventListener("htmx:after:swap", refresh);
  document.addEventListener("graph:changed", refresh);
  document.addEventListener("DOMContentLoaded", refresh);
})();
