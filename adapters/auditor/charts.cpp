#include "adapters/auditor/charts.h"

#include <algorithm>
#include <cmath>

#include "adapters/web/when.h"

namespace flagpost::auditor {
namespace {

using web::Drawing;
using web::View;
using Anchor = web::Drawing::Anchor;
namespace colours = web::colours;
using std::chrono::hours;
using std::chrono::minutes;

struct Plot {
    double left, top, right, bottom;
};

std::string counted(std::size_t count, const char* one, const char* several) {
    return std::to_string(count) + " " + (count == 1 ? one : several);
}

// --- were schools told in time

constexpr minutes earliest = -hours{16}, latest = hours{4};

double percent(std::size_t count, std::size_t of) {
    return of == 0 ? 0 : 100.0 * static_cast<double>(count) / static_cast<double>(of);
}

std::string end_in_words(const InTime& in_time) {
    const std::string opened =
        std::to_string(in_time.answered.size()) + " of " + std::to_string(in_time.owed()) + " opened";
    return in_time.never == 0 ? opened : opened + ", " + std::to_string(in_time.never) + " never opened";
}

/// How the share of those answered grows, a step a pixel at most.
std::string steps_of(const InTime& in_time, const Plot& plot) {
    const auto y = [&](std::size_t count) {
        return plot.bottom - (plot.bottom - plot.top) * percent(count, in_time.owed()) / 100;
    };
    std::size_t count = in_time.by(earliest);
    std::string steps = "M" + web::coordinate(plot.left) + " " + web::coordinate(y(count));
    for (auto x = plot.left; x < plot.right; x += 1) {
        const auto share = (x + 1 - plot.left) / (plot.right - plot.left);
        const auto until =
            earliest + minutes{static_cast<long>(share * static_cast<double>((latest - earliest).count()))};
        const auto now = in_time.by(std::min(until, latest));
        if (now == count) continue;
        count = now;
        steps += "H" + web::coordinate(x + 1) + "V" + web::coordinate(y(count));
    }
    return steps + "H" + web::coordinate(plot.right);
}

View draw(const InTime& in_time, const Chart& chart, bool wide) {
    const int width = wide ? 640 : 288, height = wide ? 330 : 310;
    Drawing drawing{chart.name + (wide ? "-wide" : "-narrow"), wide, width, height};
    const Plot plot{50, 54, width - 14.0, height - 36.0};
    const auto x = [&](minutes offset) {
        return plot.left + (plot.right - plot.left) * static_cast<double>((offset - earliest).count()) /
                               static_cast<double>((latest - earliest).count());
    };
    for (int share = 0; share <= 100; share += 25) {
        const auto y = plot.bottom - (plot.bottom - plot.top) * share / 100;
        drawing.line(plot.left, y, plot.right, y, colours::grid);
        drawing.text(plot.left - 6, y + 5, std::to_string(share) + " %", Anchor::end);
    }
    const auto below = plot.bottom + 20;
    drawing.text(plot.left, below, wide ? "16 hours before" : "-16 h");
    drawing.text(x(-hours{8}), below, wide ? "8 hours before" : "-8 h", Anchor::middle);
    drawing.text(x(minutes{0}), below, "Deadline", Anchor::middle, true);
    if (wide) drawing.text(plot.right, below, "4 hours after", Anchor::end);
    drawing.line(x(minutes{0}), plot.top, x(minutes{0}), plot.bottom, colours::dark_pink, 2, true);
    drawing.path(steps_of(in_time, plot), colours::dark_blue, 2.5);
    const auto end =
        plot.bottom - (plot.bottom - plot.top) * percent(in_time.by(latest), in_time.owed()) / 100;
    drawing.dot(plot.right, end, colours::dark_blue);
    // Above it, where no line can come.
    const auto share = in_time.in_time();
    drawing.text(plot.left, 16, std::to_string(share.count) + " opened in time (" + percent_of(share) + ")",
                 Anchor::start, true);
    drawing.text(plot.left, 36, end_in_words(in_time));
    return drawing.view("Notices to schools opened, by time before and after their deadline", chart.finding);
}

// --- was every notice finished

struct Part {
    const char* words;
    const char* colour;
    std::size_t Week::*count;
};
constexpr Part parts[] = {
    {"Closed by whoever was told first",    colours::dark_blue, &Week::first     },
    {"Closed after somebody else was told", colours::turquoise, &Week::escalated },
    {"Given back: not about them",          colours::dark_pink, &Week::given_back},
    {"Still open",                          colours::white,     &Week::open      },
};
constexpr double open_height_min = 8;

/// "5 Jan"
std::string short_day(Instant instant) {
    const std::string words = web::day_in_words(instant);  // "Monday 5 January 2026"
    const auto day = words.find(' ') + 1, month = words.find(' ', day) + 1;
    return words.substr(day, month - day + 3);
}

/// The step between at most four lines above nought.
std::size_t step_for(std::size_t most) {
    for (std::size_t power = 1;; power *= 10)
        for (const std::size_t step : {power, 2 * power, 5 * power})
            if (step * 4 >= most) return step;
}

void draw_week(Drawing& drawing, const Week& week, double x, double width, bool last, const Plot& plot,
               std::size_t top) {
    auto y = plot.bottom;
    for (const Part& part : parts) {
        const auto count = week.*part.count;
        if (count == 0) continue;
        auto height = (plot.bottom - plot.top) * static_cast<double>(count) / static_cast<double>(top);
        const bool open = part.count == &Week::open;
        if (open) height = std::max(height, open_height_min);
        y -= height;
        // A unit of white between the parts.
        drawing.bar(x, y, width, std::max(height - 1, 1.0), part.colour, open);
    }
    if (week.open > 0)
        drawing.text(last ? plot.right : x + width / 2, y - 5, std::to_string(week.open) + " open",
                     last ? Anchor::end : Anchor::middle, true);
}

View draw(const Finished& finished, const Chart& chart, bool wide) {
    const int width = wide ? 640 : 288, height = wide ? 330 : 350;
    Drawing drawing{chart.name + (wide ? "-wide" : "-narrow"), wide, width, height};
    const Plot plot{wide ? 44.0 : 34.0, 26, width - 8.0, wide ? height - 80.0 : height - 118.0};
    std::size_t most = 1;
    for (const Week& week : finished.weeks) most = std::max(most, week.all());
    const auto step = step_for(most);
    const auto top = (most + step - 1) / step * step;
    for (std::size_t value = 0; value <= top; value += step) {
        const auto y =
            plot.bottom - (plot.bottom - plot.top) * static_cast<double>(value) / static_cast<double>(top);
        drawing.line(plot.left, y, plot.right, y, colours::grid);
        drawing.text(plot.left - 6, y + 5, std::to_string(value), Anchor::end);
    }
    const auto slot = (plot.right - plot.left) / static_cast<double>(finished.weeks.size());
    for (std::size_t i = 0; i < finished.weeks.size(); ++i) {
        const auto x = plot.left + slot * static_cast<double>(i);
        const bool last = i + 1 == finished.weeks.size();
        draw_week(drawing, finished.weeks[i], x + slot / 6, slot * 2 / 3, last, plot, top);
        if (i % (wide ? 2 : 4) == 0)
            drawing.text(last ? plot.right : x + slot / 2, plot.bottom + 20,
                         short_day(finished.weeks[i].begins), last ? Anchor::end : Anchor::middle);
    }
    auto x = plot.left, y = plot.bottom + 38;
    for (std::size_t i = 0; i < std::size(parts); ++i) {
        drawing.bar(x, y, 12, 12, parts[i].colour, parts[i].count == &Week::open);
        drawing.text(x + 18, y + 11, parts[i].words);
        const bool new_line = !wide || i % 2 == 1;
        x = new_line ? plot.left : plot.left + (plot.right - plot.left) / 2;
        if (new_line) y += 20;
    }
    return drawing.view("Notices by week and by how they ended", chart.finding);
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string{c};
    return out + "\"";
}

}  // namespace

std::string Chart::csv() const {
    std::string out;
    const auto line = [&](const std::vector<std::string>& cells) {
        for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? "" : ",") + quoted(cells[i]);
        out += "\r\n";  // RFC 4180
    };
    line(columns);
    for (const auto& row : rows) line(row);
    return out;
}

