#include "adapters/auditor/notices_file.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "adapters/auditor/commands.h"
#include "adapters/auditor/printable.h"
#include "adapters/client/load.h"
#include "adapters/web/months.h"

namespace flagpost::auditor {
namespace {

constexpr std::size_t number_max = 1'000'000;
constexpr std::size_t authority_size_max = 32;

std::optional<std::size_t> number_in(std::string_view text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number > number_max) return std::nullopt;
    return number;
}

/// A row with the place it stands at, for what is wrong with it.
struct CountedRow {
    const client::CsvRow& row;
    std::string where;

    const std::string& cell(const char* column) const {
        const auto found = row.cells.find(column);
        if (found == row.cells.end()) throw WrongUsage{where + ": has no column " + column};
        return found->second;
    }
    [[noreturn]] void fault(const char* column, const char* why) const {
        throw WrongUsage{where + ": " + column + ": " + why};
    }
    bool yes(const char* column) const {
        const auto& text = cell(column);
        if (text != "yes" && text != "no") fault(column, "should be yes or no");
        return text == "yes";
    }
};

struct MonthPlace {
    int year;
    std::size_t month;
};

MonthPlace place_in(const CountedRow& row) {
    const auto& text = row.cell("Month");
    const auto year = text.size() == 7 && text[4] == '-' ? number_in(text.substr(0, 4)) : std::nullopt;
    const auto month = year ? number_in(text.substr(5)) : std::nullopt;
    if (!month || *month < 1 || *month > 12) row.fault("Month", "should be as 2025-04");
    return {static_cast<int>(*year) - (*month < 4 ? 1 : 0), (*month + 8) % 12};
}

NoticesMonth month_in(const CountedRow& row) {
    NoticesMonth month;
    month.notices = row.cell("Notices");
    const auto few = month.notices.find(" to ");
    const auto low = number_in(month.notices.substr(0, few));
    const auto high = few == std::string::npos ? low : number_in(month.notices.substr(few + 4));
    if (!low || !high || *low > *high) row.fault("Notices", "should be a number, or 1 to 4");
    month.low = *low;
    month.high = *high;
    const auto &from = row.cell("ExpectedLow"), &to = row.cell("ExpectedHigh");
    if (!from.empty() || !to.empty()) {
        const auto least = number_in(from), most = number_in(to);
        if (!least || !most || *least > *most)
            row.fault("ExpectedLow", "should be no more than ExpectedHigh");
        month.expected = {*least, *most};
    }
    month.late_list = row.yes("FlagListLate");
    month.cut_off = row.yes("ConnectionLost");
    return month;
}

std::string year_in_words(int year) {
    return "April " + std::to_string(year) + " to March " + std::to_string(year + 1);
}

/// Whether fewer came than expected, as far as it can be told.
std::string fewer_in_words(const std::string& fewer, const std::string& unclear, std::size_t told,
                           std::size_t ranged) {
    const std::string may_be =
        unclear.empty() ? "" : "Whether fewer came than expected cannot be told of " + unclear + ". ";
    if (!fewer.empty()) return "Fewer than expected: " + fewer + ". " + may_be;
    if (ranged == 0)
        return "No month has an expected range, so whether fewer came than expected is not known. ";
    if (!may_be.empty()) return may_be;
    if (ranged == told) return "No month brought fewer than expected. ";
    return (ranged == 1 ? "The one month with an expected range did not bring fewer. "
                        : "None of the " + std::to_string(ranged) +
                              " months with an expected range brought fewer. ") +
           std::to_string(told - ranged) + (told - ranged == 1 ? " month has none. " : " months have none. ");
}

std::string finding_of(const NoticesYear& year) {
    std::size_t low = 0, high = 0;
    std::string lacking, few, unclear;
    std::size_t told = 0, ranged = 0;
    for (std::size_t i = 0; i < year.months.size(); ++i) {
        const auto& month = year.months.at(i);
        low += month.low;
        high += month.high;
        const auto add = [&](std::string& names) {
            names += (names.empty() ? "" : ", ") + std::string{web::months_from_april.at(i)};
        };
        if (month.late_list || month.cut_off) add(lacking);
        told += month.notices.empty() ? 0 : 1;
        if (month.notices.empty() || !month.expected) continue;
        ++ranged;
        if (month.high < month.expected->first)
            add(few);
        else if (month.low < month.expected->first)
            add(unclear);
    }
    return std::to_string(low) + (low == high ? "" : " to " + std::to_string(high)) +
           (high == 1 ? " notice came. " : " notices came. ") + fewer_in_words(few, unclear, told, ranged) +
           (lacking.empty() ? "The authority knows of no month in which some may be missing."
                            : "Some may be missing, and the month is hatched: " + lacking + ".");
}

}  // namespace

