/// The broker without its sockets and threads: gates' bytes in, batches to commit and gates' bytes out.
///
/// The rule it keeps: whatever one command led to (confirm, refusal, delivery, answer) waits with that command's
/// records and is released, in order, only after the commit that holds them. README.md walks through it.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>

#include "broker/core/thread_home.h"
#include "broker/crypto/digest.h"
#include "broker/router/answers.h"
#include "broker/router/attendance.h"
#include "broker/router/heads.h"
#include "broker/router/recent_ids.h"
#include "broker/router/session_machine.h"
#include "broker/router/subscription.h"
#include "broker/store/store.h"
#include "broker/wire/fabric.h"

namespace flagpost::router {

/// Names one gate: the ROUTER it came through and the routing id libzmq made for it.
using GateName = std::string;

struct BrokerSetting {
    exchange::Exchange& exchange;
    store::Reader& reader;
    const Parties& parties;
    Random& random;
    crypto::SymmetricKey dedup;                  // HMACs of received bytes
    std::optional<crypto::SymmetricKey> fabric;  // gates in their own process must know it
    log::VerifierKey log_key;
    std::function<bool()> has_room;  // on the store's disk
    exchange::InForce in_force;  // gates add their certificates to the keys, and tell the revocation lists
    std::uint64_t size;          // of the log as recovered
    Digest root;                 // likewise
    Instant newest_stored;       // time of the newest leaf
    std::optional<std::string> cosigned = {};  // the newest head that had a quorum of witnesses
    /// Whether the kernel says that the clock is right again after a step.
    std::function<bool()> clock_synchronised = [] { return false; };
    /// The parties of the agreement, by agency: who is to be watched for.
    std::vector<standing::Peer> peers = {};
    std::string operator_owner = {};  // who is told what nobody else owns
    /// What the query `standing` is answered with: a JSON object.
    std::function<std::string()> standing_report = [] { return std::string{"{}"}; };
    std::vector<std::uint64_t> erased_again = {};  // what the store erased at the start, and no leaf says
    std::optional<log::VerifierKey> log_key_previous = {};  // its log's key before log_key
};

using Figures = standing::Counts;

/// Belongs to the broker thread. `now` never goes back between calls: the loop sees to that.
class Broker {
public:
    Broker(BrokerSetting setting, Now now);

    /// trusted   in-process; a gate in its own process must first prove that it knows the fabric key
    void from_gate(const GateName& gate, bool trusted, BytesView batch, Now now);
    void gate_lost(const GateName& gate, Now now);
    /// More is waiting for this gate than windows and credit allow.
    void gate_stuck(const GateName& gate, Now now);
    /// ahead   `now` is further ahead of the wall clock than may pass for true: after a jump ahead and back
    void tick(Now now, bool ahead = false);
    /// Whether somebody has asked for a head that covers what none covers yet; said once.
    bool take_head_wanted() { return std::exchange(head_wanted_, false); }
    /// A head the store thread has signed.
    void head_signed(const std::string& note) {
        heads_.add(note, now_);
        head_at_ = now_;
        if (heads_.newest_size() >= size_) unsigned_since_.reset();
        attendance_.head_signed(now_);
    }
    /// A head that has newly got its quorum, or one more cosignature, to be kept. Taken once.
    std::optional<std::string> take_cosigned() { return std::exchange(cosigned_, std::nullopt); }
    /// How large the store's WAL is: a reader that never ends lets it grow.
    void wal_stands_at(std::uint64_t bytes) { wal_bytes_ = bytes; }
    /// Parties (changed in place by their owner) and keys were read anew: what differs becomes a leaf. Without revocation lists
    /// in `in_force` those stand that a gate told last.
    void files_changed(exchange::InForce in_force, Now now);
    void clock_stepped(Instant::duration by, Now now);
    /// Says goodbye to every session. What is pending still has to be committed.
    void shut_down(Now now);

    /// What to commit next; nothing if nothing is waiting, or only what may wait a little for company. Batches before it
    /// may still be on their way to the disk.
    std::optional<store::Batch> next_batch(Now now);
    /// The oldest batch handed out is on disk.
    void committed(const store::Committed& committed, Now now);

    /// Whether stored deliveries wait to be read although their consumers have credit: call deliver_backlog again.
    bool behind() const { return !hungry_.empty(); }
    void deliver_backlog();

    /// Everything to send, per gate, as one fabric batch each. Taken once.
    std::map<GateName, Bytes> take_output();

