// Reading with the keyboard: what a mark cites shown beside it, marks opened by their number, steps
// between the cited sentences of an article, and a quote copied with its reference.
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  let told = null; // what the tip belongs to

  function tell(target) {
    if (!target?.dataset.tip) return;
    if (!tip.isConnected) document.body.append(tip);
    hush();
    told = target;
    tip.textContent = target.dataset.tip;
    tip.dir = "auto";
    tip.hidden = false;
    target.setAttribute("aria-describedby", "tip");
    const mark = target.getBoundingClientRect();
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, mark.left - 12), innerWidth - box.width - 8);
    const above = mark.top - box.height - 6;
    const below = mark.bottom + 6;
    const fits = below + box.height < innerHeight - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 && !(target.matches(".confidence") && fits) ? above : below}px`;
  }

  function hush() {
    told?.removeAttribute("aria-describedby");
    told = null;
    tip.hidden = true;
  }

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse" || tip.contains(event.target)) return;
    const target = event.target.closest?.("[data-tip]");
    if (target) tell(target);
    else if (told && told !== document.activeElement) hush();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-tip]:focus-visible")) tell(event.target);
    else hush();
  });
  document.addEventListener("focusout", hush);
  document.addEventListener("scroll", hush, { capture: true, passive: true });
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-tip]");
    if (target?.matches(".confidence")) tell(target); // the way for a finger
    else hush();
    const copies = event.target.closest("[data-copy]");
    if (copies) copy(copies);
  });

  async function copy(button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch { // only a page on this machine or with https may; the older way asks nobody
      const field = document.createElement("textarea");
      field.value = button.dataset.copy;
      field.style.position = "fixed";
      button.after(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    const status = document.querySelector("#side [data-copied]");
    if (!status) return;
    status.textContent = "";
    requestAnimationFrame(() => { status.textContent = done ? button.dataset.done : button.dataset.failed; });
  }

  const typing = (target) => target.matches("input, textarea, select, [contenteditable='true']");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && told) {
      hush();
      event.stopImmediatePropagation(); // the sheet stays
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    // A key alone counts where the focus is in the answer or the article; with Alt, everywhere.
    const reading = !typing(event.target) && event.target.closest("#thread, #side");
    if (!event.altKey && !reading) return;
    const number = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    let button = null;
    if (number) {
      const last = [...document.querySelectorAll("#thread .exchange")].at(-1);
      button = last?.querySelector(`.answer .cite[data-number="${number}"]`);
    } else if (event.code === "KeyN" || event.code === "KeyP") {
      const step = event.code === "KeyN" ? "next" : "previous";
      button = document.querySelector(`#side [data-step="${step}"]`);
    }
    if (!button) return;
    event.preventDefault();
    button.click();
  }, { capture: true });
})();
