// A form is sent without leaving the page, so that nothing of what somebody has written is lost: where it
// cannot be taken, the page stays as it is and says why. What is written and not sent yet is kept in the tab:
// it is there again after a step back, and once the page is loaded again.
"use strict";

(() => {
  const { me = "" } = document.body.dataset;
  const main = document.querySelector("main:not([data-plain])");
  if (!main) return;

  const PRESS = "What you have written is still here: press the button again.";
  const AWAY = `The server cannot be reached. ${PRESS}`;
  const FAILED = `The server does not answer just now. ${PRESS}`;
  const OUT = "You are signed out. What you have written is still here: sign in in another tab, and then press the button again.";
  const TOO_LARGE = "That is too large for the server.";

  // Pressed twice it is sent once.
  let busy = false;
  let leaving = false;
  let plain = null;

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".out")) forgetAll();
    if (event.defaultPrevented || form.method !== "post" || !main.contains(form)) return;
    if (form === plain) return;
    event.preventDefault();
    if (!busy) send(form, event.submitter);
  });

  // Enter in a field presses the button of its own part of the form, and no other. Where a part has several,
  // as where one reason goes with any of them, it goes on to them: the next Enter presses the one that is meant.
  const FIELD = "main form input:not([type=file])";
  document.addEventListener("keydown", (event) => {
    const { target: field, key, isComposing } = event;
    if (key !== "Enter" || isComposing || event.ctrlKey || event.metaKey || !field.matches(FIELD) || field.form.method !== "post") return;
    const buttons = Array.from(field.form.querySelectorAll("button[name=act]:enabled"));
    if (buttons.length < 2) return;
    event.preventDefault();
    const meant = field.closest("[data-enter]")?.dataset.enter;
    const part = field.closest(".find, fieldset, section");
    const own = !isTick(field) && part && field.form.contains(part) && buttons.filter((one) => part.contains(one));
    if (own?.length === 1) own[0].click();
    else if (meant) buttons.find((one) => one.value === meant)?.click();
    else if (!isTick(field)) buttons.find((one) => field.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING)?.focus();
  });

  async function send(form, button) {
    busy = true;
    form.setAttribute("aria-busy", "true");
    // The button first: of what is too large a server reads the beginning alone.
    const said = new FormData();
    if (button && button.name) said.append(button.name, button.value);
    for (const [name, value] of new FormData(form)) said.append(name, value);
    const body = form.enctype === "multipart/form-data" ? said : new URLSearchParams(said);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "Threadwell-Form": me } });
      const to = answer.headers.get("Threadwell-To");
      if (to) return go(form, to);
      // It was only to show something: the browser shows it.
      if (answer.ok) return show(form, button);
      tell(form, wrong(answer.status, await answer.text()), answer.status === 401);
      // What is refused may be so because others have changed what is shown.
      document.dispatchEvent(new Event("threadwell-stale"));
    } catch {
      tell(form, AWAY);
    }
    busy = false;
    form.removeAttribute("aria-busy");
  }

  // What is wrong, as the answer says it; it may be of a proxy that knows nothing of our pages.
  function wrong(status, text) {
    if (status === 401) return OUT;
    const page = new DOMParser().parseFromString(text, "text/html");
    const told = page.querySelector("main [role=alert]");
    if (told) return told.textContent.trim();
    const door = Array.from(page.querySelectorAll("main.door > :is(h1, p):not(:has(a))"), (one) => one.textContent.trim());
    if (status >= 500) return door.length ? `${door[0]}. ${PRESS}` : FAILED;
    if (door.length) return door.map((one) => (/[.!?]$/.test(one) ? one : `${one}.`)).join(" ");
    return status === 413 ? TOO_LARGE : `The server has refused it (${status}).`;
  }

  function tell(form, text, signIn = false) {
    for (const before of form.querySelectorAll('[role="alert"]')) before.remove();
    const told = document.createElement("p");
    told.className = "notice";
    told.setAttribute("role", "alert");
    told.textContent = text;
    if (signIn) {
      const link = document.createElement("a");
      link.href = "/";
      link.target = "_blank";
      link.textContent = "Sign in";
      told.append(" ", link);
    }
    form.prepend(told);
    const box = form.querySelector("textarea");
    if (box) box.focus();
    else told.scrollIntoView({ block: "nearest" });
  }

  function go(form, to) {
    const url = new URL(to, location.href);
    if (!url.hash) url.hash = new URL(form.action).hash;
    forget(form);
    leaving = true;
    // No browser puts back what was sent just now.
    for (const one of document.forms) one.autocomplete = "off";
    if (url.pathname !== location.pathname) location.assign(url);
    else if (url.search !== location.search) location.replace(url);
    else {
      // The same page again, at another place: a step back leads to the page before it.
      history.scrollRestoration = "manual";
      const back = crumb && [crumb.getAttribute("href"), crumb.textContent];
      history.replaceState({ threadwell: "sent", back }, "", url);
      location.reload();
    }
  }

  // A page that is loaded again does not go to its place by itself, nor does it know where somebody came from.
  const crumb = document.querySelector(".crumb a");
  const { threadwell, back } = history.state || {};
  if (crumb && back) [crumb.href, crumb.textContent] = back;
  if (threadwell) {
    history.replaceState({ back }, "");
    history.scrollRestoration = "auto";
    const place = location.hash && document.getElementById(location.hash.slice(1));
    if (place) {
      place.scrollIntoView();
      place.focus({ preventScroll: true });
    }
  }

  function show(form, button) {
    plain = form;
    leaving = true;
    kept(() => sessionStorage.setItem(SHOWN, nameOf(form)));
    form.requestSubmit(button);
  }

  // What is not sent yet, by person, place and form: what differs from how the page was made. It ends with the
  // tab, and when somebody signs out.
  const UNSENT = "threadwell-unsent ";
  const SHOWN = "threadwell-shown";
  const FOCUS = `threadwell-focus ${me} ${location.pathname}`;
  const FIELDS = "textarea, select, input:not([type=hidden], [type=file], [type=password])";
  const forms = () => main.querySelectorAll('form[method="post"][id]');
  const nameOf = (form) => `${UNSENT}${me} ${location.pathname}#${form.getAttribute("id")}`;
  const fieldsOf = (form) => Array.from(form.elements).filter((one) => one.name && one.matches(FIELDS));
  const isTick = ({ type }) => type === "checkbox" || type === "radio";
  const keyOf = (one) => (isTick(one) ? `${one.name} ${one.value}` : one.name);
  const now = (one) => (isTick(one) ? one.checked : one.value);
  function made(one) {
    if (one.localName !== "select") return isTick(one) ? one.defaultChecked : one.defaultValue;
    return (Array.from(one.options).find((option) => option.defaultSelected) || one.options[0])?.value ?? "";
  }
  const kept = (change) => {
    // A browser may keep nothing for us.
    try {
      return change();
    } catch {
      return null;
    }
  };
  const forget = (form) => kept(() => sessionStorage.removeItem(nameOf(form)));
  const forgetAll = () =>
    kept(() => {
      for (const name of Object.keys(sessionStorage)) if (name.startsWith("threadwell-")) sessionStorage.removeItem(name);
    });
  const isUnsent = (box) => box.value !== box.defaultValue && box.value.trim() !== "";

  document.addEventListener("input", ({ target }) => {
    const form = target.closest('main form[method="post"][id]');
    if (!form) return;
    const said = fieldsOf(form).filter((one) => now(one) !== made(one));
    if (!said.length) return forget(form);
    const text = JSON.stringify(Object.fromEntries(said.map((one) => [keyOf(one), now(one)])));
    kept(() => sessionStorage.setItem(nameOf(form), text));
  });

  function putBack(but = "") {
    for (const form of forms()) {
      const said = nameOf(form) !== but && JSON.parse(kept(() => sessionStorage.getItem(nameOf(form))) || "null");
      if (!said) continue;
      for (const one of fieldsOf(form)) {
        const value = said[keyOf(one)];
        if (value === undefined || value === made(one) || now(one) !== made(one)) continue;
        if (isTick(one)) one.checked = value;
        else one.value = value;
        for (let fold = one.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      }
    }
  }

  // Where the server has just shown what was sent, that holds: it has put in a saved reply, or whom it has found.
  const [{ type: way = "" } = {}] = performance.getEntriesByType("navigation");
  const shown = kept(() => sessionStorage.getItem(SHOWN));
  kept(() => sessionStorage.removeItem(SHOWN));
  putBack(way === "navigate" && shown ? shown : "");
  document.addEventListener("threadwell-shown", () => putBack());

  // The focus is where it was, too, as long as something is unsent there.
  addEventListener("pagehide", () => {
    const field = document.activeElement;
    const form = field?.closest("form[id]");
    const place = form && main.contains(form) && field.matches(FIELDS) ? `${nameOf(form)} ${keyOf(field)}` : "";
    kept(() => (place ? sessionStorage.setItem(FOCUS, place) : sessionStorage.removeItem(FOCUS)));
  });
  const before = kept(() => sessionStorage.getItem(FOCUS));
  kept(() => sessionStorage.removeItem(FOCUS));
  for (const form of before ? forms() : []) {
    if (!kept(() => sessionStorage.getItem(nameOf(form)))) continue;
    const field = fieldsOf(form).find((one) => before === `${nameOf(form)} ${keyOf(one)}`);
    if (!field) continue;
    field.focus({ preventScroll: true });
    if (field.matches("textarea, [type=text], :not([type])")) field.setSelectionRange?.(field.value.length, field.value.length);
  }

  // Whoever closes the tab is asked first. Our own links lead back here, and what is written is here then.
  const boxes = () => main.querySelectorAll("form[method=post][id] :is(textarea, input:not([type]))");
  let inside = false;
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("a[href]:not([target])")) return;
    inside = true;
    setTimeout(() => (inside = false), 2000);
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && !inside && Array.from(boxes()).some(isUnsent)) event.preventDefault();
  });
  // A page that a browser has kept as it was left shows what was sent from it.
  addEventListener("pageshow", (event) => {
    if (event.persisted && leaving) location.reload();
  });
})();
