/// Everything the exchange remembers, and the one way it changes: by applying records.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/exchange/mailbox.h"
#include "broker/log/record.h"
#include "broker/register/register.h"

namespace flagpost::exchange {

using ItemName = std::pair<std::string, std::uint64_t>;  // topic and number

/// Whose turn it is at which time, and what they are told then.
struct Rung {
    Instant at;
    schemas::Level unless{};
    std::string recipient;  // empty: the sender steps in
    std::string topic;
    std::string rule, purpose, retention;
    std::vector<std::string> legal_basis;
    Bytes payload;
    bool before_deadline = false;  // its time moves with the deadline
};

/// A notice that waits for a person to let it go: HeldNotice of schemas/record.fbs.
struct HeldBack {
    std::string recipient, topic;
    schemas::Kind kind{};
    std::string rule, purpose, retention;
    std::vector<std::string> legal_basis;
    std::vector<std::string> subjects;
    std::string thread;
    Bytes fingerprint;
    Instant planned, due;
    std::uint32_t urn = 0;
    std::vector<Rung> rungs;
    Bytes payload;
};

/// What the first of two reviewers decided.
struct FirstVerdict {
    schemas::Verdict verdict{};
    std::string by;
};

/// A question as its publisher knows it: AskedFacts of schemas/record.fbs.
struct AskedAbout {
    Id16 message;
    Id16 notice;
    std::string topic;
};

/// A notice that its recipient has not yet answered as it must.
struct Obligation {
    std::string recipient;
    std::string topic;
    std::uint64_t number = 0;  // in that mailbox
    std::uint64_t index = 0;   // of the record that issued it
    Instant since;
    Instant due;
    schemas::Level closes_on{};
    schemas::Kind kind{};
    std::string reference, sender, about;
    std::vector<std::string> subjects;
    std::vector<Rung> rungs;  // by time
    std::size_t fired = 0;    // rungs behind it
    std::string thread;
    std::shared_ptr<const HeldBack> held;  // of a review: what is sent if it is permitted
    bool two_people = false;
    std::optional<FirstVerdict> first_verdict;
    std::optional<AskedAbout> asked;  // of a question and its answer
    bool stored = false;
    bool opened = false;
    bool dead = false;                 // its delivery is a dead letter
    bool overdue = false;              // and its sender was told
    bool revived = false;              // its dead letter was put back or discarded
    std::optional<Instant> hurried;    // the next rung's turn, whatever its time: nobody could store it
    std::optional<Instant> scheduled;  // as it stands in State::clocks

    bool reached(schemas::Level level) const;
    /// The next rung that still applies; the number of rungs if there is none.
    std::size_t next_rung() const;
    const char* stage() const;  // "sent", "stored", "opened", "dead_letter"
};

/// A delivery no consumer could store.
struct DeadItem {
    std::uint64_t index = 0;  // of the record that says so
    std::uint32_t attempts = 0;
    std::string owner;
    Instant since;
    std::optional<Id16> notice;
    Bytes envelope;
};

/// A load between begin and commit.
struct OpenLoad {
    Id16 id;
    schemas::LoadOf of{};
    schemas::LoadMode mode{};
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    Digest digest;
    std::string scope;
    Instant begun;
    std::vector<std::uint64_t> records;  // begin and parts, by index
    std::vector<Bytes> parts;            // LoadPart each
    std::size_t bytes = 0;
    std::uint64_t items = 0;

