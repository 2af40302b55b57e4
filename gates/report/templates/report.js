"use strict";
// The page is whole without this: it turns the lists of queries into something to search in.
// Everything it shows it takes from elements that are there already, as nodes or as text.

for (const article of document.querySelectorAll("article.lists")) explore(article);

function explore(article) {
  const find = (selector) => article.querySelector(selector);
  const explorer = find(".explorer"), list = find("[role=listbox]"), shown = find(".shown");
  const search = find("input[type=search]"), sort = find(".sort"), slice = find(".slice");
  const severe = Number(explorer.dataset.severe);
  const queries = [...article.querySelectorAll("details.q")].map(read);
  if (!queries.length) return;
  let matches = [], at = null, timer = 0;

  function read(details) {
    const [delta, text] = details.querySelector("summary").children;
    const parts = [...details.querySelectorAll(".facts > [data-c]")];
    const option = document.createElement("li");
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const id = details.id;
    option.id = "option-" + id;
    // The browser would move its focus to the folded list, which nobody sees any more.
    details.removeAttribute("id");
    option.append(delta.cloneNode(true), " ", text.cloneNode(true));
    option.dataset.weight = Number(Number(details.dataset.w).toPrecision(3));
    const query = {
      id, details, option, text: text.textContent, weight: Number(details.dataset.w),
      delta: details.dataset.d === "" ? null : Number(details.dataset.d),
      changed: details.querySelector(".pair .up, .pair .down, .pair .new, .pair .gone") !== null,
      slices: parts.map((one) => [one.dataset.c, one.querySelector("bdi").textContent]),
    };
    query.words = (query.text + " " + decoded(id)).toLocaleLowerCase();
    option.addEventListener("click", () => { choose(query); list.focus({ preventScroll: true }); });
    return query;
  }

  function offerSlices() {
    const columns = new Map();
    for (const query of queries) {
      for (const [column, value] of query.slices) {
        if (!columns.has(column)) columns.set(column, new Set());
        columns.get(column).add(value);
      }
    }
    for (const [column, values] of columns) {
      const group = document.createElement("optgroup");
      group.label = column;
      for (const value of [...values].sort()) {
        const option = document.createElement("option");
        option.textContent = value;
        option.value = JSON.stringify([column, value]);
        group.append(option);
      }
      slice.append(group);
    }
    slice.closest("label").hidden = !columns.size;
  }

  const orders = {
    loss: (a, b) => (a.delta ?? Infinity) - (b.delta ?? Infinity),
    gain: (a, b) => (b.delta ?? -Infinity) - (a.delta ?? -Infinity),
    weight: (a, b) => b.weight - a.weight,
    text: (a, b) => a.text.localeCompare(b.text),
  };

  function filter() {
    const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const wanted = slice.value;
    matches = queries.filter((one) =>
      words.every((word) => one.words.includes(word))
      && (!wanted || one.slices.some((pair) => JSON.stringify(pair) === wanted))
      && (!find(".changed").checked || one.changed || Boolean(one.delta))
      && (!find(".severe-only").checked || (one.delta !== null && one.delta <= severe)));
    // Infinity − Infinity is not a number: queries without a value keep their order.
    matches.sort((a, b) => orders[sort.value](a, b) || 0);
    list.classList.toggle("by-weight", sort.value === "weight");
    list.replaceChildren(...matches.map((one) => one.option));
    const all = queries.length === 1 ? "1 query" : queries.length.toLocaleString("en") + " queries";
    find(".found").textContent = matches.length === queries.length
      ? all : `${matches.length.toLocaleString("en")} of ${all}`;
    if (matches.includes(at)) choose(at, false);
    else if (matches.length) choose(matches[0], false);
    else list.removeAttribute("aria-activedescendant");
  }

  function choose(query, remember = true) {
    if (at && at !== query) at.option.setAttribute("aria-selected", "false");
    query.option.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", query.option.id);
    reveal(query.option);
    if (at !== query) show(query);
    at = query;
    if (!remember) return;
    // Browsers refuse many changes of the address in a row, as held arrow keys would make.
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", "#" + query.id), 250);
  }

  // scrollIntoView would also move the page.
  function reveal(option) {
    const above = option.offsetTop - list.scrollTop;
    if (above < 0) list.scrollTop = option.offsetTop;
    const below = above + option.offsetHeight - list.clientHeight;
    if (below > 0) list.scrollTop += below;
  }

  function show(query) {
    const [summary, ...body] = query.details.children;
    const head = document.createElement("h4"), link = document.createElement("a");
    head.append(...[...summary.childNodes].map((one) => one.cloneNode(true)));
    link.href = "#" + query.id;
    link.textContent = "link to this query";
    shown.replaceChildren(head, ...body.map((one) => one.cloneNode(true)));
    shown.querySelector(".facts").append(" · ", link);
    draw();
  }

  function draw() {
    const pair = shown.querySelector(".pair");
    if (!pair) return;
    pair.querySelector("svg")?.remove();
    const [old, fresh] = [...pair.children].map((one) => [...one.querySelectorAll("li")]);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    const area = pair.getBoundingClientRect();
    const middle = (box) => box.top + box.height / 2 - area.top;
    for (const place of fresh) {
      const from = old[Number(place.dataset.f) - 1];
      if (!from) continue;
      const [left, right] = [from.getBoundingClientRect(), place.getBoundingClientRect()];
      if (right.left <= left.right) return; // one above the other: nothing to draw between
      const rank = fresh.indexOf(place) + 1, before = Number(place.dataset.f);
      const [x, y, X, Y] = [left.right - area.left + 3, middle(left), right.left - area.left - 3, middle(right)];
      const bend = (X - x) / 2, line = document.createElementNS(svg.namespaceURI, "path");
      line.setAttribute("d", `M${x} ${y}C${x + bend} ${y} ${X - bend} ${Y} ${X} ${Y}`);
      line.setAttribute("class", rank < before ? "rise" : rank > before ? "fall" : "stay");
      const tip = document.createElementNS(svg.namespaceURI, "path");
      tip.setAttribute("d", `M${X - 5} ${Y - 3.5}L${X + 1} ${Y}L${X - 5} ${Y + 3.5}z`);
      tip.setAttribute("class", "tip " + line.getAttribute("class"));
      svg.append(line, tip);
    }
    pair.append(svg);
  }

  function open(query) {
    if (!matches.includes(query)) {
      search.value = slice.value = "";
      find(".changed").checked = find(".severe-only").checked = false;
      filter();
    }
    choose(query);
    shown.focus({ preventScroll: true });
    shown.scrollIntoView({ block: "nearest" });
  }

  function followLink() {
    const wanted = decoded(location.hash.slice(1));
    const query = queries.find((one) => decoded(one.id) === wanted);
    if (!query) return;
    open(query);
    explorer.scrollIntoView();
  }

  list.addEventListener("keydown", (event) => {
    const last = matches.length - 1, place = matches.indexOf(at);
    const to = {
      ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + 10, PageUp: place - 10,
      Home: 0, End: last,
    }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || last < 0) return;
    if (to !== undefined) choose(matches[Math.min(last, Math.max(0, to))]);
    else if (event.key === "Enter" || event.key === " ") open(at);
    else if (event.key === "Escape") search.focus();
    else return;
    event.preventDefault();
  });
  shown.addEventListener("keydown", (event) => { if (event.key === "Escape") list.focus(); });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || (event.key === "Enter" && matches.length)) list.focus();
    else if (event.key === "Escape" && search.value) { search.value = ""; filter(); }
    else if (event.key === "Escape") search.blur();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
    const first = explorer === document.querySelector(".explorer:not([hidden])");
    if (event.key !== "/" || typing || !first || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    search.focus();
  });
  explorer.addEventListener("input", filter);
  addEventListener("hashchange", followLink);

  offerSlices();
  explorer.hidden = false;
  article.classList.add("explored");
  filter();
  followLink();
  new ResizeObserver(draw).observe(shown);
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
