/// A list of flags in any format: flags, or reasons. The first byte says whether the same bytes are the details too.
#include "adapters/social_care/flag_file.h"
#include "flag_generated.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
using namespace flagpost::social_care;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
    const bool both = (data[0] & 1) != 0;
    const auto details = ChildDetails::parse(both ? text : "LAchildID,FamilyName\nC1,Example\n");
    const FlagSource source{"E10000024", "", "2026-11-27", std::nullopt, details ? &*details : nullptr};
    const auto file = read_flag_file(text, source);
    if (!file) {
        fuzz::hold(!file.error().where.empty(), "who is refused hears why");
        return 0;
    }
    const auto& prepared = file->prepared;
    std::set<std::string> keys;
    for (std::size_t i = 0; i < prepared.records.size(); ++i) {
        fuzz::hold(wire::read_table<schemas::Flag>(prepared.records[i], "flag").has_value(),
                   "a record can be read");
        fuzz::hold(keys.insert(prepared.keys.at(i)).second, "no child is there twice");
        fuzz::hold(i == 0 || prepared.lines.at(i) >= prepared.lines.at(i - 1),
                   "records come in the order of their lines");
    }
    for (const auto& reject : prepared.rejects)
        fuzz::hold(!reject.reason.empty(), "what is rejected says why");
    return 0;
}
