/// A small partnership around one exchange: what its parties send, made easily, and what came of it.
#pragma once

#include <deque>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/body.h"
#include "broker/exchange/exchange.h"
#include "broker/wire/frames.h"
#include "flag_generated.h"
#include "incident_generated.h"
#include "load_generated.h"
#include "notice_generated.h"
#include "order_generated.h"
#include "school_generated.h"
#include "tests/support/catch.h"

namespace flagpost::exchange::testing {

inline const char* const agreement_text = R"(
partnership = "county.example"
[[party]]
agency = "police/31"
name = "Force"
[[party]]
agency = "police/32"
name = "Another force"
[[party]]
agency = "social-care/E10000024"
name = "County"
[[party]]
agency = "social-care/E06000018"
name = "City"
[[party]]
agency = "education/E10000024"
name = "County education"
[[party]]
agency = "school/900001"
name = "First school"
[[party]]
agency = "school/900002"
name = "Second school"
[[party]]
agency = "trust/north"
name = "Trust"
acts_for = ["school/900002", "school/900003"]
[[party]]
agency = "operator/duty"
name = "Operations"
[[party]]
agency = "auditor/office"
name = "Audit"
[[party]]
agency = "bench/1"
name = "Measurement"
[[party]]
agency = "bench/2"
name = "Measurement"
[[share]]
id = "SC-1"
what = "social_care_notice"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["child", "flag", "reasons", "incident", "place", "category", "circumstances", "children", "adults", "worker"]
respond_within = "24h"
retention = "notice"
escalate = [{to = "again", after = "4h", unless = "opened"}, {to = "sender", after = "30h"}]
[[share]]
id = "SCH-1"
what = "school_notice"
from = "police"
to = "school"
purpose = "safeguarding"
legal_basis = ["DAA2021-s49A"]
fields = ["child", "upn", "incident", "child_present"]
respond_within = "16h"
retention = "notice"
escalate = [
  {to = "sender", before_deadline = "1h"},
  {to = "again", after = "2h", unless = "stored"},
  {to = "education", before_deadline = "3h"},
]
[[share]]
id = "SCH-2"
what = "school_notice"
from = "police"
to = "education"
purpose = "safeguarding"
legal_basis = ["DAA2021-s49A"]
fields = ["child", "incident"]
respond_within = "16h"
retention = "notice"
[[share]]
id = "REV-1"
what = "review_item"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["incident", "why", "compared", "weights"]
respond_within = "4h"
retention = "notice"
[[share]]
id = "ASK-1"
what = "question"
from = "social-care"
to = "police"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["text", "by"]
respond_within = "24h"
retention = "notice"
escalate = [{to = "again", after = "4h", unless = "opened"}, {to = "sender", before_deadline = "2h"}]
[[share]]
id = "ASK-2"
what = "answer"
from = "police"
to = "social-care"
purpose = "answering"
legal_basis = ["DPA2018-Sch8-4"]
fields = ["text"]
respond_within = "12h"
retention = "notice"
[[retention]]
id = "RET-N"
class = "notice"
keep = "30d"
[[retention]]
id = "RET-NS"
class = "notice"
controller = "school"
keep = "10d"
[[retention]]
id = "RET-I"
class = "incident"
controller = "police/31"
keep = "20d"
[[retention]]
id = "RET-F"
class = "flag"
keep = "5d"
[[retention]]
id = "RET-R"
class = "receipt"
keep = "2h"
)";

/// What lets forces hear of flags; for the worlds that ask for it.
inline const char* const marker_rule = R"(
[[share]]
id = "MRK-1"
what = "flag_marker"
from = "social-care"
to = "police"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["kind", "places", "start_date", "end_date", "contact", "out_of_hours_contact"]
respond_within = "24h"
retention = "notice"
)";

