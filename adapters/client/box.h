/// The adapter's own durable memory: what it owes the broker and what it has received (one SQLite file).
///
/// Whoever can read the file can read every notice in it: it belongs on an encrypted disk, mode 0600.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/wire/frames.h"
#include "notice_generated.h"

namespace flagpost::client {

/// One message to publish, kept from `enqueue` until the broker has confirmed or refused it.
struct Outgoing {
    Id16 id;
    Bytes envelope;
    std::string source;  // where it came from, for the adapter's own reports: "spool/day.csv:17"
};

enum class OutgoingState { waiting, confirmed, refused };
struct OutgoingStatus {
    Id16 id;
    OutgoingState state;
    std::string source;
    std::string subject;
    Instant enqueued;
    std::optional<std::uint64_t> index;  // leaf, when confirmed
    std::optional<Refusal> refusal;      // when refused
};

/// One delivery, kept from before it is acknowledged to the broker.
struct Incoming {
    std::string topic;
    std::uint64_t number;
    std::uint64_t index;
    schemas::Kind kind;
    Id16 id;  // Envelope.id
    Bytes payload;
    Instant received;
    std::optional<Instant> opened;
    std::string opened_by;
    std::optional<Instant> recorded;
    std::string recorded_by;
    std::string outcome;
};

/// Safe for several processes on one file (a daemon and commands): rollback journal, FULL sync, never WAL, whose
/// reset bug in Debian 12's SQLite needs a single writer. One object per thread.
class Box {
public:
    Box(const std::filesystem::path& file, Clock& clock, Random& random);
    ~Box();

    // Outbox
    /// All of them durably or none. `mark` is remembered in the same transaction (see marked); one given before throws.
    std::vector<Id16> enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts_and_sources,
                              const std::optional<std::string>& mark = {});
    /// Whether `mark` was given to an enqueue that succeeded: a spool file whose rows are all in the outbox.
    bool marked(const std::string& mark) const;
    /// Runs `use` in one transaction of this file: what it reads stays true until its end, and what it enqueues and
    /// remembers is durable on return, or nothing of it, if it throws.
    void at_once(const std::function<void()>& use);
    /// In the order they were enqueued, from the one behind `after`.
    std::vector<Outgoing> waiting(std::size_t most, const std::optional<Id16>& after = {}) const;
    /// The broker has them on disk: their contents leave this file, their status stays.
    void confirmed(const std::vector<std::pair<Id16, std::uint64_t>>& ids_and_leaves);
    void refused(const Id16& id, const Refusal& refusal);  // a dead letter: kept with its reason
    OutgoingStatus status(const Id16& id) const;  // throws std::out_of_range for an id never enqueued
    struct Counts {
        std::uint64_t waiting, confirmed, refused;
        std::optional<Instant> oldest_waiting;
    };
    Counts counts() const;
    /// Whether at least so many wait to be sent.
    bool has_waiting(std::uint64_t at_least) const;
    /// What was enqueued about this subject last, if anything was.
    std::optional<OutgoingStatus> last_about(const std::string& subject) const;
    std::vector<OutgoingStatus> refusals(std::size_t most) const;
    /// What the broker has confirmed, the newest first.
    std::vector<OutgoingStatus> newest_confirmed(std::size_t most) const;
    /// What was enqueued in [from, to), whatever became of it, the oldest first.
    std::vector<OutgoingStatus> enqueued_in(Instant from, Instant to) const;

