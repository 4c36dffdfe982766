// A run's page: its log follows its end and comes as a stream where the server has a place for it,
// else by the polling that htmx does anyway.
"use strict";

(() => {
  const log = document.getElementById("log");
  const follow = document.getElementById("follow");
  const atTheEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const toTheEnd = () => { if (follow.checked) log.scrollTop = log.scrollHeight; };

  if (document.getElementById("tail")) {
    follow.parentElement.hidden = false;
    // Whoever scrolls up reads: nothing moves until the end is in sight again.
    log.addEventListener("scroll", () => { follow.checked = atTheEnd(); });
    follow.addEventListener("change", toTheEnd);
    document.addEventListener("htmx:after:swap", toTheEnd);
  }
  if (!location.hash.startsWith("#L")) toTheEnd();

  const tail = () => document.getElementById("tail");
  let source = null;
  let last = "";
  let refused = false;
  const close = () => {
    source?.close();
    source = null;
  };
  // The tail polls again, from the place that the stream has reached.
  const poll = () => {
    close();
    const old = tail();
    if (!old) return;
    const again = old.cloneNode(true);
    for (const name of last ? ["hx-get", "data-stream"] : []) {
      const address = new URL(old.getAttribute(name), location.href);
      address.searchParams.set("after", last);
      again.setAttribute(name, address.pathname + address.search);
    }
    again.dataset.live = "1";
    old.replaceWith(again);
    htmx.process(again);
  };
  const giveUp = () => {
    refused = true;
    poll();
  };
  // The page may have been swapped meanwhile, with lines in it that the stream brings again.
  const append = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    for (const line of template.content.querySelectorAll("[id]")) {
      if (document.getElementById(line.id)) line.remove();
    }
    tail().before(template.content);
    toTheEnd();
  };
  const rest = () => {
    if (!source) return;
    if (tail()) delete tail().dataset.live;
    else close();
  };
  const stream = () => {
    const address = tail()?.dataset.stream;
    if (!address || source || refused || document.hidden || !window.EventSource) return;
    source = new EventSource(address);
    source.onopen = rest;
    source.onmessage = (event) => {
      last = event.lastEventId;
      if (tail()) append(event.data);
    };
    source.addEventListener("end", giveUp);
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) giveUp(); };
  };
  stream();
  document.addEventListener("htmx:after:swap", rest);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) stream();
    else if (source) poll();
  });
})();
