#include "adapters/auditor/explain.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "adapters/auditor/printable.h"
#include "adapters/auditor/replay.h"
#include "broker/exchange/body.h"
#include "broker/exchange/exchange.h"
#include "broker/wire/frames.h"

namespace flagpost::auditor {
namespace {

using Json = nlohmann::ordered_json;
using log::Leaf;
using log::LeafKind;

std::string text_of(const flatbuffers::String* text) { return text == nullptr ? "" : text->str(); }

Json texts_of(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* texts) {
    auto list = Json::array();
    if (texts != nullptr)
        for (const auto* each : *texts) list.push_back(each->str());
    return list;
}

std::string bits(std::int32_t millibits) {
    const auto tenths = (millibits + (millibits < 0 ? -50 : 50)) / 100;
    const auto rest = std::to_string(std::abs(tenths % 10));
    return (tenths < 0 ? "-" : "") + std::to_string(std::abs(tenths / 10)) + "." + rest;
}

/// Where a hit of each outcome may go: the rules of the product, whatever the agreement adds.
const char* consequence(schemas::Outcome outcome, bool is_pupil) {
    switch (outcome) {
        case schemas::Outcome::match:
            return "sure enough for its authority or school to be told";
        case schemas::Outcome::potential:
            return is_pupil ? "not sure enough for a school: for a person at the review desk to decide"
                            : "not quite sure: social care alone is told, marked possible";
        case schemas::Outcome::low:
        case schemas::Outcome::many:
            return "too uncertain to tell anybody: for a person at the review desk to decide";
        case schemas::Outcome::none:
            break;
    }
    return "no match";
}

Json hit_of(const schemas::DecisionHit& hit, bool is_pupil) {
    Json object{
        {"subject", hit.subject()->str()                   },
        {"outcome", schemas::EnumNameOutcome(hit.outcome())},
        {"means",   consequence(hit.outcome(),               is_pupil)},
        {"bits",         bits(hit.score())                                          },
        {"reasons",         texts_of(hit.reasons())},
    };
    if (!is_pupil) object["hit"] = schemas::EnumNameHitKind(hit.hit());
    static constexpr const char* ways[] = {"named", "flag", "contact"};
    if (is_pupil && hit.through() < 3) object["through"] = ways[hit.through()];
    if (hit.person() >= 0) object["person_of_incident"] = hit.person();
    auto& evidence = object["evidence"] = Json::array();
    if (hit.evidence() != nullptr)
        for (const auto* each : *hit.evidence())
            evidence.push_back({
                {"field",  text_of(each->field())},
                {"level",  text_of(each->level())},
                {"weight", bits(each->weight())  }
            });
    return object;
}

Json facts_of(const Leaf& leaf, std::uint64_t index) {
    return {
        {"index", index               },
        {"time",  time_text(leaf.time)},
    };
}

class Explanation {
public:
    explicit Explanation(const std::string& wanted) : wanted_{wanted} {
        const auto [end, error] =
            std::from_chars(wanted.data(), wanted.data() + wanted.size(), wanted_index_);
        is_index_ = error == std::errc{} && end == wanted.data() + wanted.size();
    }

    void add(const Record& record) {
        const auto& leaf = record.leaf;
        switch (leaf.kind) {
            case LeafKind::published:
                if (leaf.topic.starts_with("incidents/")) add_version(record);
                break;
            case LeafKind::decided:
                if (leaf.related && versions_.contains(*leaf.related)) add_decision(record);
                break;
            case LeafKind::notice_issued:
                if (leaf.related && decisions_.contains(*leaf.related)) add_notice(record);
                break;
            case LeafKind::refused:
                if (leaf.related && decisions_.contains(*leaf.related)) add_withheld(record);
                break;
            case LeafKind::opened:
            case LeafKind::recorded:
                if (leaf.message && notices_.contains(*leaf.message)) add_receipt(record);
                break;
            default:
                break;
        }
    }

