#include "adapters/social_care/report_pages.h"

#include <algorithm>
#include <cmath>
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
constexpr std::size_t lists_looked_at = 5'000;
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
void mark_between(ReportYear& all, int year, Instant from, Instant until) {
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

std::string names_of(const std::vector<std::string>& months_named) {
    std::string words;
    for (std::size_t i = 0; i < months_named.size(); ++i)
        words += (i == 0 ? "" : i + 1 == months_named.size() ? " and " : ", ") + months_named[i];
    return words;
}

/// What the months show, in sentences with numbers.
std::string finding_of(const ReportYear& all, int year) {
    std::size_t notices = 0, late = 0;
    std::vector<std::string> few;
    bool any_expected = false;
    for (const auto& month : all) {
        notices += month.notices;
        late += month.late_list ? 1 : 0;
        if (!month.ended || !month.expected) continue;
        any_expected = true;
        if (month.notices < month.expected->low) few.push_back(month.name);
    }
    return std::to_string(notices) + (notices == 1 ? " notice" : " notices") + " came in " +
           year_in_words(year) + ". " +
           (!few.empty()   ? "Fewer than expected came in " + names_of(few) + ". "
            : any_expected ? "No month brought fewer than expected. "
                           : "") +
           "The flag list was late in " +
           (late == 0 ? std::string{"no month"} : std::to_string(late) + (late == 1 ? " month" : " months")) +
           ".";
}

std::string in_words(const std::optional<Expected>& expected) {
    if (!expected) return "Not known";
    return std::to_string(expected->low) + " to " + std::to_string(expected->high);
}

/// One chart of an authority's months. `most`: what the scale reaches to, the same for every authority.
View draw(const ReportYear& all, const std::string& called, const std::string& finding, std::size_t most,
          const std::string& id, bool wide) {
    const int width = wide ? 700 : 288, height = wide ? 230 : 470;
    Drawing drawing{id + (wide ? "-wide" : "-narrow"), wide, width, height};
    const auto share = [&](std::size_t notices) {
        return static_cast<double>(notices) / static_cast<double>(most);
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& month = all.at(i);
        const std::string number = month.over ? std::to_string(month.notices) : "";
        if (wide) {
            const double step = (width - 20.0) / 12, x = 10 + step * static_cast<double>(i),
                         bottom = height - 34.0, tall = bottom - 30;
            const double bar = std::max(tall * share(month.notices), month.over ? 2.0 : 0.0);
            if (month.over)
                drawing.bar(x + 6, bottom - bar, step - 12, bar, colours::dark_blue, month.late_list);
            drawing.text(x + step / 2, bottom - bar - 6, number, Anchor::middle, true);
            drawing.text(x + step / 2, height - 12.0, month.name.substr(0, 3), Anchor::middle);
            if (month.expected)
                for (const auto end : {month.expected->low, month.expected->high}) {
                    const double y = bottom - tall * share(end);
                    drawing.line(x + 1, y, x + step - 1, y, colours::dark_pink, 2);
                }
        } else {
            const double y = 6 + 38.0 * static_cast<double>(i), full = 190;
            const double bar = std::max(full * share(month.notices), month.over ? 2.0 : 0.0);
            drawing.text(0, y + 20, month.name.substr(0, 3));
            if (month.over) drawing.bar(44, y, bar, 28, colours::dark_blue, month.late_list);
            if (month.expected)
                for (const auto end : {month.expected->low, month.expected->high}) {
                    const double x = 44 + full * share(end);
                    drawing.line(x, y - 4, x, y + 32, colours::dark_pink, 2);
                }
            drawing.text(50 + bar, y + 20, number, Anchor::start, true);
        }
    }
    if (wide) drawing.line(10, height - 34.0, width - 10.0, height - 34.0, colours::ink);
    return drawing.view(called, finding);
}

/// Notices by month of the year that begins in April of `year`.
std::array<std::size_t, 12> count_in(int year, const std::vector<Instant>& received) {
    std::array<std::size_t, 12> counts{};
    for (const Instant at : received)
        if (const Place place = place_of(at); place.year == year) ++counts.at(place.month);
    return counts;
}

/// A list is late from when it is older than agreed until the next; before the first nothing is known.
void mark_late(ReportYear& all, int year, const std::vector<Instant>& lists, std::chrono::hours list_age_max,
               Instant now) {
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const Instant next = i + 1 < lists.size() ? lists[i + 1] : now;
        mark_between(all, year, lists[i] + list_age_max, next);
    }
}

}  // namespace

