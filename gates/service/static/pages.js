// A page that says how often (main[data-poll], seconds) is fetched again while somebody looks at
// it; those of its parts that changed ([data-live]) are put in place, and nothing else is touched.
"use strict";
(() => {
  const LONGEST = 60;
  let failures = 0, timer = 0, asking = false;
  const main = document.querySelector("main");
  const connection = document.getElementById("connection");

  const say = (text) => { if (connection.textContent !== text) connection.textContent = text; };

  const busy = (part) => {
    const typed = [...part.querySelectorAll("textarea, input:not([type=hidden])")]
      .some((one) => one.type === "checkbox" ? one.checked : one.value !== "");
    return typed || part.contains(document.activeElement);
  };

  const take = (fresh) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      if (other && other.innerHTML !== part.dataset.was && !busy(part)) {
        part.dataset.was = other.innerHTML;
        if (other.innerHTML !== part.innerHTML) part.replaceChildren(...other.childNodes);
      }
    }
    const poll = fresh.querySelector("main").dataset.poll;
    if (poll) main.dataset.poll = poll; else delete main.dataset.poll;
  };

  const again = () => {
    clearTimeout(timer);
    if (!main.dataset.poll || document.hidden) return;
    const pause = Math.min(LONGEST, Number(main.dataset.poll) * 2 ** failures);
    timer = setTimeout(ask, pause * 1000);
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected || answer.status === 403) {
        delete main.dataset.poll;
        say("You are signed out: load the page again to sign in.");
      } else if (answer.ok) {
        take(new DOMParser().parseFromString(await answer.text(), "text/html"));
        failures = 0;
        say("");
      } else {
        throw new Error(String(answer.status));
      }
    } catch {
      failures += 1;
      say("The service does not answer; this page shows what it said last. It is asked again.");
    } finally {
      asking = false;
      again();
    }
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden && main.dataset.poll) ask(); });

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const one of document.forms) delete one.dataset.sent;
  });

  again();
})();