std::vector<NoticesYear> read_notices(const std::vector<std::filesystem::path>& files) {
    std::map<std::pair<std::string, int>, NoticesYear> years;
    for (const auto& file : files) {
        const auto csv = client::CsvFile::read(file);
        if (!csv) throw WrongUsage{file.string() + ": " + csv.error().where};
        if (!csv->bad_rows().empty())
            throw WrongUsage{file.string() + ":" + std::to_string(csv->bad_rows().front().line) + ": " +
                             csv->bad_rows().front().why};
        if (csv->rows().size() > notices_rows_max) throw WrongUsage{file.string() + ": is too long"};
        for (const auto& each : csv->rows()) {
            const CountedRow row{each, file.string() + ":" + std::to_string(each.line)};
            const auto& authority = row.cell("Authority");
            if (authority.empty() || authority.size() > authority_size_max)
                row.fault("Authority", "should be a code");
            const MonthPlace place = place_in(row);
            auto& year = years.try_emplace({authority, place.year}, NoticesYear{authority, place.year, {}})
                             .first->second;
            auto& month = year.months.at(place.month);
            if (!month.notices.empty()) row.fault("Month", "is there twice");
            month = month_in(row);
        }
    }
    std::vector<NoticesYear> all;
    for (auto& [name, year] : years) all.push_back(std::move(year));
    return all;
}

std::vector<Chart> charts_of(const std::vector<NoticesYear>& years) {
    std::size_t most = 1;
    for (const auto& year : years)
        for (const auto& month : year.months)
            most = std::max({most, month.high, month.expected ? month.expected->second : 0});
    std::vector<Chart> all;
    for (const auto& year : years) {
        Chart chart{
            "notices-" + std::to_string(all.size() + 1),
            "Notices each month, authority " + printable(year.authority) + ", " + year_in_words(year.year),
            finding_of(year),
            {                 },
            {"Month",            "Notices", "Expected", "Flag list late", "Connection lost"},
            {},
            {}
        };
        if (std::ranges::any_of(year.months, [](const auto& month) { return month.expected.has_value(); }))
            chart.more =
                "Between the two lines of a month lie 19 of 20 months, if all is as in the months before.";
        std::vector<web::MonthBar> bars;
        for (std::size_t i = 0; i < year.months.size(); ++i) {
            const auto& month = year.months.at(i);
            const bool told = !month.notices.empty();
            bars.push_back({web::months_from_april.at(i), month.notices, month.high,
                            month.late_list || month.cut_off, month.expected});
            chart.rows.push_back({web::months_from_april.at(i), told ? month.notices : "Not told",
                                  month.expected ? std::to_string(month.expected->first) + " to " +
                                                       std::to_string(month.expected->second)
                                                 : "",
                                  month.late_list ? "Yes"
                                  : told          ? "No"
                                                  : "",
                                  month.cut_off ? "Yes"
                                  : told        ? "No"
                                                : ""});
        }
        for (const bool wide : {true, false})
            chart.drawings.push_back(
                web::draw_months(bars, chart.heading, chart.finding, most, chart.name, wide));
        all.push_back(std::move(chart));
    }
    return all;
}

}  // namespace flagpost::auditor