std::optional<Expected> expected_after(const std::vector<std::size_t>& all_months) {
    const auto kept = std::min(all_months.size(), months_learnt_max);
    if (kept < months_learnt_min) return std::nullopt;
    const std::vector<std::size_t> learnt{all_months.end() - static_cast<std::ptrdiff_t>(kept),
                                          all_months.end()};
    const auto count = static_cast<double>(kept);
    double sum = 0, squares = 0;
    for (const auto each : learnt) sum += static_cast<double>(each);
    const double mean = sum / count;
    if (mean <= 0) return Expected{0, 0};
    for (const auto each : learnt) {
        const double apart = static_cast<double>(each) - mean;
        squares += apart * apart / mean;
    }
    // The mean is itself known from so many months only.
    const double dispersion = std::max(1.0, squares / (count - 1)) * (1 + 1 / count);
    const double away = 1.96 * std::sqrt(mean * dispersion);
    return Expected{static_cast<std::size_t>(std::ceil(std::max(0.0, mean - away))),
                    static_cast<std::size_t>(std::floor(mean + away))};
}

std::string count_outside(std::size_t notices) {
    return notices >= 1 && notices < 5 ? "1 to 4" : std::to_string(notices);
}

ReportYear report_year(int year, const std::vector<Instant>& received, const std::vector<Instant>& lists,
                       std::chrono::hours list_age_max, Instant now) {
    const Place today = place_of(now);
    const Place begin = received.empty() ? today : place_of(std::ranges::min(received));
    const auto is_after = [](int a_year, std::size_t a_month, const Place& b) {
        return a_year > b.year || (a_year == b.year && a_month > b.month);
    };
    constexpr int years_learnt = 3;
    std::vector<std::size_t> learnt;
    ReportYear all;
    for (int each = year - years_learnt; each <= year; ++each) {
        all = {};
        const auto counts = count_in(each, received);
        mark_late(all, each, lists, list_age_max, now);
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto& month = all.at(i);
            month.name = months.at(i);
            month.notices = counts.at(i);
            month.ended = is_after(today.year, today.month, {each, i});
            month.over = month.ended || (today.year == each && today.month == i);
            const bool counts_for_others = is_after(each, i, begin) && month.ended;
            if (month.over) month.expected = expected_after(learnt);
            if (counts_for_others && !month.late_list) learnt.push_back(month.notices);
        }
    }
    for (const Instant at : lists) {
        const Place place = place_of(at);
        for (std::size_t i = place.year < year ? 0 : place.month; place.year <= year && i < all.size(); ++i)
            all.at(i).known_list = true;
    }
    return all;
}

ReportPages::ReportPages(web::Site& site, web::Reader& reader, FlagBook& book, std::string own,
                         std::uint32_t flag_list_hours_max)
    : site_{site}, reader_{reader}, book_{book}, own_{std::move(own)}, list_age_max_{flag_list_hours_max} {
    site_.get("/reports", managers, [this](const Visit& visit) { return show(visit); });
    site_.get("/reports/notices.csv", managers, [this](const Visit& visit) { return table(visit); });
}

std::string ReportPages::name_of(const std::string& authority) const {
    return authority == own_ ? site_.settings().organisation : "Authority " + desk::printable(authority);
}

