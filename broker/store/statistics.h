/// What dashboards and management figures are made of, apart from the log. Whoever counts for those reads this and never a
/// leaf: the log is kept for showing that processing was lawful, and may serve little else (Data Protection Act 2018,
/// section 62(4)).
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "broker/core/clock.h"
#include "broker/log/record.h"

namespace flagpost::store {

/// What is counted as one: the hour, what happened, the kind of agency it concerns, the class of topic, and within what
/// time of what it answers. No reference, no person, no agency, no digest of any.
struct Event {
    std::chrono::sys_time<std::chrono::hours> hour;
    log::LeafKind kind;
    std::string agency;           // "school": of the recipient where there is one, else of who did it
    std::string_view topic;       // "notices", for ever; "" where there is none
    std::chrono::seconds within;  // one of `within_steps`; zero: it answers nothing
    friend auto operator<=>(const Event&, const Event&) = default;
};

/// The last stands for anything longer, too.
inline constexpr std::array<std::chrono::seconds, 7> within_steps{
    std::chrono::minutes{15}, std::chrono::hours{1}, std::chrono::hours{4}, std::chrono::hours{16},
    std::chrono::days{3},     std::chrono::days{7},  std::chrono::days{366}};

/// Events by what they count as. Belongs to whoever makes it.
class Tally {
public:
    struct Count {
        std::uint64_t count = 0;
        std::chrono::seconds waited{0};  // all of them together
        friend bool operator==(const Count&, const Count&) = default;
    };

    void add(const log::Record& record);
    void add(const Tally& other);
    bool empty() const { return counts_.empty(); }
    const std::map<Event, Count>& counts() const { return counts_; }

private:
    std::map<Event, Count> counts_;
};

}  // namespace flagpost::store