inline Instant at(const char* day, std::chrono::microseconds later = {}) {
    int y = 0, m = 0, d = 0;
    std::sscanf(day, "%d-%d-%d", &y, &m, &d);
    return Instant{date::sys_days{date::year{y} / m / d}.time_since_epoch()} + later;
}

/// A person as agencies write one down.
struct Who {
    std::string given, family, born;
};

inline std::unique_ptr<schemas::PersonValue> person(const Who& who) {
    auto value = std::make_unique<schemas::PersonValue>();
    value->given_names = who.given;
    value->family_name = who.family;
    value->date_of_birth = who.born;
    return value;
}
inline std::unique_ptr<schemas::PlaceValue> place(std::uint64_t uprn) {
    auto value = std::make_unique<schemas::PlaceValue>();
    value->uprn = uprn;
    return value;
}

inline const Who child_a{"Amelia Rose", "Ravenscroft", "2015-04-17"};
inline const Who child_b{"Oskar", "Lindqvist", "2012-11-03"};
inline const Who mother_a{"Katherine", "Ravenscroft", "1988-09-22"};
inline const Who stranger{"Bartholomew", "Quince", "1971-02-09"};
inline constexpr std::uint64_t home_a = 100031234567;

inline schemas::FlagValue flag(const Who& child, std::string id, std::string la = "E10000024") {
    schemas::FlagValue value;
    value.la = std::move(la);
    value.la_child_id = std::move(id);
    value.child = person(child);
    value.start_date = "2024-01-10";
    return value;
}
inline schemas::FlagValue flag_at(const Who& child, std::string id, std::uint64_t uprn) {
    auto value = flag(child, std::move(id));
    auto dated = std::make_unique<schemas::DatedPlaceValue>();
    dated->place = place(uprn);
    value.places.push_back(std::move(dated));
    return value;
}
inline schemas::PupilValue pupil(const Who& child, std::uint32_t urn) {
    schemas::PupilValue value;
    value.urn = urn;
    value.child = person(child);
    value.enrolment = "C";
    return value;
}

inline void involve(schemas::IncidentValue& incident, const Who& who, schemas::Role role) {
    auto row = std::make_unique<schemas::IncidentPersonValue>();
    row->person = person(who);
    row->role = role;
    row->present = true;
    incident.people.push_back(std::move(row));
}
inline schemas::IncidentValue incident(std::string reference, std::uint32_t version = 1) {
    schemas::IncidentValue value;
    value.force = "31";
    value.reference = std::move(reference);
    value.version = version;
    value.occurred_us = to_us(at("2025-03-04"));
    value.category = "Concern for safety";
    value.circumstances = "Called by a neighbour.";
    return value;
}
inline schemas::IncidentValue incident_with(const Who& child, std::string reference,
                                            std::uint32_t version = 1) {
    auto value = incident(std::move(reference), version);
    involve(value, child, schemas::Role::child);
    value.place = place(home_a);
    return value;
}
/// A domestic-abuse incident whose victim is the child's mother.
inline schemas::IncidentValue abuse_with(const Who& child, std::string reference, std::uint32_t version = 1) {
    auto value = incident(std::move(reference), version);
    value.domestic_abuse = true;
    involve(value, mother_a, schemas::Role::victim);
    involve(value, child, schemas::Role::child);
    auto relationship = std::make_unique<schemas::RelationshipValue>();
    relationship->to = 0;
    relationship->relation = "child";
    value.people[1]->relationships.push_back(std::move(relationship));
    return value;
}

struct Load {
    std::string agency = "social-care/E10000024";
    std::string topic = "flags/E10000024";
    schemas::LoadOf of = schemas::LoadOf::flags;
    schemas::LoadMode mode = schemas::LoadMode::full;
    std::uint64_t sequence = 1;
    std::vector<Bytes> items;
    std::string scope;
    std::size_t part_size = 2;
    bool none = false;
};

