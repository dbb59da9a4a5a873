/// How the broker stands at one moment, for those who keep it running: counts, ages and agencies. No personal data and
/// no references, so that it may be shown to anybody who looks after machines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/clock.h"

namespace flagpost::standing {

/// Since the start, but for `sessions`.
struct Counts {
    std::uint64_t sessions = 0;  // now
    std::uint64_t published = 0, repeated = 0, refused = 0, delivered = 0, commits = 0, records = 0;
    std::uint64_t turned_away = 0;  // connections refused by gates before they had a session
    std::uint64_t gates_stuck = 0;  // gates lost because they took nothing: anything but 0 is a bug
};

/// A party of the agreement.
struct Peer {
    std::string agency;                    // "school/122802"
    std::string name;                      // as the agreement has it
    bool expected = true;                  // to be here: its silence is an alarm
    bool witness = false;                  // has a key to cosign heads with
    std::vector<std::string> delegates{};  // who acts for it: one of them being here is enough
    std::size_t sessions = 0;              // now
    std::optional<Instant> seen{};         // last; nothing: not since the broker began to watch
    std::optional<Instant> cosigned{};     // last, likewise
    std::optional<Instant>
        uncosigned_since{};  // the oldest head signed while it was here, and not cosigned since
    std::optional<Instant> certificate_ends{};  // of the certificate it showed last
};

/// The list of flags of one authority.
struct Feed {
    std::string la;
    Instant applied;  // the newest load of it
};

/// A school's roll, or an authority's list of its schools' pupils or of its children not in school.
struct Roll {
    std::string agency;  // whose list: "school/122802", "education/E10000024"
    bool not_in_school = false;
    Instant applied;  // the newest load of it
};

/// A list of children that never came.
struct Awaited {
    std::string
        agency;  // "social-care/E10000024": its flags; "school/122802": its roll, from itself or its authority
    Instant since;  // an agreement first named it
};

/// What came on a topic that children are missed on when it falls silent: `incidents/<force>`,
/// `notices/social-care/<la>`.
struct Flow {
    std::string topic;
    std::uint64_t count;  // since the start
};

/// What came on it lately beside what was to be expected (volume.h).
struct Volume {
    std::string topic;
    double history_days = 0;  // watched: what is expected rests on them
    std::chrono::hours window{
        0};  // the last so many, of those that were looked at the most unlikely; 0: not judged
    std::uint64_t observed = 0;      // in it
    double expected = 0;             // likewise
    double chance = 1;               // of so few or fewer, if nothing is wrong
    std::optional<Instant> until{};  // end of the window
    bool low = false;                // too unlikely to be chance, and not over yet
};

/// Notices nobody has closed yet.
struct Obligations {
    std::size_t open = 0;
    std::size_t due_soon = 0;  // within due_soon
    std::size_t overdue = 0;
    std::optional<Instant> overdue_since{};
};

struct DeadLetters {
    std::size_t count = 0;
    std::optional<Instant> since{};  // of the oldest
};

struct Log {
    std::uint64_t size = 0;                      // leaves committed
    std::uint64_t signed_size = 0;               // covered by the newest head
    std::optional<Instant> signed_at{};          // when the broker thread heard of that head
    std::optional<Instant> committed_at{};       // the last commit
    std::optional<Instant> unsigned_since{};     // the oldest commit no head covers; nothing: all are covered
    std::optional<Instant> quorum_late_since{};  // since when too few agencies cosign; nothing: enough do
};

/// Something that fills up, and where it is full.
struct Queue {
    const char* name;
    std::uint64_t used;
    std::uint64_t limit;
};

struct Disk {
    std::uint64_t total = 0, free = 0;
    std::uint64_t reserve = 0;  // of limits::reserve_bytes, what is kept back at this moment
};

struct KernelClock {
    bool synchronised = false;
    std::chrono::microseconds error_max{};
};

/// What gates of this process have counted.
struct GateCounts {
    std::uint64_t connections = 0;  // now
    std::uint64_t accepted = 0, opened = 0, bytes_in = 0, bytes_out = 0;
    std::vector<std::pair<std::string, std::uint64_t>> refused{};  // by cause
};

struct Standing {
    Instant at;
    Instant started;
    std::string owner;  // the operator who is told what nobody else owns
    Counts counts{};
    std::vector<Peer> peers{};              // by agency
    std::vector<Feed> feeds{};              // by authority
    std::vector<Roll> rolls{};              // by scope
    std::vector<Awaited> awaited{};         // by agency
    std::vector<Flow> flows{};              // by topic
    std::set<std::string> bank_holidays{};  // "2026-12-25", of England and Wales
    Obligations obligations{};
    DeadLetters dead_letters{};
    Log log{};
    std::uint64_t wal_bytes = 0;
    std::uint64_t pending_bytes = 0;  // decided, not yet committed
    bool clock_held = false;  // nothing expires or escalates until somebody says that the clock is right

    // Seen from outside the broker's own state; absent where nobody looked.
    std::optional<Disk> disk{};
    std::optional<KernelClock> clock{};
    std::optional<Instant> certificate_ends{};      // of the broker's own
    std::optional<Instant> revocation_list_ends{};  // the first that goes out of date
    std::optional<GateCounts> gate{};
    std::vector<Volume> volumes{};  // by topic
};

/// The queues of the broker, each with the limit beyond which it refuses.
std::vector<Queue> queues(const Standing& standing);

}  // namespace flagpost::standing
