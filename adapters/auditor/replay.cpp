#include "adapters/auditor/replay.h"

#include <date/date.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "adapters/auditor/leaves.h"
#include "adapters/auditor/printable.h"

namespace flagpost::auditor {
namespace {

using log::Leaf;
using log::LeafKind;

std::string formatted(Instant time, const char* form) {
    // Instants far outside history are damage; date's arithmetic is kept away from them.
    static constexpr auto far = std::chrono::hours{24 * 365 * 5000};
    const auto since = time.time_since_epoch();
    if (since > far || since < -far) return std::to_string(since.count()) + " us";
    return date::format(form, time);
}

std::string time_of(const Leaf& leaf, const char* form) { return formatted(leaf.time, form); }

/// What kind of message goes over a topic.
std::string message_on(const std::string& topic) {
    struct Row {
        std::string_view prefix;
        const char* words;
    };
    static constexpr Row rows[] = {
        {"incidents/",           "an incident"                                 },
        {"flags/",               "part of a flag list"                         },
        {"rolls/not-in-school/", "part of a register of children not in school"},
        {"rolls/",               "part of a school roll"                       },
        {"reference/",           "part of a reference list"                    },
        {"receipts/",            "a receipt"                                   },
        {"bench/",               "a message of the bench"                      },
    };
    for (const auto& row : rows)
        if (topic.starts_with(row.prefix)) return row.words;
    return "a message";
}

std::string short_id(const std::optional<Id16>& id) {
    return id ? to_hex(BytesView{*id}.first(4)) + "..." : std::string{"(unnamed)"};
}

std::string short_digest(const std::optional<Digest>& digest) {
    return digest ? to_hex(BytesView{*digest}.first(4)) + "..." : std::string{"(none)"};
}

std::string follows(const Leaf& leaf) {
    return leaf.related ? ", following from [" + std::to_string(*leaf.related) + "]" : "";
}

std::string on_topic(const Leaf& leaf) { return leaf.topic.empty() ? "" : " on " + leaf.topic; }

std::string because(const Leaf& leaf) {
    return leaf.outcome.empty() || leaf.outcome == "none" ? "" : ": " + leaf.outcome;
}

std::string receipt_words(const Leaf& leaf, const std::string& what) {
    return "had a named person " + what + " notice " + short_id(leaf.message) + because(leaf) +
           (leaf.number != 0 ? ", which closes it" : "");
}

/// What was done, after the name of who did it.
std::string deed_of(const Leaf& leaf) {
    switch (leaf.kind) {
        case LeafKind::published:
            return "published " + message_on(leaf.topic) + on_topic(leaf);
        case LeafKind::refused:
            return (leaf.recipient.empty() ? "was refused" : "kept a notice from " + leaf.recipient) +
                   on_topic(leaf) + because(leaf) + (leaf.rule.empty() ? "" : " (" + leaf.rule + ")") +
                   follows(leaf);
        case LeafKind::decided:
            return "compared an incident with the register" + follows(leaf) +
                   (leaf.outcome.empty() ? "" : ": " + decision_in_words(leaf.outcome));
        case LeafKind::notice_issued:
            return "owes " + leaf.recipient + " notice " + short_id(leaf.message) + on_topic(leaf) + " #" +
                   std::to_string(leaf.number) + (leaf.rule.empty() ? "" : " under " + leaf.rule) +
                   follows(leaf);
        case LeafKind::delivered:
            return "was handed" + on_topic(leaf) + " #" + std::to_string(leaf.number);
        case LeafKind::stored:
            return "has stored what came" + on_topic(leaf) + " up to #" + std::to_string(leaf.number);
        case LeafKind::opened:
            return receipt_words(leaf, "open");
        case LeafKind::recorded:
            return receipt_words(leaf, "record what was done about");
        case LeafKind::load_applied:
            return "ended a load" + on_topic(leaf) + because(leaf) + ", " + std::to_string(leaf.candidates) +
                   " records taken";
        case LeafKind::record_set:
            return std::string{leaf.operation == log::Operation::alteration ? "changed" : "added"} +
                   " a record" + on_topic(leaf);
        case LeafKind::record_removed:
            return "took away a record" + on_topic(leaf);
        case LeafKind::session_opened:
            return "connected, certificate " + short_digest(leaf.certificate);
        case LeafKind::session_closed:
            return "disconnected" + because(leaf);
        case LeafKind::agreement_set:
            return "put agreement " + short_digest(leaf.agreement) + " into force";
        case LeafKind::parties_set:
            return "put list of parties " + short_digest(leaf.setting) + " into force";
        case LeafKind::keys_set:
            return "began to use the keys of list " + short_digest(leaf.setting);
        case LeafKind::crl_set:
            return "put revocation list " + std::to_string(leaf.number) + " into force";
        case LeafKind::recovered:
            return "started";
        case LeafKind::clock_step:
            return "saw its clock set" + because(leaf);
        case LeafKind::consulted:
            return "read " + (leaf.outcome.empty() ? "records" : leaf.outcome) +
                   (leaf.purpose.empty() ? "" : ", for " + leaf.purpose);
        case LeafKind::disclosed:
            return "handed keys of bodies (" + leaf.outcome + ") to " + leaf.recipient +
                   (leaf.purpose.empty() ? "" : ", for " + leaf.purpose) + follows(leaf);
        case LeafKind::erased:
            return "destroyed the keys of " + std::to_string(leaf.candidates) + " records" +
                   (leaf.recipient.empty() ? "" : " of " + leaf.recipient) + because(leaf) +
                   (leaf.rule.empty() ? "" : " under " + leaf.rule) +
                   (leaf.purpose.empty() ? "" : ", for " + leaf.purpose) + follows(leaf);
        case LeafKind::held:
        case LeafKind::lifted:
            if (leaf.rule == "conflict")
                return (leaf.kind == LeafKind::held ? "put a person on the conflict list of a case of "
                                                    : "took a person off the conflict list of a case of ") +
                       (leaf.recipient.empty() ? "everybody" : leaf.recipient) + because(leaf) +
                       (leaf.purpose.empty() ? "" : ", for " + leaf.purpose) + follows(leaf);
            return (leaf.kind == LeafKind::held ? "put records of " : "lifted the hold on records of ") +
                   (leaf.recipient.empty() ? "everybody" : leaf.recipient) +
                   (leaf.kind == LeafKind::held ? " on hold" : "") + because(leaf) +
                   (leaf.purpose.empty() ? "" : ", for " + leaf.purpose) + follows(leaf);
        case LeafKind::staff_changed:
            return "changed who may sign in at its pages" + because(leaf);
        case LeafKind::escalated:
            return "passed notice " + short_id(leaf.message) + ", which had come as far as " + leaf.outcome +
                   ", on to " + leaf.recipient + (leaf.rule.empty() ? "" : " under " + leaf.rule) +
                   follows(leaf);
        case LeafKind::overdue:
            return "found notice " + short_id(leaf.message) + " to " + leaf.recipient + " overdue" +
                   because(leaf) + follows(leaf);
        case LeafKind::reported:
            return "told " + leaf.recipient + " how notice " + short_id(leaf.message) + " fares" +
                   because(leaf);
        case LeafKind::dead_lettered:
            return "took what nobody could store in " + std::to_string(leaf.candidates) + " attempts out" +
                   on_topic(leaf) + " #" + std::to_string(leaf.number) + ", for " + leaf.recipient +
                   " to look at";
        case LeafKind::reinserted:
            return "put a dead letter back" + on_topic(leaf) + " as #" + std::to_string(leaf.number) +
                   because(leaf) + follows(leaf);
        case LeafKind::discarded:
            return "gave up a dead letter" + on_topic(leaf) + because(leaf) + follows(leaf);
        case LeafKind::reviewed:
            return "let go what was held" + because(leaf) + follows(leaf);
        case LeafKind::marked:
            return "told " + leaf.recipient + " of " + std::to_string(leaf.candidates) + " changes of flags" +
                   (leaf.rule.empty() ? "" : " under " + leaf.rule) + follows(leaf);
        case LeafKind::none:
            break;
    }
    return "did something unknown";
}

bool concerns(const Leaf& leaf, const AgencyId& agency) {
    return agency_of(leaf.actor) == agency.text() || leaf.recipient == agency.text();
}

}  // namespace

std::string agency_of(const std::string& actor) {
    const auto id = SpiffeId::parse(actor);
    return id ? id->agency().text() : actor;
}

std::string who_in_words(const Leaf& leaf) {
    auto who = printable(agency_of(leaf.actor));
    return who.starts_with("broker/") ? "the broker" : who;
}

std::string deed_in_words(const Leaf& leaf) { return printable(deed_of(leaf)); }

std::string in_words(const Leaf& leaf, std::uint64_t index) {
    return time_of(leaf, "%F %T").substr(0, 19) + "  " + who_in_words(leaf) + " " + deed_in_words(leaf) +
           " [" + std::to_string(index) + "]";
}

std::string in_json(const Leaf& leaf, std::uint64_t index) {
    nlohmann::ordered_json object{
        {"index", index       },
        {"time",  time_of(leaf, "%FT%TZ")},
        {"kind",       schemas::EnumNameLeafKind(leaf.kind)             },
        {"operation",       schemas::EnumNameOperation(leaf.operation)},
        {"actor",       leaf.actor                 },
    };
    const auto put_text = [&](const char* name, const std::string& text) {
        if (!text.empty()) object[name] = text;
    };
    const auto put_bytes = [&](const char* name, const auto& bytes) {
        if (bytes) object[name] = to_hex(*bytes);
    };
    put_bytes("certificate", leaf.certificate);
    put_bytes("user", leaf.user);
    put_text("recipient", leaf.recipient);
    put_bytes("session", leaf.session);
    put_text("topic", leaf.topic);
    put_bytes("message", leaf.message);
    if (leaf.number != 0) object["number"] = leaf.number;
    for (const auto& subject : leaf.subjects) object["subjects"].push_back(to_hex(subject));
    put_bytes("body", leaf.body);
    put_bytes("agreement", leaf.agreement);
    put_text("rule", leaf.rule);
    put_text("purpose", leaf.purpose);
    for (const auto& code : leaf.legal_basis) object["legal_basis"].push_back(code);
    put_text("outcome", leaf.outcome);
    put_bytes("engine", leaf.engine);
    put_bytes("setting", leaf.setting);
    if (leaf.candidates != 0) object["candidates"] = leaf.candidates;
    if (leaf.related) object["related"] = *leaf.related;
    for (const auto& range : leaf.erased) object["erased"].push_back({range.first, range.last});
    return object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::optional<Instant> parse_time(const std::string& text) {
    // Every digit stands for a digit, everything else for itself.
    static constexpr std::string_view form = "0000-00-00T00:00:00Z";
    const bool day_only = text.size() == 10;
    if (!day_only && text.size() != 19 && text.size() != 20) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !digit : text[i] != form[i]) return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t size) {
        return day_only && at > 8 ? 0 : std::stoi(text.substr(at, size));
    };
    const date::year_month_day day{date::year{number(0, 4)}, date::month(static_cast<unsigned>(number(5, 2))),
                                   date::day(static_cast<unsigned>(number(8, 2)))};
    const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (!day.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return Instant{date::sys_days{day}.time_since_epoch() + std::chrono::hours{hour} +
                   std::chrono::minutes{minute} + std::chrono::seconds{second}};
}

std::string time_text(Instant time) {
    const auto text = formatted(time, "%FT%T");
    return text.ends_with("us") ? text : text.substr(0, 19) + "Z";
}

bool Selection::follows(const Leaf& leaf, std::uint64_t index) {
    const bool is_one = entries_.contains(index) || (leaf.related && entries_.contains(*leaf.related)) ||
                        (leaf.message && messages_.contains(*leaf.message));
    if (!is_one) return false;
    entries_.insert(index);
    if (leaf.message) messages_.insert(*leaf.message);
    return true;
}

bool Selection::takes(const Leaf& leaf, std::uint64_t index) {
    if (!options_.entries.empty() && !follows(leaf, index)) return false;
    if (leaf.time < options_.from || leaf.time >= options_.to) return false;
    if (options_.agency && !concerns(leaf, *options_.agency)) return false;
    return !options_.subject || std::ranges::find(leaf.subjects, *options_.subject) != leaf.subjects.end();
}

std::uint64_t replay(const std::filesystem::path& directory, const ReplayOptions& options, std::ostream& out,
                     const Progress& progress) {
    Selection selection{options};
    std::uint64_t told = 0;
    const auto tell = [&](std::uint64_t index, const Leaf& leaf) {
        if (!selection.takes(leaf, index)) return;
        out << (options.json ? in_json(leaf, index) : in_words(leaf, index)) << "\n";
        ++told;
    };
    each_leaf(directory, tell, progress);
    return told;
}

std::string decision_in_words(const std::string& outcome) {
    struct Name {
        std::string_view code;
        const char *one, *several;
    };
    static constexpr Name names[] = {
        {"match",     "match",                           "matches"                           },
        {"potential", "possible match",                  "possible matches"                  },
        {"many",      "child who is one of several",     "children who are one of several"   },
        {"low",       "child too unlike to be told",     "children too unlike to be told"    },
        {"pupils",    "pupil",                           "pupils"                            },
        {"unplaced",  "child whose school is not known", "children whose school is not known"},
    };
    const std::string_view late = "late: ";
    const bool is_late = outcome.starts_with(late);
    std::string words, compared;
    for (std::size_t at = is_late ? late.size() : 0; at < outcome.size();) {
        const auto end = std::min(outcome.find(' ', at), outcome.size()), is = outcome.find('=', at);
        if (is >= end) return outcome;
        const auto code = std::string_view{outcome}.substr(at, is - at);
        const std::string number = outcome.substr(is + 1, end - is - 1);
        at = end + 1;
        const auto* const name = std::ranges::find(names, code, &Name::code);
        if (name == std::end(names) && code != "candidates") return outcome;
        if (code == "candidates")
            compared = number + " compared";
        else if (number != "0")
            words += (words.empty() ? "" : ", ") + number + " " + (number == "1" ? name->one : name->several);
    }
    if (words.empty()) words = "nobody";
    return (is_late ? "late, " : "") + words + (compared.empty() ? "" : ", of " + compared);
}

}  // namespace flagpost::auditor
