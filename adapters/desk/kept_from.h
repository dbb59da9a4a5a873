/// Who must not see a notice: those of this agency who are on the conflict list of its case, as the broker told it with reports
/// `kept_from`. The same question of two names as the broker asks (plain::may_be_same_person).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/client/box.h"

namespace flagpost::desk {

/// Whether one of these names may be the person's, who is called `called` and signs in as `name` (empty: does not).
bool is_kept_from(const std::vector<std::string>& kept_from, const std::string& called,
                  const std::string& name = {});

/// Of all conflict lists (Box::kept_from) the one of this notice or review; empty where there is none.
std::vector<std::string> list_of(const std::map<std::string, std::vector<std::string>>& lists, BytesView id);

/// Whether the notice or review must not be seen or answered by the person who says so of themselves.
bool is_kept_from(const client::Box& box, const client::Incoming& item, const std::string& by);

}  // namespace flagpost::desk
