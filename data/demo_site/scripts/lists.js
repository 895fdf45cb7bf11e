// Lists that are empty until a script fills them: at once, while the reader scrolls, at a click.
(function () {
  "use strict";
  var box = document.getElementById("div_newsList");
  var style = box.dataset.style, size = { fetch: 10, scroll: 2, more: 1 }[style];
  var page = 0, busy = false, ended = false;

  function show(items) {
    items.forEach(function (item) {
      $("#div_newsList ul").append(
        $("<li>").append($("<a>").attr("href", item.url).text(item.title)).append($("<span>").text(item.time))
      );
    });
    busy = false;
    ended = items.length < size;
    if (ended && style === "more") document.querySelector("a.more").hidden = true;
  }

  function load() {
    if (busy || ended) return;
    busy = true;
    page += 1;
    var url = "/data/list?channel=" + box.dataset.channel + "&size=" + size + "&page=" + page;
    if (style !== "scroll") {
      fetch(url).then(function (r) { return r.json(); }).then(show);
      return;
    }
    var request = new XMLHttpRequest();
    request.onload = function () { show(JSON.parse(request.responseText)); };
    request.open("GET", url);
    request.send();
  }

  load();
  if (style === "scroll") addEventListener("scroll", load);
  if (style === "more") document.querySelector("a.more").addEventListener("click", load);
})();
