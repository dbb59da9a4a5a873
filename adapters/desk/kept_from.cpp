#include "adapters/desk/kept_from.h"

#include <algorithm>

#include "broker/plain/person.h"

namespace flagpost::desk {

bool is_kept_from(const std::vector<std::string>& kept_from, const std::string& called,
                  const std::string& name) {
    return std::ranges::any_of(kept_from, [&](const std::string& each) {
        return plain::may_be_same_person(each, called) ||
               (!name.empty() && plain::may_be_same_person(each, name));
    });
}

std::vector<std::string> list_of(const std::map<std::string, std::vector<std::string>>& lists, BytesView id) {
    if (lists.empty()) return {};
    const auto found = lists.find(to_hex(id));
    return found == lists.end() ? std::vector<std::string>{} : found->second;
}

bool is_kept_from(const client::Box& box, const client::Incoming& item, const std::string& by) {
    return is_kept_from(box.kept_from(item), by);
}

}  // namespace flagpost::desk
