/// Whose each topic is: the one table behind may_publish, may_subscribe and mailboxes (README.md).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "broker/core/ids.h"

namespace flagpost::agreement {

inline constexpr std::string_view reviews_prefix = "reviews/";

/// Whose topic it is. The views point into the topic or live for ever.
struct Right {
    std::string_view rule;  // in words, for the refusal
    std::string_view kind;
    std::string_view code;   // empty: any agency of the kind
    bool delegable = false;  // whoever acts for the owner may do it too
};

/// Nothing: the topic is none of the table's.
std::optional<Right> right_to_publish(std::string_view topic);
std::optional<Right> right_to_subscribe(std::string_view topic);

/// The mailboxes an agency has because of what it is; results/<agency> and reports/<agency> are for parties only and not among them.
void add_mailboxes_of(const AgencyId& agency, std::set<std::string>& topics);

}  // namespace flagpost::agreement
