#include "adapters/social_care/report_pages.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "adapters/desk/words.h"
#include "adapters/social_care/notice_words.h"
#include "adapters/web/months.h"

namespace flagpost::social_care {
namespace {

using web::Page;
using web::Response;
using web::View;
using web::Visit;

const std::set<std::string> managers{"manager"};
constexpr std::size_t lists_looked_at = 5'000;
constexpr auto late_words = "Flag list late: notices may be missing";
constexpr auto cut_off_words = "Lost for more than a day: notices may be missing";

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
void mark_between(ReportYear& all, int year, Instant from, Instant until, bool ReportMonth::*mark) {
    const auto touch = [&](Instant at) {
        const Place place = place_of(at);
        if (place.year == year) all.at(place.month).*mark = true;
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
    std::vector<std::string> few, cut_off;
    bool any_expected = false, known = false, any_without = false, any_unknown = false;
    for (const auto& month : all) {
        any_without = any_without || (month.ended && !month.expected);
        known = known || (month.over && month.known_list);
        any_unknown = any_unknown || (month.over && !month.known_list);
        notices += month.notices;
        late += month.late_list ? 1 : 0;
        if (month.cut_off) cut_off.push_back(month.name);
        if (!month.ended || !month.expected) continue;
        any_expected = true;
        if (month.notices < month.expected->low) few.push_back(month.name);
    }
    return std::to_string(notices) + (notices == 1 ? " notice" : " notices") + " came in " +
           year_in_words(year) + ". " +
           (!few.empty()    ? "Fewer than expected came in " + names_of(few) + ". "
            : !any_expected ? ""
            : any_without   ? "No month of which the expected range is known brought fewer. "
                            : "No month brought fewer than expected. ") +
           (late > 0
                ? "The flag list was late in " + std::to_string(late) + (late == 1 ? " month." : " months.")
            : !known      ? "Whether the flag list was late is not known here."
            : any_unknown ? "The flag list was late in no month of which that is known."
                          : "The flag list was late in no month.") +
           (cut_off.empty() ? ""
                            : " Flagpost was out of reach for more than a day in " + names_of(cut_off) + ".");
}

std::string in_words(const std::optional<Expected>& expected) {
    if (!expected) return "Not known";
    return std::to_string(expected->low) + " to " + std::to_string(expected->high);
}

std::vector<web::MonthBar> bars_of(const ReportYear& all) {
    std::vector<web::MonthBar> bars;
    for (const auto& month : all) {
        web::MonthBar bar{month.name, month.over ? std::to_string(month.notices) : "", month.notices,
                          month.may_lack()};
        if (month.expected) bar.expected = {month.expected->low, month.expected->high};
        bars.push_back(bar);
    }
    return bars;
}

/// Notices by month of the year that begins in April of `year`.
std::array<std::size_t, 12> count_in(int year, const std::vector<Place>& received) {
    std::array<std::size_t, 12> counts{};
    for (const Place& place : received)
        if (place.year == year) ++counts.at(place.month);
    return counts;
}

/// A list is late from when it is older than agreed until the next; before the first nothing is known.
void mark_late(ReportYear& all, int year, const std::vector<Instant>& lists, std::chrono::hours list_age_max,
               Instant now) {
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const Instant next = i + 1 < lists.size() ? lists[i + 1] : now;
        mark_between(all, year, lists[i] + list_age_max, next, &ReportMonth::late_list);
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
                       std::chrono::hours list_age_max, Instant now, const Contact& contact) {
    const Place today = place_of(now);
    const Place begin = received.empty() ? today : place_of(std::ranges::min(received));
    const auto is_after = [](int a_year, std::size_t a_month, const Place& b) {
        return a_year > b.year || (a_year == b.year && a_month > b.month);
    };
    std::vector<Place> places;  // once: what day it was in London takes most of the time
    for (const Instant at : received) places.push_back(place_of(at));
    constexpr int years_learnt = 3;
    std::vector<std::size_t> learnt;
    ReportYear all;
    for (int each = year - years_learnt; each <= year; ++each) {
        all = {};
        const auto counts = count_in(each, places);
        mark_late(all, each, lists, list_age_max, now);
        for (const auto& silence : contact.silences)
            mark_between(all, each, silence.from, silence.until, &ReportMonth::cut_off);
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto& month = all.at(i);
            month.name = web::months_from_april.at(i);
            month.notices = counts.at(i);
            month.ended = is_after(today.year, today.month, {each, i});
            month.over = month.ended || (today.year == each && today.month == i);
            const bool counts_for_others = is_after(each, i, begin) && month.ended;
            if (month.over) month.expected = expected_after(learnt);
            if (counts_for_others && !month.may_lack()) learnt.push_back(month.notices);
        }
    }
    for (const Instant at : lists) {
        const Place place = place_of(at);
        for (std::size_t i = place.year < year ? 0 : place.month; place.year <= year && i < all.size(); ++i)
            all.at(i).known_list = true;
    }
    if (contact.known_from) {
        const Place place = place_of(*contact.known_from);
        for (std::size_t i = 0; i < all.size(); ++i) all.at(i).known_contact = is_after(year, i, place);
    }
    return all;
}

ReportPages::ReportPages(web::Site& site, web::Reader& reader, const web::Journal& journal, FlagBook& book,
                         std::string own, std::uint32_t flag_list_hours_max)
    : site_{site},
      reader_{reader},
      journal_{journal},
      book_{book},
      own_{std::move(own)},
      list_age_max_{flag_list_hours_max} {
    site_.get("/reports", managers, [this](const Visit& visit) { return show(visit); });
    site_.get("/reports/notices.csv", managers, [this](const Visit& visit) { return table(visit); });
}

std::string ReportPages::name_of(const std::string& authority) const {
    return authority == own_ ? site_.settings().organisation : "Authority " + desk::printable(authority);
}

std::vector<std::pair<std::string, ReportYear>> ReportPages::year_of(const Visit& visit, int year) {
    // By authority and reference: an escalation may bring a notice over another mailbox again.
    std::map<std::pair<std::string, std::string>, Instant> first;
    for (auto& each : reader_.read(
             [](const client::Box& box) { return box.arrivals(schemas::Kind::social_care_notice); })) {
        const auto [there, fresh] = first.emplace(
            std::pair{each.topic.substr(each.topic.rfind('/') + 1), each.reference}, each.received);
        if (!fresh) there->second = std::min(there->second, each.received);
    }
    std::map<std::string, std::vector<Instant>> received{
        {own_, {}}
    };
    for (const auto& [notice, at] : first) received[notice.first].push_back(at);
    std::vector<Instant> lists;
    for (const auto& load : book_.recent(lists_looked_at))
        if (load.code && desk::loaded_something(*load.code)) lists.push_back(load.finished);
    std::ranges::sort(lists);
    const Contact contact{journal_.first_heard(), journal_.silences(silence_told, visit.now)};
    std::vector<std::pair<std::string, ReportYear>> all;
    for (const auto& [authority, times] : received)
        all.emplace_back(authority,
                         report_year(year, times, authority == own_ ? lists : std::vector<Instant>{},
                                     list_age_max_, visit.now, contact));
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

/// "2025-04" of April in the year that begins then.
std::string iso_month(int year, std::size_t of) {
    const std::size_t number = (of + 3) % 12 + 1;
    return std::to_string(of < 9 ? year : year + 1) + (number < 10 ? "-0" : "-") + std::to_string(number);
}

View row_of(const ReportMonth& month) {
    return View{}
        .text("month", month.name)
        .text("notices", month.over ? std::to_string(month.notices) : "Not yet")
        .text("expected", month.over ? in_words(month.expected) : "")
        .text("list", !month.over        ? ""
                      : month.late_list  ? late_words
                      : month.known_list ? "In time"
                                         : "Not known")
        .text("contact", !month.over           ? ""
                         : month.cut_off       ? cut_off_words
                         : month.known_contact ? "Kept"
                                               : "Not known");
}

}  // namespace

Response ReportPages::show(const Visit& visit) {
    const int year = asked_year(visit), current = place_of(visit.now).year;
    const auto all = year_of(visit, year);
    std::size_t most = 1;
    bool any_late = false, any_cut_off = false, any_expected = false;
    for (const auto& [authority, report] : all)
        for (const auto& month : report) {
            most = std::max({most, month.notices, month.expected ? month.expected->high : 0});
            any_late = any_late || month.late_list;
            any_cut_off = any_cut_off || month.cut_off;
            any_expected = any_expected || month.expected;
        }
    std::vector<View> authorities;
    for (const auto& [authority, report] : all) {
        const std::string finding = finding_of(report, year), called = name_of(authority),
                          title = "Notices each month, " + called,
                          id = authorities.empty() ? "notices"
                                                   : "notices-" + std::to_string(authorities.size() + 1);
        std::vector<View> rows;
        for (const auto& month : report) rows.push_back(row_of(month));
        authorities.push_back(
            View{}
                .text("part_id", id + "-h")
                .text("authority", called)
                .text("finding", finding)
                .list("drawings", {draw_months(bars_of(report), title, finding, most, id, true),
                                   draw_months(bars_of(report), title, finding, most, id, false)})
                .list("months", rows));
    }
    Page page{"reports", "Reports"};
    page.section = "/reports";
    page.section_itself = true;
    const std::string csv = "/reports/notices.csv?year=" + std::to_string(year);
    page.view.text("year_words", year_in_words(year))
        .flag("any_late", any_late)
        .flag("any_cut_off", any_cut_off)
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
    response.body = "Authority,Month,Notices,ExpectedLow,ExpectedHigh,FlagListLate,ConnectionLost\n";
    for (const auto& [authority, report] : year_of(visit, year))
        for (std::size_t i = 0; i < report.size(); ++i) {
            const auto& month = report.at(i);
            if (!month.over) continue;
            const auto end = [&](std::size_t Expected::*which) {
                return month.expected ? std::to_string((*month.expected).*which) : std::string{};
            };
            response.body += authority + "," + iso_month(year, i) + "," +
                             (outside ? count_outside(month.notices) : std::to_string(month.notices)) + "," +
                             end(&Expected::low) + "," + end(&Expected::high) + "," +
                             (month.late_list ? "yes" : "no") + "," + (month.cut_off ? "yes" : "no") + "\n";
        }
    return response;
}

}  // namespace flagpost::social_care
