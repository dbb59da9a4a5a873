/// The client's side of one connection, without I/O: frames and `now` in, actions out. Rules: schemas/README.md.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/client/promise.h"
#include "broker/core/clock.h"
#include "broker/crypto/signature.h"
#include "broker/log/note.h"

namespace flagpost::client {

// What the machine asks of its driver. Actions are carried out in the order given.

struct Send {
    Bytes frame;
};
/// Keep this checkpoint durably before the next action: later ones must be consistent with it.
struct Remember {
    std::string checkpoint;
};
/// Keep this delivery durably; call stored() once it and all before it are.
struct Store {
    Incoming delivery;
};
/// The broker has the message on disk as this leaf.
struct Confirmed {
    Id16 id;
    Promise promise;
};
/// The log of the head remembered holds what a Confirm promised: the leaf `index`. Confirms before that one need no proof any more.
struct Proven {
    std::uint64_t index;
};
/// The broker will never take the message as it is.
struct DeadLetter {
    Id16 id;
    Refusal refusal;
};
struct Answered {
    std::uint32_t request;
    Result<schemas::AnswerValue> answer;
};
/// Something an operator should know; the session goes on.
struct Problem {
    std::string what;
};
/// The broker's log contradicts what it showed before, or is not signed by its key. Keep the evidence, send nothing
/// more, do not connect again before a person has looked.
struct Alarm {
    std::string what;
    std::string evidence;
};
/// The connection is of no more use. Nothing unconfirmed counts as sent.
struct End {
    std::string problem;
    std::chrono::milliseconds wait_at_least{0};  // before connecting again
};
using Action =
    std::variant<Send, Remember, Store, Confirmed, Proven, DeadLetter, Answered, Problem, Alarm, End>;
using Actions = std::vector<Action>;

inline constexpr std::size_t in_flight_bytes_max = 8 * 1024 * 1024;  // no more envelopes are begun above it
inline constexpr std::chrono::milliseconds retry_after_default{1'000};
inline constexpr std::chrono::milliseconds retry_after_max{60'000};
inline constexpr std::chrono::milliseconds displaced_wait{
    30'000};  // two daemons of one name must not alternate

struct Witness {
    std::string name;
    crypto::NoteKey key;
};

struct SessionSettings {
    std::string software;
    std::string durable;
    std::vector<std::string> topics;        // none: nothing is subscribed
    log::VerifierKey log;                   // the log's key, handed over out of band
    std::optional<std::string> checkpoint;  // the note remembered last; the machine keeps it up
    const Witness* witness = nullptr;       // cosigns each head that proved consistent
    std::optional<Promise> promise = {};    // the newest Confirm of before that was not proven yet
};

/// What a Deliver frame brings, as it is kept; refuses what holds no envelope.
Result<Incoming> incoming_of(const schemas::Deliver& deliver, Instant now);

/// One per connection: after a reconnect a new one starts, and the outbox is offered from its beginning.
class SessionMachine {
public:
    /// `origin` signs what is published and outlives the machine.
    SessionMachine(SessionSettings settings, const crypto::OriginKey& origin, Instant now);

    Actions start(Instant now);
    Actions receive(BytesView frame, Instant now);
    /// To be called when `next_due` has come.
    Actions tick(Instant now);
    Instant next_due() const;

    /// How many more envelopes `publish` takes now; 0 before Welcome, while backing off and with the window full.
    std::size_t room() const;
    /// Sends them, signed in batches, in this order. At most room() of them. Of one topic and subject the next goes only
    /// once the one before is settled: what is refused for now must not be overtaken by what was sent behind it.
    Actions publish(std::vector<Outgoing> messages, Instant now);
    /// Everything handed out by Store so far is durable: acknowledges it and tops the credit up.
    Actions stored(Instant now);
    /// Asks under a request number of its own, which the Answered carries.
    std::pair<Actions, std::uint32_t> query(schemas::QueryValue query);
    /// Hands in a head with a cosignature of a witness enrolled for us. A refusal comes as a Problem, before the answer to
    /// any question asked after it.
    Actions cosign(std::string note);
    Actions goodbye();

    bool welcomed() const { return welcomed_; }
    /// Whether something was confirmed that no head shown was proven to hold yet.
    bool owed_proof() const { return promised_.has_value(); }
    std::size_t unconfirmed() const { return in_flight_.size(); }

private:
    struct InFlight {
        Outgoing message;
        std::string line;   // topic and subject; empty when nobody minds the order
        bool sent = false;  // not yet, or refused for now: sent again at resend_at_
    };
    struct Arrived {
        std::vector<std::uint64_t> numbers;
        std::uint64_t bytes = 0;  // of whole frames: that is what credit counts
    };
    struct Newest {
        std::uint64_t number;
        std::optional<Instant> missed_since = {};  // a later one was announced and has not come
        bool told = false;
    };

    void welcome(const schemas::Welcome& welcome, Instant now, Actions& actions);
    bool check_head(const std::string& received, const std::vector<Digest>& proof, Actions& actions);
    void subscribed(const schemas::Subscribed& subscribed);
    void confirm(const schemas::Confirm& confirm, Actions& actions);
    void ask_for_proof(Actions& actions);
    void proof_came(BytesView answer, Actions& actions);
    void proof_refused(const Refusal& refusal, Actions& actions);
    bool is_ours(std::uint32_t request) const {
        return request != 0 && (request == proof_asked_ || request == head_asked_);
    }
    std::uint32_t ask(schemas::QueryKind kind, std::uint64_t from, Actions& actions);
    void settle(std::uint64_t place, Actions& actions);
    void refused(const schemas::Refuse& refuse, Instant now, Actions& actions);
    void publish_refused(std::uint64_t place, const schemas::Refuse& refuse, Instant now, Actions& actions);
    void announced(const schemas::Heartbeat& heartbeat, Actions& actions);
    void deliver(const schemas::Deliver& deliver, std::size_t frame_size, Instant now, Actions& actions);
    void turn(const schemas::Frame& frame, std::size_t size, Actions& actions);
    void said_goodbye(const schemas::Goodbye& goodbye, Actions& actions);
    Instant forward(Instant now);
    void end(std::string problem, Actions& actions, std::chrono::milliseconds wait_at_least = {});
    void alarm(std::string what, std::string evidence, Actions& actions);

    void send_unsent(Actions& actions);
    void key_is_known(Actions& actions);
    void sign_and_send(const std::vector<InFlight*>& batch, Actions& actions);
    bool is_first_of_line(std::uint64_t place, const InFlight& entry) const;
    bool is_subscribed(const std::string& topic) const;

    SessionSettings settings_;
    const crypto::OriginKey& origin_;

    bool welcomed_ = false;
    bool ended_ = false;
    std::uint32_t window_ = 0;
    std::chrono::milliseconds heartbeat_ = limits::heartbeat_interval;
    Instant latest_;         // the wall clock may step back, the machine's time does not
    Instant heard_;          // when the broker last said anything
    Instant heartbeat_due_;  // when we next say so
    std::optional<Instant> resend_at_;
    bool key_refused_ = false;  // and nothing confirmed or refused for another reason since

    std::uint64_t next_place_ = 0;
    std::map<std::uint64_t, InFlight> in_flight_;  // by order of offering
    std::map<Id16, std::uint64_t> places_;
    std::map<std::string, std::set<std::uint64_t>>
        lines_;  // places of each line: only the first is on its way
    std::size_t in_flight_bytes_ = 0;

    std::map<std::string, Arrived> arrived_;  // stored, not yet acknowledged, by topic
    std::uint64_t credit_messages_ = 0;       // deliveries the broker may still send
    std::map<std::string, Newest> newest_;    // by topic: delivered, or there before we subscribed

    std::uint32_t next_request_ = 1;

    // A Confirm is held against the next head that covers it: one at a time, the first since the last proof, then the newest.
    std::optional<log::Checkpoint> head_;  // of settings_.checkpoint, if it is the log's
    std::optional<Promise> promised_, newest_promise_;
    std::uint32_t proof_asked_ = 0, head_asked_ = 0;  // requests of our own under way; 0: none
    bool asked_again_ = false;                        // since the last head was shown
};

}  // namespace flagpost::client
