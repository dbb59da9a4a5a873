/// The deterministic heart: (state, command, now) -> records and replies. No I/O, clock, thread or randomness.
#pragma once

#include <date/tz.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "broker/agreement/agreement.h"
#include "broker/core/ids.h"
#include "broker/log/record.h"

namespace flagpost::exchange {

/// Who asks, from the verified certificate.
struct Actor {
    SpiffeId id;
    Id16 session;
};

/// What the dedup index knows of a message id, looked up by the shell before the command is given.
struct Earlier {
    std::uint64_t index;
    bool same_bytes;
};

/// What the shell's files say, to the byte. Leaves name these texts by their SHA-256, and an auditor asks for them.
struct InForce {
    std::string agreement;  // the text of Setting::agreement
    std::string parties;
    std::string keys = {};  // the list of the broker's own; empty: nobody told
    std::string crl = {};   // revocation lists, PEM; empty: no gate has told any
    std::uint64_t crl_number = 0;
};

// Commands. Envelopes arrive verified as FlatBuffers and with their origin signature checked.
struct Started {
    InForce in_force;
    std::vector<std::uint64_t> erased_again{};  // bodies that an older copy of the store had brought back
};
/// The shell has read its files anew while it runs.
struct Reloaded {
    InForce in_force;
};
/// The wall clock jumped by this much against the time that passed; backwards is negative.
struct ClockStepped {
    std::chrono::microseconds by;
};
struct SessionOpened {
    Actor actor;
    Digest certificate;
};
struct SessionClosed {
    Actor actor;
    Reason reason;
};
struct Published {
    Actor actor;
    Bytes envelope;
    Bytes origin;
    std::optional<Earlier> earlier;
    std::vector<log::Kept>
        concerned{};  // by an order to erase: what is kept about its subject, or its record
};
struct Subscribe {
    Actor actor;
    std::vector<std::string> topics;
};
struct Acknowledged {
    Actor actor;
    std::string topic;
    std::vector<std::uint64_t> numbers;
};
/// A refusal the shell has decided (bad signature, malformed frame of a known peer): written down, nothing else.
struct Turned {
    Actor actor;
    Refusal refusal;
    std::string topic;
    std::optional<Id16> message;
};
/// How far an auditor wants to see, and why, in the auditor's own words.
struct Terms {
    std::string scope;
    std::string reason;
    std::optional<Digest> key;  // of the one to which keys of bodies are sealed for it
    friend bool operator==(const Terms&, const Terms&) = default;
};
/// A query: permitted or not, and logged as a consultation when it reads other people's records; with a key in the
/// terms, as a disclosure too.
struct Consult {
    Actor actor;
    std::string what;
    std::optional<Terms> terms{};
};
/// A delivery was tried so often without being stored that it stands in the way of those behind it.
struct GaveUp {
    std::string topic;
    std::uint64_t number;
    std::uint32_t attempts;
    Bytes envelope;
};
/// The kernel says that the clock is synchronised again.
struct ClockSynchronised {};
struct Tick {
    bool ahead = false;  // time is ahead of the clock: nothing may expire by it
};
/// Bodies the shell found kept, so many at a time: those whose time is over are destroyed.
struct Expire {
    std::vector<log::Kept> kept;
    bool ahead = false;  // as in Tick
};
using Command =
    std::variant<Started, Reloaded, ClockStepped, SessionOpened, SessionClosed, Published, Subscribe,
                 Acknowledged, Turned, Consult, GaveUp, ClockSynchronised, Tick, Expire>;

/// A new item of a mailbox, to be handed to whoever is subscribed once its record is committed.
struct Delivery {
    std::string topic;
    std::uint64_t number;
    std::uint64_t index;  // of the record that holds the envelope
    Bytes envelope;
};

struct Confirmed {
    std::uint64_t index;
    bool already;
};
struct Permitted {};
using Reply = std::variant<std::monostate, Confirmed, Permitted, Refusal>;

/// Everything here is held by the shell until the records are committed.
struct Outcome {
    std::vector<log::Record> records;
    Reply reply;
    std::vector<Delivery> deliveries;
};

/// An obligation still open, for operators.
struct OpenObligation {
    Id16 notice;
    std::string recipient;
    std::string topic;
    Instant owed_since;
    Instant due;
    std::string state;  // "sent", "stored", "opened", "dead_letter"
    std::string with;   // whose turn it is: the recipient, or who it was escalated to last
    bool overdue;
};

/// Where the delivery of an open obligation stands, to hand it over again to whoever has lost it.
struct OwedDelivery {
    std::string topic;
    std::uint64_t number;
    std::uint64_t index;  // of the leaf that issued it
};

struct OwedCounts {
    std::size_t open = 0;
    std::size_t due_soon = 0;
    std::size_t overdue = 0;
    std::optional<Instant> overdue_since{};
};

/// Why an item was put aside, in the leaf and in the list of dead letters alike: it was tried too often. So far the only
/// reason there is, so nothing that is stored has to say it.
inline constexpr const char* dead_after_attempts = "attempts";

/// What no consumer could store, until an operator puts it back or discards it.
struct DeadLetter {
    std::string topic;
    std::uint64_t number;
    std::uint32_t attempts;
    std::string reason;  // the outcome in its leaf
    std::string owner;   // agency that has to look
    Instant since;
    std::optional<Id16> notice;  // whose delivery it was
};

struct Setting {
    agreement::Agreement agreement;
    SpiffeId self;                                       // the broker
    std::function<Id16(std::string_view seed)> make_id;  // HMAC under the seed key
    const date::time_zone* zone;                         // Europe/London
    /// What the store makes of a subject's name, to know one in log::Kept. Needed to decide, not to replay.
    std::function<Id16(std::string_view subject)> pseudonym{};
};

/// Owned by the broker thread. Applies at once what it decides; the shell tells nobody before COMMIT.
class Exchange {
public:
    explicit Exchange(Setting setting);
    ~Exchange();

