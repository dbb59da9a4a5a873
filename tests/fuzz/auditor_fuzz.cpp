/// What an auditor reads of an export and of a draft: names of files, items behind lengths, bodies as text, marks.
#include <nlohmann/json.hpp>

#include "adapters/auditor/content.h"
#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "adapters/auditor/subject.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
using namespace flagpost::auditor;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const BytesView bytes{data + 1, size - 1};
    switch (data[0] % 5) {
        case 0:
            if (const auto piece = piece_at(text(bytes)))
                fuzz::hold(path_of(*piece) == text(bytes), "a piece has one name");
            break;
        case 1:
        case 2: {
            const auto prefix = data[0] % 5 == 1 ? Prefix::entry : Prefix::body;
            const auto judge = [](std::size_t, BytesView item) {
                return item.size() % 3 == 0 ? Verdict::wrong : Verdict::unknown;
            };
            fuzz::hold(items_of(bytes, prefix, 16, judge).items.size() <= 16, "no more items than asked for");
            break;
        }
        case 3:
            try {
                (void)in_lines(content_of(static_cast<schemas::Kind>(data[0] / 5 % 11), bytes));
            } catch (const std::runtime_error&) {
            }
            break;
        default:
            if (const auto draft = nlohmann::ordered_json::parse(text(bytes), nullptr, false);
                !draft.is_discarded())
                try {
                    (void)release(draft);
                } catch (const std::runtime_error&) {
                }
            break;
    }
    return 0;
}
