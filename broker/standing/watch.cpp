#include "broker/standing/watch.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "broker/core/limits.h"

namespace flagpost::standing {
namespace {

using std::chrono::duration_cast;

constexpr std::uint64_t mib = 1024 * 1024;

std::string mib_of(std::uint64_t bytes) { return std::to_string(bytes / mib) + " MiB"; }

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) { return whole == 0 ? 0 : part * 100 / whole; }

void sort(std::vector<Alarm>& alarms) {
    std::ranges::stable_sort(alarms, {}, [](const Alarm& each) {
        return std::tuple{each.urgency, each.since};
    });
}

/// Goes through one standing and writes down what is wrong in it.
class Round {
public:
    Round(const Standing& standing, const Patience& patience) : now_{standing}, patience_{patience} {}

    std::vector<Alarm> made() {
        disk();
        commits();
        clock();
        certificates();
        notices();
        for (const auto& peer : now_.peers) look_at(peer);
        for (const auto& feed : now_.feeds) look_at(feed);
        for (const auto& roll : now_.rolls) look_at(roll);
        for (const auto& awaited : now_.awaited) look_at(awaited);
        for (const auto& volume : now_.volumes) look_at(volume);
        sort(alarms_);
        return std::move(alarms_);
    }

private:
    void ours(const char* code, Urgency urgency, Instant since, std::string what, std::string to_do) {
        alarms_.push_back({code, "", urgency, since, now_.owner, std::move(what), std::move(to_do)});
    }
    bool passed(const std::optional<Instant>& from, Instant::duration longest) const {
        return from && now_.at - *from > longest;
    }

    void disk() {
        if (now_.wal_bytes >= limits::wal_bytes_max)
            ours("wal_full", Urgency::now, now_.at,
                 "Publishes are refused: a reader of the database keeps " + mib_of(now_.wal_bytes) +
                     " of its WAL",
                 "End the backup or copy that reads the database");
        else if (now_.wal_bytes >= limits::wal_bytes_max / 2)
            ours("wal_grows", Urgency::soon, now_.at,
                 "A reader of the database keeps " + mib_of(now_.wal_bytes) + " of its WAL (limit " +
                     mib_of(limits::wal_bytes_max) + ")",
                 "Find out why the backup or copy that reads the database does not end");
        if (!now_.disk) return;
        const auto& disk = *now_.disk;
        const std::string free =
            "Free disk: " + std::to_string(percent(disk.free, disk.total)) + " %, " + mib_of(disk.free);
        const auto below = [&](double share) {
            return static_cast<double>(disk.free) < share * static_cast<double>(disk.total);
        };
        if (below(limits::free_disk_min))
            ours("disk_full", Urgency::now, now_.at, free + "; publishes are refused",
                 "Free some of the disk under the store, or make it larger");
        else if (below(free_disk_notice))
            ours("disk_fills", Urgency::soon, now_.at, free, "Free some of the disk under the store soon");
        if (disk.reserve < limits::reserve_bytes)
            ours("reserve_missing", Urgency::now, now_.at,
                 "The room kept back for acknowledgements is used up",
                 "Free some of the disk under the store: the room is kept back anew by itself");
    }

    void commits() {
        const auto& log = now_.log;
        if (passed(log.unsigned_since, head_late))
            ours("head_late", Urgency::now, *log.unsigned_since + head_late,
                 "The head of the log has not been signed for " + words_of(now_.at - *log.unsigned_since),
                 "Read the broker's log: room on the disk, or a store that stopped");
        if (log.quorum_late_since)
            ours("quorum_late", Urgency::soon, *log.quorum_late_since,
                 "Too few agencies have cosigned the log for " + words_of(now_.at - *log.quorum_late_since),
                 "See which agencies are not connected: each of them is a witness");
        if (now_.pending_bytes >= limits::pending_bytes_max / 5 * 4)
            ours(
                "store_slow", Urgency::soon, now_.at,
                mib_of(now_.pending_bytes) + " wait to be committed; publishers are about to be told to wait",
                "Look at what else uses the disk under the store");
        if (now_.counts.gates_stuck > 0)
            ours("gate_stuck", Urgency::soon, now_.at, "A gate took nothing and was dropped",
                 "This is a fault of the program: keep the log and report it");
    }