    Outcome decide(const Command& command, Instant now);

    /// Recovery and replay: the record of leaf `index`, in ascending order. All records ever made, or only those
    /// some state key still rests on: both lead to the same state. Throws std::runtime_error for a body that no
    /// exchange wrote.
    void apply(std::uint64_t index, log::LeafKind kind, BytesView body);
    void set_next_index(std::uint64_t index);
    std::uint64_t next_index() const;

    /// Replay: the records this exchange would make of the incident in record `index`, were it decided now; nothing if a
    /// later version of it is known. `late`: it was decided before, and the register has changed since. What is applied
    /// so far is what it knows, and stays as it is. Throws std::runtime_error for a body that holds no incident.
    std::vector<log::Record> rehearse(std::uint64_t index, BytesView body, bool late, Instant now);
    /// Replay: the agreement by which what comes next was decided.
    void put_in_force(agreement::Agreement agreement);

    // Mailboxes, read by the router.
    std::uint64_t high_water(const std::string& topic) const;  // 0: nothing yet
    /// The oldest delivery of `topic` not yet acknowledged with a number above `after`.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> next_pending(
        const std::string& topic, std::uint64_t after) const;  // number, index
    bool pending(const std::string& topic, std::uint64_t number) const;

    std::vector<OpenObligation> open_obligations() const;
    /// Nothing once it is closed, or if it is somebody else's: a recalled notice must not be handed over again.
    std::optional<OwedDelivery> owed_to(const AgencyId& recipient, const Id16& notice) const;
    std::vector<DeadLetter> dead_letters() const;
    /// How much is owed at `now`, and is by `soon`, without naming anything.
    OwedCounts owed_counts(Instant now, Instant soon) const;
    /// When each authority's list of flags was loaded last.
    std::map<std::string, Instant> feeds() const;
    /// When each roll and each register of children not in school was loaded last: "urn:122802", "la:E10000024",
    /// "not-in-school:E10000024". None of which no pupil is left, unless it says so.
    std::map<std::string, Instant> rolls() const;
    /// Who has to load flags (social care) or have a roll loaded (schools) and never did, since an agreement first named it.
    std::map<std::string, Instant> awaited() const;
    /// Days of England and Wales, "2026-12-25".
    std::set<std::string> bank_holidays() const;
    /// No body made at or after this can be due for erasure by the agreement; nothing: none ever is.
    std::optional<Instant> expires_before(Instant now) const;
    /// Expiry and escalation wait: the clock jumped ahead and nobody has said yet that it is right.
    bool clock_is_held() const;
    Digest state_digest()
        const;  // of everything the state holds, in a fixed order: equal states, equal digests
    Digest engine_digest() const;  // weights, rules, nicknames, versions

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// What all records about one incident have as a subject: its sender may follow them.
std::string incident_subject(std::string_view sender, std::string_view reference);
/// The reference of the incident a stored body records a version of; nothing if it records something else.
std::optional<std::string> incident_reference_in(BytesView body);

/// The envelope inside a stored body, for redelivery after a restart; nothing if the body holds none.
std::optional<Bytes> envelope_in(BytesView body);

}  // namespace flagpost::exchange
