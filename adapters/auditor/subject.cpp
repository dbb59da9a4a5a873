#include "adapters/auditor/subject.h"

#include <algorithm>
#include <cctype>

#include "adapters/auditor/content.h"
#include "adapters/auditor/printable.h"
#include "adapters/auditor/replay.h"
#include "broker/exchange/body.h"
#include "broker/exchange/exchange.h"
#include "broker/wire/frames.h"
#include "flag_generated.h"
#include "school_generated.h"

namespace flagpost::auditor {
namespace {

using Json = nlohmann::ordered_json;
using log::LeafKind;

const schemas::UnitFacts* unit_of(const Record& record) {
    const bool is_unit =
        record.leaf.kind == LeafKind::record_set || record.leaf.kind == LeafKind::record_removed;
    return is_unit && record.state == BodyState::open ? exchange::read_body(record.body).unit() : nullptr;
}

void each_record(const std::filesystem::path& directory, const crypto::BoxKey& key, const Progress& progress,
                 const std::function<void(const Record&)>& each) {
    Records records{directory, &key};
    while (const auto record = records.next()) {
        each(*record);
        if (progress && record->index % 1024 == 0) progress(record->index, records.size());
    }
}

/// The references under which leaves speak of these keys, found where the register itself names both.
std::set<Id16> references_of(const std::filesystem::path& directory, const crypto::BoxKey& key,
                             const std::set<std::string>& subjects, const Progress& progress) {
    std::set<Id16> references;
    each_record(directory, key, progress, [&](const Record& record) {
        const auto* unit = unit_of(record);
        if (unit != nullptr && subjects.contains(unit->key()->str()))
            references.insert(record.leaf.subjects.begin(), record.leaf.subjects.end());
    });
    return references;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

bool is_of(const schemas::Person* person, const std::string& family_name, const std::string& born) {
    return person != nullptr && person->family_name() != nullptr && person->date_of_birth() != nullptr &&
           lower(person->family_name()->str()) == lower(family_name) &&
           person->date_of_birth()->str() == born;
}

/// Of a decision, what it says of this child and of nobody else.
Json decision_about(const schemas::DecisionFacts& facts, const std::set<std::string>& subjects) {
    Json content{
        {"incident", facts.force()->str() + "/" + facts.reference()->str()},
        {"version",  facts.version()                                      }
    };
    auto& hits = content["hits"] = Json::array();
    const auto add = [&](const auto* list) {
        if (list == nullptr) return;
        for (const auto* hit : *list) {
            if (!subjects.contains(hit->subject()->str())) continue;
            Json row{
                {"subject", hit->subject()->str()                   },
                {"outcome", schemas::EnumNameOutcome(hit->outcome())}
            };
            if (hit->reasons() != nullptr)
                for (const auto* reason : *hit->reasons()) row["reasons"].push_back(reason->str());
            hits.push_back(std::move(row));
        }
    };
    add(facts.flags());
    add(facts.pupils());
    return content;
}

Json content_in(const Record& record, const std::set<std::string>& subjects) {
    if (record.state == BodyState::absent) return "erased";
    if (record.state == BodyState::not_given) return "not handed over";
    if (record.state == BodyState::none) return nullptr;
    const auto& body = exchange::read_body(record.body);
    if (body.unit() != nullptr)
        return body.unit()->item() == nullptr
                   ? Json{{"key", body.unit()->key()->str()}}
                   : content_of(body.unit()->of(), exchange::bytes_of(body.unit()->item()));
    if (body.decision() != nullptr) return decision_about(*body.decision(), subjects);
    if (const auto envelope = wire::read_envelope(exchange::bytes_of(body.envelope())))
        return content_of(envelope->kind, envelope->payload);
    return nullptr;
}

class Draft {
public:
    Draft(const std::set<std::string>& subjects, std::set<Id16> references)
        : subjects_{subjects}, references_{std::move(references)} {}

    void add(const Record& record) {
        const auto& leaf = record.leaf;
        // Kept until it is known whether the decision that follows it is about this child.
        if (leaf.kind == LeafKind::published && leaf.topic.starts_with("incidents/")) incident_ = record;
        const bool is_about = std::ranges::any_of(
            leaf.subjects, [&](const Id16& subject) { return references_.contains(subject); });
        const bool answers = leaf.message && notices_.contains(*leaf.message);
        if (!is_about && !answers) return;
        if (leaf.kind == LeafKind::decided && incident_ && incident_->index == leaf.related) put(*incident_);
        if (leaf.kind == LeafKind::notice_issued && leaf.message) notices_.insert(*leaf.message);
        put(record);
    }

    Json result() && {
        return {
            {"subjects", subjects_        },
            {"items",    std::move(items_)}
        };
    }

private:
    void put(const Record& record) {
        const auto& leaf = record.leaf;
        items_.push_back({
            {"index",   record.index                        },
            {"time",    time_text(leaf.time)                },
            {"what",    schemas::EnumNameLeafKind(leaf.kind)},
            {"from",    agency_of(leaf.actor)               },
            {"to",      leaf.recipient                      },
            {"rule",    leaf.rule                           },
            {"purpose", leaf.purpose                        },
            {"content", content_in(record,                    subjects_)},
            {"mark",         ""                                       },
            {"why",         "" },
            {"redact",         Json::array()                                    },
        });
    }

    const std::set<std::string>& subjects_;
    std::set<Id16> references_;
    std::set<Id16> notices_;
    std::optional<Record> incident_;
    Json items_ = Json::array();
};

[[noreturn]] void fault(const Json& item, const std::string& why) {
    const auto index = item.is_object() && item.contains("index") ? item["index"].dump() : "?";
    throw std::runtime_error{"item of entry " + index + ": " + why};
}

std::string text_in(const Json& item, const char* name) {
    return item.is_object() && item.contains(name) && item[name].is_string() ? item[name].get<std::string>()
                                                                             : "";
}

void redact(Json& item) {
    if (!item.contains("redact") || !item["redact"].is_array() || item["redact"].empty())
        fault(item, "is to be redacted and does not say of what");
    for (const auto& pointer : item["redact"]) {
        const auto place = pointer.is_string() ? pointer.get<std::string>() : "";
        try {
            item["content"].at(Json::json_pointer{place}) = "[redacted]";
        } catch (const nlohmann::json::exception&) {
            fault(item, "there is nothing at \"" + printable(place) + "\" to redact");
        }
    }
}

}  // namespace

std::set<std::string> subject_keys(const std::filesystem::path& directory, const crypto::BoxKey& key,
                                   const std::string& family_name, const std::string& born,
                                   const Progress& progress) {
    std::set<std::string> keys;
    each_record(directory, key, progress, [&](const Record& record) {
        const auto* unit = unit_of(record);
        if (unit == nullptr || unit->item() == nullptr) return;
        const auto item = exchange::bytes_of(unit->item());
        const schemas::Person* child = nullptr;
        if (unit->of() == schemas::LoadOf::flags)
            if (const auto flag = wire::read_table<schemas::Flag>(item, "flag")) child = (*flag)->child();
        if (unit->of() == schemas::LoadOf::rolls)
            if (const auto pupil = wire::read_table<schemas::Pupil>(item, "pupil")) child = (*pupil)->child();
        if (is_of(child, family_name, born)) keys.insert(unit->key()->str());
    });
    return keys;
}

Json subject_draft(const std::filesystem::path& directory, const crypto::BoxKey& key,
                   const std::set<std::string>& subjects, const Progress& progress) {
    Draft draft{subjects, references_of(directory, key, subjects, progress)};
    each_record(directory, key, progress, [&](const Record& record) { draft.add(record); });
    return std::move(draft).result();
}

Released release(const Json& draft) {
    if (!draft.is_object() || !draft.contains("items") || !draft["items"].is_array())
        throw std::runtime_error{"this is no draft of the command subject"};
    Released released;
    for (auto item : draft["items"]) {
        const auto mark = text_in(item, "mark"), why = text_in(item, "why");
        if (mark != "keep" && mark != "redact" && mark != "withhold")
            fault(item, "is not marked keep, redact or withhold");
        if (mark != "keep" && why.empty()) fault(item, "does not say why it is " + mark + "ed");
        auto& out = released.text;
        out += text_in(item, "time") + "  " + printable(text_in(item, "what")) + ", from " +
               printable(text_in(item, "from")) +
               (text_in(item, "to").empty() ? "" : ", to " + printable(text_in(item, "to"))) + "\n";
        if (mark == "withhold") {
            ++released.withheld;
            out += "  withheld: " + printable(why) + "\n";
            continue;
        }
        if (mark == "redact") {
            redact(item);
            out += "  redacted in part: " + printable(why) + "\n";
        }
        ++(mark == "keep" ? released.kept : released.redacted);
        const auto& content = item["content"];
        out += content.is_string() ? "  " + printable(content.get<std::string>()) + "\n" : in_lines(content);
    }
    return released;
}

}  // namespace flagpost::auditor