View Chart::view() const {
    std::vector<View> heads, lines;
    for (std::size_t i = 1; i < columns.size(); ++i) heads.push_back(View{}.text("number_head", columns[i]));
    for (const auto& row : rows) {
        std::vector<View> cells;
        for (std::size_t i = 1; i < row.size(); ++i)
            cells.push_back(View{}.text("number_label", columns[i]).text("number", row[i]));
        lines.push_back(View{}.text("row_head", row.front()).list("numbers", cells));
    }
    View view;
    view.text("chart_name", name)
        .text("chart_heading", heading)
        .text("chart_finding", finding)
        .maybe("chart_more", more)
        .flag("drawn", !drawings.empty())
        .list("drawings", drawings)
        .text("first_head", columns.front())
        .list("number_heads", heads)
        .list("number_rows", lines);
    return view;
}

Chart chart_of(const InTime& in_time) {
    Chart chart{"in-time", "Were schools told in time?", {}, {}, {}, {}, {}};
    chart.columns = {"Opened", "Notices", "So far", "Of all owed"};
    if (in_time.not_yet_due > 0)
        chart.more += counted(in_time.not_yet_due, "notice is", "notices are") +
                      " not due yet and not opened, and not counted. ";
    if (in_time.deadline_unknown > 0)
        chart.more += "The deadline of " + counted(in_time.deadline_unknown, "notice", "notices") +
                      " is not known here: it stands in a body that is not open to this desk.";
    if (in_time.owed() == 0) {
        chart.finding = "No notice to a school whose deadline is known here was owed.";
        return chart;
    }
    const auto share = in_time.in_time();
    chart.finding = std::to_string(share.count) + " of " + counted(share.of, "notice", "notices") +
                    " to schools " + (share.count == 1 ? "was" : "were") + " opened in time (" +
                    percent_of(share) + "). " +
                    counted(in_time.answered.size() - share.count, "was opened late", "were opened late") +
                    ", " + std::to_string(in_time.never) + " never.";
    struct Row {
        const char* words;
        std::optional<minutes> until;
    };
    static const Row rows[] = {
        {"More than 16 hours before the deadline", earliest      },
        {"16 to 8 hours before",                   -hours{8}     },
        {"8 to 4 hours before",                    -hours{4}     },
        {"4 to 2 hours before",                    -hours{2}     },
        {"The last 2 hours before",                minutes{0}    },
        {"Up to 2 hours after",                    hours{2}      },
        {"2 to 4 hours after",                     latest        },
        {"Later",                                  minutes::max()},
        {"Never",                                  std::nullopt  },
    };
    std::size_t before = 0;
    for (const Row& row : rows) {
        const auto count = row.until ? in_time.by(*row.until) - before : in_time.never;
        if (!row.until) {
            chart.rows.push_back({row.words, std::to_string(count), "", ""});
            continue;
        }
        before += count;
        chart.rows.push_back(
            {row.words, std::to_string(count), std::to_string(before), percent_of({before, in_time.owed()})});
    }
    for (const bool wide : {true, false}) chart.drawings.push_back(draw(in_time, chart, wide));
    return chart;
}

