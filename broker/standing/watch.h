/// What somebody has to do something about: alarms, each with an owner and in plain words.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "broker/standing/standing.h"
#include "broker/standing/thresholds.h"

namespace flagpost::standing {

enum class Urgency {
    now,   // something that was promised does not happen
    soon,  // it will not, if nobody does anything
};

struct Alarm {
    std::string code;   // closed list: docs/guides/operate.md has a row for each
    std::string about;  // agency or authority; empty: the broker itself
    Urgency urgency;
    Instant since;
    std::string owner;  // agency whose people have to act
    std::string what;   // one sentence
    std::string to_do;  // another
    friend bool operator==(const Alarm&, const Alarm&) = default;
};

/// What is borne before it is an alarm; what an operator may set. Everything else is in core/limits.h.
struct Patience {
    std::chrono::minutes silence = silence_max;
    std::chrono::minutes feed_age = feed_age_max;  // also for the first load of flags, and of a roll
    std::chrono::minutes roll_age = roll_age_max;
};

/// The alarms of one moment, most urgent and oldest first; `since` is `standing.at` where the facts do not tell.
std::vector<Alarm> alarms_of(const Standing& standing, const Patience& patience);

/// Looks again and again, and so knows since when. Belongs to the thread that looks.
class Watch {
public:
    explicit Watch(Patience patience) : patience_{patience} {}

    struct Seen {
        std::vector<Alarm> alarms;  // as of alarms_of
        std::vector<Alarm> begun, ended;
    };
    Seen look(const Standing& standing);

private:
    using Name = std::pair<std::string, std::string>;  // code and about
    Patience patience_;
    std::map<Name, Alarm> known_;
};

/// "26 hours", "3 days", "1 minute": the largest unit of which there are two, rounded down.
std::string words_of(std::chrono::microseconds duration);

/// "Everything is working", "1 thing needs somebody", "3 things need somebody".
std::string headline(std::size_t alarms);

}  // namespace flagpost::standing