    bool idle() const { return pending_.empty() && in_flight_.empty(); }
    bool has_pending() const { return !pending_.empty(); }
    /// How many of those cannot wait for company.
    std::size_t urgent() const { return urgent_; }
    Figures figures() const;
    /// How things stand, for operators; what can only be seen from outside is absent.
    standing::Standing stands(Instant now) const;

private:
    struct Session {
        GateName gate;
        wire::fabric::Opening facts;
        SessionMachine machine;
        Subscription subscription;
        std::optional<exchange::Terms> granted{};  // under which keys of bodies were handed to it
        bool welcomed = false;
        bool recorded = false;           // its opening is a leaf: its closing has to be one too
        std::uint64_t shown = 0;         // size of the head it was shown last
        std::uint32_t frames_taken = 0;  // since the gate was last granted more
        std::size_t bytes_taken = 0;     // likewise
    };
    struct Credentials {
        Digest certificate;
        Instant certificate_ends;
        std::optional<Instant> lists_end;
    };
    struct Gate {
        bool attached = false;
        std::optional<Digest> nonce;
        std::set<Id16> sessions;
        std::vector<Id16> touched;  // sessions of which frames were taken and not yet granted anew
        std::optional<Credentials> credentials;  // as it told them last
    };

    // What waits for a commit, besides records.
    struct Welcomes {
        std::uint64_t seen_size;
        bool seen;
    };
    struct Confirms {
        Id16 id;
    };
    struct Attaches {
        Attach attach;
    };
    struct Acknowledges {};
    struct Answers {
        Ask ask;
        // What had to be read when it was asked.
        Page page;
        std::optional<exchange::OwedDelivery> owed;
    };
    struct Nothing {};
    using Then = std::variant<Nothing, Welcomes, Confirms, Attaches, Acknowledges, Answers>;
    struct Held {
        std::vector<log::Record> records;
        std::optional<store::Receipt> receipt;
        Id16 session{};
        Then then;
        exchange::Reply reply;
        std::vector<exchange::Delivery> deliveries;
        std::size_t bytes = 0;  // of its records: what a batch is bounded by
        bool can_wait = false;  // for company: an acknowledgement causes no commit of its own for a while
        Instant since{};
    };

    // One fabric item each
    void take_item(const GateName& name, Gate& gate, const wire::fabric::Item& item);
    void take_attach(const GateName& name, Gate& gate, BytesView content);
    void take_opening(const GateName& name, Gate& gate, const wire::fabric::Item& item);
    void take_frame(const wire::fabric::Item& item);
    void take_credentials(Gate& gate, const wire::fabric::Item& item);
    void note_endings();
    exchange::InForce in_force() const;
    void take_close(const wire::fabric::Item& item);
    void grant_anew(const GateName& name, Gate& gate);

    // What a session's machine asks for
    void act(const Id16& id, std::vector<Action> actions);
    void act(const Id16& id, Session& session, Send& send);
    void act(const Id16& id, Session& session, Open& open);
    void act(const Id16& id, Session& session, Publish& publish);
    void act(const Id16& id, Session& session, Attach& attach);
    void act(const Id16& id, Session& session, Grant& grant);
    void act(const Id16& id, Session& session, Acknowledge& acknowledge);
    void act(const Id16& id, Session& session, Ask& ask);
    void act(const Id16& id, Session& session, Cosign& cosign);
    void act(const Id16& id, Session& session, WriteDown& refusal);
    void act(const Id16& id, Session& session, Beat& beat);
    void act(const Id16& id, Session& session, End& end);

    std::optional<Refusal> admit();
    std::optional<exchange::Earlier> earlier(const AgencyId& agency, const Publish& publish,
                                             const Digest& bytes);
    std::vector<log::Kept> concerned_by(BytesView envelope);
    void expire_some(bool ahead);
    Result<Welcomes> welcome_for(const std::string& seen_checkpoint);
    Bytes both_histories(const std::string& seen_checkpoint, const Refusal& why);
    void decide(const exchange::Command& command, const Id16& session, Then then, bool can_wait = false,
                std::optional<store::Receipt> receipt = {});
    void count_flows(const std::vector<log::Record>& records);
    void hold(Held held);
    static std::size_t memory_of(const Held& held);
    Held take_pending();
    // By value: the id given is often a key of the map it is erased from.
    // By value: the id is often the key of what is erased.
    void end_session(Id16 id, const Refusal& why, const Bytes& goodbye);
    void forget_session(Id16 id, const Refusal& why);
    void forget_session(Id16 id, const Refusal& why, Ending how);

