/// What an auditor reads of keys handed over: the page as it lies, and what is in its box, which a broker may make up.
#include "broker/log/disclosure.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto key = crypto::BoxKey::generate();
    const BytesView bytes{data, size};
    (void)log::Scope::parse(text(bytes));
    (void)log::KeysPage::open(bytes, key);
    if (size < 10) return 0;
    auto context = copy(view("flagpost-keys/1\n"));
    context.insert(context.end(), data, data + 10);
    auto page = copy(bytes.first(10));
    const auto box = crypto::seal_to(key.public_key(), context, bytes.subspan(10));
    page.insert(page.end(), box.begin(), box.end());
    const auto opened = log::KeysPage::open(page, key);
    if (!opened) return 0;
    // What is accepted is what would be made of it again.
    const auto again = log::KeysPage::open(opened->seal_to(key.public_key()), key);
    fuzz::hold(again && again->first == opened->first && again->keys.size() == opened->keys.size(),
               "keys that were read can be sealed again and read the same");
    return 0;
}
