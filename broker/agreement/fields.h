/// The fields a sharing rule may allow, by kind of message: those of schemas/notice.fbs, and groups of them.
#pragma once

#include <string_view>
#include <vector>

namespace flagpost::agreement {

/// Whether the broker makes such messages for others: "social_care_notice", "question", ...
bool is_shared(std::string_view what);

/// The fields of the schema that `name` stands for in a rule about `what`: itself, or the members of a group such as
/// "incident". Empty: no such field. A test compares them with the schema.
std::vector<std::string_view> fields_named(std::string_view what, std::string_view name);

/// All names a rule about `what` may use.
std::vector<std::string_view> names_for(std::string_view what);

}  // namespace flagpost::agreement