inline Id16 pseudonym(std::string_view subject) {
    static const crypto::SymmetricKey key{{8}};
    return crypto::hmac16(key, {view(subject)});
}

inline Setting test_setting(const char* more_rules = "") {
    return {agreement::Agreement::parse(std::string{agreement_text} + more_rules).value(),
            SpiffeId::parse("spiffe://county.example/broker/main").value(),
            [](std::string_view seed) {
                static const crypto::SymmetricKey key{{7}};
                return crypto::hmac16(key, {view(seed)});
            },
            date::locate_zone("Europe/London"), pseudonym};
}

/// What a shell's files say: its `parties`th list of parties, its `crl`th list of revocations.
inline InForce texts(std::uint64_t parties, std::uint64_t crl, std::string keys = {}) {
    return {agreement_text, "# parties " + std::to_string(parties) + "\n", std::move(keys),
            "# revoked " + std::to_string(crl) + "\n", crl};
}

inline Actor actor(const std::string& agency) {
    Id16 session{};
    session[0] = static_cast<std::uint8_t>(agency.size());
    return {SpiffeId::parse("spiffe://county.example/" + agency).value(), session};
}

/// What the store would say of bodies: which are kept, and what rests on each.
class Shelf {
public:
    void add(const log::Record& record) {
        for (const auto& key : record.shreds) {
            kept_.erase(rests_on_.at(key.name));
            rests_on_.erase(key.name);
        }
        for (const auto& key : record.drops) rests_on_.erase(key.name);
        for (const auto index : record.erases) {
            for (const auto& [key, on] : rests_on_) {
                if (on == index)
                    throw std::logic_error{"what state rests on was destroyed: " + key + " on " +
                                           std::to_string(index)};
            }
            if (kept_.erase(index) != 1) throw std::logic_error{"destroyed twice: " + std::to_string(index)};
        }
        for (const auto& key : record.sets) {
            rests_on_[key.name] = record.leaf.index;
            if (key.personal) personal_.insert(key.name);
        }
        if (record.body.empty()) return;
        log::Kept kept{record.leaf.index, record.leaf.time, record.controller, record.retention, {}, {}};
        for (const auto& subject : record.subjects) kept.subjects.push_back(pseudonym(subject));
        kept_.emplace(record.leaf.index, std::move(kept));
    }
    std::vector<log::Kept> all() const {
        auto kept = kept_;
        for (const auto& [key, index] : rests_on_)
            kept.at(index).rests.push_back(personal_.contains(key) ? "" : key);
        std::vector<log::Kept> all;
        for (auto& [index, each] : kept) all.push_back(std::move(each));
        return all;
    }
    std::vector<log::Kept> about(const std::string& subject) const {
        auto found = all();
        std::erase_if(found, [&](const auto& kept) {
            return std::ranges::find(kept.subjects, pseudonym(subject)) == kept.subjects.end();
        });
        return found;
    }
    bool holds(std::uint64_t index) const { return kept_.contains(index); }

private:
    std::map<std::uint64_t, log::Kept> kept_;
    std::map<std::string, std::uint64_t> rests_on_;
    std::set<std::string> personal_;
};

/// Remembers every command given and every record made, so that both can be given again.
class World {
public:
    explicit World(const char* more_rules = "") : exchange{test_setting(more_rules)} {}

    Exchange exchange;
    Instant now = at("2025-03-05", std::chrono::hours{9});
    std::vector<log::Record> records;
    Shelf shelf;
    std::vector<std::pair<Command, Instant>> commands;
    Outcome last;

    Reply give(Command command) {
        last = exchange.decide(command, now);
        commands.emplace_back(std::move(command), now);
        records.insert(records.end(), last.records.begin(), last.records.end());
        for (const auto& record : last.records) shelf.add(record);
        return last.reply;
    }
    Reply tick(std::chrono::microseconds later) {
        now += later;
        return give(Tick{});
    }

