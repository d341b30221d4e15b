// Logging out ends the session on the server and shows the login page, here and in the browser's
// other tabs; going back does not show again what the browser remembers of the page.
(() => {
  const KEY = "footnote.loggedOut";

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-log-out]");
    if (!form) return;
    event.preventDefault();
    try {
      const response = await fetch(form.action, { method: "POST" });
      if (!response.ok) throw new Error(response.status);
    } catch {
      form.submit(); // without this listener: the browser says what is wrong
      return;
    }
    try { localStorage.setItem(KEY, String(Date.now())); } catch { /* only this tab notices */ }
    location.assign("login");
  });
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) location.reload();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("[data-log-out]")) location.reload();
  });
})();
