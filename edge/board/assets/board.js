// Keeps the live part of a page as the server renders it, and says honestly whether what is seen is live. Everything works
// without this file, only not by itself.
"use strict";
(() => {
  const page = document.querySelector("body.site");
  if (!page) return;
  const live = document.getElementById("live"), part = document.getElementById("live-part"), text = page.dataset;
  let heard = Date.now(), over = false;
  const setLive = (state) => {
    live.dataset.state = state;
    live.querySelector(".live-word").textContent = text[state];
  };
  // The server escapes what it renders; a template holds it without running anything.
  const show = (html) => {
    const at = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const t = document.createElement("template");
    t.innerHTML = html;
    part.replaceChildren(t.content);
    if (at) {
      const same = [...part.querySelectorAll("a")].find((a) => a.getAttribute("href") === at);
      if (same) same.focus({ preventScroll: true });
    }
  };
  let source = null;
  const connect = () => {
    if (source) source.close();
    source = new EventSource(text.source);
    const on = (name, f) => source.addEventListener(name, (e) => {
      heard = Date.now();
      f(e);
    });
    on("view", (e) => {
      setLive("live");
      show(JSON.parse(e.data));
    });
    on("beat", () => setLive("live"));
    on("ended", () => {
      over = true;
      source.close();
      setLive("ended");
    });
    source.addEventListener("error", () => {
      if (!over) setLive("reconnecting");
    });
  };
  setLive("connecting");
  connect();
  // A browser gives up a stream that was refused, and one that is silent looks alive.
  setInterval(() => {
    if (over) return;
    if (source.readyState === EventSource.CLOSED || Date.now() - heard > 20000) {
      heard = Date.now();
      setLive("reconnecting");
      connect();
    }
  }, 3000);
})();
