(function () {
  "use strict";
  var deaths = Array.prototype.slice.call(document.querySelectorAll(".death"));
  var tools = document.getElementById("tools");
  if (!tools || !deaths.length) return;
  var filter = document.getElementById("filter"), all = document.getElementById("open"), shown = document.getElementById("shown");
  var texts = deaths.map(function (d) { return d.textContent.toLowerCase(); });
  tools.hidden = false;
  filter.addEventListener("input", function () {
    var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean), n = 0;
    deaths.forEach(function (d, i) {
      var fits = words.every(function (w) { return texts[i].indexOf(w) >= 0; });
      d.hidden = !fits;
      if (fits) n++;
    });
    shown.textContent = words.length ? n + " of " + deaths.length : "";
  });
  all.addEventListener("click", function () {
    var open = deaths.some(function (d) { return !d.open; });
    deaths.forEach(function (d) { d.open = open; });
    all.textContent = open ? "Close all" : "Open all";
  });
  if (location.hash) {
    var d = document.getElementById(location.hash.slice(1));
    if (d && d.tagName === "DETAILS") { d.open = true; d.scrollIntoView(); }
  }
})();