    void clock() {
        if (now_.clock_held)
            ours("clock_held", Urgency::now, now_.at,
                 "The clock jumped ahead: nothing expires and nothing is escalated",
                 "Check the clock, then run `flagpost-broker confirm-clock`");
        if (!now_.clock) return;
        if (!now_.clock->synchronised)
            ours("clock_unsynchronised", Urgency::soon, now_.at,
                 "The kernel says that the clock is not kept right",
                 "Start chrony or another time service on the broker's machine");
        else if (now_.clock->error_max > clock_error_notice)
            ours("clock_error", Urgency::soon, now_.at,
                 "The clock may be wrong by " +
                     std::to_string(duration_cast<std::chrono::milliseconds>(now_.clock->error_max).count()) +
                     " ms",
                 "Look at the time service on the broker's machine");
    }

    void ending(const char* code, const std::string& about, const std::string& owner, const std::string& what,
                const std::optional<Instant>& end, Instant::duration notice, const char* to_do) {
        if (!end || *end - now_.at > notice) return;
        const bool over = *end <= now_.at;
        alarms_.push_back({code, about, over ? Urgency::now : Urgency::soon, *end - notice, owner,
                           over ? what + " ended " + words_of(now_.at - *end) + " ago"
                                : what + " ends in " + words_of(*end - now_.at),
                           to_do});
    }

    void certificates() {
        ending("certificate_ends", "", now_.owner, "The broker's certificate", now_.certificate_ends,
               certificate_notice, "Have it renewed, replace the files; the gate reads them anew by itself");
        ending("revocation_list_ends", "", now_.owner, "The revocation list", now_.revocation_list_ends,
               revocation_list_notice,
               "Fetch the newest from the partnership's CA: nobody can connect once it has ended");
    }

    void notices() {
        const auto& owed = now_.obligations;
        if (owed.overdue > 0)
            ours("overdue", Urgency::now, owed.overdue_since.value_or(now_.at),
                 std::to_string(owed.overdue) + (owed.overdue == 1 ? " notice is" : " notices are") +
                     " overdue",
                 "Run `flagpost-broker obligations` and phone whoever each is with");
        if (now_.dead_letters.count > 0)
            ours("dead_letters", Urgency::now, now_.dead_letters.since.value_or(now_.at),
                 std::to_string(now_.dead_letters.count) +
                     (now_.dead_letters.count == 1 ? " delivery" : " deliveries") +
                     " could not be stored by the recipient",
                 "Run `flagpost-broker dead-letters`, have the recipient's program mended, then `reinsert`");
    }

    /// When this peer, or one who acts for it, was here last.
    Instant seen(const Peer& peer) const {
        Instant last = peer.seen.value_or(now_.started);
        for (const auto& delegate : peer.delegates) {
            const auto found = std::ranges::lower_bound(now_.peers, delegate, {}, &Peer::agency);
            if (found == now_.peers.end() || found->agency != delegate) continue;
            last = std::max(last, found->sessions > 0 ? now_.at : found->seen.value_or(now_.started));
        }
        return peer.sessions > 0 ? now_.at : last;
    }

    void look_at(const Peer& peer) {
        const auto silent = now_.at - seen(peer);
        if (peer.expected && silent > patience_.silence)
            alarms_.push_back({"silent", peer.agency, Urgency::now, now_.at - silent + patience_.silence,
                               now_.owner,
                               peer.name + " has not connected for " + words_of(silent) + " (limit " +
                                   words_of(patience_.silence) + ")",
                               "Phone them: what is sent to them waits, what they should send is missing"});
        ending("peer_certificate_ends", peer.agency, peer.agency, "The certificate of " + peer.name,
               peer.certificate_ends, certificate_notice, "They have to renew it: nobody else can");
        if (passed(peer.uncosigned_since, cosignature_late))
            alarms_.push_back(
                {"cosignature_late", peer.agency, Urgency::soon, *peer.uncosigned_since + cosignature_late,
                 peer.agency,
                 peer.name + " is connected and has cosigned no head of the log for " +
                     words_of(now_.at - *peer.uncosigned_since),
                 "They have to look into their adapter's log: its witness refuses, or its key is not "
                 "the enrolled one"});
    }

    void look_at(const Feed& feed) {
        const auto age = now_.at - feed.applied;
        if (age <= patience_.feed_age) return;
        const std::string owner = "social-care/" + feed.la;
        alarms_.push_back({"feed_old", feed.la, Urgency::now, feed.applied + patience_.feed_age, owner,
                           "The flags of " + feed.la + " were last loaded " + words_of(age) + " ago (limit " +
                               words_of(patience_.feed_age) + ")",
                           "They have to load their list of flags: a child flagged since is not found"});
    }