    // Inbox
    /// Stores deliveries not yet stored; a repeat changes nothing. Durable on return.
    void receive(const std::vector<Incoming>& deliveries);
    /// Oldest first. Open is what nobody has recorded an action on, and an answer nobody has opened; a load's result is never
    /// open: find it.
    std::vector<Incoming> inbox(bool closed_too = false) const;
    /// What nobody has recorded an action on, of one kind, oldest first. Those that are `known` come without their payload, which
    /// never changes.
    std::vector<Incoming> unrecorded(schemas::Kind kind, std::size_t most,
                                     const std::function<bool(const Id16&)>& known = {}) const;
    /// Deliveries of one kind, closed too, whose payload holds these bytes somewhere, oldest first.
    std::vector<Incoming> holding(schemas::Kind kind, std::string_view bytes) const;
    struct Arrival {
        std::string topic, reference;
        Instant received;  // the first time: an escalation brings a notice again
    };
    std::vector<Arrival> arrivals(schemas::Kind kind) const;
    /// Another number than before when another connection to the file has changed anything since.
    std::int64_t data_version() const;
    /// A program took from it all there is to take: it is recorded with this outcome, and its payload leaves the file.
    /// Sends nothing.
    void consumed(const Incoming& item, const std::string& by, const std::string& outcome);
    /// What was recorded since, the newest first.
    std::vector<Incoming> recorded_since(Instant since, std::size_t most) const;
    /// By human reference ("FP-7K3M-29QD"), by notice, review or load id in hex, or by "topic#number". The newest,
    /// where several carry the same reference.
    std::optional<Incoming> find(const std::string& what) const;
    /// When each delivery under a human reference came, the first one first: an escalation brings a notice again.
    std::vector<Instant> deliveries_of(const std::string& reference) const;
    /// Records locally and enqueues the signed receipt for receipts/<agency>, in one transaction. Once: a second
    /// call with the same level changes nothing and returns false. `stored` is the session's own Acknowledge and
    /// not for this call.
    bool acknowledge(const Incoming& item, schemas::Level level, const std::string& by,
                     const std::string& outcome, const AgencyId& agency);

    /// Records another outcome in place of the one recorded, of a notice, and enqueues a receipt of its own: the first one stays
    /// in the log. False, and nothing is sent, where nothing else was recorded or the notice was recalled.
    bool change(const Incoming& notice, const std::string& by, const std::string& outcome,
                const AgencyId& agency);

    /// Records what a person decided about a review and enqueues it for receipts/<agency>, in one transaction. Of two people
    /// the second settles it; who cannot tell settles nothing. `outcome` of the item is then "permit: code". `note`: for the next
    /// reviewer, at most 800 bytes.
    enum class Decided { settled, first_of_two, asked, already, same_person };
    Decided decide(const Incoming& review, schemas::Verdict verdict, const std::string& by,
                   const std::string& reason, const AgencyId& agency, const std::string& note = {});
    /// The first of two people has decided this review, and the second has not.
    bool waits_for_second(const Incoming& review) const;
    /// Who must not see it: names on the conflict list of its case.
    std::vector<std::string> kept_from(const Incoming& item) const;
    /// The same of all notices and reviews, by their ids in hex; those without such names are left out.
    std::map<std::string, std::vector<std::string>> kept_from() const;
    /// The reference of the recall that took this notice back, if one did: what it says must not be used any more.
    std::optional<std::string> recalled_by(const Incoming& item) const;

    /// What a person here asks the force about a notice.
    struct Asking {
        std::string about, text, by;  // about: a code
    };
    /// A question that was asked here; how far it has come says status().
    struct Question {
        Id16 id;
        Asking asked;
        Instant at;
        std::optional<Incoming> answer;
    };
    /// Keeps it and enqueues it for receipts/<agency>, in one transaction. False, and nothing is asked, if `once` was given
    /// before: the same form twice. Throws std::logic_error if the item is no social care notice.
    bool ask(const Incoming& notice, const Asking& asking, const AgencyId& agency,
             const std::optional<std::string>& once = {});
    /// All that was asked about this child in this incident, by whichever version of the notice; oldest first.
    std::vector<Question> questions_about(const Incoming& notice) const;
    /// Of a force: records the answer and enqueues it, in one transaction. False, and nothing is sent, if it was answered.
    bool answer(const Incoming& question, const std::string& outcome, const std::string& text,
                const std::string& by, const AgencyId& agency);
    /// What was answered, on the force's side.
    std::string answer_given(const Incoming& question) const;

    // Facts the adapter keeps: witness state, load sequences, broker identity.
    std::optional<std::string> fact(const std::string& name) const;
    void set_fact(const std::string& name, const std::string& value);
    void forget_fact(const std::string& name);
    /// Those whose names begin so (some ASCII text), each without that beginning.
    std::map<std::string, std::string> facts_under(const std::string& beginning) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::client
