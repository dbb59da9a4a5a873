/// One command at a time: reads the state, makes records, applies each as it is made.
#pragma once

#include "broker/exchange/body.h"
#include "broker/exchange/exchange.h"
#include "broker/exchange/state.h"
#include "broker/exchange/units.h"
#include "broker/match/match.h"
#include "broker/notices/plan.h"
#include "broker/wire/frames.h"

namespace flagpost::exchange {

class Decider {
public:
    explicit Decider(Setting setting);

    Outcome decide(const Command& command, Instant now);

    std::vector<log::Record> rehearse(std::uint64_t index, BytesView body, bool late, Instant now);
    void put_in_force(agreement::Agreement agreement) { setting_.agreement = std::move(agreement); }

    std::optional<Instant> expires_before(Instant now) const;

    State state;
    std::uint64_t next_index = 0;
    const Digest& engine() const { return engine_; }

private:
    // exchange.cpp: what concerns the session
    Reply take(const Started& started);
    Reply take(const Reloaded& reloaded);
    Reply take(const ClockStepped& stepped);
    std::map<std::string, Instant> sources_now() const;
    void note_settings(const InForce& in_force);
    Reply take(const SessionOpened& opened);
    Reply take(const SessionClosed& closed);
    Reply take(const Subscribe& subscribe);
    Reply take(const Acknowledged& acknowledged);
    std::vector<std::string> incidents_of(const std::string& topic,
                                          const std::vector<std::uint64_t>& numbers) const;
    Reply take(const Turned& turned);
    Reply take(const Consult& consult);
    void disclose(const Consult& consult, std::uint64_t consulted);
    Reply take(const GaveUp& gave_up);
    Reply take(const ClockSynchronised& synchronised);
    Reply take(const Tick& tick);
    Reply take(const Expire& expire);
    void log_erased_again(std::vector<std::uint64_t> erased);

    // published.cpp: what every message goes through
    Reply take(const Published& published);
    struct Message {
        const Published& command;
        wire::EnvelopeView envelope;
        Received received() const;
        std::string topic() const { return std::string{envelope.topic}; }
        Instant at;
    };
    Reply take_message(const Message& message);
    Reply take_opaque(const Message& message);
    log::Record published(const Message& message);
    template <class T> static Result<const T*> payload(const Message& message) {
        return wire::read_table<T>(message.envelope.payload, "envelope.payload");
    }

    // loads.cpp
    Reply take_load_begin(const Message& message, const LoadTarget& target);
    Reply take_load_part(const Message& message);
    Reply take_load_commit(const Message& message, const LoadTarget& target);
    struct LoadReport;
    void apply_load(const Message& message, const LoadTarget& target, const OpenLoad& load,
                    LoadReport& report, std::uint64_t commit);
    void end_load(const LoadName& name, const OpenLoad& load, const LoadReport& report,
                  const log::Record& ending);
    void abandon_loads();

    // markers.cpp
    using Changes = std::vector<std::unique_ptr<schemas::MarkerValue>>;
    Changes marker_changes(const std::vector<std::string>& keys) const;
    void tell_forces(const std::string& la, const std::vector<std::string>& changed, std::uint64_t commit);

    // incidents.cpp
    Reply take_incident(const Message& message);
    struct Case;
    void decide_incident(const Case& which);
    /// A notice that one decision adds.
    struct Fresh {
        notices::Planned& planned;
        Id16 id;
        std::string seed;           // of id and salt: the same decision makes the same notice
        std::optional<Id16> first;  // of its thread
        // Of a question and its answer:
        std::optional<std::string> sender{};     // unless it is the incident's
        std::optional<std::string> reference{};  // unless it has one of its own
        std::optional<AskedAbout> asked{};
    };
    void issue(const IncidentName& about, Fresh& fresh, std::uint64_t decided, const char* outcome);
    void reconsider_some();
    void add_recalls(const Case& which, const std::map<std::string, Thread>& threads, notices::Plan& plan);
    void close_recalled(const Case& which, const std::string& thread, std::uint64_t decided);

    // receipts.cpp
    Reply take_receipt(const Message& message);
    Reply take_staff_change(const Message& message);
    void give_back(const Message& message, const schemas::Receipt& receipt, std::uint64_t recorded);
    void report_not_theirs(const IncidentName& about, const Id16& notice, const std::string& topic,
                           std::uint64_t recorded);
    void route_anew(const IncidentName& about);
    Result<void> may_answer(const AgencyId& agency, const Id16& notice, const std::string& topic) const;
    void close_by(log::Record& record, schemas::RecordBodyValue& body, const Id16& notice,
                  bool first_asked) const;

    // reviews.cpp
    Reply take_review(const Message& message);
    void note_verdict(const Message& message, const schemas::ReviewDecision& decision, const Obligation& owed,
                      const Id16& review);
    void settle_review(const Message& message, const schemas::ReviewDecision& decision,
                       const Obligation& owed, const Id16& review);
    void release(const Message& message, const schemas::ReviewDecision& decision, const Obligation& owed,
                 const Id16& review, std::uint64_t settled);
    notices::Planned let_go(const HeldBack& held) const;

    // questions.cpp
    Reply take_question(const Message& message);
    Reply take_answer(const Message& message);
    std::optional<std::string> mailbox_told(const AgencyId& agency, const IncidentName& about,
                                            const Id16& notice) const;
    std::vector<std::string> child_of(const IncidentName& about, const Id16& notice) const;
    std::size_t open_questions(const AgencyId& agency, const IncidentName& about) const;