    void look_at(const Roll& roll) {
        const auto age = now_.at - roll.applied;
        if (age <= patience_.roll_age) return;
        const bool expired = age > roll_expires;
        const std::string list =
            roll.not_in_school ? "The register of children not in school of " : "The roll of ";
        alarms_.push_back(
            {roll.not_in_school ? "register_old" : "roll_old", roll.agency,
             expired ? Urgency::now : Urgency::soon, roll.applied + patience_.roll_age, roll.agency,
             list + roll.agency + " was last loaded " + words_of(age) + " ago (limit " +
                 words_of(patience_.roll_age) + ")",
             expired ? "They have to load it: every notice about a child on it waits for a person until then"
                     : "They have to load it: five weeks after the last time its notices begin to wait for a "
                       "person"});
    }

    void look_at(const Awaited& awaited) {
        const auto waited = now_.at - awaited.since;
        if (waited <= patience_.feed_age) return;
        const bool is_school = awaited.agency.starts_with("school/");
        alarms_.push_back(
            {is_school ? "roll_missing" : "feed_missing",
             is_school ? awaited.agency : awaited.agency.substr(awaited.agency.find('/') + 1), Urgency::now,
             awaited.since + patience_.feed_age, awaited.agency,
             (is_school ? "No roll of " : "No list of flags of ") + awaited.agency +
                 " was ever loaded; the agreement has named it for " + words_of(waited) + " (limit " +
                 words_of(patience_.feed_age) + ")",
             is_school
                 ? "They, or their authority's education team, have to load it: no pupil of theirs is found"
                 : "They have to load their list of flags: no child of theirs is found"});
    }

    /// Ours to look into: who sends too little mostly does not know.
    void look_at(const Volume& volume) {
        if (!volume.low) return;
        const bool incidents = volume.topic.starts_with("incidents/");
        const std::string agency =
            incidents ? "police/" + volume.topic.substr(10) : volume.topic.substr(volume.topic.find('/') + 1);
        alarms_.push_back(
            {"volume_low", agency, Urgency::now, volume.until.value_or(now_.at), now_.owner,
             std::to_string(volume.observed) + (incidents ? " incidents from " : " notices to ") + agency +
                 " in the last " + words_of(volume.window) +
                 ", where the same hours of past weeks had about " +
                 std::to_string(std::llround(volume.expected)) + ": hardly chance",
             incidents
                 ? "Phone the force: does every source feed? There, `flagpost-police status` says what waits "
                   "and what was refused"
                 : "See whether the forces' incidents come as usual and whether the authority's list of "
                   "flags "
                   "is whole and fresh; if so, phone the authority: fewer children on its list is an answer, "
                   "too"});
    }

    const Standing& now_;
    const Patience& patience_;
    std::vector<Alarm> alarms_;
};

}  // namespace

std::vector<Queue> queues(const Standing& standing) {
    return {
        {"pending_bytes", standing.pending_bytes,      limits::pending_bytes_max},
        {"wal_bytes",     standing.wal_bytes,          limits::wal_bytes_max    },
        {"sessions",      standing.counts.sessions,    limits::sessions_max     },
        {"dead_letters",  standing.dead_letters.count, limits::dead_letters_max },
    };
}

std::vector<Alarm> alarms_of(const Standing& standing, const Patience& patience) {
    return Round{standing, patience}.made();
}

Watch::Seen Watch::look(const Standing& standing) {
    Seen seen;
    seen.alarms = alarms_of(standing, patience_);
    std::map<Name, Alarm> now;
    for (auto& alarm : seen.alarms) {
        const Name name{alarm.code, alarm.about};
        if (const auto before = known_.find(name); before != known_.end())
            alarm.since = std::min(alarm.since, before->second.since);
        else
            seen.begun.push_back(alarm);
        now.emplace(name, alarm);
    }
    for (const auto& [name, alarm] : known_)
        if (!now.contains(name)) seen.ended.push_back(alarm);
    known_ = std::move(now);
    sort(seen.alarms);
    return seen;
}

std::string words_of(std::chrono::microseconds duration) {
    const auto count = [&](std::int64_t n, const char* unit) {
        return std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
    };
    const auto seconds = duration_cast<std::chrono::seconds>(duration).count();
    constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
    if (seconds >= 2 * day) return count(seconds / day, "day");
    if (seconds >= 2 * hour) return count(seconds / hour, "hour");
    if (seconds >= minute) return count(seconds / minute, "minute");
    return count(seconds, "second");
}

std::string headline(std::size_t alarms) {
    if (alarms == 0) return "Everything is working";
    return alarms == 1 ? "1 thing needs somebody" : std::to_string(alarms) + " things need somebody";
}

}  // namespace flagpost::standing
