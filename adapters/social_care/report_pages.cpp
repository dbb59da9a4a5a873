#include "adapters/social_care/report_pages.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "adapters/desk/words.h"
#include "adapters/social_care/notice_words.h"
#include "adapters/web/drawing.h"

namespace flagpost::social_care {
namespace {

using web::Drawing;
using web::Page;
using web::Response;
using web::View;
using web::Visit;
using Anchor = Drawing::Anchor;
namespace colours = web::colours;

const std::set<std::string> managers{"manager"};
constexpr std::size_t loads_searched = 5'000;
constexpr std::array<const char*, 12> months{"April",    "May",       "June",     "July",
                                             "August",   "September", "October",  "November",
                                             "December", "January",   "February", "March"};
constexpr auto late_words = "Flag list late: notices may be missing";

/// 0 for April; of a day YYYY-MM-DD.
struct Place {
    int year;
    std::size_t month;
};
Place place_of(Instant instant) {
    const std::string day = desk::local_day(instant);
    const int year = std::stoi(day.substr(0, 4)), month = std::stoi(day.substr(5, 2));
    return {month >= 4 ? year : year - 1, static_cast<std::size_t>((month + 8) % 12)};
}

/// Marks every month of the year that the span touches.
void mark(ReportYear& all, int year, Instant from, Instant until) {
    const auto touch = [&](Instant at) {
        const Place place = place_of(at);
        if (place.year == year) all.at(place.month).late_list = true;
    };
    for (Instant at = from; at < until; at += std::chrono::hours{24}) touch(at);
    if (from < until) touch(until - std::chrono::microseconds{1});
}

std::string year_in_words(int year) {
    return "April " + std::to_string(year) + " to March " + std::to_string(year + 1);
}

std::string finding_of(const ReportYear& all, int year) {
    std::size_t notices = 0, late = 0;
    for (const auto& month : all) {
        notices += month.notices;
        late += month.late_list ? 1 : 0;
    }
    return std::to_string(notices) + (notices == 1 ? " notice" : " notices") + " came in " +
           year_in_words(year) + ". The flag list was late in " +
           (late == 0 ? std::string{"no month"} : std::to_string(late) + (late == 1 ? " month" : " months")) +
           ".";
}

View draw(const ReportYear& all, const std::string& finding, bool wide) {
    const int width = wide ? 700 : 288, height = wide ? 260 : 470;
    Drawing drawing{wide ? "notices-wide" : "notices-narrow", wide, width, height};
    std::size_t most = 1;
    for (const auto& month : all) most = std::max(most, month.notices);
    const auto share = [&](const ReportMonth& month) {
        return static_cast<double>(month.notices) / static_cast<double>(most);
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& month = all.at(i);
        const std::string number = month.over ? std::to_string(month.notices) : "";
        if (wide) {
            const double step = (width - 20.0) / 12, x = 10 + step * static_cast<double>(i),
                         bottom = height - 34.0;
            const double bar = std::max((bottom - 30) * share(month), month.over ? 2.0 : 0.0);
            if (month.over)
                drawing.bar(x + 6, bottom - bar, step - 12, bar, colours::dark_blue, month.late_list);
            drawing.text(x + step / 2, bottom - bar - 6, number, Anchor::middle, true);
            drawing.text(x + step / 2, height - 12.0, month.name.substr(0, 3), Anchor::middle);
        } else {
            const double y = 6 + 38.0 * static_cast<double>(i),
                         bar = std::max(190 * share(month), month.over ? 2.0 : 0.0);
            drawing.text(0, y + 20, month.name.substr(0, 3));
            if (month.over) drawing.bar(44, y, bar, 28, colours::dark_blue, month.late_list);
            drawing.text(50 + bar, y + 20, number, Anchor::start, true);
        }
    }
    if (wide) drawing.line(10, height - 34.0, width - 10.0, height - 34.0, colours::ink);
    return drawing.view("Notices each month", finding);
}

}  // namespace

ReportYear report_year(int year, const std::vector<Instant>& received, const std::vector<Instant>& lists,
                       std::chrono::hours list_age_max, Instant now) {
    ReportYear all;
    const Place today = place_of(now);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all.at(i).name = months.at(i);
        all.at(i).over = year < today.year || (year == today.year && i <= today.month);
    }
    for (const Instant at : received) {
        const Place place = place_of(at);
        if (place.year == year) ++all.at(place.month).notices;
    }
    for (const Instant at : lists) {
        const Place place = place_of(at);
        for (std::size_t i = place.year < year ? 0 : place.month; place.year <= year && i < all.size(); ++i)
            all.at(i).known_list = true;
    }
    // A list is late from when it is older than agreed until the next; before the first nothing is known.
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const Instant next = i + 1 < lists.size() ? lists[i + 1] : now;
        mark(all, year, lists[i] + list_age_max, next);
    }
    return all;
}