    // After the commit
    void release(Held& held);
    void release(Held& held, Session& session, const Nothing& nothing);
    void release(Held& held, Session& session, const Welcomes& welcomes);
    void release(Held& held, Session& session, const Confirms& confirms);
    void release(Held& held, Session& session, const Attaches& attaches);
    void release(Held& held, Session& session, const Acknowledges& acknowledges);
    void release(Held& held, Session& session, const Answers& answers);
    void release_recordless();
    void publish_deliveries(std::vector<exchange::Delivery>& deliveries);
    Digest leaf_of(std::uint64_t index);

    // Delivery
    std::vector<std::unique_ptr<schemas::HighWaterValue>> high_water(const Session& session) const;
    std::uint64_t committed_high(const std::string& topic) const;
    void attach(const Id16& id, Session& session, const Attach& wanted);
    void detach(const Id16& id, Session& session);
    void blame(const Session& session, Ending how);
    void deliver(const Id16& id, Session& session, const std::string& topic, std::uint64_t number,
                 std::uint64_t index, BytesView envelope);
    std::size_t deliver_stored(const Id16& id, Session& session, std::size_t most);
    std::optional<Bytes> stored_envelope(std::uint64_t index);
    void remember_envelope(std::uint64_t index, Bytes envelope);

    void send(const Id16& id, const Session& session, BytesView frame);
    void go_on(Now now) {
        now_ = now.wall;
        running_ = now.running;
    }
    Session* find(const Id16& id);
    void look_again(const Id16& id);

    // Witnesses
    void show_head(Session& session, schemas::HeartbeatValue& beat);
    void show_newest(const Id16& id, Session& session);
    void watch_quorum();
    std::vector<std::unique_ptr<schemas::HashValue>> consistency(std::uint64_t from, std::uint64_t to);

    ThreadHome home_;
    BrokerSetting setting_;
    Instant now_;
    Running running_;
    Heads heads_;
    std::optional<std::string> cosigned_;
    bool quorum_late_ = false;
    /// From one head to another. Thousands of sessions stand between the same few: each proof is read from the store once.
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Digest>> proofs_;
    bool head_wanted_ = false;  // somebody asked for one that covers what is committed and not signed
    RecentIds recent_;
    Figures figures_;
    std::map<std::string, std::uint64_t>
        flows_;  // by topic: incidents recorded and notices issued, since the start
    Attendance attendance_;
    Instant started_;
    std::optional<Instant> head_at_, committed_at_;  // when we heard of the newest of each
    std::optional<Instant> unsigned_since_;          // the oldest commit no head covers yet

    // Of the gates' certificates: those the keys are listed with; nothing before a gate has told one, or is late with it.
    std::optional<std::set<Digest>> certificates_;
    std::optional<Instant> certificate_ends_, lists_end_;  // the first to do so
    Running gates_awaited_until_;

    std::map<GateName, Gate> gates_;
    std::map<Id16, Session> sessions_;
    /// When each session's machine is to be looked at, no later than it asks for; the soonest first.
    using Due = std::pair<Running, Id16>;
    std::priority_queue<Due, std::vector<Due>, std::greater<Due>> due_;
    std::map<AgencyId, std::size_t> sessions_of_;  // as many as have certificates
    std::map<GateName, Bytes> output_;

    std::deque<Held> pending_;                 // decided, not yet handed to the store
    std::deque<std::vector<Held>> in_flight_;  // batches being committed, oldest first
    std::size_t pending_bytes_ = 0;
    std::uint64_t wal_bytes_ = 0;
    std::size_t urgent_ = 0;  // of those pending: how many cannot wait
    bool shutting_down_ = false;
    std::map<std::string, std::uint64_t> undisclosed_;  // deliveries decided and not yet committed, per topic

    // Where looking for bodies whose time is over goes on, where the next look at the whole log begins, and when.
    std::uint64_t expiry_next_ = 0;
    std::optional<std::uint64_t> expiry_from_;
    Instant expiry_at_{};

    std::uint64_t size_;  // of the log as committed
    Digest root_;
    std::uint64_t first_index_ = 0;  // of the batch committed last, whose leaf hashes are:
    std::vector<Digest> leaves_;

    std::map<std::string, std::set<Id16>> subscribers_;              // by topic
    std::map<std::pair<std::string, std::string>, Id16> consumers_;  // by agency and durable name
    std::map<std::pair<std::string, std::string>, std::map<std::string, Attempts>> attempts_;  // likewise
    std::set<Id16> hungry_;  // sessions with credit and something stored to read for them
    std::map<std::uint64_t, Bytes>
        envelopes_;  // recent deliveries by index, for those who are a little behind
    std::size_t envelopes_bytes_ = 0;
};

}  // namespace flagpost::router
