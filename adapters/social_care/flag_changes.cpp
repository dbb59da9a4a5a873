#include "adapters/social_care/flag_changes.h"

#include <algorithm>

#include "flag_generated.h"

namespace flagpost::social_care {

FlagList list_of(const desk::Prepared& prepared) {
    FlagList list;
    for (std::size_t i = 0; i < prepared.records.size(); ++i) {
        const auto flag = wire::read_table<schemas::Flag>(prepared.records[i], "flag");
        if (!flag) throw std::logic_error{"a record that was just made cannot be read"};
        const auto is_set = [](const flatbuffers::String* text) {
            return text != nullptr && text->size() > 0;
        };
        list.insert_or_assign(prepared.keys[i],
                              Listed{crypto::sha256(prepared.records[i]), is_set((*flag)->end_date()),
                                     is_set((*flag)->delete_date())});
    }
    return list;
}

Changes changes(const FlagList& before, const FlagList& load, schemas::LoadMode mode) {
    Changes all;
    for (const auto& [child, now] : load) {
        const auto found = before.find(child);
        const bool stood = found != before.end() && found->second.stands();
        if (found != before.end() && found->second.digest == now.digest)
            ++all.same;
        else if (stood && now.deleted)
            ++all.deleted;
        else if (stood && now.ended)
            ++all.ended;
        else if (found == before.end())
            ++all.fresh;
        else
            ++all.changed;
    }
    for (const auto& [child, then] : before) {
        if (!then.stands()) continue;
        ++all.standing;
        if (mode == schemas::LoadMode::full && !load.contains(child)) ++all.ended;
    }
    return all;
}

}  // namespace flagpost::social_care