ReportPages::ReportPages(web::Site& site, web::Reader& reader, FlagBook& book,
                         std::uint32_t flag_list_hours_max)
    : site_{site}, reader_{reader}, book_{book}, list_age_max_{flag_list_hours_max} {
    site_.get("/reports", managers, [this](const Visit& visit) { return show(visit); });
    site_.get("/reports/notices.csv", managers, [this](const Visit& visit) { return table(visit); });
}

ReportYear ReportPages::year_of(const Visit& visit, int year) {
    std::map<std::string, Instant> first;  // an escalation brings a notice again
    for (const auto& item : reader_.read([](const client::Box& box) { return box.inbox(true); })) {
        if (item.kind != schemas::Kind::social_care_notice) continue;
        const auto [there, fresh] = first.emplace(notice_of(item).reference, item.received);
        if (!fresh) there->second = std::min(there->second, item.received);
    }
    std::vector<Instant> received, lists;
    for (const auto& [reference, at] : first) received.push_back(at);
    for (const auto& load : book_.recent(loads_searched))
        if (load.code && desk::loaded_something(*load.code)) lists.push_back(load.finished);
    std::ranges::sort(lists);
    return report_year(year, received, lists, list_age_max_, visit.now);
}

namespace {

/// The year asked for, of the last ten; otherwise this one.
int asked_year(const Visit& visit) {
    const int current = place_of(visit.now).year;
    const std::string asked = visit.request.parameter("year");
    for (int year = current - 10; year <= current; ++year)
        if (asked == std::to_string(year)) return year;
    return current;
}

}  // namespace

Response ReportPages::show(const Visit& visit) {
    const int year = asked_year(visit), current = place_of(visit.now).year;
    const auto all = year_of(visit, year);
    const std::string finding = finding_of(all, year);
    std::vector<View> rows;
    for (const auto& month : all)
        rows.push_back(View{}
                           .text("month", month.name)
                           .text("notices", month.over ? std::to_string(month.notices) : "Not yet")
                           .text("list", !month.over        ? ""
                                         : month.late_list  ? late_words
                                         : month.known_list ? "In time"
                                                            : "Not known"));
    Page page{"reports", "Reports"};
    page.section = "/reports";
    page.section_itself = true;
    page.view.text("year_words", year_in_words(year))
        .text("finding", finding)
        .flag("any_late", std::ranges::any_of(all, &ReportMonth::late_list))
        .list("drawings", {draw(all, finding, true), draw(all, finding, false)})
        .list("months", rows)
        .text("csv", "/reports/notices.csv?year=" + std::to_string(year))
        .text("earlier", "/reports?year=" + std::to_string(year - 1))
        .flag("has_later", year < current)
        .text("later", "/reports?year=" + std::to_string(year + 1));
    return site_.page(visit, page);
}

Response ReportPages::table(const Visit& visit) {
    const int year = asked_year(visit);
    Response response;
    response.type = "text/csv; charset=utf-8";
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"notices-" + std::to_string(year) + ".csv\"");
    response.body = "Month,Notices,FlagListLate\n";
    for (const auto& month : year_of(visit, year))
        if (month.over)
            response.body += month.name + "," + std::to_string(month.notices) + "," +
                             (month.late_list ? "yes" : "no") + "\n";
    return response;
}

}  // namespace flagpost::social_care
