/// Who must not see a notice: the conflict list of its case, as the broker told it with reports `kept_from`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/client/box.h"

namespace flagpost::desk {

/// Whether two names as people and sign-ins write them ("Sam Patel", "S. Patel", "sam.patel") may be one person's: first name,
/// or the initial of one of them, and surname, whatever the accents. In doubt they may: another person takes the notice.
bool may_be_same_person(std::string_view one, std::string_view other);

/// Whether one of these names may be the person's, who is called `called` and signs in as `name` (empty: does not).
bool is_kept_from(const std::vector<std::string>& kept_from, const std::string& called,
                  const std::string& name = {});

/// Of all conflict lists (Box::kept_from) the one of this notice or review; empty where there is none.
std::vector<std::string> list_of(const std::map<std::string, std::vector<std::string>>& lists, BytesView id);

/// Whether the notice or review must not be seen or answered by the person who says so of themselves.
bool is_kept_from(const client::Box& box, const client::Incoming& item, const std::string& by);

}  // namespace flagpost::desk
