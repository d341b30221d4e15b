// A folder that is added by its path: what is typed is sent as it is; the server looks there.
window.footnotePath ??= (() => {
  function adds(element, trigger) {
    const form = element.querySelector("[data-path-form]");
    if (!form) return; // not a server for this computer alone
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      trigger("upload", { typed: form.querySelector("input").value });
    });
    form.closest("details").addEventListener("toggle", (event) => {
      if (event.target.open) form.querySelector("input").focus();
    });
  }

  return { adds };
})();
