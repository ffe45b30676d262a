// The live board: keeps the list and the large view as the server renders them, and says honestly whether
// what is seen is live. Everything works without this file, only not by itself.
"use strict";
(() => {
  const board = document.querySelector("body.board");
  if (!board) return;
  const $ = (id) => document.getElementById(id);
  const text = board.dataset;
  const place = $("entry-place"), open = $("open"), done = $("done"), live = $("live");
  const keep = 120; // rows in a list; older ones are on the server

  let last = Number(text.last), follow = text.follow === "true", fresh = 0;
  let source = null, heard = Date.now(), retry = 1000, timer = 0, over = false;
  let skew = Number(text.now) - Date.now(), offset = Number(text.offset);

  const pad = (n) => String(n).padStart(2, "0");
  const zoned = (ms) => new Date(ms + offset * 1000);
  const clock = (d) => `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`;
  const day = (d) => `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`;
  const tick = () => {
    const d = zoned(Date.now() + skew);
    $("clock").textContent = clock(d);
    $("date").textContent = day(d);
  };

  // The server escapes what it renders; a template holds it without running anything.
  const parse = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    return t.content;
  };

  const setLive = (state) => {
    if (live.dataset.state === state && state !== "connecting") return;
    live.dataset.state = state;
    live.querySelector(".live-word").textContent = text[state];
    live.querySelector(".live-since").textContent = `${text.since} ${clock(zoned(Date.now() + skew))}`;
  };

  // ---- the large view
  const shown = () => Number($("entry").dataset.alert || 0);
  let asked = 0, coming = 0; // coming is the alert that is on its way into the large view
  const show = async (id, options) => {
    const mine = ++asked;
    coming = Number(id);
    try {
      const answer = await fetch(`/alerts/${id}/fragment`, { headers: { Accept: "text/html-fragment" } });
      if (mine !== asked) return;
      if (answer.status === 401) return end();
      if (!answer.ok) throw new Error(`alert ${id}: ${answer.status}`);
      const html = await answer.text();
      if (mine !== asked) return;
      place.replaceChildren(parse(html));
      if (options && options.top) place.scrollTop = 0;
      mark();
    } finally {
      if (mine === asked) coming = 0;
    }
  };
  const tryShow = (id, options) => show(id, options).catch(() => {}); // the stream's state tells that something is wrong
  const mark = () => {
    const id = String(shown());
    for (const row of document.querySelectorAll(".row")) {
      if (row.dataset.alert === id) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  };
  const setFollow = (on) => {
    follow = on;
    if (on) fresh = 0;
    $("follow").setAttribute("aria-pressed", String(on));
    $("fresh").textContent = fresh ? `${fresh} ${text.fresh}` : "";
  };
  const select = (id) => {
    setFollow(false);
    tryShow(id, { top: true });
  };

  // ---- the list
  const rowOf = (id) => document.querySelector(`.row[data-alert="${id}"]`);
  const put = (list, row, id) => {
    const next = [...list.children].find((r) => Number(r.dataset.alert) < id);
    list.insertBefore(row, next || null);
    while (list.children.length > keep) list.lastElementChild.remove();
  };
  const change = (c) => {
    const old = rowOf(c.alert);
    if (old) old.remove();
    if (c.row) {
      const row = parse(c.row).firstElementChild;
      put(c.open ? open : done, row, c.alert);
      if (c.kind === "alert-raised" && !old) {
        row.classList.add("row-new");
        beep();
      }
    }
    // What changes while it is on its way must be asked for again, or the view would stay as it was raised.
    if (c.alert === (coming || shown())) tryShow(c.alert, { top: coming !== 0 });
    else if (c.kind === "alert-raised" && !old && c.open) {
      if (follow) tryShow(c.alert, { top: true });
      else {
        fresh++;
        setFollow(false);
      }
    }
    mark();
  };

  const acknowledge = async (id, form) => {
    const button = form && form.querySelector("button");
    if (button) button.disabled = true;
    try {
      const answer = await fetch(`/alerts/${id}/acknowledge?fragment`, { method: "POST", headers: { Accept: "text/html-fragment" } });
      if (answer.status === 401) return end();
      if (!answer.ok && answer.status !== 409) throw new Error(String(answer.status));
      const html = await answer.text();
      if (shown() === id || answer.status === 409) {
        asked++;
        place.replaceChildren(parse(html));
        mark();
      }
    } catch {
      if (button) button.disabled = false;
      const p = document.createElement("p");
      p.className = "notice notice-bad";
      p.setAttribute("role", "alert");
      p.textContent = text.failed;
      $("entry").prepend(p);
    }
  };

  // ---- the stream
  const end = () => {
    over = true;
    if (source) source.close();
    setLive("ended");
    const a = document.createElement("a");
    a.href = "/sign-in";
    a.className = "button";
    a.textContent = "→";
    if (!live.querySelector("a")) live.append(a);
  };
  const lost = () => {
    if (over) return;
    setLive("reconnecting");
    if (source && source.readyState !== EventSource.CLOSED) return; // the browser comes back by itself, with its last id
    clearTimeout(timer);
    timer = setTimeout(again, retry);
    retry = Math.min(retry * 2, 15000);
  };
  // A refused stream says nothing of why; ask whether the session is over, then begin anew after the last id.
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
    source = new EventSource(`/events?after=${last}`);
    const on = (name, f) => source.addEventListener(name, (e) => {
      heard = Date.now();
      f(e);
    });
    source.addEventListener("error", lost);
    on("status", (e) => {
      const s = JSON.parse(e.data);
      skew = s.now - Date.now();
      offset = s.offset;
      retry = 1000;
      $("status").replaceChildren(parse(s.html));
      setLive("live");
    });
    on("entry", (e) => {
      const c = JSON.parse(e.data);
      change(c);
      last = Number(e.lastEventId);
    });
    on("reload", () => location.reload());
    on("ended", end);
  };

  // ---- sound, off until somebody wants it
  let audio = null;
  const beep = () => {
    if (!audio || audio.state !== "running") return;
    const o = audio.createOscillator(), g = audio.createGain(), t = audio.currentTime;
    o.frequency.value = 660;
    g.gain.setValueAtTime(0.0001, t);
    g.gain.exponentialRampToValueAtTime(0.2, t + 0.02);
    g.gain.exponentialRampToValueAtTime(0.0001, t + 0.35);
    o.connect(g).connect(audio.destination);
    o.start(t);
    o.stop(t + 0.4);
  };
  $("sound").hidden = $("follow").hidden = $("keys").hidden = false;
  $("sound").addEventListener("click", () => {
    if (audio) {
      audio.close();
      audio = null;
    } else {
      audio = new AudioContext();
      beep();
    }
    $("sound").setAttribute("aria-pressed", String(Boolean(audio)));
  });

  // ---- hands
  $("follow").addEventListener("click", () => {
    setFollow(!follow);
    if (follow && open.firstElementChild) tryShow(open.firstElementChild.dataset.alert, { top: true });
  });
  document.addEventListener("click", (e) => {
    const a = e.target.closest(".row a");
    if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    e.preventDefault();
    select(a.closest(".row").dataset.alert);
  });
  document.addEventListener("submit", (e) => {
    const m = /^\/alerts\/(\d+)\/acknowledge$/.exec(new URL(e.target.action).pathname);
    if (!m) return;
    e.preventDefault();
    acknowledge(Number(m[1]), e.target);
  });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
    const rows = [...document.querySelectorAll(".row")];
    const focused = e.target.closest && e.target.closest(".row");
    const i = rows.findIndex((r) => focused ? r === focused : r.hasAttribute("aria-current"));
    switch (e.key) {
      case "j": case "k": {
        const row = rows[Math.max(0, Math.min(rows.length - 1, i + (e.key === "j" ? 1 : -1)))];
        if (!row) return;
        row.querySelector("a").focus();
        row.scrollIntoView({ block: "nearest" });
        break;
      }
      case "Enter":
        if (!focused || e.target.tagName !== "A") return; // a button does what it says
        select(focused.dataset.alert);
        break;
      case "a": {
        const id = focused ? Number(focused.dataset.alert) : shown();
        const row = rowOf(id);
        if (row ? row.classList.contains("row-done") : !$("entry").hasAttribute("data-open")) return;
        acknowledge(id, row && row.querySelector("form"));
        break;
      }
      case "f":
        $("follow").click();
        break;
      default:
        return;
    }
    e.preventDefault();
  });
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

  // A line that is dead without saying so is noticed by silence; a picture on its way is asked for again.
  let asks = 0, pending = 0;
  setInterval(() => {
    tick();
    if (!over && source && source.readyState === EventSource.OPEN && Date.now() - heard > 35000) {
      setLive("reconnecting");
      connect();
    }
    const waiting = $("entry").hasAttribute("data-pending") ? shown() : 0;
    if (waiting !== pending) asks = 0;
    pending = waiting;
    if (waiting && ++asks % 4 === 0 && asks <= 120) tryShow(waiting);
  }, 1000);
  setLive("connecting");
  connect();
})();