std::vector<std::pair<std::string, ReportYear>> ReportPages::year_of(const Visit& visit, int year) {
    std::map<std::pair<std::string, std::string>, Instant> first;  // an escalation brings a notice again
    for (const auto& item : reader_.read([](const client::Box& box) { return box.inbox(true); })) {
        if (item.kind != schemas::Kind::social_care_notice) continue;
        const auto notice = notice_of(item);
        const auto [there, fresh] = first.emplace(std::pair{notice.la, notice.reference}, item.received);
        if (!fresh) there->second = std::min(there->second, item.received);
    }
    std::map<std::string, std::vector<Instant>> received{
        {own_, {}}
    };
    for (const auto& [notice, at] : first) received[notice.first].push_back(at);
    std::vector<Instant> lists;
    for (const auto& load : book_.recent(lists_looked_at))
        if (load.code && desk::loaded_something(*load.code)) lists.push_back(load.finished);
    std::ranges::sort(lists);
    std::vector<std::pair<std::string, ReportYear>> all;
    for (const auto& [authority, times] : received)
        all.emplace_back(authority,
                         report_year(year, times, authority == own_ ? lists : std::vector<Instant>{},
                                     list_age_max_, visit.now));
    std::stable_partition(all.begin(), all.end(), [&](const auto& each) { return each.first == own_; });
    return all;
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

View row_of(const ReportMonth& month) {
    return View{}
        .text("month", month.name)
        .text("notices", month.over ? std::to_string(month.notices) : "Not yet")
        .text("expected", month.over ? in_words(month.expected) : "")
        .text("list", !month.over        ? ""
                      : month.late_list  ? late_words
                      : month.known_list ? "In time"
                                         : "Not known");
}

}  // namespace

Response ReportPages::show(const Visit& visit) {
    const int year = asked_year(visit), current = place_of(visit.now).year;
    const auto all = year_of(visit, year);
    std::size_t most = 1;
    bool any_late = false, any_expected = false;
    for (const auto& [authority, report] : all)
        for (const auto& month : report) {
            most = std::max({most, month.notices, month.expected ? month.expected->high : 0});
            any_late = any_late || month.late_list;
            any_expected = any_expected || month.expected;
        }
    std::vector<View> authorities;
    for (const auto& [authority, report] : all) {
        const std::string finding = finding_of(report, year), called = name_of(authority),
                          id = authorities.empty() ? "notices"
                                                   : "notices-" + std::to_string(authorities.size() + 1);
        std::vector<View> rows;
        for (const auto& month : report) rows.push_back(row_of(month));
        authorities.push_back(
            View{}
                .text("part_id", id + "-h")
                .text("authority", called)
                .text("finding", finding)
                .list("drawings", {draw(report, "Notices each month, " + called, finding, most, id, true),
                                   draw(report, "Notices each month, " + called, finding, most, id, false)})
                .list("months", rows));
    }
    Page page{"reports", "Reports"};
    page.section = "/reports";
    page.section_itself = true;
    const std::string csv = "/reports/notices.csv?year=" + std::to_string(year);
    page.view.text("year_words", year_in_words(year))
        .flag("any_late", any_late)
        .flag("any_expected", any_expected)
        .list("authorities", authorities)
        .text("csv", csv)
        .text("csv_outside", csv + "&outside=1")
        .text("earlier", "/reports?year=" + std::to_string(year - 1))
        .flag("has_later", year < current)
        .text("later", "/reports?year=" + std::to_string(year + 1));
    return site_.page(visit, page);
}

Response ReportPages::table(const Visit& visit) {
    const int year = asked_year(visit);
    const bool outside = visit.request.parameter("outside") == "1";
    Response response;
    response.type = "text/csv; charset=utf-8";
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"notices-" + std::to_string(year) + ".csv\"");
    response.body = "Authority,Month,Notices,ExpectedLow,ExpectedHigh,FlagListLate\n";
    for (const auto& [authority, report] : year_of(visit, year))
        for (const auto& month : report) {
            if (!month.over) continue;
            const auto end = [&](std::size_t Expected::*which) {
                return month.expected ? std::to_string((*month.expected).*which) : std::string{};
            };
            response.body += authority + "," + month.name + "," +
                             (outside ? count_outside(month.notices) : std::to_string(month.notices)) + "," +
                             end(&Expected::low) + "," + end(&Expected::high) + "," +
                             (month.late_list ? "yes" : "no") + "\n";
        }
    return response;
}

}  // namespace flagpost::social_care
