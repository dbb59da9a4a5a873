#include "broker/log/policy.h"

#include <algorithm>
#include <charconv>

#include "broker/core/limits.h"

namespace flagpost::log {
namespace {

using Words = std::vector<std::string_view>;

Words words_of(std::string_view line) {
    static constexpr std::string_view blank = " \t";
    Words words;
    while (true) {
        const auto begin = line.find_first_not_of(blank);
        if (begin == std::string_view::npos) return words;
        line.remove_prefix(begin);
        const auto end = std::min(line.find_first_of(blank), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

bool is_policy_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<std::uint8_t>(c);
        return byte == '\t' || byte == '\n' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::optional<std::size_t> threshold_of(std::string_view word, std::size_t members) {
    if (word == "any") return 1;
    if (word == "all") return members;
    std::size_t threshold = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), threshold);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    if (threshold < 1 || threshold > members) return std::nullopt;
    return threshold;
}

}  // namespace

/// A policy while its lines are read. Each step answers what is wrong with its line, or nothing.
struct Policy::Reading {
    using Fault = const char*;
    Policy policy;
    std::vector<bool> grouped;  // members already listed in a group: each counts in one way only
    bool quorum_seen = false;

    Fault line(const Words& words) {
        if (words[0] == "log") return log(words);
        if (words[0] == "witness") return witness(words);
        if (words[0] == "group") return group(words);
        if (words[0] == "quorum") return quorum(words);
        return "unknown keyword";
    }

    Fault log(const Words& words) {
        if (words.size() != 2 && words.size() != 3) return "log: wants a key";
        const auto key = VerifierKey::parse(words[1]);
        if (!key || key->type() != VerifierKey::Type::note) return "log: not the key of a log";
        if (std::ranges::any_of(policy.logs_,
                                [&](const VerifierKey& known) { return known.key() == key->key(); }))
            return "log: listed twice";
        policy.logs_.push_back(*key);
        return nullptr;
    }

    Fault witness(const Words& words) {
        if (words.size() != 3 && words.size() != 4) return "witness: wants a name and a key";
        const auto key = VerifierKey::parse(words[2]);
        if (!key || key->type() != VerifierKey::Type::cosignature) return "witness: not the key of a witness";
        if (std::ranges::any_of(policy.members_, [&](const Member& known) {
                return known.key && known.key->key() == key->key();
            }))
            return "witness: listed twice";
        return define(Member{std::string{words[1]}, *key, 1, {}});
    }

    Fault group(const Words& words) {
        if (words.size() < 4) return "group: wants a name, a threshold and members";
        const auto threshold = threshold_of(words[2], words.size() - 3);
        if (!threshold) return "group: threshold";
        Member defined{std::string{words[1]}, std::nullopt, *threshold, {}};
        for (const auto name : std::span{words}.subspan(3)) {
            const auto place = find(name);
            if (!place) return "group: member not defined above";
            if (grouped[*place]) return "group: member listed before";
            grouped[*place] = true;
            defined.members.push_back(*place);
        }
        return define(std::move(defined));
    }

    Fault quorum(const Words& words) {
        if (quorum_seen) return "quorum: a second one";
        if (words.size() != 2) return "quorum: wants one name";
        quorum_seen = true;
        if (words[1] == "none") return nullptr;
        policy.quorum_ = find(words[1]);
        return policy.quorum_ ? nullptr : "quorum: not defined above";
    }

    Fault define(Member member) {
        if (member.name == "none" || find(member.name)) return "name already taken";
        policy.members_.push_back(std::move(member));
        grouped.push_back(false);
        return nullptr;
    }

    std::optional<std::size_t> find(std::string_view name) const {
        const auto known = std::ranges::find(policy.members_, name, &Member::name);
        if (known == policy.members_.end()) return std::nullopt;
        return static_cast<std::size_t>(known - policy.members_.begin());
    }
};

Result<Policy> Policy::parse(std::string_view text) {
    if (text.size() > limits::policy_size_max) return refuse(Reason::too_large, "policy: longer than 64 KiB");
    if (!is_policy_text(text)) return refuse(Reason::malformed, "policy: control character");
    Reading reading;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto words = words_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (words.empty() || words[0].starts_with('#')) continue;
        const auto where = "policy:" + std::to_string(number) + ": ";
        if (const auto* fault = reading.line(words)) return refuse(Reason::malformed, where + fault);
        if (reading.policy.logs_.size() + reading.policy.members_.size() > limits::policy_names_max)
            return refuse(Reason::too_large, where + "too many names");
    }
    if (!reading.quorum_seen) return refuse(Reason::malformed, "policy: no quorum line");
    return std::move(reading.policy);
}

Policy Policy::of_log(VerifierKey log) {
    Policy policy;
    policy.logs_.push_back(std::move(log));
    return policy;
}

Result<Policy::Judged> Policy::judge(std::string_view note) const {
    const auto parsed = SignedNote::parse(note);
    if (!parsed) return tl::unexpected{parsed.error()};

    const VerifierKey* signer = nullptr;
    for (const auto& log : logs_) {
        const auto line = line_of(*parsed, log);
        if (line == Line::fails) return refuse(Reason::bad_signature, "checkpoint: signature of the log");
        if (line == Line::holds && signer == nullptr) signer = &log;
    }
    if (signer == nullptr) return refuse(Reason::bad_signature, "checkpoint: not signed by a trusted log");

    Judged judged{{}, {}};
    std::string missing;
    std::vector<bool> cosigned;
    for (const auto& member : members_) {
        if (!member.key) {
            const auto count =
                std::ranges::count_if(member.members, [&](auto place) { return cosigned[place]; });
            cosigned.push_back(static_cast<std::size_t>(count) >= member.threshold);
            continue;
        }
        const auto line = line_of(*parsed, *member.key);
        if (line == Line::fails) return refuse(Reason::bad_signature, "checkpoint: signature of a witness");
        cosigned.push_back(line == Line::holds);
        if (cosigned.back())
            judged.witnesses.push_back(member.name);
        else
            missing += (missing.empty() ? "" : ", ") + member.name;
    }
    if (quorum_ && !cosigned[*quorum_])
        return refuse(Reason::bad_signature,
                      "checkpoint: the witnesses do not make the quorum, without " + missing);

    auto head = open_checkpoint(note, *signer);
    if (!head) return tl::unexpected{head.error()};
    judged.head = *std::move(head);
    return judged;
}

std::size_t Policy::witness_count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(members_, [](const Member& member) { return member.key.has_value(); }));
}

std::vector<std::string> Policy::witness_names() const {
    std::vector<std::string> names;
    for (const Member& member : members_)
        if (member.key) names.push_back(member.name);
    return names;
}

bool Policy::trusts(const VerifierKey& log) const {
    return std::ranges::any_of(logs_, [&](const VerifierKey& known) { return known.text() == log.text(); });
}

}  // namespace flagpost::log
