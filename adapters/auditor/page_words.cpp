#include "adapters/auditor/page_words.h"

#include "adapters/auditor/printable.h"
#include "adapters/auditor/replay.h"

namespace flagpost::auditor {

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

std::string exact_time(Instant time) {
    std::string text = time_text(time);  // "2026-03-02T21:40:12Z"
    if (text.size() != 20) return text;
    text[10] = ' ';
    return text.substr(0, 19) + " UTC";
}

std::string person_in_words(const log::Leaf& leaf) {
    return leaf.user ? "person " + to_hex(BytesView{*leaf.user}.first(4)) : "";
}

std::vector<LeafFact> facts_of_leaf(const log::Leaf& leaf) {
    std::vector<LeafFact> facts;
    const auto add = [&](const char* key, const std::string& value, const std::string& href = {}) {
        if (!value.empty()) facts.push_back({key, printable(value), href});
    };
    const auto add_bytes = [&](const char* key, const auto& bytes) {
        if (bytes) add(key, to_hex(*bytes));
    };
    add("Time", exact_time(leaf.time));
    add("Kind", schemas::EnumNameLeafKind(leaf.kind));
    if (leaf.operation != log::Operation::none)
        add("Operation (Data Protection Act 2018, section 62)", schemas::EnumNameOperation(leaf.operation));
    add("Who", leaf.actor);
    add_bytes("Person, as a keyed digest", leaf.user);
    add("Recipient", leaf.recipient);
    add("Topic", leaf.topic);
    if (leaf.number != 0) add("Number", grouped(leaf.number));
    add_bytes("Message", leaf.message);
    add("Outcome", leaf.outcome);
    add("Rule", leaf.rule);
    add("Purpose", leaf.purpose);
    std::string basis;
    for (const auto& code : leaf.legal_basis) basis += (basis.empty() ? "" : ", ") + code;
    add("Legal basis", basis);
    add_bytes("Agreement, by its digest", leaf.agreement);
    add_bytes("Engine, by its digest", leaf.engine);
    add_bytes("Text put in force, by its digest", leaf.setting);
    if (leaf.candidates != 0) add("Candidates", grouped(leaf.candidates));
    if (leaf.related)
        add("Follows from entry", grouped(*leaf.related), "/audit/entries/" + std::to_string(*leaf.related));
    std::string subjects;
    for (const auto& subject : leaf.subjects) subjects += (subjects.empty() ? "" : ", ") + to_hex(subject);
    add("About, as keyed digests", subjects);
    add_bytes("Body, by its digest", leaf.body);
    return facts;
}

}  // namespace flagpost::auditor
