#include "adapters/web/months.h"

#include <algorithm>

namespace flagpost::web {
namespace {

/// Over a column as well, so with white around it.
void dash(Drawing& drawing, const std::string& steps) {
    drawing.path(steps, colours::white, 5);
    drawing.path(steps, colours::dark_pink, 2);
}

}  // namespace

View draw_months(const std::vector<MonthBar>& months, const std::string& called, const std::string& finding,
                 std::size_t most, const std::string& id, bool wide) {
    const int width = wide ? 700 : 288, height = wide ? 230 : 470;
    Drawing drawing{id + (wide ? "-wide" : "-narrow"), wide, width, height};
    const auto share = [&](std::size_t notices) {
        return static_cast<double>(notices) / static_cast<double>(std::max<std::size_t>(most, 1));
    };
    for (std::size_t i = 0; i < months.size(); ++i) {
        const auto& month = months.at(i);
        const bool begun = !month.number.empty();
        if (wide) {
            const double step = (width - 20.0) / 12, x = 10 + step * static_cast<double>(i),
                         bottom = height - 34.0, tall = bottom - 30;
            const double bar = std::max(tall * share(month.notices), begun ? 2.0 : 0.0);
            if (begun) drawing.bar(x + 6, bottom - bar, step - 12, bar, colours::dark_blue, month.hatched);
            drawing.text(x + step / 2, bottom - bar - 6, month.number, Drawing::Anchor::middle, true);
            drawing.text(x + step / 2, height - 12.0, month.name.substr(0, 3), Drawing::Anchor::middle);
            if (month.expected)
                for (const auto end : {month.expected->first, month.expected->second}) {
                    const double y = bottom - tall * share(end);
                    dash(drawing,
                         "M" + coordinate(x + 1) + " " + coordinate(y) + "H" + coordinate(x + step - 1));
                }
        } else {
            const double y = 6 + 38.0 * static_cast<double>(i), full = 190;
            const double bar = std::max(full * share(month.notices), begun ? 2.0 : 0.0);
            drawing.text(0, y + 20, month.name.substr(0, 3));
            if (begun) drawing.bar(44, y, bar, 28, colours::dark_blue, month.hatched);
            if (month.expected)
                for (const auto end : {month.expected->first, month.expected->second}) {
                    const double x = 44 + full * share(end);
                    dash(drawing, "M" + coordinate(x) + " " + coordinate(y - 4) + "V" + coordinate(y + 32));
                }
            drawing.text(50 + bar, y + 20, month.number, Drawing::Anchor::start, true);
        }
    }
    if (wide) drawing.line(10, height - 34.0, width - 10.0, height - 34.0, colours::ink);
    return drawing.view(called, finding);
}

}  // namespace flagpost::web
