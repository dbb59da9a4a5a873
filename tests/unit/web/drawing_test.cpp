#include "adapters/web/drawing.h"

#include <cmath>

#include "tests/support/catch.h"
#include "web_templates.h"

using namespace flagpost::web;

namespace {

/// Relative luminance of "#rrggbb" (WCAG 2.2).
double luminance(const std::string& colour) {
    const auto part = [&](std::size_t at) {
        const double value = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
        return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}
double contrast(const std::string& a, const std::string& b) {
    const auto [dark, light] =
        std::minmax({luminance(a), luminance(b)});  // of values: a pair of references would outlive them
    return (light + 0.05) / (dark + 0.05);
}

}  // namespace

TEST_CASE("colours of shapes stand out from white, and so does text", "[web]") {
    for (const auto* colour : {colours::dark_blue, colours::turquoise, colours::dark_pink, colours::orange}) {
        CAPTURE(colour);
        CHECK(contrast(colour, colours::white) >= 3.0);
    }
    CHECK(contrast(colours::ink, colours::white) >= 4.5);
}

TEST_CASE("coordinates are written to a tenth", "[web]") {
    CHECK(coordinate(0) == "0");
    CHECK(coordinate(12.34) == "12.3");
    CHECK(coordinate(12.96) == "13");
    CHECK(coordinate(-0.25) == "-0.3");
}

TEST_CASE("a drawing says what it is and what it shows, and escapes its words", "[web]") {
    Templates templates;
    templates.add_all(frame_templates);
    Drawing drawing{"one", true, 640, 300};
    drawing.bar(1, 2, 3, 4, colours::white, true);
    drawing.line(0, 0, 5, 0, colours::dark_pink, 2, true);
    drawing.path("M0 0H5", colours::dark_blue, 2);
    drawing.dot(5, 5, colours::dark_blue);
    drawing.text(1, 1, "<b> & \"more\"", Drawing::Anchor::end, true);
    const auto svg = templates.render("drawing", drawing.view("A <chart>", "Two of three."));
    for (const auto* part :
         {"role=\"img\" aria-labelledby=\"one-t one-d\"", "<title id=\"one-t\">A &lt;chart&gt;</title>",
          "<desc id=\"one-d\">Two of three.</desc>", "<g aria-hidden=\"true\">", "fill=\"url(#one-hatch)\"",
          "stroke-dasharray=\"6 4\"", "text-anchor=\"end\" font-weight=\"700\"",
          "&lt;b&gt; &amp; &quot;more&quot;"}) {
        CAPTURE(svg, part);
        CHECK(svg.find(part) != std::string::npos);
    }
    CHECK(svg.find("style=") == std::string::npos);
}
