/// Leaves as an auditor reads them from an export.
#include "broker/log/leaf.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(data, data + size);
    if (const auto leaf = log::decode_leaf(input)) {
        const auto again = log::decode_leaf(log::encode(*leaf));
        fuzz::hold(again == leaf, "a leaf that was read can be written and reads the same");
    }
    return 0;
}