    Id16 next_id() {
        // A UUIDv7 of now, with a counter for its random part.
        struct Counter final : Random {
            std::uint64_t value = 0;
            void fill(std::span<std::uint8_t> out) override {
                ++value;
                for (std::size_t i = 0; i < out.size(); ++i)
                    out[out.size() - 1 - i] = static_cast<std::uint8_t>(i < 8 ? value >> (8 * i) : 0);
            }
        };
        Counter counter;
        counter.value = ids_++;
        return make_uuid7(now, counter);
    }

    Bytes envelope(schemas::Kind kind, const std::string& topic, Bytes payload) {
        wire::Draft draft{kind, topic, "", "safeguarding", {"CA2004-s10"}, {}, std::move(payload)};
        const auto id = next_id();
        return wire::make_envelope(draft, id, id, now);
    }
    Published publish(const std::string& agency, Bytes envelope) const {
        return {
            actor(agency), std::move(envelope), Bytes{1, 2, 3, 4},
              std::nullopt
        };
    }
    Reply send(const std::string& agency, schemas::Kind kind, const std::string& topic, Bytes payload) {
        return give(publish(agency, envelope(kind, topic, std::move(payload))));
    }
    Reply send(const schemas::IncidentValue& value, const std::string& force = "31") {
        return send("police/" + force, schemas::Kind::incident, "incidents/" + force,
                    wire::pack<schemas::Incident>(value));
    }
    Reply receipt(const std::string& agency, const Id16& notice, schemas::Level level,
                  const std::string& outcome = "recorded") {
        schemas::ReceiptValue value;
        value.notice.assign(notice.begin(), notice.end());
        value.level = level;
        value.by = "J. Worker";
        if (level == schemas::Level::recorded) value.outcome = outcome;
        return send(agency, schemas::Kind::receipt, "receipts/" + agency,
                    wire::pack<schemas::Receipt>(value));
    }
    Reply decide_review(const Id16& review, schemas::Verdict verdict, const std::string& by = "R. Viewer",
                        const std::string& agency = "social-care/E10000024") {
        schemas::ReviewDecisionValue value;
        value.review.assign(review.begin(), review.end());
        value.verdict = verdict;
        value.by = by;
        value.reason = "looked_at";
        return send(agency, schemas::Kind::review_decision, "receipts/" + agency,
                    wire::pack<schemas::ReviewDecision>(value));
    }
    Reply ask(const std::string& agency, const Id16& notice, const std::string& reference,
              const std::string& force = "31", const std::string& text = "Who was at home?") {
        schemas::QuestionValue value;
        value.notice.assign(notice.begin(), notice.end());
        value.force = force;
        value.incident_reference = reference;
        value.about = "children_present";
        value.text = text;
        value.by = "S. Worker";
        value.asked_us = to_us(now);
        return send(agency, schemas::Kind::question, "receipts/" + agency,
                    wire::pack<schemas::Question>(value));
    }
    Reply answer(const Id16& question, const std::string& agency = "police/31",
                 const std::string& text = "The child and her mother.") {
        schemas::QuestionAnswerValue value;
        value.question.assign(question.begin(), question.end());
        value.outcome = "answered";
        value.text = text;
        value.by = "P. Officer";
        value.answered_us = to_us(now);
        return send(agency, schemas::Kind::answer, "receipts/" + agency,
                    wire::pack<schemas::QuestionAnswer>(value));
    }
    void answer_all() {
        for (const auto& open : exchange.open_obligations())
            if (open.topic.starts_with("reviews/"))
                decide_review(open.notice, schemas::Verdict::deny);
            else if (open.topic.starts_with("questions/"))
                answer(open.notice, open.recipient);
            else
                receipt(open.recipient, open.notice, schemas::Level::recorded);
    }
    Reply expire() { return give(Expire{shelf.all()}); }
    /// An order with what the shell would look up for it.
    Reply order(const std::string& agency, schemas::RecordOrderValue value) {
        if (value.by.empty()) value.by = "J. Worker";
        if (value.reason.empty()) value.reason = "court_order";
        if (value.reference.empty()) value.reference = "CASE-1";
        const bool by_operator = agency.starts_with("operator/");
        const auto topic = by_operator ? "operations/" + agency.substr(9) : "orders/" + agency;
        auto published = publish(
            agency, envelope(schemas::Kind::record_order, topic, wire::pack<schemas::RecordOrder>(value)));
        if (value.does == schemas::OrderDoes::erase) {
            published.concerned = shelf.about(value.subject);
            if (value.subject.empty())
                for (const auto& kept : shelf.all())
                    if (kept.index == value.record) published.concerned = {kept};
        }
        return give(std::move(published));
    }
    Reply order(const std::string& agency, schemas::OrderDoes does, const std::string& subject,
                const std::string& controller = "", const std::string& reference = "CASE-1") {
        schemas::RecordOrderValue value;
        value.does = does;
        value.subject = subject;
        value.controller = controller;
        value.reference = reference;
        return order(agency, std::move(value));
    }
    Reply acknowledge(const std::string& agency, const std::string& topic,
                      std::vector<std::uint64_t> numbers) {
        return give(Acknowledged{actor(agency), topic, std::move(numbers)});
    }

