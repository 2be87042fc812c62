// A session is split by patient with a few keys: arrows go from message to message, a number says whom
// it is about. Without this script the boxes are ticked one by one.
"use strict";

(() => {
  const form = document.getElementById("split");
  const told = document.getElementById("chosen");
  const messages = Array.from(form.querySelectorAll(".cut"));
  const shares = Array.from(form.querySelectorAll(".share"));
  if (!messages.length) return;
  document.querySelector(".keys").hidden = false;

  // Where a choice of several begins and ends.
  let from = -1;
  let to = -1;

  const boxes = (message) => Array.from(message.querySelectorAll("[data-number]"));
  const at = () => messages.indexOf(document.activeElement.closest(".cut"));
  const chosen = () => messages.slice(Math.min(from, to), Math.max(from, to) + 1);

  function go(index) {
    const box = boxes(messages[index])[0];
    if (box) box.focus({ focusVisible: true });
    messages[index].scrollIntoView({ block: "nearest" });
  }

  function choose(start, end) {
    from = start;
    to = end;
    const some = start < 0 ? [] : chosen();
    for (const one of messages) one.classList.toggle("chosen", some.includes(one));
    told.textContent = some.length > 1 ? `${some.length} messages are chosen.` : "";
  }

  function move(step, widen) {
    const here = at();
    const next = here < 0 ? 0 : Math.min(messages.length - 1, Math.max(0, here + step));
    if (widen && here >= 0) choose(from < 0 ? here : from, next);
    else choose(-1, -1);
    go(next);
  }

  // Say of the chosen messages, or of the one that has the focus, whom they are about.
  function say(number, add) {
    const here = at();
    if (here < 0) return;
    const some = from < 0 ? [messages[here]] : chosen();
    const all = add && some.every((one) => boxes(one)[number - 1].checked);
    for (const one of some) {
      boxes(one).forEach((box, index) => {
        const meant = !number || index === number - 1;
        if (!add) box.checked = meant;
        else if (meant) box.checked = !all;
      });
    }
    const last = messages.indexOf(some[some.length - 1]);
    choose(-1, -1);
    if (!add) go(Math.min(messages.length - 1, last + 1));
    show();
    said();
  }

  // What becomes of each patient, as the page says it before anything is changed.
  function show() {
    const numbers = shares.map(
      ({ dataset }) => messages.filter((one) => boxes(one)[dataset.number - 1].checked).length,
    );
    const several = numbers.filter(Boolean).length > 1;
    shares.forEach((share, index) => {
      const number = numbers[index];
      share.querySelector(".number").textContent = `${number} message${number === 1 ? "" : "s"}`;
      share.querySelector(".period").textContent = "";
      const outcome = number ? (several ? "medical" : "own") : "none";
      share.querySelector(".outcome").textContent = form.dataset[outcome];
    });
  }

  form.addEventListener("keydown", (event) => {
    const { key, code, target, shiftKey } = event;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (!target.closest(".cut")) return;
    // With Shift a digit is another sign; on a keypad it is none.
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code) || /^([0-9])$/.exec(key);
    if (key === "ArrowDown" || key === "ArrowUp") move(key === "ArrowDown" ? 1 : -1, shiftKey);
    else if (key === "Escape") choose(-1, -1);
    else if (digit && Number(digit[1]) <= shares.length) say(Number(digit[1]), shiftKey);
    else return;
    event.preventDefault();
  });
  form.addEventListener("change", show);
  if (messages.some((one) => boxes(one).some((box) => box.checked !== box.defaultChecked))) show();
  // What is said with a key is not sent yet either.
  const said = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  // A click with Shift does the same to every message since the last one.
  let clicked = -1;
  form.addEventListener("click", (event) => {
    const box = event.target.closest(".cut [data-number]");
    if (!box) return;
    const here = messages.indexOf(box.closest(".cut"));
    if (event.shiftKey && clicked >= 0) {
      const [low, high] = [Math.min(here, clicked), Math.max(here, clicked)];
      for (const one of messages.slice(low, high + 1)) {
        boxes(one)[box.dataset.number - 1].checked = box.checked;
      }
      show();
      said();
    }
    clicked = here;
  });
})();