    bool none() const { return count == 0; }  // it says that nobody is on the list
};
struct LoadName {
    std::string agency;
    std::string topic;
    friend auto operator<=>(const LoadName&, const LoadName&) = default;
};

/// What stands in the register by a load, so that the same again changes nothing.
struct HeldUnit {
    Id16 digest;                         // of the item's bytes
    const std::string* topic = nullptr;  // of the load that said so last
};

/// What one recipient was told of one child in one incident.
struct Thread {
    std::string topic;
    Bytes fingerprint;
    std::vector<Id16> notices;  // oldest first
    bool permitted = false;     // of a review: a person has let it go
    bool not_on_roll = false;   // of a school: the child is none of its pupils
    Bytes doubts{};             // of a review: digests of 16 bytes, ascending, of why a person has to look
    Bytes permitted_doubts{};   // likewise, when it was permitted
    Bytes told_before{};  // of a review: what its recipient had been told when it was made, as a fingerprint
};

/// A moment and the record that set it: timers fire in this order.
struct Due {
    Instant at;
    std::uint64_t index = 0;
    friend auto operator<=>(const Due&, const Due&) = default;
};

struct IncidentName {
    std::string force;
    std::string reference;
    friend auto operator<=>(const IncidentName&, const IncidentName&) = default;
};

/// One incident, all versions of it: while its late-flag window is open, and then as long as its threads are kept.
struct RetainedIncident {
    std::uint32_t version = 0;            // the highest there was
    std::vector<std::uint64_t> received;  // records that hold a version, while the window is open
    std::uint64_t newest = 0;             // of them, the one with the highest version
    Bytes payload;                        // its Incident
    Bytes previous;  // that of the version that was the highest before; empty: there is none
    std::vector<std::uint64_t> decisions;
    std::set<std::string> about;            // whom its decisions are about, while the window is open
    std::map<std::string, Thread> threads;  // by child, recipient and kind
    std::optional<Due> window;
    std::optional<Due> thread_end;
};

/// Records about `subject` are kept until the hold is lifted.
struct HoldName {
    std::string controller;  // whose; empty: everybody's
    std::string subject;
    std::string reference;  // of whoever demands it: two may, and each lifts its own
    friend auto operator<=>(const HoldName&, const HoldName&) = default;
};
struct LegalHold {
    std::string holder;  // agency that set it
    Instant since;
};
/// Named as a hold is: `person` may neither see nor decide on the case `subject`.
struct Conflict {
    std::string holder;
    std::string person;
    std::string works_for;  // agency: no other is told the name
    Instant since;
};

struct State {
    std::map<std::string, Mailbox, std::less<>> mailboxes;
    std::map<Id16, Obligation> obligations;
    std::map<Id16, std::string> told;  // every notice of a thread that is kept: its topic
    std::map<ItemName, Id16> items;    // the delivery of each open obligation that is not stored yet
    /// By notice and rung, where it went; no topic: to its sender.
    std::map<Id16, std::map<std::uint32_t, ItemName>> escalated;
    std::map<Id16, ItemName> answered_elsewhere;  // closed, although this first delivery was still waiting
    std::set<std::pair<Instant, Id16>> clocks;    // when each open obligation is looked at next
    std::map<ItemName, DeadItem> dead_letters;
    bool clock_held = false;
    std::map<LoadName, OpenLoad> loads;
    std::map<LoadName, std::uint64_t> sequences;
    std::map<std::string, HeldUnit, std::less<>> units;
    std::set<std::string, std::less<>> unit_topics;  // what HeldUnit.topic points into
    registry::Register known;
    std::set<std::string, std::less<>> empty_rolls;  // scopes whose last list said that nobody is on it
    std::map<IncidentName, RetainedIncident> incidents;
    std::map<Due, const IncidentName*> windows;      // points into `incidents`
    std::map<Due, const IncidentName*> thread_ends;  // likewise
    std::map<HoldName, LegalHold> legal_holds;
    std::map<HoldName, Conflict> conflicts;  // none of these names is a legal hold's
    std::optional<Digest> agreement, parties, keys, crl;
    /// Who has to load a list of children, since an agreement first named them.
    std::map<std::string, Instant> sources;

    /// Throws std::runtime_error for a body that no exchange wrote.
    void apply(std::uint64_t index, log::LeafKind kind, BytesView body);
    Digest digest() const;
    bool holds(const ItemName& item) const;  // it stands in its mailbox, not acknowledged

private:
    void apply_setting(log::LeafKind kind, const schemas::SettingFacts& facts);
    void apply_published(std::uint64_t index, const schemas::RecordBody& body);
    void apply_incident(std::uint64_t index, const schemas::RecordBody& body);
    void apply_load_message(std::uint64_t index, const schemas::RecordBody& body);
    void apply_load_applied(const schemas::RecordBody& body);
    void apply_unit(log::LeafKind kind, const schemas::RecordBody& body);
    void apply_decision(std::uint64_t index, const schemas::RecordBody& body);
    void apply_notice(std::uint64_t index, const schemas::RecordBody& body);
    void apply_receipt(const schemas::ReceiptFacts& facts);
    void apply_escalated(const schemas::RecordBody& body);
    void apply_overdue(const schemas::RecordBody& body);
    void apply_dead_letter(std::uint64_t index, const schemas::RecordBody& body);
    void apply_hold(log::LeafKind kind, const schemas::RecordBody& body);
    void apply_revival(log::LeafKind kind, const schemas::RecordBody& body);
    void apply_mailbox(const schemas::MailboxState& facts);
    void note_stored(const std::string& topic, std::uint64_t number);
    void schedule(const Id16& notice, Obligation& obligation);
    void close(std::map<Id16, Obligation>::iterator obligation);
    void forget_escalations(const Id16& notice);
    void close_window(const Due& due);
    void end_threads(const Due& due);
    void forget_threads(RetainedIncident& incident);
};

// Names of state keys: README.md.
log::StateKey delivery_key(std::string_view topic, std::uint64_t number);
log::StateKey mailbox_key(std::string_view topic);
log::StateKey notice_key(const Id16& notice);
log::StateKey opened_key(const Id16& notice);
log::StateKey verdict_key(const Id16& notice);
log::StateKey escalated_key(const Id16& notice, std::uint32_t rung);
log::StateKey overdue_key(const Id16& notice);
log::StateKey closed_key(const Id16& notice);
log::StateKey revived_key(const Id16& notice);
log::StateKey dead_letter_key(const ItemName& item);
log::StateKey load_key(std::uint64_t index);
log::StateKey sequence_key(const LoadName& name);
log::StateKey feed_key(std::string_view la);
log::StateKey roll_key(std::string_view scope);
log::StateKey incident_key(std::uint64_t index);
log::StateKey decision_key(std::uint64_t index);
log::StateKey hold_key(const HoldName& name);
log::StateKey unit_key(std::string_view key);

}  // namespace flagpost::exchange