    /// Begin, parts and commit; returns the reply to the commit.
    Reply load(const Load& load) {
        const auto id = next_id();
        begin(load, id);
        const auto parts = send_parts(load, id);
        return commit(load, id, parts);
    }
    Reply begin(const Load& load, const Id16& id, std::optional<std::uint32_t> count = {},
                std::optional<Digest> digest = {}) {
        schemas::LoadBeginValue value;
        value.load.assign(id.begin(), id.end());
        value.of = load.of;
        value.mode = load.mode;
        value.sequence = load.sequence;
        value.count = count.value_or(static_cast<std::uint32_t>(load.items.size()));
        Bytes all;
        for (const auto& item : load.items) all.insert(all.end(), item.begin(), item.end());
        const auto real = digest.value_or(crypto::sha256(all));
        value.digest.assign(real.begin(), real.end());
        value.scope = load.scope;
        value.none = load.none;
        return send(load.agency, schemas::Kind::load_begin, load.topic,
                    wire::pack<schemas::LoadBegin>(value));
    }
    Reply send_part(const Load& load, const Id16& id, std::uint32_t number, std::size_t first) {
        schemas::LoadPartValue value;
        value.load.assign(id.begin(), id.end());
        value.part = number;
        for (auto i = first; i < std::min(first + load.part_size, load.items.size()); ++i) {
            value.records.push_back(std::make_unique<schemas::LoadRecordValue>());
            value.records.back()->bytes = load.items[i];
        }
        return send(load.agency, schemas::Kind::load_part, load.topic, wire::pack<schemas::LoadPart>(value));
    }
    std::uint32_t send_parts(const Load& load, const Id16& id) {
        std::uint32_t parts = 0;
        for (std::size_t first = 0; first < load.items.size(); first += load.part_size)
            send_part(load, id, parts++, first);
        return parts;
    }
    Reply commit(const Load& load, const Id16& id, std::uint32_t parts) {
        schemas::LoadCommitValue value;
        value.load.assign(id.begin(), id.end());
        value.parts = parts;
        return send(load.agency, schemas::Kind::load_commit, load.topic,
                    wire::pack<schemas::LoadCommit>(value));
    }

