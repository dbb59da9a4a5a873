#include "broker/standing/volume.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "broker/standing/thresholds.h"

namespace flagpost::standing {
namespace {

using nlohmann::json;

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t week = 168;  // hours
constexpr std::array<std::int64_t, 7> windows{3, 6, 12, 24, 72, week, 2 * week};
constexpr std::int64_t kept_hours =
    std::chrono::duration_cast<std::chrono::hours>(volume_history_max).count() + windows.back();
constexpr std::chrono::minutes watched_gap_max{1};
constexpr std::size_t topics_max = 10'000;  // in a file
constexpr double burst = 4;                 // times what nine of ten hours stay below
constexpr std::uint64_t burst_least = 10;   // for topics with next to nothing
constexpr int not_judged = -1;              // slot of an hour on a bank holiday

std::int64_t hour_of(Instant at) { return to_us(at) / hour_us; }

/// One topic's hours, those that count only: watched, and no bank holiday.
struct Point {
    std::int64_t hour;
    int slot;        // hour of the week, 0..167
    double watched;  // share of the hour
    double count;
};

/// What hours of the week brought on average, by some of the past.
class Past {
public:
    void learn(const Point& point) {
        auto& [counts, watched] = slots_.at(static_cast<std::size_t>(point.slot));
        counts += point.count;
        watched += point.watched;
        watched_ += point.watched;
    }
    double watched_hours() const { return watched_; }
    double weeks() const { return watched_ / static_cast<double>(week); }
    /// Nothing for an hour of the week that was never watched.
    std::optional<double> expected(const Point& point) const {
        const auto& [counts, watched] = slots_.at(static_cast<std::size_t>(point.slot));
        if (watched <= 0) return std::nullopt;
        return counts / watched * point.watched;
    }

private:
    std::array<std::pair<double, double>, week> slots_{};
    double watched_ = 0;
};

struct Sum {
    double observed = 0, expected = 0;
    void add(const Past& past, const Point& point) {
        const auto expected_here = past.expected(point);
        if (!expected_here) return;
        observed += point.count;
        expected += *expected_here;
    }
};

/// How much windows of this length varied in the past, against a Poisson's 1.
double dispersion_of(const std::vector<Point>& points, const Past& past, std::int64_t begin,
                     std::int64_t length) {
    std::map<std::int64_t, Sum> sums;  // by window, counted back from `begin`
    for (const auto& point : points)
        if (point.hour < begin) sums[(begin - 1 - point.hour) / length].add(past, point);
    double squares = 0, counted = 0;
    for (const auto& [at, sum] : sums) {
        if (sum.expected < 1) continue;
        squares += (sum.observed - sum.expected) * (sum.observed - sum.expected) / sum.expected;
        ++counted;
    }
    // The expectation was fitted to the very same hours: that many of the windows are used up.
    const double free = counted * (1 - 1 / std::max(past.weeks(), 1.5));
    return free < 1 ? 1 : std::max(1.0, squares / free);
}

}  // namespace

double chance_of_at_most(std::uint64_t observed, double mean, double dispersion) {
    if (mean <= 0) return 1;
    const auto k = static_cast<double>(observed);
    const bool poisson = dispersion <= 1 + 1e-9;
    const double r = poisson ? 0 : mean / (dispersion - 1);
    const double q = poisson ? 0 : 1 - 1 / dispersion;
    const double log_of_k = poisson ? k * std::log(mean) - mean - std::lgamma(k + 1)
                                    : std::lgamma(r + k) - std::lgamma(r) - std::lgamma(k + 1) -
                                          r * std::log(dispersion) + k * std::log(q);
    // From the term of `observed` down, each from the one above it; above the mean they first rise.
    double term = 1, sum = 0;
    for (double i = k; i >= 0; --i) {
        sum += term;
        const double down = poisson ? i / mean : i / ((r + i - 1) * q);
        if (down < 1 && term < sum * 1e-12) break;
        term *= down;
        if (sum > 1e250) return 1;
    }
    return std::min(1.0, std::exp(log_of_k + std::log(sum)));
}

void Volumes::count(const std::vector<Flow>& flows, Instant at) {
    auto& cell = hours_[hour_of(at)];
    if (looked_ && at > *looked_ && at - *looked_ <= watched_gap_max)
        cell.watched_us = std::min(hour_us, cell.watched_us + (at - *looked_).count());
    looked_ = at;
    for (const auto& flow : flows) {
        auto& seen = seen_[flow.topic];
        if (flow.count > seen) cell.counts[flow.topic] += flow.count - seen;
        seen = flow.count;
    }
    hours_.erase(hours_.begin(), hours_.lower_bound(hour_of(at) - kept_hours));
}

std::vector<Volume> Volumes::judge(Instant now, const std::set<std::string>& bank_holidays) const {
    const Hour end = hour_of(now);
    std::map<Hour, int> slots;
    std::set<std::string> topics;
    for (const auto& [hour, cell] : hours_) {
        for (const auto& [topic, count] : cell.counts) topics.insert(topic);
        const auto local = zone_->to_local(date::sys_time<std::chrono::hours>{std::chrono::hours{hour}});
        const auto day = date::floor<date::days>(local);
        const auto weekday = date::weekday{day}.c_encoding();
        const auto of_day = date::floor<std::chrono::hours>(local - day).count();
        slots[hour] = bank_holidays.contains(date::format("%F", day))
                          ? not_judged
                          : static_cast<int>(weekday * 24 + static_cast<unsigned>(of_day));
    }
    std::vector<Volume> all;
    all.reserve(topics.size());
    for (const auto& topic : topics) all.push_back(judge(topic, end, slots));
    return all;
}

Volume Volumes::judge(const std::string& topic, Hour end, const std::map<Hour, int>& slots) const {
    std::vector<Point> points;
    for (const auto& [hour, cell] : hours_) {
        const int slot = slots.at(hour);
        if (hour >= end || slot == not_judged || cell.watched_us == 0) continue;
        const auto found = cell.counts.find(topic);
        const auto count = found == cell.counts.end() ? 0 : found->second;
        points.push_back(
            {hour, slot, static_cast<double>(cell.watched_us) / hour_us, static_cast<double>(count)});
    }
    // Before the first of it ever came it was not silent: it did not exist.
    const auto first = std::ranges::find_if(points, [](const Point& point) { return point.count > 0; });
    points.erase(points.begin(), first);
    if (points.empty()) return {topic};
    std::vector<double> counts;
    counts.reserve(points.size());
    for (const auto& point : points) counts.push_back(point.count);
    const auto ninth = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() * 9 / 10);
    std::ranges::nth_element(counts, ninth);
    const double most = burst * std::max(*ninth, static_cast<double>(burst_least) / burst);

