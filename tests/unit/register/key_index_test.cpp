#include "broker/register/key_index.h"

#include <algorithm>
#include <map>
#include <random>

#include "broker/register/numbered.h"
#include "broker/register/shared.h"
#include "tests/support/catch.h"

using namespace flagpost;

namespace {

struct Text {
    std::string value;
    friend bool operator==(const Text&, const Text&) = default;
};
std::uint64_t hash_of(const Text& text) { return registry::KeyHash{1}.text(text.value).value(); }

}  // namespace

TEST_CASE("an index holds what was added and not removed", "[register]") {
    std::mt19937 random{3};
    registry::KeyIndex index;
    std::map<std::uint64_t, std::vector<std::uint32_t>> expected;
    for (std::uint32_t i = 0; i < 60'000; ++i) {
        // A few keys that many share, many that few do.
        const std::uint64_t key = 1 + (random() % 2 == 0 ? random() % 5 : random() % 4000);
        auto& rows = expected[key];
        if (random() % 5 < 3 || rows.empty()) {
            index.add(key, i);
            rows.push_back(i);
        } else {
            const auto at = rows.begin() + static_cast<std::ptrdiff_t>(random() % rows.size());
            index.remove(key, *at);
            rows.erase(at);
            index.remove(key, i);  // never was there
        }
        if (i % 500 != 0) continue;
        for (auto& [each, wanted] : expected) {
            std::vector<std::uint32_t> found;
            index.collect(each, found);
            std::sort(found.begin(), found.end());
            std::sort(wanted.begin(), wanted.end());
            REQUIRE(found == wanted);
            REQUIRE(index.count(each) == wanted.size());
        }
    }
}

TEST_CASE("numbers of removed values are given out again, and the others stay as they were", "[register]") {
    registry::Numbered<std::string> values;
    for (int i = 0; i < 3000; ++i) REQUIRE(values.add(std::to_string(i)) == static_cast<std::uint32_t>(i));
    values.remove(7);
    values.remove(2500);
    CHECK(values.size() == 2998);
    CHECK(values.add("a") == 2500);
    CHECK(values.add("b") == 7);
    CHECK(values.add("c") == 3000);
    CHECK(values[7] == "b");
    CHECK(values[8] == "8");
    CHECK(values[2999] == "2999");
}

TEST_CASE("equal values are kept once, for as long as somebody has them", "[register]") {
    registry::Shared<Text> values;
    const auto keep = [&](const char* text) { return values.keep(std::make_shared<const Text>(Text{text})); };
    auto first = keep("SMITH");
    auto second = keep("SMITH");
    const auto other = keep("JONES");
    CHECK(first.value == second.value);
    CHECK(first.number == second.number);
    CHECK(first.number != other.number);
    CHECK(values.find(Text{"JONES"})->number == other.number);
    values.release(std::move(first.value));
    CHECK(values.size() == 2);
    values.release(std::move(second.value));
    CHECK(values.size() == 1);
    CHECK(values.find(Text{"SMITH"}) == nullptr);
    CHECK(keep("PATEL").number == first.number);
    CHECK(keep("SINGH").number != other.number);
}