    /// The deliveries of the last command that went to this mailbox, as what they say.
    template <class Table>
    std::vector<typename Table::NativeTableType> delivered(const std::string& topic) const {
        std::vector<typename Table::NativeTableType> values;
        for (const auto& delivery : last.deliveries) {
            if (delivery.topic != topic) continue;
            const auto envelope = wire::read_envelope(delivery.envelope).value();
            const auto table = wire::read_table<Table>(envelope.payload, "payload").value();
            table->UnPackTo(&values.emplace_back());
        }
        return values;
    }
    std::vector<log::LeafKind> kinds() const {
        std::vector<log::LeafKind> all;
        for (const auto& record : last.records) all.push_back(record.leaf.kind);
        return all;
    }

private:
    std::uint64_t ids_ = 0;
};

inline std::optional<Refusal> refusal(const Reply& reply) {
    const auto* refused = std::get_if<Refusal>(&reply);
    return refused ? std::optional{*refused} : std::nullopt;
}
inline Reason reason(const Reply& reply) {
    const auto refused = refusal(reply);
    return refused ? refused->reason : Reason::none;
}
inline bool confirmed(const Reply& reply) {
    const auto* confirm = std::get_if<Confirmed>(&reply);
    return confirm != nullptr && !confirm->already;
}
inline Id16 id16(const std::vector<std::uint8_t>& bytes) { return exactly<16>(bytes).value(); }

/// The roll of school 900001, by itself: one pupil, child_a.
inline Load first_roll() {
    Load roll;
    roll.agency = "school/900001";
    roll.topic = "rolls/school/900001";
    roll.of = schemas::LoadOf::rolls;
    roll.scope = "urn:900001";
    roll.items = {wire::pack<schemas::Pupil>(pupil(child_a, 900001))};
    return roll;
}

/// GIAS, so that each school has an authority; and the first school's contacts.
inline void load_schools(World& world) {
    Load load;
    load.agency = "operator/duty";
    load.topic = "reference/gias";
    load.of = schemas::LoadOf::schools;
    for (const std::uint32_t urn : {900001u, 900002u}) {
        schemas::SchoolValue school;
        school.urn = urn;
        school.la = "E10000024";
        school.name = "School";
        school.status = 1;
        load.items.push_back(wire::pack<schemas::School>(school));
    }
    world.load(load);
    Load contacts;
    contacts.agency = "operator/duty";
    contacts.topic = "reference/contacts";
    contacts.of = schemas::LoadOf::contacts;
    for (const char* name : {"A. First", "B. Second"}) {
        schemas::SchoolContactValue contact;
        contact.urn = 900001;
        contact.name = name;
        contacts.items.push_back(wire::pack<schemas::SchoolContact>(contact));
    }
    world.load(contacts);
}

/// What the store does with state keys, without a disk: which records are still rested on.
class LiveRecords {
public:
    void add(const log::Record& record) {
        for (const auto& keys : {&record.drops, &record.shreds})
            for (const auto& key : *keys) {
                REQUIRE(rests_on_.contains(key.name));  // nothing is dropped that was not there
                rests_on_.erase(key.name);
            }
        for (const auto& key : record.sets) rests_on_[key.name] = record.leaf.index;
    }
    std::set<std::uint64_t> indexes() const {
        std::set<std::uint64_t> live;
        for (const auto& [key, index] : rests_on_) live.insert(index);
        return live;
    }

private:
    std::map<std::string, std::uint64_t> rests_on_;
};

/// An exchange that has been given only some of the records of another.
inline Digest digest_after(const std::vector<log::Record>& records, bool live_only) {
    LiveRecords keys;
    for (const auto& record : records) keys.add(record);
    const auto live = keys.indexes();
    Exchange again{test_setting()};
    for (const auto& record : records)
        if (!live_only || live.contains(record.leaf.index))
            again.apply(record.leaf.index, record.leaf.kind, record.body);
    return again.state_digest();
}

/// What must hold after whatever happened: both ways of recovery lead to the state that is.
inline void check_recovery(const World& world) {
    const auto now = world.exchange.state_digest();
    CHECK(digest_after(world.records, false) == now);
    CHECK(digest_after(world.records, true) == now);
}

}  // namespace flagpost::exchange::testing