    // obligations.cpp
    void fire_clocks();
    void escalate(const Id16& notice, std::size_t rung);
    void note_overdue(const Id16& notice);
    struct Reporting {
        const Id16& notice;
        const Obligation& owed;
        schemas::ReportOf of;
        std::string to;    // agency
        std::string turn;  // escalated: kind of agency whose turn it is
        bool names_recipient;
        std::string person = {};  // kept_from, not_kept_from
    };
    void report(const Reporting& what);
    void report_closed(const Id16& notice, const Obligation& owed, const std::string& by);
    std::unique_ptr<schemas::DeadLetterFactsValue> dead_letter_facts(const ItemName& item,
                                                                     const std::optional<Id16>& notice) const;
    Reply take_operator_action(const Message& message);
    std::uint64_t emit_action(const Message& message);
    void end_dead_letter(const ItemName& item, const schemas::OperatorAction& action, const Actor& actor);
    void release_clock(const char* why, const std::string& by);
    log::Record clock_record(const char* outcome, bool held) const;

    // retention.cpp
    struct Order;
    /// What an order to erase an incident ends besides.
    struct Ending {
        schemas::RecordBodyValue body;
        std::vector<log::StateKey> drops;
    };
    using StandingHolds = std::multimap<Id16, const HoldName*>;  // by the HMAC of their subject
    StandingHolds standing_holds() const;
    static const HoldName* hold_on(const log::Kept& kept, const StandingHolds& holds);
    bool is_held(const IncidentName& name, const RetainedIncident& incident) const;
    Reply take_record_order(const Message& message);
    Reply take_hold(const Message& message, const Order& order);
    Reply take_lift(const Message& message, Order order);
    bool is_own_case(const Order& order) const;
    bool is_known_case(std::string_view subject) const;
    bool takes_part(std::string_view agency) const;
    /// Who is on a conflict list of the incident or of whom the decision is about.
    std::vector<notices::KeptFrom> kept_from(const IncidentName& name, const match::Decision& decision) const;
    /// Whether `subject` is the incident itself, or a child it was decided about or anybody was told of.
    static bool is_case(const IncidentName& name, const RetainedIncident& incident, std::string_view subject);
    /// Likewise, of whom the case is about by what was told of it.
    std::set<notices::KeptFrom> listed(const IncidentName& name) const;
    /// Whoever reads the topic hears which of their own people must not see this notice.
    void tell_kept_from(const IncidentName& about, const Id16& notice, schemas::Kind kind,
                        const std::string& topic);
    /// The agency of `who`, if it was told of the case, hears that they are on its conflict list, or no longer. No other does.
    void tell_of_conflict(const std::string& subject, const notices::KeptFrom& who);
    void report_kept_from(const IncidentName& about, const Id16& notice, const std::string& topic,
                          const notices::KeptFrom& who);
    /// Whether somebody of this name and agency may neither see nor decide on what is owed, by a conflict list.
    bool is_in_conflict(const Obligation& owed, std::string_view name, const AgencyId& agency) const;
    Reply take_erasure(const Message& message, const Order& order);
    void emit_hold(log::Record record, const Order& order, const std::string& holder);
    std::uint64_t emit_order(const Message& message, const Order& order);
    log::Record order_record(const Message& message, const Order& order, log::LeafKind kind,
                             std::uint64_t published) const;
    Result<std::vector<log::Kept>> named_by(const Message& message, const Order& order) const;
    Ending ending_of(const Order& order) const;
    std::optional<Refusal> why_kept(const std::vector<log::Kept>& named,
                                    const std::vector<log::StateKey>& ended) const;
    std::string need_of(const std::string& key) const;

    // timers.cpp
    void close_windows();
    void emit_erasure(log::Record record);
    void forget_escalations(const RetainedIncident& incident, log::Record& record) const;
    void forget_escalations(const Id16& notice, log::Record& record) const;

    // Records
    std::uint64_t emit(log::Record record);
    log::Record record_by(const Actor& actor, log::LeafKind kind, log::Operation operation) const;
    log::Record record_by_broker(log::LeafKind kind, log::Operation operation) const;
    Refusal refused(const Actor& actor, Refusal refusal, std::string_view topic,
                    const std::optional<Id16>& message);
    std::uint64_t next_number(const std::string& topic) const;
    schemas::MailboxStateValue mailbox_after(const std::string& topic,
                                             const std::vector<std::uint64_t>& numbers) const;

    Setting setting_;
    Digest engine_;
    Instant now_{};
    Outcome outcome_;
    bool rehearsing_ = false;  // records are made and not applied
    /// Where reconsidering retained incidents goes on after the register changed. Not state: starting over is safe,
    /// as a notice that was sent is not sent again, and a start begins with it.
    std::optional<IncidentName> reconsider_from_;
};

std::unique_ptr<schemas::MailboxItemValue> item_facts(const std::string& topic, std::uint64_t number);

/// A decision as far as it says what has been told to whom: the threads as they stand with it.
std::unique_ptr<schemas::DecisionFactsValue> told_facts(const IncidentName& about,
                                                        const std::map<std::string, Thread>& threads);
Bytes fingerprint_of(const notices::Planned& planned);
void add_to_thread(Thread& thread, const Id16& notice);

inline const std::string& force_of(const Obligation& owed) {
    return owed.kind == schemas::Kind::question ? owed.recipient : owed.sender;
}
inline std::string incident_subject(const Obligation& owed) {
    return incident_subject(force_of(owed), owed.about);
}
inline IncidentName incident_of(const Obligation& owed) {
    const auto& force = force_of(owed);
    return {force.substr(force.find('/') + 1), owed.about};
}

/// "FP-7K3M-29QD": the first 40 bits of an id as Crockford's base 32, for people.
std::string human_reference(std::string_view prefix, const Id16& id);

}  // namespace flagpost::exchange