    Json result() && { return std::move(story_); }

private:
    void add_version(const Record& record) {
        std::string name;
        std::uint32_t version = 0;
        if (record.state == BodyState::open) {
            const auto* facts = exchange::read_body(record.body).incident();
            if (facts == nullptr) return;
            name = facts->force()->str() + "/" + facts->reference()->str();
            version = facts->version();
        }
        // By its number one version is meant, and then all of the same incident that come after it.
        if (is_index_ && record.index == wanted_index_) name_ = name;
        const bool is_it = is_index_ ? record.index == wanted_index_ || (!name.empty() && name == name_)
                                     : !name.empty() && name == wanted_;
        if (!is_it) return;
        versions_.insert(record.index);
        auto object = facts_of(record.leaf, record.index);
        object["what"] = "published";
        object["by"] = agency_of(record.leaf.actor);
        object["incident"] = name.empty() ? "(erased, or not handed over)" : name;
        object["version"] = version;
        object["purpose"] = record.leaf.purpose;
        object["legal_basis"] = record.leaf.legal_basis;
        story_.push_back(std::move(object));
    }

    void add_decision(const Record& record) {
        const auto& leaf = record.leaf;
        auto object = facts_of(leaf, record.index);
        object["what"] = "decided";
        object["late"] = leaf.outcome.starts_with("late: ");
        object["outcome"] = leaf.outcome;
        object["candidates"] = leaf.candidates;
        if (leaf.engine) object["engine"] = to_hex(*leaf.engine);
        if (leaf.agreement) object["agreement"] = to_hex(*leaf.agreement);
        auto& hits = object["hits"] = Json::array();
        auto& unplaced = object["unplaced"] = Json::array();
        if (record.state == BodyState::open) {
            const auto* facts = exchange::read_body(record.body).decision();
            if (facts != nullptr && facts->flags() != nullptr)
                for (const auto* hit : *facts->flags()) hits.push_back(hit_of(*hit, false));
            if (facts != nullptr && facts->pupils() != nullptr)
                for (const auto* hit : *facts->pupils()) hits.push_back(hit_of(*hit, true));
            if (facts != nullptr && facts->unplaced() != nullptr)
                for (const auto* child : *facts->unplaced())
                    unplaced.push_back({
                        {"person_of_incident", child->person()      },
                        {"why",                text_of(child->why())}
                    });
        } else if (leaf.body) {
            object["not_readable"] = record.state == BodyState::absent ? "erased" : "not handed over";
        }
        object["told"] = Json::array();
        object["not_told"] = Json::array();
        decisions_[record.index] = story_.size();
        story_.push_back(std::move(object));
    }

    void add_notice(const Record& record) {
        const auto& leaf = record.leaf;
        auto object = facts_of(leaf, record.index);
        object["recipient"] = leaf.recipient;
        object["topic"] = leaf.topic;
        object["number"] = leaf.number;
        object["notice"] = leaf.message ? to_hex(*leaf.message) : "";
        object["news"] = leaf.outcome;
        object["rule"] = leaf.rule;
        object["purpose"] = leaf.purpose;
        object["legal_basis"] = leaf.legal_basis;
        if (record.state == BodyState::open) {
            const auto& body = exchange::read_body(record.body);
            const auto envelope = wire::read_envelope(exchange::bytes_of(body.envelope()));
            if (envelope && envelope->table->subject() != nullptr)
                object["reference"] = envelope->table->subject()->str();
            if (body.obligation() != nullptr) object["due"] = time_text(from_us(body.obligation()->due_us()));
        }
        object["answers"] = Json::array();
        auto& told = story_[decisions_.at(*leaf.related)]["told"];
        if (leaf.message) notices_[*leaf.message] = {decisions_.at(*leaf.related), told.size()};
        told.push_back(std::move(object));
    }

    void add_withheld(const Record& record) {
        auto object = facts_of(record.leaf, record.index);
        object["recipient"] = record.leaf.recipient;
        object["why"] = record.leaf.rule;
        object["reason"] = record.leaf.outcome;
        story_[decisions_.at(*record.leaf.related)]["not_told"].push_back(std::move(object));
    }

    void add_receipt(const Record& record) {
        const auto [decision, place] = notices_.at(*record.leaf.message);
        auto object = facts_of(record.leaf, record.index);
        object["what"] = schemas::EnumNameLeafKind(record.leaf.kind);
        object["by"] = agency_of(record.leaf.actor);
        object["outcome"] = record.leaf.outcome;
        object["closes"] = record.leaf.number != 0;
        story_[decision]["told"][place]["answers"].push_back(std::move(object));
    }