Chart chart_of(const Finished& finished) {
    Chart chart{"finished", "Was every notice finished?", {}, {}, {}, {}, {}};
    chart.columns = {"Week of"};
    for (const Part& part : parts) chart.columns.emplace_back(part.words);
    std::size_t all = 0, open = 0;
    for (const Week& week : finished.weeks) {
        all += week.all();
        open += week.open;
        chart.rows.push_back({web::day_in_words(week.begins)});
        for (const Part& part : parts) chart.rows.back().push_back(std::to_string(week.*part.count));
    }
    chart.finding = "In " + std::to_string(finished.weeks.size()) + " weeks " +
                    counted(all, "notice was", "notices were") + " due. " +
                    counted(all - open, "is finished", "are finished") + ", " + std::to_string(open) +
                    (open == 1 ? " is" : " are") + " still open.";
    if (finished.before > 0)
        chart.more += counted(finished.before, "notice was", "notices were") + " due before; " +
                      std::to_string(finished.open_before) + " of them still open. ";
    if (finished.later > 0)
        chart.more += counted(finished.later, "notice is", "notices are") + " due after this week. ";
    if (finished.by_issue > 0)
        chart.more += "Of " + counted(finished.by_issue, "notice", "notices") +
                      " the deadline is not known here; they stand in the week in which they were issued.";
    for (const bool wide : {true, false})
        if (all > 0) chart.drawings.push_back(draw(finished, chart, wide));
    return chart;
}

}  // namespace flagpost::auditor
