/// A chart as shapes, which the template `drawing` writes as SVG: no script, no style attribute, nothing unescaped.
#pragma once

#include <string>
#include <vector>

#include "adapters/web/template.h"

namespace flagpost::web {

/// Colours of the Government Analysis Function, at least 3 : 1 on white. Meaning is doubled by hatch, dash or label.
namespace colours {
inline constexpr auto dark_blue = "#12436D";
inline constexpr auto turquoise = "#28A197";
inline constexpr auto dark_pink = "#801650";
inline constexpr auto orange = "#F46A25";  // bars and shapes, never text
inline constexpr auto grid = "#cecece";
inline constexpr auto ink = "#0b0c0c";
inline constexpr auto white = "#ffffff";
}  // namespace colours

/// A font of 14 units, and so of 14 px where a drawing is shown in its own size.
class Drawing {
public:
    enum class Anchor { start, middle, end };

    /// `id` is unique in the page. Wide ones are shown on wide screens alone, narrow ones on narrow screens.
    Drawing(std::string id, bool wide, int width, int height);

    void line(double x1, double y1, double x2, double y2, const std::string& colour, double width = 1,
              bool dashed = false);
    /// `hatched`: black stripes and an outline on white, whatever the colour.
    void bar(double x, double y, double width, double height, const std::string& colour,
             bool hatched = false);
    void path(const std::string& steps, const std::string& colour, double width);  // "M0 0H5V7"
    void dot(double x, double y, const std::string& colour);                       // hollow
    void text(double x, double y, const std::string& words, Anchor anchor = Anchor::start, bool bold = false);

    /// Values of the template. `called` says what it is, `finding` what it shows, in two sentences with numbers.
    View view(const std::string& called, const std::string& finding) const;

private:
    std::string id_;
    bool wide_;
    int width_, height_;
    std::vector<View> lines_, bars_, paths_, dots_, texts_;
};

/// A coordinate to a tenth, without trailing noughts.
std::string coordinate(double value);

}  // namespace flagpost::web
