/// When somebody is told outside Flagpost that there is something new, and when that is tried again. Time comes as an argument.
#pragma once

#include <optional>
#include <string>

#include "broker/core/clock.h"

namespace flagpost::school {

inline constexpr auto ping_gap = std::chrono::minutes{1};  // between two pings that succeed
inline constexpr auto ping_retry_first =
    std::chrono::seconds{5};  // doubled with each failure, up to the next
inline constexpr auto ping_retry_max = std::chrono::minutes{10};

class Pinging {
public:
    struct State {
        Instant told;  // the newest notice that anybody was told of had come by then
        std::optional<Instant> failing_since;
        std::string why;  // of the last failure, without any data
        unsigned failures = 0;
        friend bool operator==(const State&, const State&) = default;
    };
    explicit Pinging(State before) : state_{std::move(before)} {}

    /// `newest`: when the newest notice came that nobody has opened; nothing where all are opened. True: an attempt begins
    /// now, and its end will be said. One at a time; what comes meanwhile is told of by the next.
    bool begin(std::optional<Instant> newest, Instant now);
    /// The attempt has ended; with why, if it failed.
    void ended(const std::optional<std::string>& failure, Instant now);

    const State& state() const { return state_; }

private:
    State state_;
    std::optional<Instant> under_way_;  // the newest notice the attempt tells of
    std::optional<Instant> not_before_;
};

/// For a fact in the box, and back; a text that is none gives the state of a program that never told anybody.
std::string text_of(const Pinging::State& state);
Pinging::State state_of(const std::string& text);

/// "Nobody could be told of new notices since ...: ..."; empty while nothing fails.
std::string failure_in_words(const Pinging::State& state);

}  // namespace flagpost::school
