// An article that a script writes: the page itself holds none of its text.
(function () {
  "use strict";
  var app = document.getElementById("app");

  function add(parent, tag, name, text) {
    var node = parent.appendChild(document.createElement(tag));
    node.className = name;
    node.textContent = text;
    return node;
  }

  fetch("/data/article/" + app.dataset.id + ".json").then(function (r) { return r.json(); }).then(function (item) {
    var box = add(app, "div", "detail_left", "");
    add(box, "h1", "detail_title", item.title);
    var info = add(box, "div", "detail_info", "");
    add(info, "span", "p_l_10", "来源：" + item.source);
    add(info, "span", "p_l_10", "作者：" + item.author);
    add(info, "span", "p_l_25", item.time);
    var body = add(add(box, "article", "detail-article", ""), "section", "detail_article_content", "");
    body.innerHTML = item.html;
    if (item.video) {
      var video = document.createElement("video"), source = document.createElement("source");
      video.controls = true;
      source.type = "video/mp4";
      source.src = item.video;
      video.append(source);
      body.prepend(video);
    }
  });
})();
