// An example of a patient's app: plain JavaScript that talks to the API of docs/chat.md.
//
// A token comes in the fragment of the address, which no server and no log sees. Whatever is sent is
// kept here until the server has said that it has it, under a key of its own, so that trying again
// does no harm. Whatever is told has a cursor, from where the next connection goes on.
"use strict";

(() => {
  const PROTOCOL = "threadwell-chat-1";
  const base = location.pathname.replace(/\/[^/]*$/, "");
  const part = (id) => document.getElementById(id);
  // The codes of errors that trying again does not mend.
  const FINAL = ["invalid", "conflict", "too-large", "unsupported-type", "not-found", "origin"];
  const [SHORT, LONG] = [500, 30000];

  // What outlives a reload of the page, and not its tab.
  const kept = {
    get: (name) => JSON.parse(sessionStorage.getItem(`${base} ${name}`)),
    set: (name, value) => sessionStorage.setItem(`${base} ${name}`, JSON.stringify(value)),
  };

  if (location.hash.length > 1) {
    kept.set("token", decodeURIComponent(location.hash.slice(1)));
    history.replaceState(null, "", location.pathname);
  }
  const token = kept.get("token");
  if (!token) {
    part("state").textContent = "Open this page with a token behind its address: #TOKEN";
    part("send").disabled = true;
    return;
  }

  // ---- messages --------------------------------------------------------------------------------

  // By id; what waits to be sent by its key alone.
  const messages = new Map();
  let older = "";

  function put(message) {
    const first = !messages.has(message.id);
    messages.set(message.id, message);
    const places = part("messages");
    // What was shown as waiting is there now.
    const waiting = message.key && part(`k-${message.key}`);
    let place = part(`m-${message.id}`) || waiting;
    if (message.state === "withdrawn" && !place) return;
    if (!place) place = document.createElement("li");
    place.id = `m-${message.id}`;
    place.dataset.sent = message.sent;
    draw(place, message);
    if (first) {
      const next = Array.from(places.children).find(
        (one) => one !== place && (!one.dataset.sent || one.dataset.sent > message.sent),
      );
      places.insertBefore(place, next || null);
      if (!next) place.scrollIntoView({ block: "end" });
    }
    if (message.from === "practice" && message.state !== "withdrawn") notice(message);
  }

  function draw(place, message) {
    const own = message.from === "patient";
    place.className = own ? "own" : "";
    const text = document.createElement("p");
    text.textContent = message.state === "withdrawn" ? "This message was taken back." : message.text;
    const about = document.createElement("p");
    about.className = "about";
    const when = message.sent ? new Date(message.sent).toLocaleString() : "";
    about.textContent = own ? `You, ${when || "not sent yet"}` : `The practice, ${when}`;
    const files = (message.attachments || []).map((file) => {
      const there = place.querySelector(`[data-file="${CSS.escape(file.id)}"]`);
      return there || attachment(file);
    });
    place.replaceChildren(text, ...files, about);
  }

  function attachment(file) {
    const place = document.createElement("p");
    place.dataset.file = file.id;
    place.textContent = file.name;
    if (!file.id) return place;
    const shown = /^image\/(png|jpeg|gif|webp)$/.test(file.type);
    const open = async () => {
      const answer = await ask(`/attachments/${file.id}`);
      return URL.createObjectURL(await answer.blob());
    };
    if (shown) {
      const image = document.createElement("img");
      image.alt = file.name || "A picture";
      open().then(
        (url) => {
          image.src = url;
          place.replaceChildren(image);
        },
        () => {},
      );
      return place;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Save ${file.name || "the file"}`;
    button.onclick = async () => {
      const link = document.createElement("a");
      link.href = await open();
      link.download = file.name || "file";
      link.click();
    };
    place.replaceChildren(button);
    return place;
  }

  // That a message has arrived is told at once; that it was read, once somebody can see it.
  const noticed = { received: new Set(), read: new Set() };
  let unread = [];

  function notice(message) {
    if (message.state === "sent") tell("received", [message.id]);
    if (message.state === "read") return;
    unread.push(message.id);
    look();
  }

  function look() {
    if (document.hidden || !unread.length) return;
    tell("read", unread);
    unread = [];
  }

  function tell(what, ids) {
    const some = ids.filter((id) => !noticed[what].has(id));
    if (!some.length) return;
    if (!say({ type: what, ids: some })) return;
    some.forEach((id) => noticed[what].add(id));
  }

  // ---- requests --------------------------------------------------------------------------------

  class Refused extends Error {
    constructor(error) {
      super(error.text);
      this.code = error.code;
    }
  }

  async function ask(path, options = {}) {
    const headers = { ...options.headers, Authorization: `Bearer ${token}` };
    const answer = await fetch(base + path, { ...options, headers });
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => ({}));
    throw new Refused(told.error || { code: "busy", text: `The server says ${answer.status}` });
  }

  const waiting = kept.get("waiting") || [];
  let sending = false;

  // Send what waits, in its order, as often as it takes.
  async function flush() {
    if (sending) return;
    sending = true;
    let pause = SHORT;
    while (waiting.length) {
      const one = waiting[0];
      try {
        const { key, text, attachments } = one;
        const body = JSON.stringify({ key, text, attachments });
        const headers = { "Content-Type": "application/json" };
        const answer = await ask("/messages", { method: "POST", headers, body });
        const { id, sent } = await answer.json();
        // What the record makes of it comes by the socket, and takes this place.
        if (!messages.has(id)) {
          put({ id, key, sent, from: "patient", state: "sent", text, attachments: one.shown });
          messages.delete(id);
        }
      } catch (error) {
        if (error instanceof Refused && error.code === "token") return expired();
        if (!(error instanceof Refused && FINAL.includes(error.code))) {
          await rest(pause);
          pause = Math.min(2 * pause, LONG);
          continue;
        }
        part("error").textContent = `Not sent: ${error.message}`;
        const place = part(`k-${one.key}`);
        if (place) place.remove();
      }
      waiting.shift();
      kept.set("waiting", waiting);
      pause = SHORT;
    }
    sending = false;
  }

  // Ends early when the browser is online again.
  function rest(time) {
    return new Promise((done) => {
      const timer = setTimeout(done, time);
      addEventListener("online", () => (clearTimeout(timer), done()), { once: true });
    });
  }

  function expired() {
    part("state").textContent = "Sign in again: your token has expired";
    part("send").disabled = true;
    ended = true;
  }

  part("write").onsubmit = async (event) => {
    event.preventDefault();
    const text = part("text").value.trim();
    const [file] = part("file").files;
    if (!text && !file) return;
    part("error").textContent = "";
    part("send").disabled = true;
    try {
      const attachments = [];
      if (file) {
        const headers = { "Content-Type": file.type || "application/octet-stream" };
        const path = `/attachments?name=${encodeURIComponent(file.name)}`;
        const answer = await ask(path, { method: "POST", headers, body: file });
        attachments.push((await answer.json()).id);
      }
      const shown = file ? [{ id: "", name: file.name, type: file.type }] : [];
      const one = { key: crypto.randomUUID(), text, attachments, shown };
      waiting.push(one);
      kept.set("waiting", waiting);
      showWaiting(one);
      part("write").reset();
    } catch (error) {
      part("error").textContent = `Not sent: ${error.message}`;
    }
    part("send").disabled = false;
    part("text").focus();
    // What is written next is news again.
    typed = 0;
    flush();
  };

  function showWaiting({ key, text, shown }) {
    const place = document.createElement("li");
    place.id = `k-${key}`;
    draw(place, { from: "patient", text, attachments: shown });
    part("messages").append(place);
    place.scrollIntoView({ block: "end" });
  }

  part("earlier").onclick = async () => {
    const answer = await ask(`/messages?before=${encodeURIComponent(older)}`);
    const found = await answer.json();
    found.messages.forEach(put);
    goOn(found.before);
  };

  function goOn(before) {
    older = before || "";
    part("earlier").hidden = !older;
  }

  // ---- the socket ------------------------------------------------------------------------------

  let socket = null;
  let cursor = "";
  let pause = SHORT;
  let ended = false;

  function connect() {
    const url = `${location.origin.replace(/^http/, "ws")}${base}/socket`;
    socket = new WebSocket(url, PROTOCOL);
    socket.onopen = () => say({ type: "hello", token, cursor });
    socket.onmessage = (event) => take(JSON.parse(event.data));
    socket.onclose = async ({ code }) => {
      socket = null;
      part("typing").textContent = "";
      if (code === 4401) return expired();
      if (ended) return;
      part("state").textContent = "Not connected: trying again";
      await rest(pause);
      pause = Math.min(2 * pause, LONG);
      connect();
    };
  }

  function say(frame) {
    if (!socket || socket.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  function take(frame) {
    if (frame.type === "anew") {
      messages.clear();
      for (const place of Array.from(part("messages").children)) {
        if (place.id.startsWith("m-")) place.remove();
      }
    } else if (frame.type === "message") {
      put(frame.message);
    } else if (frame.type === "synced") {
      part("state").textContent = "Connected";
      pause = SHORT;
      if ("before" in frame || !cursor) goOn(frame.before);
      look();
      flush();
    } else if (frame.type === "typing") {
      part("typing").textContent = frame.typing ? "The practice is typing…" : "";
    }
    if (frame.cursor) cursor = frame.cursor;
  }

  let typed = 0;
  part("text").oninput = () => {
    if (Date.now() - typed < 3000) return;
    if (say({ type: "typing" })) typed = Date.now();
  };
  document.addEventListener("visibilitychange", look);
  // A browser that is offline may hold a dead connection open for minutes.
  addEventListener("offline", () => socket && socket.close());

  waiting.forEach(showWaiting);
  connect();
})();
