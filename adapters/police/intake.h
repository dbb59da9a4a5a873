/// Takes incidents into the outbox, each version of each once, whoever hands it over and however often.
#pragma once

#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/desk/fields.h"

namespace flagpost::police {

/// One incident that can be published.
struct Handed {
    std::string reference;
    std::uint32_t version;  // as the source has it; 1 where it is counted
    bool counted;           // the source has none: what differs from the version sent last is the next
    Bytes payload;
    std::string source;                // "day.csv:17", for reports
    std::vector<std::size_t> records;  // of its file
};

/// What lies further ahead than this is noted: a typing error, day and month the wrong way round, or a clock that is wrong.
inline constexpr auto ahead_max = std::chrono::hours{24};

/// Reads an incident of our own fields, and packs it. Nothing if `findings` says why not.
std::optional<Handed> handed_of(const nlohmann::json& object, const std::string& force, bool counted,
                                std::string source, Instant now, desk::Findings& findings);

enum class Became {
    queued,
    known,     // the same content was taken before as this version; nothing is to be done
    conflict,  // other content was taken before as this version
};

/// Of a version in conflict.
inline constexpr auto conflict_why = "was published before with other content: give it the next number";

struct Taken {
    Became became;
    std::uint32_t version;
    std::optional<Id16> message;  // of the outbox, where it is known
};

enum class TurnedAway { full, busy };

/// Safe for several threads, one of which it serves at a time.
class Intake {
public:
    /// Nobody else uses this box object; others may use the file.
    Intake(client::Box& box, std::string force, Clock& clock)
        : box_{box}, force_{std::move(force)}, clock_{clock} {}

    const std::string& force() const { return force_; }
    Instant now() { return clock_.now(); }
    /// As Box::marked and Box::has_waiting.
    bool marked(const std::string& mark);
    bool has_waiting(std::uint64_t at_least);

    /// All that is not known and in no conflict, durably and in order, or nothing, if it throws. With `together` nothing
    /// if one is in conflict: the answer ends with it. `mark` as in Box::enqueue. An incident that the broker refused for
    /// good may be handed over again.
    std::vector<Taken> take(const std::vector<Handed>& incidents, const std::optional<std::string>& mark = {},
                            bool together = false);
    /// The same, together and without a mark; nothing is taken where so many wait to be confirmed, or while others are
    /// served for so long.
    tl::expected<std::vector<Taken>, TurnedAway> try_take_together(const std::vector<Handed>& incidents,
                                                                   std::uint64_t waiting_max,
                                                                   std::chrono::milliseconds patience);
    /// What take would answer; nothing is changed.
    std::vector<Taken> judge(const std::vector<Handed>& incidents);

private:
    std::vector<Taken> take_locked(const std::vector<Handed>& incidents,
                                   const std::optional<std::string>& mark, bool together);
    Taken take_one(const Handed& incident, bool really);

    std::timed_mutex lock_;  // guards box_
    client::Box& box_;
    const std::string force_;
    Clock& clock_;
};

}  // namespace flagpost::police