    std::string wanted_;
    std::uint64_t wanted_index_ = 0;
    bool is_index_ = false;
    std::string name_;
    std::set<std::uint64_t> versions_;
    std::map<std::uint64_t, std::size_t> decisions_;  // their places in the story
    std::map<Id16, std::pair<std::size_t, std::size_t>> notices_;
    Json story_ = Json::array();
};

std::string at(const Json& object) {
    return "[" + object["index"].dump() + "] " + object["time"].get<std::string>();
}

std::string value_in(const Json& object, const char* name) {
    return object.contains(name) && object[name].is_string() ? printable(object[name].get<std::string>())
                                                             : "";
}

void say_hit(std::string& out, const Json& hit) {
    out += "    " + value_in(hit, "subject") + ": " + value_in(hit, "outcome");
    if (hit.contains("hit")) out += " by " + value_in(hit, "hit");
    if (hit.contains("through")) out += " through " + value_in(hit, "through");
    if (hit.contains("person_of_incident"))
        out += ", person " + hit["person_of_incident"].dump() + " of the incident";
    out += ", " + value_in(hit, "bits") + " bits: " + value_in(hit, "means") + "\n";
    for (const auto& reason : hit["reasons"]) out += "      " + printable(reason.get<std::string>()) + "\n";
    std::string weights;
    for (const auto& each : hit["evidence"])
        weights += (weights.empty() ? "" : ", ") + value_in(each, "field") + " " + value_in(each, "level") +
                   " " + value_in(each, "weight");
    if (!weights.empty()) out += "      evidence in bits: " + weights + "\n";
}

void say_notice(std::string& out, const Json& notice) {
    out += "    " + at(notice) + " " + value_in(notice, "recipient") + " is owed " +
           (notice.contains("reference") ? value_in(notice, "reference") : "a notice") + " (" +
           value_in(notice, "news") + ") under rule " + value_in(notice, "rule") + ", for " +
           value_in(notice, "purpose") + " by " + listed(notice["legal_basis"]) +
           (notice.contains("due") ? ", due " + value_in(notice, "due") : "") + "\n";
    for (const auto& answer : notice["answers"])
        out += "      " + at(answer) + " " + value_in(answer, "what") + " by a named person of " +
               value_in(answer, "by") +
               (value_in(answer, "outcome").empty() ? "" : ": " + value_in(answer, "outcome")) +
               (answer["closes"].get<bool>() ? ", which closes it" : "") + "\n";
    if (notice["answers"].empty()) out += "      not answered yet\n";
}

void say_decision(std::string& out, const Json& decision) {
    out += "  " + at(decision) + " decided" +
           (decision["late"].get<bool>() ? " again, because the register had changed" : "") + ": " +
           value_in(decision, "outcome") + "; " + decision["candidates"].dump() +
           " candidates were compared\n";
    if (decision.contains("not_readable"))
        out += "    the explanation is " + value_in(decision, "not_readable") + "\n";
    for (const auto& hit : decision["hits"]) say_hit(out, hit);
    for (const auto& child : decision["unplaced"])
        out += "    person " + child["person_of_incident"].dump() +
               " of the incident, a child, is at no school known: " + value_in(child, "why") + "\n";
    out += "  told:\n";
    for (const auto& notice : decision["told"]) say_notice(out, notice);
    if (decision["told"].empty()) out += "    nobody, or nothing new\n";
    out += "  not told:\n";
    for (const auto& withheld : decision["not_told"])
        out += "    " + at(withheld) + " " + value_in(withheld, "recipient") + ": " +
               value_in(withheld, "why") + "\n";
    out += "    everybody else: nothing known of them agreed with the incident\n";
}

}  // namespace

Json explain(const std::filesystem::path& directory, const crypto::BoxKey* key, const std::string& incident,
             const Progress& progress) {
    Records records{directory, key};
    Explanation explanation{incident};
    while (const auto record = records.next()) {
        explanation.add(*record);
        if (progress && record->index % 1024 == 0) progress(record->index, records.size());
    }
    return std::move(explanation).result();
}

std::string explained_in_words(const Json& explanation) {
    std::string out;
    for (const auto& part : explanation) {
        if (part["what"] == "decided") {
            say_decision(out, part);
            continue;
        }
        out += at(part) + " " + value_in(part, "by") + " published incident " + value_in(part, "incident") +
               ", version " + part["version"].dump() + "\n";
    }
    return out;
}

}  // namespace flagpost::auditor
