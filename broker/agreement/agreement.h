/// The sharing agreement as values: who may publish, who may be told what, which fields, why.
#pragma once

#include <array>
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
    std::vector<std::string> areas;  // of police: the authorities whose area is theirs, by GSS code; sorted
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

/// How long bodies of one class are kept. Counted from the time of their leaf.
struct Retention {
    std::string id;          // "RET-1"; stands in the leaf of each erasure it causes
    std::string of;          // class: one of retention_classes, or what a sharing rule names
    std::string controller;  // whose: an agency, a kind of agency, or empty for everybody's
    std::chrono::minutes keep{};
};

/// The classes the broker itself files records under, but for those that hold no data about people (its settings, and
/// what it writes of an erasure). Sharing rules may name more.
inline constexpr std::array<std::string_view, 13> retention_classes{
    "bench",     "dead-letter", "flag",    "incident",  "load",   "mailbox", "notice",
    "operation", "order",       "receipt", "reference", "report", "roll"};

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

    /// Whose police area an authority is (GSS code); nothing: no party says so.
    std::optional<AgencyId> force_of(std::string_view authority) const;

    /// Deny by default. A refusal is not_permitted or unknown_topic, and names the rule that stopped it.
    Result<void> may_publish(const AgencyId& agency, std::string_view topic) const;
    Result<void> may_subscribe(const AgencyId& agency, std::string_view topic) const;
    /// The rule that lets `what` go from one kind of agency to another; null: nobody agreed to it.
    const Rule* rule_for(std::string_view what, std::string_view from_kind, std::string_view to_kind) const;

    /// The row by which a body of this class and controller is kept: the agency's own, else its kind's, else
    /// everybody's; null: it is kept until somebody orders its erasure.
    const Retention* retention_for(std::string_view of, std::string_view controller) const;
    /// The least any row keeps; nothing without rows.
    std::optional<std::chrono::minutes> shortest_retention() const;

    /// The operator who looks after what no consumer could store: `dead_letters`, or the first operator there is.
    std::string dead_letter_owner() const;

    /// Who is expected to hand over a list of children: each authority's social care its flags, each school its roll
    /// (or somebody for them), whether a party or acted for by one.
    std::set<std::string> sources() const;

    /// Every mailbox that exists: one per recipient and topic, before anyone connects.
    std::set<std::string> mailboxes() const;

private:
    struct Content;
    std::shared_ptr<const Content> content_;
    explicit Agreement(std::shared_ptr<const Content> content) : content_{std::move(content)} {}
};

}  // namespace flagpost::agreement
