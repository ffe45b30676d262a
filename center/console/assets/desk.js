// What all pages after sign-in share: the live line, told honestly, and events handed to who wants them as
// "axlegate" on the document. Everything works without this file, only not by itself.
"use strict";
(() => {
  const desk = document.querySelector("body.desk[data-last]");
  if (!desk) return;
  const text = desk.dataset, live = document.getElementById("live");
  let last = Number(text.last), source = null, heard = Date.now(), retry = 1000, timer = 0, over = false;

  const pad = (n) => String(n).padStart(2, "0");
  const setLive = (state, offset, now) => {
    if (live.dataset.state === state) return;
    live.dataset.state = state;
    live.querySelector(".live-word").textContent = text[state];
    if (now === undefined) return;
    const d = new Date(now + offset * 1000);
    live.querySelector(".live-since").textContent = `${text.since} ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`;
  };
  const tell = (detail) => document.dispatchEvent(new CustomEvent("axlegate", { detail }));

  const end = () => {
    over = true;
    if (source) source.close();
    setLive("ended");
    if (live.querySelector("a")) return;
    const a = document.createElement("a");
    a.href = "/sign-in";
    a.className = "button";
    a.textContent = "→";
    live.append(a);
  };
  const lost = () => {
    if (over) return;
    setLive("reconnecting");
    if (source && source.readyState !== EventSource.CLOSED) return; // the browser comes back by itself, with its last id
    clearTimeout(timer);
    timer = setTimeout(again, retry);
    retry = Math.min(retry * 2, 15000);
  };
  const again = async () => {
    try {
      const answer = await fetch("/session");
      if (answer.status === 401) return end();
      if (answer.ok) return connect();
    } catch { /* not reachable: try later */ }
    lost();
  };
  const connect = () => {
    if (source) source.close();
    heard = Date.now();
    source = new EventSource(`/events?light&after=${last}`);
    const on = (name, f) => source.addEventListener(name, (e) => {
      heard = Date.now();
      f(e);
    });
    source.addEventListener("error", lost);
    on("status", (e) => {
      const s = JSON.parse(e.data);
      retry = 1000;
      setLive("live", s.offset, s.now);
      tell({ kind: "status" });
    });
    on("entry", (e) => {
      last = Number(e.lastEventId);
      tell(JSON.parse(e.data));
    });
    // The page may have half a form on it: only who looks after it may load it anew.
    on("reload", () => {
      source.close();
      tell({ kind: "reload" });
    });
    on("ended", end);
  };
  setInterval(() => {
    if (!over && source && source.readyState === EventSource.OPEN && Date.now() - heard > 35000) {
      setLive("reconnecting");
      connect();
    }
  }, 5000);
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
  connect();
})();