    Volume volume{topic};
    std::optional<double> newest;  // chance of the shortest window that can be judged
    for (const auto length : windows) {
        const Hour begin = end - length;
        Past past;
        for (auto& point : points) {
            point.count = std::min(point.count, most);
            if (point.hour < begin) past.learn(point);
        }
        if (length == windows.front()) volume.history_days = past.watched_hours() / 24;
        if (past.watched_hours() < std::chrono::duration_cast<std::chrono::hours>(volume_history_min).count())
            continue;
        Sum sum;
        for (const auto& point : points)
            if (point.hour >= begin) sum.add(past, point);
        if (sum.expected < volume_expected_min) continue;
        // What is expected is itself only known from so many weeks.
        const double dispersion = dispersion_of(points, past, begin, length) * (1 + 1 / past.weeks());
        const auto observed = static_cast<std::uint64_t>(std::llround(sum.observed));
        const double chance = chance_of_at_most(observed, sum.expected, dispersion);
        if (!newest) newest = chance;
        if (volume.window.count() != 0 && chance >= volume.chance) continue;
        volume.window = std::chrono::hours{length};
        volume.observed = observed;
        volume.expected = sum.expected;
        volume.chance = chance;
        volume.until = from_us(end * hour_us);
    }
    volume.low = volume.chance < volume_chance_min && newest && *newest < volume_over_chance;
    return volume;
}

std::string Volumes::text() const {
    json hours = json::array();
    for (const auto& [hour, cell] : hours_)
        hours.push_back({
            {"hour",       hour           },
            {"watched_us", cell.watched_us},
            {"counts",     cell.counts    }
        });
    return json{
        {"version", 1               },
        {"hours",   std::move(hours)}
    }
        .dump();
}

Result<void> Volumes::restore(std::string_view text) {
    const auto bad = [](const char* where) { return refuse(Reason::malformed, where); };
    const json all = json::parse(text, nullptr, false);
    if (!all.is_object() || all.value("version", 0) != 1) return bad("volumes: version");
    const auto listed = all.find("hours");
    if (listed == all.end() || !listed->is_array() || listed->size() > kept_hours + 1)
        return bad("volumes: hours");
    std::map<Hour, Cell> hours;
    for (const auto& each : *listed) {
        if (!each.is_object()) return bad("volumes: hours");
        const auto hour = each.find("hour"), watched = each.find("watched_us"), counts = each.find("counts");
        if (hour == each.end() || !hour->is_number_integer() || watched == each.end() ||
            !watched->is_number_integer() || counts == each.end() || !counts->is_object() ||
            counts->size() > topics_max)
            return bad("volumes: hours");
        Cell cell;
        cell.watched_us = std::clamp(watched->get<std::int64_t>(), std::int64_t{0}, hour_us);
        for (const auto& [topic, count] : counts->items()) {
            if (!count.is_number_unsigned()) return bad("volumes: counts");
            cell.counts[topic] = count.get<std::uint64_t>();
        }
        hours[hour->get<Hour>()] = std::move(cell);
    }
    hours_ = std::move(hours);
    return {};
}

}  // namespace flagpost::standing
