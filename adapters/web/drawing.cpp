#include "adapters/web/drawing.h"

#include <cmath>

namespace flagpost::web {

std::string coordinate(double value) {
    const auto tenths = std::llround(value * 10);
    std::string text = (tenths < 0 ? "-" : "") + std::to_string(std::llabs(tenths) / 10);
    if (tenths % 10 != 0) text += "." + std::to_string(std::llabs(tenths) % 10);
    return text;
}

Drawing::Drawing(std::string id, bool wide, int width, int height)
    : id_{std::move(id)}, wide_{wide}, width_{width}, height_{height} {}

void Drawing::line(double x1, double y1, double x2, double y2, const std::string& colour, double width,
                   bool dashed) {
    lines_.push_back(View{}
                         .text("x1", coordinate(x1))
                         .text("y1", coordinate(y1))
                         .text("x2", coordinate(x2))
                         .text("y2", coordinate(y2))
                         .text("line_colour", colour)
                         .text("line_width", coordinate(width))
                         .text("dashes", dashed ? "6 4" : "none"));
}

void Drawing::bar(double x, double y, double width, double height, const std::string& colour, bool hatched) {
    bars_.push_back(View{}
                        .text("bar_x", coordinate(x))
                        .text("bar_y", coordinate(y))
                        .text("bar_width", coordinate(width))
                        .text("bar_height", coordinate(height))
                        .text("bar_fill", hatched ? "url(#" + id_ + "-hatch)" : colour)
                        .text("bar_stroke", hatched ? colours::ink : "none"));
}

void Drawing::path(const std::string& steps, const std::string& colour, double width) {
    paths_.push_back(
        View{}.text("path_steps", steps).text("path_colour", colour).text("path_width", coordinate(width)));
}

void Drawing::dot(double x, double y, const std::string& colour) {
    dots_.push_back(
        View{}.text("dot_x", coordinate(x)).text("dot_y", coordinate(y)).text("dot_colour", colour));
}

void Drawing::text(double x, double y, const std::string& words, Anchor anchor, bool bold) {
    static constexpr const char* anchors[] = {"start", "middle", "end"};
    texts_.push_back(View{}
                         .text("text_x", coordinate(x))
                         .text("text_y", coordinate(y))
                         .text("text_words", words)
                         .text("text_anchor", anchors[static_cast<int>(anchor)])
                         .text("text_weight", bold ? "700" : "400"));
}

View Drawing::view(const std::string& called, const std::string& finding) const {
    View view;
    view.text("drawing_id", id_)
        .text("drawing_class", wide_ ? "fp-drawing fp-drawing--wide" : "fp-drawing fp-drawing--narrow")
        .text("drawing_width", std::to_string(width_))
        .text("drawing_height", std::to_string(height_))
        .text("drawing_called", called)
        .text("drawing_finding", finding)
        .list("drawing_lines", lines_)
        .list("drawing_bars", bars_)
        .list("drawing_paths", paths_)
        .list("drawing_dots", dots_)
        .list("drawing_texts", texts_);
    return view;
}

}  // namespace flagpost::web
