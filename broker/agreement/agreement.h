/// The sharing agreement as values: who may publish, who may be told what, which fields, why.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/ids.h"

namespace flagpost::agreement {

struct Party {
    AgencyId agency;
    std::string name;
    std::vector<AgencyId> acts_for;       // a trust for its schools, a delegate for an authority
    std::optional<AgencyId> review_desk;  // where Low, Many and held matches go; default its own authority
};

/// What a recipient can have reached; each includes those before it.
enum class Reached { stored, opened, answered };

/// One step of a rule's ladder: whose turn it is when nobody has answered. Never a way to drop anything.
struct Rung {
    /// "again" (the same mailbox, addressed to the next contact), "education" or "social-care" (the child's
    /// authority), "sender" (whose message made the notice owed).
    std::string to;
    std::optional<std::chrono::minutes> after;            // from when the notice was issued
    std::optional<std::chrono::minutes> before_deadline;  // instead: from its due time back
    Reached unless = Reached::answered;
};

/// One sharing rule: `what` (a message kind) from kind of agency to kind of agency.
struct Rule {
    std::string id;    // "SC-1"
    std::string what;  // "social_care_notice", "school_notice", "review_item", ...
    std::string from;  // agency kind
    std::string to;    // agency kind
    std::string purpose;
    std::vector<std::string> legal_basis;
    std::set<std::string>
        fields;  // allow-list, names of schemas/notice.fbs (groups spelt out); others are not sent
    std::chrono::minutes respond_within{};
    std::string retention;
    std::vector<Rung> escalate;
};

class Agreement {
public:
    /// The text of agreement.toml; a refusal names the line ("agreement.toml:12: rule SC-1: unknown field").
    static Result<Agreement> parse(std::string_view toml);

    const Digest& digest() const;  // SHA-256 of the exact text
    std::string_view partnership() const;
    const Party* party(const AgencyId& agency) const;  // null: no party
    const std::map<AgencyId, Party>& parties() const;
    /// Whether `agency` is `other` or acts for it.
    bool acts_as(const AgencyId& agency, const AgencyId& other) const;

    /// Deny by default. A refusal is not_permitted or unknown_topic, and names the rule that stopped it.
    Result<void> may_publish(const AgencyId& agency, std::string_view topic) const;
    Result<void> may_subscribe(const AgencyId& agency, std::string_view topic) const;
    /// The rule that lets `what` go from one kind of agency to another; null: nobody agreed to it.
    const Rule* rule_for(std::string_view what, std::string_view from_kind, std::string_view to_kind) const;

    /// The operator who looks after what no consumer could store: `dead_letters`, or the first operator there is.
    std::string dead_letter_owner() const;

    /// Every mailbox that exists: one per recipient and topic, before anyone connects.
    std::set<std::string> mailboxes() const;

private:
    struct Content;
    std::shared_ptr<const Content> content_;
    explicit Agreement(std::shared_ptr<const Content> content) : content_{std::move(content)} {}
};

}  // namespace flagpost::agreement
